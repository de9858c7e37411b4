"""Is texture that a frozen encoder does not miss missed by a network that learns from the pictures themselves?"""

from __future__ import annotations

import time

import numpy as np

from benchmarks import cifar
from benchmarks.figures import header, row, title
from benchmarks.realism.altered import low_pass
from benchmarks.realism.verdicts import TUNED_ON
from loupe.brain.realism import transfer, verdicts
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.cnn import Cnn

#: of the low-pass, in px; 0 leaves the pictures as they are
BLURS = (0.0, 0.8)


def print_network(n: int, blurs: tuple[float, ...] = BLURS) -> None:
    """Prints what a low-passed set is worth by frozen vectors and by a network, n pictures a side, 2 n tested on."""
    pixels, columns = cifar.pictures()
    # the learning rate was set on the first pictures
    part = np.arange(TUNED_ON, TUNED_ON + 4 * n)
    pictures, classes = np.stack([pixels[at] for at in part.tolist()]), columns["clean_label"][part]
    title(f"CIFAR-10, pictures from {TUNED_ON:,} on, {n:,} a side, tested on {2 * n:,}")
    header("synthetic set", "learner", "R→R", "S→R", "R→S", "utility", "worth", "findings", "CPU s")
    for blur in blurs:
        altered = low_pass(pictures[:n], blur) if blur else pictures[:n]
        print_set(f"low-pass of {blur} px" if blur else "other real pictures", altered, pictures[n:], classes)


def print_set(name: str, synthetic: np.ndarray, real: np.ndarray, classes: np.ndarray) -> None:
    """Prints the rows of a synthetic set of n pictures; of 3 n real ones n are trained on, and the others tested on."""
    n = len(synthetic)
    for learner in ("discriminant", "cnn"):
        started = time.process_time()
        theirs, ours = (
            cifar.vectors(list(each)) if learner == "discriminant" else each.reshape(len(each), -1)
            for each in (synthetic, real)
        )
        sets = [
            Labeled(ours[:n], classes[n : 2 * n]),
            Labeled(ours[n:], classes[2 * n :]),
            Labeled(theirs, classes[:n]),
        ]
        using = Cnn(synthetic.shape[1]) if learner == "cnn" else None
        made = transfer.measure(*sets, 10, using=using)
        spent = time.process_time() - started
        arms = [str(made.arms[arm].accuracy) for arm in ("R→R", "S→R", "R→S")]
        named = ", ".join(each.name for each in verdicts.of_transfer(made)) or "none"
        row(name, learner, *arms, str(made.utility), str(made.equivalent_real_size), named, f"{spent:.0f}")
