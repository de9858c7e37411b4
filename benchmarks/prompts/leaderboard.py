"""A suite as a leaderboard: Loupe's own signs, drawn by tiny-signs with few and with many steps, and what is read."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import title

STEPS = (1, 3, 20)


def leaderboard(sample: int = 40) -> None:
    """Prints the table of docs/suites.md.

    Args:
        sample: so many prompts of the suite are drawn
    """
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for steps in STEPS:
                run = loupe.generate(
                    dataset, "signs", sample=sample, steps=steps, output_dir=Path(folder), device="cpu"
                )
                print(f"{steps} steps: {run.n} images, {run.seconds / max(1, run.n):.2f} s each", flush=True)
            loupe.check(dataset, ["text"], device="cpu")
            title(f"The suite of signs, {sample} prompts, by steps")
            print("```")
            print(loupe.compare(dataset, "generation.steps", failure="any", within="scenario.digits"))
            print("```")
    finally:
        dataset.delete()
