"""How often are equal sets called different, and how often are unequal ones told apart, with all ranks right?"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from benchmarks.figures import header, row, share, title
from benchmarks.realism.transfers import Setting
from loupe.brain.realism import transfer
from loupe.brain.realism.arms import Tested, surely_better
from loupe.brain.realism.blocks import BLOCKS, Labeled, cut, halves
from loupe.brain.realism.learners import LEARNERS, Block
from loupe.brain.slicing.ranks import ranges

#: 600 real samples of four classes, as many to test on, 200 synthetic ones an arm
BASE = Setting(4, 48, 600, 600, 200)
#: share of wrong labels of each arm
CASES = {
    "four equal arms": (0.0, 0.0, 0.0, 0.0),
    "three equal, one with a tenth of the labels wrong": (0.0, 0.0, 0.0, 0.1),
    "three equal, one with a third of the labels wrong": (0.0, 0.0, 0.0, 0.33),
    "four that differ: 0, 15, 30, 45 % wrong": (0.0, 0.15, 0.3, 0.45),
}


def print_ranked(runs: int) -> None:
    """Prints how often any equal pair is told apart, any order is wrong, and unequal pairs are told apart."""
    title(f"Ranks of arms by use: {runs} draws of everything; confidence of all ranks at once .950")
    header("arms", "an equal pair called different", "some rank range misses the true rank", "unequal pairs told apart")
    for name, wrong in CASES.items():
        made = [_run(wrong, seed) for seed in range(runs)]
        pairs = [each for _, _, apart in made for each in apart]
        row(
            name,
            share(sum(equal for equal, _, _ in made), runs) if len(set(wrong)) < len(wrong) else "–",
            share(sum(missed for _, missed, _ in made), runs),
            share(sum(pairs), len(pairs)) if pairs else "–",
        )


def _tested(synthetic: Labeled, test: Labeled, priors: np.ndarray, seed: int) -> Tested:
    """Returns what ``transfer.measure`` has of its arm S→R, without the others."""
    rng = np.random.default_rng(seed)
    blocks = cut(synthetic, BASE.classes, rng)

    def correct(some: list[Block]) -> np.ndarray:
        return LEARNERS["discriminant"].scores(some, test.vectors, priors).argmax(axis=1) == test.classes

    drawn = [correct([blocks[at] for at in half.tolist()]) for half in halves(BLOCKS, transfer.HALVES, rng)]
    return Tested(correct(blocks), np.stack(drawn))


def _run(wrong: tuple[float, ...], seed: int) -> tuple[bool, bool, list[bool]]:
    real, test, _ = BASE.drawn(seed)
    tested = {}
    for at, each in enumerate(wrong):
        synthetic = replace(BASE, wrong=each).drawn(10_000 + 100 * seed + at)[2]
        tested[f"{at}"] = _tested(synthetic, test, np.bincount(real.classes, minlength=BASE.classes) + 1e-9, seed)
    surely = surely_better(tested, np.arange(BASE.test))
    level = {f"{at}": each for at, each in enumerate(wrong)}
    equal = any(level[a] == level[b] for a, b in surely)
    # the true rank is 1 and how many are better: Mogstad and others, who count the equal ones as not better
    bounds = ranges(list(tested), surely)
    true = {name: 1 + sum(other < own for other in wrong) for name, own in level.items()}
    missed = any(not low <= true[name] <= high for name, (low, high) in bounds.items())
    apart = [(a, b) in surely or (b, a) in surely for a, b in combinations(tested, 2) if level[a] != level[b]]
    return equal, missed, apart
