"""The table: what each check finds of each defect, and what of clean photos and of hard negatives."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np

from benchmarks.figures import columns, header, row, share
from benchmarks.pixels.failures import failures, photos
from loupe.brain.core import registry
from loupe.brain.stats.calibration import auroc, injected, score, threshold_for

_HEADER = ("failure", "kind", "case", "flagged [95 %]", "at 1 %", "AUROC", "unknown")
_WIDTHS = (16, 13, 58, 31, 6, 6)


def further_cases(failure: str) -> ModuleType | None:
    """Returns the module of a failure mode's further cases, where there is one."""
    try:
        return importlib.import_module(f"benchmarks.pixels.cases.{failure}")
    except ModuleNotFoundError:
        return None


def cases(failure: str, clean: list[np.ndarray]) -> Iterator[tuple[str, str, list[np.ndarray]]]:
    """Yields (kind, name, pictures) of a failure mode."""
    defect = registry.defects()[failure]()
    for severity in defect.severities:
        seeds = ((zlib.crc32(failure.encode()), index) for index in range(len(clean)))
        flawed = [injected(defect, photo, seed, [severity])[0] for photo, seed in zip(clean, seeds, strict=True)]
        yield "defect", f"{severity:g} ({defect.unit})", flawed
    further = further_cases(failure)
    if further is None:
        return
    for kind, changes in (("defect", further.DEFECTS), ("hard negative", further.NEGATIVES)):
        for name, change in changes.items():
            yield kind, name, [change(photo) for photo in clean]
    if "real" in vars(further):
        for name, (kind, pictures) in further.real().items():
            yield kind, f"real: {name}", pictures


def rows(failure: str, clean: list[np.ndarray]) -> Iterator[tuple[str, ...]]:
    """Yields (failure, kind, case, flagged, recall at 1 % of the clean photos flagged, AUROC, unknown)."""
    check, output = failures()[failure]
    threshold = output.default_threshold
    assert threshold is not None
    scorer = check().load("cpu")
    further = further_cases(failure)
    # some photos have the flaw: a gray one is no clean picture for the check of gray
    is_clean: Callable[[np.ndarray], bool] = getattr(further, "is_clean", lambda _: True)
    clean = [photo for photo in clean if is_clean(photo)]
    worse = -1 if output.higher_is_better else 1

    def scores_of(pictures: list[np.ndarray]) -> np.ndarray:
        return np.array([score(scorer, output, picture) for picture in pictures])

    clean_scores = scores_of(clean)
    at_one_percent = threshold_for(clean_scores, threshold.op, 0.01)

    def cells(kind: str, name: str, scores: np.ndarray) -> tuple[str, ...]:
        known = scores[~np.isnan(scores)]
        beyond = known < at_one_percent if threshold.op == "<" else known > at_one_percent
        area = auroc(worse * clean_scores, worse * known) if kind == "defect" and len(known) else float("nan")
        return (
            failure,
            kind,
            name,
            share(int(threshold.violates(known).sum()), len(known)),
            f"{beyond.mean():.3f}" if kind == "defect" and len(known) else "",
            "" if np.isnan(area) else f"{area:.3f}",
            f"{len(scores) - len(known)}",
        )

    yield cells("clean", "as they are", clean_scores)
    for kind, name, pictures in cases(failure, clean):
        yield cells(kind, name, scores_of(pictures))


def print_defects(names: list[str], maximum: int, markdown: bool) -> None:
    """Prints the table of these failure modes, over at most so many photos that no threshold has seen; 0 for all."""
    clean = photos(1, maximum)
    print(f"{len(clean)} photos that no threshold has seen; 'flagged' at the default threshold, of those judged\n")
    if markdown:
        header(*_HEADER)
    else:
        columns(_HEADER, _WIDTHS)
    for failure in names:
        for cells in rows(failure, clean):
            row(*cells) if markdown else columns(cells, _WIDTHS)
