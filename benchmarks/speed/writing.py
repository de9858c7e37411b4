"""The writing of scores into FiftyOne's database."""

from __future__ import annotations

from benchmarks.speed.pictures import default_checks, timed
from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict


def print_writing(n: int = 100_000) -> None:
    """Prints the seconds for the default checks' scores of n samples."""
    import fiftyone as fo

    from loupe.brain.store import scores as store_scores
    from loupe.brain.verbs.steps.writer import WRITTEN_AT_ONCE

    names = default_checks()
    checks = [registry.checks()[name]() for name in names]
    outputs: list[Output] = [output for check in checks for output in check.outputs]
    dataset = fo.Dataset()
    for start in range(0, n, 10_000):
        part = [fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(start, min(n, start + 10_000))]
        dataset.add_samples(part, progress=False, validate=False)
    del part  # FiftyOne refreshes every sample that is held in memory
    store_scores.declare(dataset, outputs)
    rows = [
        Row(sample_id, path, {}, frozenset(names), dict.fromkeys(names, "key"))
        for sample_id, path in zip(*dataset.values(["id", "filepath"]), strict=True)
    ]
    values = {output.name: 0.5 for output in outputs}
    verdicts = [Verdict(row, values, {}, {}, {}, {}) for row in rows]

    def write() -> None:
        for start in range(0, n, WRITTEN_AT_ONCE):
            store_scores.write(dataset, verdicts[start : start + WRITTEN_AT_ONCE], checks)

    print(f"\n{n} samples x {len(outputs)} scores, {WRITTEN_AT_ONCE} at once: {timed(write):.1f} s")
    dataset.delete()
