"""An experiment end to end: tiny-signs at three guidances and two prompt styles, against real digits drawn as signs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from benchmarks.figures import row, title
from benchmarks.speed.end_to_end import own_database

GUIDANCE = (1.0, 3.0, 7.0)
PLAIN = 'a white sign that says "{class}", day, clear'
#: a digit on a sign of each color, by day and by night, in three weathers
VARIED = 'a {color} sign that says "{class}", {time}, {weather}'
STEPS = 8


def real_signs(folder: Path, split: Literal["train", "heldout"], n: int, seed: int) -> Any:
    """Returns a dataset of n signs of a digit each, drawn from scikit-learn's handwritten digits, with ``digit``."""
    import fiftyone as fo

    from training.tiny_signs.signs import COLORS, TIMES, WEATHERS, Sign, render

    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    samples = []
    for at in range(n):
        digit = str(at % 10)
        sign = Sign(str(rng.choice(COLORS)), digit, str(rng.choice(TIMES)), str(rng.choice(WEATHERS)))
        path = folder / f"{at}.png"
        # whoever writes illegibly belongs to the real world
        Image.fromarray(render(sign, rng, split, legible=False)).save(path)
        samples.append(fo.Sample(filepath=str(path), digit=fo.Classification(label=digit)))
    dataset = fo.Dataset()
    dataset.add_samples(samples, progress=False)
    return dataset


def styles() -> dict[str, Any]:
    """Returns the two prompt styles."""
    from training.tiny_signs.signs import COLORS, TIMES, WEATHERS

    return {
        "plain": PLAIN,
        "varied": {"template": VARIED, "factors": {"color": COLORS, "time": TIMES, "weather": WEATHERS}},
    }


def print_experiment(per_class: int, n_train: int, n_test: int, embedder: str, page: Path | None) -> None:
    """Prints the plan, the table and what follows, and how long each part took."""
    with own_database(), tempfile.TemporaryDirectory() as folder:
        import fiftyone as fo

        import loupe

        place = Path(folder)
        train = real_signs(place / "train", "train", n_train, 1)
        test = real_signs(place / "test", "heldout", n_test, 2)
        asked: dict[str, Any] = {
            "label": "digit",
            "models": "tiny-signs",
            "styles": styles(),
            "guidance": GUIDANCE,
            "per_class": per_class,
            "options": {"steps": STEPS},
            "embedder": embedder,
            "checks": ["sharpness", "exposure"],
            "output_dir": place / "drawn",
        }
        dataset = fo.Dataset()
        title(f"tiny-signs, {STEPS} steps, against {n_train:,} real signs of a digit each, tested on {n_test:,}")
        print(loupe.experiment(dataset, train, test, **asked, dry_run=True, measure=8), "\n")
        clock, cpu = time.perf_counter(), time.process_time()
        print(loupe.experiment(dataset, train, test, **asked, report=page))
        print(f"\n{time.process_time() - cpu:.0f} s of CPU, {time.perf_counter() - clock:.0f} s")
        clock, cpu = time.perf_counter(), time.process_time()
        loupe.experiment(dataset, train, test, **asked)
        row("the same again", f"{time.process_time() - cpu:.1f} s of CPU", f"{time.perf_counter() - clock:.1f} s")
