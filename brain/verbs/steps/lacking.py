"""What a set lacks, part by part, and what is to be asked for because of it: of cells, holes and slices that fail."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from loupe.brain.core.errors import InputError
from loupe.brain.core.findings import Finding, SliceFindings
from loupe.brain.core.holes import Hole, Holes, rounded
from loupe.brain.core.realism import Realism
from loupe.brain.labels.cells import Cell, is_thin, short
from loupe.brain.labels.coverage import Coverage
from loupe.brain.labels.suggestions import Wanted
from loupe.brain.slicing.columns import NONE, unquoted
from loupe.brain.store import coverage as store_coverage
from loupe.brain.store import findings as store_findings
from loupe.brain.store import suggestions as store_suggestions
from loupe.brain.store.datasets import require_collection
from loupe.brain.store.realism import kept as store_realism

if TYPE_CHECKING:
    import fiftyone as fo

    Source: TypeAlias = (
        Coverage | SliceFindings | Realism | Holes | Cell | Finding | Hole | fo.Dataset | fo.DatasetView
        | Iterable[Cell | Finding | Hole]
    )  # fmt: skip

#: a label that at least this share of a hole's pictures have names it
_NAMES = 0.5
#: so many pictures are drawn for a slice that fails
FOR_SLICE = 10

Parts: TypeAlias = "list[tuple[Cell | Finding | Hole, Coverage | None]]"


def parts_of(source: Any) -> tuple[Parts, Any, list[str]]:
    """Returns what prompts are made for, each with the coverage that it is of; where own prompts stand; and notes."""
    if isinstance(source, (Coverage, SliceFindings, Realism, Holes, Cell, Finding, Hole)):
        parts, notes = _of_record(source)
        return parts, None, notes
    if (
        isinstance(source, Iterable)
        and not hasattr(source, "get_field_schema")
        and not isinstance(source, (str, Mapping))
    ):
        items = list(source)
        wrong = [item for item in items if not isinstance(item, (Cell, Finding, Hole))]
        if wrong:
            raise InputError(f"expected cells, findings or holes, got {type(wrong[0]).__name__}")
        return [(item, None) for item in items], None, []
    require_collection(source)
    coverage, kept, compared = store_coverage.load(source), store_findings.load(source), store_realism.load(source)
    realism = compared.realism if compared is not None else None
    if coverage is None and kept is None and realism is None:
        raise InputError(
            "expected something that this dataset lacks, but nothing has looked yet: call loupe.coverage, "
            "loupe.compare_to_real or loupe.discover_slices first"
        )
    every: Parts = []
    messages: list[str] = []
    for each in (coverage, realism, None if kept is None else kept.findings):
        parts, notes = _of_record(each) if each is not None else ([], [])
        every += parts
        messages += notes
    return every, source, messages


def _of_record(source: Any) -> tuple[Parts, list[str]]:
    """Returns what a record says is lacking, and what is to be known of it."""
    if isinstance(source, Coverage):
        cells = [cell for cell in source.cells if cell.far == "below" or is_thin(cell, source.min_samples)]
        holes, notes = _of_record(source.holes) if source.holes is not None else ([], [])
        return [*((cell, source) for cell in cells), *holes], notes
    if isinstance(source, SliceFindings):
        # what fails in several ways is asked for once
        return [(findings[0], None) for findings in source.by_slice()], []
    if isinstance(source, Realism):
        if source.holes is None:
            return [], ["no holes were looked for: that takes at least 20 real samples with vectors"]
        return _of_record(source.holes)
    if isinstance(source, Holes):
        return [(hole, None) for hole in source.holes], list(source.notes)
    return [(source, None)], []


def of_cell(
    cell: Cell, coverage: Coverage | None, target: int | None, present: int | None = None
) -> tuple[Wanted | None, str]:
    """Returns what is to be asked for because of a cell; None, and why, where nothing is.

    Args:
        cell: it
        coverage: that it is of, as far as that is known
        target: how many it should have; None: as many as the coverage says
        present: how many it has; None: as many as were counted
    """
    if cell.kind == "object":
        return None, "no prompt says how large, or where, something is drawn"
    values, reason = _in_words(cell.values, cell.factors)
    wanted = target
    if wanted is None:
        enough = [math.ceil(cell.expected)] if cell.far == "below" else []
        enough += [] if coverage is None else [coverage.min_samples]
        if not enough:
            return None, "how many it should have is not known: give target=, or the whole coverage"
        wanted = max(enough)
    n = wanted - (cell.n if present is None else present)
    if values is None or n < 1:
        return None, reason or "it has as many as it should"
    if cell.kind == "pair":
        (name, first), (_, second) = cell.values
        return Wanted({name: f"{first} and {second}"}, n, cell.where, name), ""
    of_class = cell.values[0][0] if coverage is None or coverage.label is not None else ""
    return Wanted(values, n, cell.where, of_class), ""


def of_finding(finding: Finding, place: Any, each: int) -> tuple[Wanted | None, str]:
    """Returns what is to be asked for because of a slice that fails; None, and why, where nothing is."""
    if finding.near is not None:
        texts = store_suggestions.prompts_of(place, finding.examples) if place is not None else []
        if not texts:
            return None, "its pictures look alike, and no prompt of theirs is known: give samples="
        return Wanted({}, each, finding.where, texts=tuple(texts)), ""
    values, reason = _in_words(list(finding.slice.values.items()), finding.factors)
    return (None, reason) if values is None else (Wanted(values, each, finding.where), "")


def of_hole(hole: Hole, each: int | None) -> tuple[Wanted | None, str]:
    """Returns what is to be asked for because of a hole; None, and why, where nothing is."""
    n = max(1, math.ceil(hole.expected)) if each is None else each
    why = f"hole {hole.number}: {hole.size:,} pictures of the reference, where {rounded(hole.expected)} are expected"
    of_class, values = "", {}
    if hole.mostly and hole.mostly[0][1] >= _NAMES:
        of_class = hole.label or "class"
        values[of_class] = hole.mostly[0][0]
    values |= {name: value for name, value, _ in hole.scenario if name != short(of_class)}
    if hole.texts:
        return Wanted(values, n, why, of_class, texts=hole.texts, scenes=hole.scenes), ""
    if values:
        return Wanted(values, n, why, of_class), ""
    return None, "its pictures have no captions, and no class or scenario in common: give captions="


def _in_words(
    values: Sequence[tuple[str, str]], factors: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, str] | None, str]:
    """Returns the values as words; None, and why, where no sentence could say one."""
    made = {}
    for (name, value), facts in zip(values, factors, strict=True):
        if value == NONE:
            return None, f"it has no value of {name}"
        if facts.get("bins") and not facts.get("names"):
            return None, f"no word says {name} {value}"
        if facts.get("source") in ("views", "metadata", "count", "box"):
            return None, f"no word says {name} {value}"
        made[name] = unquoted(value)
    return (made, "") if made else (None, "nothing is known of it")


def name_of(part: Cell | Finding | Hole) -> str:
    """Returns what a part is called."""
    return f"hole {part.number}" if isinstance(part, Hole) else part.where
