"""The end of the demo: signs that fail are drawn again, the scenario with the fewest that pass is brought to a number
of them, and what that changes for who trains on the set is measured on scikit-learn's digits drawn as signs."""

from __future__ import annotations

from typing import Any

#: what is repaired
FAILURE = "text_substitution"
#: signs that are repaired at most, and drawings of each: more take longer than a demo may
SAMPLE, ATTEMPTS = 16, 3
#: signs of the worst scenario that are drawn at most, for each that a cell of the demo has
LIMIT = 7
#: the two factors whose cells are looked at
CELLS = ("scenario.weather", "scenario.digits")
#: lettering that the check of texts cannot judge on signs of 32 pixels' height: its silence on that does not matter
SILENT = ("text_distortion", "text_mixed_style", "text_illegible")
LABEL = "scenario.digits"


def as_drawn(dataset: Any) -> Any:
    """Returns the signs that were asked for at first, without those that this module added."""
    return dataset.match({"repair.of": None, "scenario.rebalance_draw": None})


def repaired(dataset: Any) -> list[str]:
    """Repairs some of the signs that say something else, from all scenarios; returns how many are better, in lines."""
    import loupe

    failing = as_drawn(dataset).match({"failures.classifications.label": FAILURE}).values("id")
    some = failing[:: -(-len(failing) // SAMPLE) or 1]
    if not some:
        return [f"no sign has {FAILURE}"]
    made = loupe.repair(dataset.select(some), failure=FAILURE, attempts=ATTEMPTS, progress=True)
    return [
        f"{len(some)} of {len(failing)} signs with {FAILURE}, {ATTEMPTS} drawings of each; done before: {made.skipped}",
        f"better pictures, nothing else worse: {made.rate}; without the gate, worse in something: {made.harm}",
    ]


def rebalanced(dataset: Any, checks: list[str], per_cell: int) -> list[str]:
    """Draws the scenario with the fewest signs that pass until more of them pass; returns how it went, in lines."""
    import loupe

    whole = 2 * per_cell  # by day and by night
    how: dict[str, Any] = {"checks": checks, "allow_unknown": SILENT, "max_draws": LIMIT * per_cell}
    cells = loupe.coverage(as_drawn(dataset), list(CELLS), min_samples=whole + 1)
    plan = loupe.rebalance(dataset, cells, target=whole + 1, dry_run=True, **how)
    counts = {cell.where: cell.present for cell in plan.cells}
    worst = min(cells.cells, key=lambda cell: counts.get(cell.where, whole))
    before = counts[worst.where]
    made = loupe.rebalance(dataset, worst, target=before + max(1, per_cell // 3), progress=True, **how)
    lines = [f"{worst.where}: {before} of {whole} signs pass, the fewest of {len(counts)} scenarios"]
    return [*lines, *(f"{each.sentence} ({each.drawn} drawn)" for each in made.cells)]


def worth(dataset: Any, real: Any, embedder: str) -> list[str]:
    """Returns what training on the set is worth before and after, in lines."""
    import loupe

    loupe.embed(loupe.rebalanced_view(dataset), embedder=embedder)
    before, after = as_drawn(dataset), loupe.rebalanced_view(loupe.with_repairs(dataset))
    old, new, change = transfer_change(
        before, after, real.match({"part": "train"}), real.match({"part": "test"}), LABEL
    )
    sure = "" if change.low > 0 or change.high < 0 else ": no change is sure"
    return [
        f"{LABEL}: accuracy on real signs {old} after the {len(before)} signs as drawn, {new} after these {len(after)}",
        f"difference, on the same real signs: {change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]{sure}",
    ]


def transfer_change(before: Any, after: Any, train: Any, test: Any, label: str) -> tuple[Any, Any, Any]:
    """Returns the accuracy on real signs after training on either set, as ``loupe.test_transfer`` has it, and the
    difference, paired: both are tested on the same signs.

    The two sets share most of their samples, and another draw of them would change both alike: the interval, which
    takes them for independent, is rather too wide.
    """
    import numpy as np

    from loupe.brain.realism.estimates import difference
    from loupe.brain.realism.transfer import measure
    from loupe.brain.store.realism import sides as store

    named = {"before": before, "after": after, "train": train, "test": test}
    sides = dict(zip(named, store.read("embeddings", named), strict=True))
    given = {name: store.classes(samples, label, sides[name]) for name, samples in named.items()}
    classes = sorted(set.intersection(*({name for name in own if name is not None} for own in given.values())))
    at = {name: code for code, name in enumerate(classes)}
    codes = {key: np.array([at.get(str(name), -1) for name in own], dtype=np.int64) for key, own in given.items()}
    held = {name: store.labeled(samples, sides[name], codes[name]) for name, samples in named.items()}
    old, new = (
        measure(held["train"], held["test"], held[name], len(classes)).arms["all S→R"] for name in ("before", "after")
    )
    apart = new.correct.astype(float) - old.correct
    return old.accuracy, new.accuracy, difference(apart, held["test"].clusters(), [old.halves, new.halves])
