"""``loupe.suggest_prompts``: what to generate so that a set lacks less."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from loupe.brain.core.errors import OutputError
from loupe.brain.core.findings import Finding
from loupe.brain.core.holes import Hole
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.shown import cell
from loupe.brain.labels.cells import Cell
from loupe.brain.labels.suggestions import SuggestedPrompts, suggested
from loupe.brain.report import files
from loupe.brain.store import suggestions as store_suggestions
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_stored
from loupe.brain.verbs.steps.lacking import FOR_SLICE, name_of, of_cell, of_finding, of_hole, parts_of

if TYPE_CHECKING:
    import fiftyone as fo

    from loupe.brain.verbs.steps.lacking import Source


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
        path: a file to write them to, .csv or .jsonl, which ``loupe.generate`` reads; in a .csv a text that a
            spreadsheet would take for a formula begins with a space

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
    parts, place, notes = parts_of(source)
    place = place if samples is None else samples
    if place is not None:
        require_stored(place)
    wanted, factors = [], []
    for part, coverage in parts:
        if isinstance(part, Cell):
            asked, reason = of_cell(part, coverage, target)
        elif isinstance(part, Finding):
            asked, reason = of_finding(part, place, each or FOR_SLICE)
        else:
            asked, reason = of_hole(part, each)
        if asked is None:
            notes.append(f"no prompt for {name_of(part)}: {reason}")
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
        writer.writerow(map(cell, ["prompt", *names]))
        rows = ([row["prompt"], *(row["factors"].get(name, "") for name in names)] for row in prompts)
        writer.writerows(map(cell, row) for row in rows)
    else:
        text.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in prompts)
    files.write(file, text.getvalue(), None)
