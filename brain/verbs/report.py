"""``loupe.report``: what is known of a set of samples, in one file that can be sent to somebody."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from loupe import __version__
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback, Record
from loupe.brain.report import card as cards
from loupe.brain.report import croissant as croissants
from loupe.brain.report import files, html, markdown, sections
from loupe.brain.report.blocks import Page
from loupe.brain.report.contents import Contents, Examples
from loupe.brain.slicing.factors import Factor, listed
from loupe.brain.store import report as store_report
from loupe.brain.store import rows as store_rows
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

_JSON_MARK = '"generator": "Loupe"'
#: the endings that say a report's form
FORMS = (".html", ".htm", ".md", ".json")
#: bytes that a report is kept below; a page of base64 pictures is a third larger than they are
MAX_BYTES = 15_000_000
_MAX_EXAMPLES = 24


def report(
    samples: fo.Dataset | fo.DatasetView,
    path: str | os.PathLike[str],
    *,
    by: str | Factor | Iterable[str | Factor] | None = None,
    results: Iterable[Record] | None = None,
    title: str | None = None,
    examples: int = 4,
    card: str | os.PathLike[str] | None = None,
    croissant: str | os.PathLike[str] | None = None,
    license: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Path:
    """Writes what is known of samples into one file: rates with intervals, where they fail, examples, the unknown.

    The page needs no network and runs no script. It holds aggregates and thumbnails only, and stays below 15 MB for a
    million samples. A report of Loupe's at that path is replaced; any other file stays, and is an error.

    Args:
        samples: a dataset or view
        path: of the file; its ending says the form: .html, .md (no pictures), or .json (the records)
        by: field paths and factors: each gives a table of rates of its own, a product (``a * b``) one of combinations.
            None: up to four fields that are worth it, ``scenario.*`` first
        results: what else was found and is to be told: the results of ``discover_slices``, ``compare``, ``evaluate``,
            ``find_drift`` or any other verb. None: the worst slices and the drift that were found last on these samples
        title: of the report; the dataset's name by default
        examples: how many pictures of each failure there are, 0 to 24
        card: a path for a dataset card of the Hugging Face Hub, usually ``README.md``
        croissant: a path for Croissant metadata (JSON-LD); needs mlcroissant
        license: of the images, for the card and the metadata, as the Hub names it, e.g. ``"cc-by-4.0"``
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the path of the report

    Raises:
        NoSamples: the view is empty
        InputError: a path with another ending, or a number of examples outside 0 to 24
        UnknownName: no such field; the nearest name is suggested
        OutputError: a file cannot be written, its folder is not there, or one that Loupe did not write is there
        MissingDependency: mlcroissant is asked for and not installed
        Stopped: ``progress`` asked to stop

    Example::

        loupe.report(dataset, "report.html", by=["scenario.time", "scenario.place"])
        loupe.report(view, "report.md", results=[loupe.discover_slices(view)], card="README.md")
    """
    file = files.place(path, *FORMS)
    card_file = None if card is None else files.place(card, ".md")
    croissant_file = None if croissant is None else files.place(croissant, ".json", ".jsonld")
    require_whole(examples=(examples, 0, _MAX_EXAMPLES))
    given = None if results is None else list(results)
    for each in given or ():
        if isinstance(each, (str, bytes, int, float)) or each is None:
            raise InputError(f"expected what verbs returned in results, got {each!r}"[:300])
    with running(samples, "report", progress) as verb:
        view = verb.samples
        store_rows.require_samples(view)
        named = _named(by) if by is not None else store_report.factors(view)
        known = store_report.kept(view) if given is None else given
        contents, ids = store_report.read(
            view, named, title=title or store_report.name(view), examples=examples, results=known
        )
        names = store_report.file_names(view) if croissant_file else []
        pictures = store_report.pictures(view, ids if file.suffix.lower() in (".html", ".htm") else {}, verb.report)
        page = sections.page(contents, pictures, __version__)
        _write(file, contents, page, pictures)
        if card_file:
            files.write(card_file, cards.draw(contents, page, license=license), markdown.GENERATOR)
        if croissant_file:
            files.write(croissant_file, croissants.draw(contents, names, license=license), croissants.MARK)
    return file


def _named(by: str | Factor | Iterable[str | Factor]) -> list[str | Factor]:
    return listed(by, "by")


def _write(file: Path, contents: Contents, page: Page, pictures: Examples) -> None:
    match file.suffix.lower():
        case ".json":
            text = json.dumps(sections.as_json(contents, __version__), indent=1, ensure_ascii=False) + "\n"
            files.write(file, text, _JSON_MARK)
        case ".md":
            files.write(file, markdown.draw(page), markdown.GENERATOR)
        case _:
            files.write(file, _below_the_limit(contents, page, pictures), html.GENERATOR)


def _below_the_limit(contents: Contents, page: Page, pictures: Examples) -> str:
    """Returns the page, with fewer pictures of each failure where it would be too large."""
    text = html.draw(page)
    while len(text.encode()) > MAX_BYTES and any(pictures.values()):
        fewer = max(map(len, pictures.values())) - 1
        pictures = {name: some[:fewer] for name, some in pictures.items()}
        text = html.draw(sections.page(contents, pictures, __version__))
    return text
