"""``loupe.suggest_prompts``: what to generate so that a set lacks less."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from loupe.brain.core.errors import InputError, OutputError
from loupe.brain.core.findings import Finding, SliceFindings
from loupe.brain.core.holes import Hole, Holes, rounded
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.realism import Realism
from loupe.brain.labels.cells import Cell, is_thin, short
from loupe.brain.labels.coverage import Coverage
from loupe.brain.labels.suggestions import SuggestedPrompts, Wanted, suggested
from loupe.brain.report import files
from loupe.brain.slicing.columns import NONE, unquoted
from loupe.brain.store import coverage as store_coverage
from loupe.brain.store import findings as store_findings
from loupe.brain.store import realism_kept as store_realism
from loupe.brain.store import suggestions as store_suggestions
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_collection

if TYPE_CHECKING:
    import fiftyone as fo

    Source: TypeAlias = (
        Coverage | SliceFindings | Realism | Holes | Cell | Finding | Hole | fo.Dataset | fo.DatasetView
        | Iterable[Cell | Finding | Hole]
    )  # fmt: skip

#: a label that at least this share of a hole's pictures have names it
_NAMES = 0.5
#: so many pictures are drawn for a slice that fails
_FOR_SLICE = 10


@database_errors()
def suggest_prompts(
    source: Source,
    samples: fo.Dataset | fo.DatasetView | None = None,
    *,
    template: str | None = None,
    target: int | None = None,
    each: int | None = None,
    path: str | Path | None = None,
) -> SuggestedPrompts:
    """Suggests prompts for what a set lacks: its thin and too small cells, its holes, its slices that fail.

    The set's own prompts are taken where one says what is wanted but for some words, which are replaced: of "a red cup
    by day" becomes "a red cup by night". A hole is described by the captions of the reference's pictures in it, else by
    their class and scenario. Else a template is filled. The factors go along, so that the new samples have them in
    ``scenario``, and are counted in the cells that they were asked for. Nothing is written to the samples; the dataset
    keeps what was suggested last.

    Args:
        source: what ``loupe.coverage``, ``loupe.compare_to_real`` or ``loupe.discover_slices`` returned, or some of its
            cells, holes or findings; or a dataset, for what they found there last
        samples: where the own prompts stand; None: ``source``, where that is a dataset or view, else nowhere
        template: instead of own prompts and captions, e.g. ``"a photo of a {class} in {context}"``; the factors can
            stand in it by their names, too: ``"{class} at {time}"``
        target: how many samples each cell should have, at least 1; None: a thin cell ``min_samples`` of the coverage,
            one that is too small as many as independence would put there
        each: how many pictures for each hole, and for each slice that fails, at least 1; None: as many as the hole
            would have if the samples lay as the reference does, and 10 for a slice
        path: a file to write them to, .csv or .jsonl, which ``loupe.generate`` reads

    Returns:
        the prompts, each with how many pictures to draw; ``loupe.generate(dataset, prompts)`` draws just these

    Raises:
        InputError: nothing was found yet, a template with a placeholder that is not known, a number below 1, or a file
            of another kind
        OutputError: the file cannot be written, or is there already

    Example::

        made = loupe.coverage(dataset, ["scenario.time"], label="scenario.object")
        prompts = loupe.suggest_prompts(made, dataset)
        loupe.generate(dataset, prompts)
    """
    for name, number in (("target", target), ("each", each)):
        if number is not None:
            require_whole(**{name: (number, 1)})
    file = None if path is None else _place(path)
    parts, place, notes = _parts(source)
    place = place if samples is None else samples
    if place is not None:
        require_collection(place)
    wanted, factors = [], []
    for part, coverage in parts:
        if isinstance(part, Cell):
            asked, reason = _of_cell(part, coverage, target)
        elif isinstance(part, Finding):
            asked, reason = _of_finding(part, place, each or _FOR_SLICE)
        else:
            asked, reason = _of_hole(part, each)
        if asked is None:
            notes.append(f"no prompt for {_name(part)}: {reason}")
        else:
            wanted.append(asked)
            factors += [] if isinstance(part, Hole) else [*part.factors]
    own = store_suggestions.own_prompts(place, factors) if place is not None and template is None and factors else []
    made = suggested(wanted, own, template)
    made = SuggestedPrompts(made.suggestions, (*notes, *made.notes))
    if file is not None:
        _write(file, made)
    if place is not None:
        store_suggestions.keep(place, made)
    return made


_Parts: TypeAlias = "list[tuple[Cell | Finding | Hole, Coverage | None]]"


def _parts(source: Any) -> tuple[_Parts, Any, list[str]]:
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
    every: _Parts = []
    messages: list[str] = []
    for each in (coverage, realism, None if kept is None else kept.findings):
        parts, notes = _of_record(each) if each is not None else ([], [])
        every += parts
        messages += notes
    return every, source, messages


def _of_record(source: Any) -> tuple[_Parts, list[str]]:
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


def _of_cell(cell: Cell, coverage: Coverage | None, target: int | None) -> tuple[Wanted | None, str]:
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
    n = wanted - cell.n
    if values is None or n < 1:
        return None, reason or "it has as many as it should"
    if cell.kind == "pair":
        (name, first), (_, second) = cell.values
        return Wanted({name: f"{first} and {second}"}, n, cell.where, name), ""
    of_class = cell.values[0][0] if coverage is None or coverage.label is not None else ""
    return Wanted(values, n, cell.where, of_class), ""


def _of_finding(finding: Finding, place: Any, each: int) -> tuple[Wanted | None, str]:
    if finding.near is not None:
        texts = store_suggestions.prompts_of(place, finding.examples) if place is not None else []
        if not texts:
            return None, "its pictures look alike, and no prompt of theirs is known: give samples="
        return Wanted({}, each, finding.where, texts=tuple(texts)), ""
    values, reason = _in_words(list(finding.slice.values.items()), finding.factors)
    return (None, reason) if values is None else (Wanted(values, each, finding.where), "")


def _of_hole(hole: Hole, each: int | None) -> tuple[Wanted | None, str]:
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


def _name(part: Cell | Finding | Hole) -> str:
    return f"hole {part.number}" if isinstance(part, Hole) else part.where


def _place(path: str | Path) -> Path:
    file = files.place(path, ".csv", ".jsonl")
    if file.exists():
        raise OutputError(f"expected a new file, but there is one at {file}: move it, or give another path")
    return file


def _write(file: Path, prompts: SuggestedPrompts) -> None:
    names = list(dict.fromkeys(name for each in prompts.suggestions for name in each.factors))
    text = io.StringIO(newline="")
    if file.suffix.lower() == ".csv":
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["prompt", *names])
        writer.writerows([row["prompt"], *(row["factors"].get(name, "") for name in names)] for row in prompts)
    else:
        text.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in prompts)
    files.write(file, text.getvalue(), None)
