"""Panels, forms, dialogs, pages, tables and records of a dataset with hostile names: each drawn, pressed and read.

What the App would send comes from what was drawn: buttons are pressed, choices taken, inputs filled with hostile texts.
Nothing of a name may be more than letters, and whatever ends has to end with a sentence of Loupe's own.
"""

from __future__ import annotations

import csv
import inspect
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures
from benchmarks.fuzz import letters, owned
from benchmarks.fuzz.changes import Rng, pick
from benchmarks.fuzz.drawn import TAGS

_SUPPORT = Path(__file__).resolve().parents[2] / "tests" / "support"
#: operators that start what does not belong here: they ask a service, draw for hours, or send pictures away
_NOT_RUN = {"annotate", "calibrate", "experiment", "find_words", "generate", "rebalance", "stop", "open_workspace"}
#: marks of the language of prompts: a wildcard, one prompt a line, a link to a picture in front
_PROMPT_MARKS = re.compile(r"__|\n|\Ahttps?://")
#: events that need no answer of a panel's own
_OF_THE_APP = ("on_load", "on_unload", "on_startup")
#: events of a panel, at most, that come of what it has drawn
_MAX_EVENTS = 14


@dataclass
class Tried:
    """What came of a round.

    Attributes:
        say: is told of what is wrong
        drawn: how many outputs of panels, forms, dialogs and so on were looked at
        wrong: what is wrong, each with its place
    """

    say: Callable[[str], object] = lambda _: None
    drawn: int = 0
    wrong: list[str] = field(default_factory=list)

    def of(self, place: str, problems: Iterator[str] | Sequence[str]) -> None:
        """Counts an output."""
        self.drawn += 1
        for each in dict.fromkeys(problems):
            if each:
                self.wrong.append(f"{place}: {each}")
                self.say(self.wrong[-1])


def tried(
    seed: int,
    folder: Path,
    panels: Sequence[str] | None = None,
    operators: Sequence[str] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Tried:
    """Makes a dataset, fills it by verbs, and looks at everything that shows it.

    Args:
        seed: decides everything
        folder: where its files are
        panels: only these; None: all
        operators: only these; None: all
        say: is told of what is wrong as it is noticed
    """
    if str(_SUPPORT) not in sys.path:
        sys.path.append(str(_SUPPORT))
    rng, result = np.random.default_rng(seed), Tried(say)
    own = owned.owned(rng, folder)
    try:
        for name, made in _filled(own, rng):
            # names of factors are made of fields there, and are words only
            result.of(name, _record(made, letters.Names() if name == "suggest_prompts" else own.names))
        for name in sorted(_panels()) if panels is None else panels:
            result.of(f"panel {name}", _panel(name, own, rng, result))
        for name in _operators() if operators is None else operators:
            result.of(f"operator {name}", _operator(name, own, rng, result))
        result.of("files", _files(own))
    finally:
        own.delete()
    return result


def _filled(own: owned.Owned, rng: Rng) -> Iterator[tuple[str, Any]]:
    """Runs verbs, and yields what each returned, or the error that it ended with."""
    import loupe
    from benchmarks.faults.noise import Lamp

    made, label, models = own.made, own.label, list(own.models)
    real, synthetic = own.real, own.made
    flagged = {"dark": loupe.Threshold("<", 0.5), "blur": loupe.Threshold("<", 4.0)}
    out = str(own.folder / "repaired")
    calls: list[tuple[str, Any]] = [
        ("check", lambda: loupe.check(made, ["exposure", "sharpness", "size", "file", "grayscale"])),
        ("flag", lambda: loupe.flag(made, thresholds=flagged)),
        ("find_duplicates", lambda: loupe.find_duplicates(made)),
        ("deduplicate", lambda: loupe.deduplicate(made)),
        ("find_leaks", lambda: loupe.find_leaks(made, splits=["train", "test"])),
        ("find_label_issues", lambda: loupe.find_label_issues(made, label, embeddings="embeddings")),
        ("slice", lambda: loupe.slice(made, ["scenario.place", own.factor])),
        ("discover_slices", lambda: loupe.discover_slices(made, by=["scenario.place", own.factor], min_samples=3)),
        ("evaluate", lambda: loupe.evaluate(made, models, label, by=[own.factor])),
        ("compare", lambda: loupe.compare(made, by="generation.model", within=["scenario.place"])),
        ("find_drift", lambda: loupe.find_drift(made[:24], reference=made[24:], by="scenario.place")),
        ("coverage", lambda: loupe.coverage(made, ["scenario.place"], label=label)),
        ("find_shortcuts", lambda: loupe.find_shortcuts(made, label, by=[own.factor])),
        ("find_bias", lambda: loupe.find_bias(made, own.factor, label=label, predictions=models)),
        ("find_clusters", lambda: loupe.find_clusters(made, 3)),
        ("find_outliers", lambda: loupe.find_outliers(made)),
        ("compare_to_real", lambda: loupe.compare_to_real(synthetic, real, label=label, by="generation.model")),
        ("test_transfer", lambda: loupe.test_transfer(synthetic, real[:12], real[12:], label=label)),
        ("suggest_prompts", lambda: loupe.suggest_prompts(made)),
        ("select", lambda: loupe.select(made, 10, per=[own.factor])),
        ("split", lambda: loupe.split(made, {"train": 0.7, pick(rng, own.texts)[:60]: 0.3}, groups=[])),
        ("repair", lambda: loupe.repair(made, failure="dark", model=Lamp(), attempts=2, output_dir=out)),
        ("relabel", lambda: loupe.relabel(made, label, top=3)),
        ("reviewed", lambda: loupe.reviewed(made)),
        ("scores", lambda: loupe.scores(made, "dark")),
    ]
    _judged(own, rng)
    for name, call in calls:
        yield name, _ended(call)


def _judged(own: owned.Owned, rng: Rng) -> None:
    """Decisions of people with hostile names and notes."""
    import fiftyone as fo

    for number, sample in enumerate(own.made):
        status = ("real", "false_alarm", "unsure")[number % 3]
        facts = {"by": pick(rng, own.texts), "note": pick(rng, own.texts), "at": "2026-11-01T00:00:00+00:00"}
        sample["review"] = fo.DynamicEmbeddedDocument(dark=fo.Classification(label=status, **facts))
        sample.save()
    own.made.add_dynamic_sample_fields()


def _ended(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        # what is not Loupe's own is wrong: see _record
        return error


def _record(made: Any, names: letters.Names) -> Iterator[str]:
    """Yields what is wrong with a record, as a terminal and as a notebook shows it."""
    from loupe.brain.core.errors import LoupeError

    if isinstance(made, Exception) and not isinstance(made, LoupeError):
        last = traceback.extract_tb(made.__traceback__)[-1]
        yield f"not Loupe's own: {type(made).__name__}: {made!s:.200} at {Path(last.filename).name}:{last.lineno}"
    some = list(made)[:50] if isinstance(made, (list, tuple)) else [made]
    for each in some:
        for text in {repr(each), str(each)}:
            yield letters.unprintable(text)
        page = getattr(each, "_repr_html_", None)
        if page is not None and type(each).__module__.startswith("loupe"):
            yield letters.html(page(), names, TAGS)


def _panels() -> dict[str, Any]:
    import loupe.panels as room

    made = {}
    for each in room.__all__ if hasattr(room, "__all__") else ():
        made[each] = getattr(room, each)
    if not made:
        import importlib

        from loupe.panels.base import Panel

        for path in sorted(Path(room.__file__).parent.glob("*/panel.py")):
            module = importlib.import_module(f"loupe.panels.{path.parent.name}.panel")
            for kind in vars(module).values():
                if inspect.isclass(kind) and issubclass(kind, Panel) and kind.__module__ == module.__name__:
                    made[path.parent.name] = kind
    return made


def _panel(name: str, own: owned.Owned, rng: Rng, result: Tried) -> Iterator[str]:
    from panel_session import PanelSession

    kind = _panels()[name]
    session = PanelSession(kind(), own.made, may_fail=True)
    problems: list[str] = []
    for number in range(_MAX_EVENTS):
        result.drawn += 1
        problems += letters.app(session.output, own.names)
        problems += [letters.unprintable(message) for message in session.messages]
        problems += [f"not foreseen: {type(each).__name__}: {each!s:.200}" for each in session.errors]
        session.messages.clear()
        session.errors.clear()
        events = _events(session.output)
        handlers = [each for each in dir(kind) if each.startswith("on_") and each not in _OF_THE_APP]
        if number % 3 == 2 or not events:
            # an event that the panel did not offer, with what nobody expects
            text = pick(rng, owned.known(own))
            given: dict[str, Any] = dict.fromkeys(("value", "x", "y", "id", "trace", "job", "failure", "label"), text)
            event: tuple[str, dict[str, Any]] = (pick(rng, handlers), given)
        else:
            event = pick(rng, events)
        before = f"{event[0]} {str(event[1])[:80]!a}"
        try:
            session.call(event[0], **event[1])
        except Exception as error:
            # whatever it is, it is what is looked for
            problems.append(f"{before}: {type(error).__name__}: {error!s:.200}")
    yield from dict.fromkeys(problems)


def _events(node: Any) -> list[tuple[str, dict[str, Any]]]:
    """Returns the events that the App could send of what is drawn."""
    made: list[tuple[str, dict[str, Any]]] = []
    if isinstance(node, list):
        for each in node:
            made += _events(each)
    if not isinstance(node, Mapping):
        return made
    choices = [each.get("value") for each in node.get("choices") or () if isinstance(each, Mapping)]
    for key in ("operator", "on_click", "on_change", "on_selected"):
        where = node.get(key)
        if isinstance(where, str) and where.rpartition("#")[2].startswith("on_"):
            params = node.get("params") if isinstance(node.get("params"), Mapping) else {}
            made.append((where.rpartition("#")[2], dict(params or {})))
    handler = node.get("on_change")
    view = node.get("view") if isinstance(node.get("view"), Mapping) else {}
    if isinstance(handler, str):
        choices = [each.get("value") for each in (view or {}).get("choices") or () if isinstance(each, Mapping)]
        made += [(handler.rpartition("#")[2], {"value": value}) for value in choices]
    for value in node.values():
        if isinstance(value, (list, Mapping)):
            made += _events(value)
    return made


def _operators() -> list[str]:
    from operator_calls import ALL

    return list(ALL)


def _operator(name: str, own: owned.Owned, rng: Rng, result: Tried) -> Iterator[str]:
    import operator_calls as calls

    params: dict[str, Any] = {}
    for number in range(4):
        made = calls.operator(name).resolve_type(calls.context(name, own.made, params), "inputs").to_json()
        result.drawn += 1
        yield from letters.app(made, own.names)
        inputs = made["type"]["properties"]
        for error in _unforeseen(inputs):
            yield f"the form: {error}"
        params = _filled_in(inputs, own, rng, hostile=number >= 2)
        if number == 0:
            params["settings"] = True
        if number in (1, 3) and name not in _NOT_RUN:
            yield from _run(name, params, own, result)


def _unforeseen(inputs: Mapping[str, Any]) -> Iterator[str]:
    for each in inputs.values():
        text = each.get("error_message") or ""
        if "This went wrong" in text:
            yield text[:300]


def _filled_in(inputs: Mapping[str, Any], own: owned.Owned, rng: Rng, *, hostile: bool) -> dict[str, Any]:
    """Returns what a form sends: its defaults, choices by chance, and hostile texts where a text is asked for."""
    given = {}
    for name, each in inputs.items():
        view = each.get("view") or {}
        choices = [choice["value"] for choice in view.get("choices") or ()]
        kind = (each.get("type") or {}).get("name")
        if name == "view_target":
            continue
        if choices:
            chosen = pick(rng, choices)
            given[name] = [chosen] if kind == "List" else chosen
        elif kind == "String" and (hostile or each.get("default") is None) and view.get("name") != "MarkdownView":
            texts = owned.known(own)
            # what a prompt's own language makes of its marks is no matter of letters
            given[name] = pick(rng, [text for text in texts if name != "prompts" or not _PROMPT_MARKS.search(text)])
        elif each.get("default") is not None:
            given[name] = each["default"]
    if "path" in given or "output_dir" in given or "folder" in given:
        place = str(own.folder / "made" / own.names.add(*pick(rng, owned.PARTS), owned.file_name))
        given |= {each: place for each in ("path", "output_dir", "folder") if each in given}
    return given


def _run(name: str, params: dict[str, Any], own: owned.Owned, result: Tried) -> Iterator[str]:
    import operator_calls as calls

    for message in calls.messages(name, own.made, params, app=True):
        result.drawn += 1
        body = message.get("body") or {}
        given = body.get("params") or {}
        if "outputs" in given:
            yield from letters.app(given["outputs"], own.names)
            for text in (given.get("results") or {}).values():
                if isinstance(text, str) and "summary" in (given.get("results") or {}):
                    yield letters.markdown(text, own.names)
        text = str(message.get("error_message") or "")
        if "This went wrong" in text:
            yield f"the run: {text[:300]}"
        yield letters.unprintable(text)


def _files(own: owned.Owned) -> Iterator[str]:
    """Yields what is wrong with files that were written: pages, Markdown, tables."""
    import loupe

    folder = own.folder / "written"
    folder.mkdir()
    title = pick(np.random.default_rng(len(own.texts)), own.texts)
    yield letters.html(Path(loupe.report(own.made, folder / "a.html", title=title)).read_text(), own.names, TAGS)
    yield letters.markdown(
        Path(loupe.report(own.made, folder / "a.md", title=title)).read_text().partition("\n")[2], own.names
    )
    chosen = loupe.select(own.made, 5, without=[], groups=[])
    loupe.export_selection(own.made, chosen, folder / "chosen")
    made = [folder / "chosen" / "manifest.csv"]
    prompts = _ended(lambda: loupe.suggest_prompts(own.made, path=folder / "prompts.csv"))
    if not isinstance(prompts, Exception):
        made.append(folder / "prompts.csv")
        # where an operator before has left nothing that lacks, there is nothing to read
        read = [each.prompt for each in _prompts(folder / "prompts.csv")] if prompts else []
        if read != [row["prompt"].strip() for row in prompts]:  # white space around a prompt is left out
            yield "the prompts are read as others than they were written"
    for path in made:
        with path.open(newline="", encoding="utf-8") as file:
            for cells in csv.reader(file):
                for cell in cells:
                    if cell[:1] in tuple("=+-@\t\r") and cell[:1] and not _is_number(cell):
                        yield f"{path.name}: a formula: {cell[:60]!a}"


def _prompts(path: Path) -> Sequence[Any]:
    from loupe.brain.prompts import files

    return files.read(path)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def print_rounds(first: int, rounds: int, panels: Sequence[str] | None = None) -> None:
    """Tries rounds in a database of their own, and prints what came of each.

    Args:
        first: the first seed
        rounds: how many
        panels: only these, and no operator; None: all of both

    Raises:
        SystemExit: a name was more than letters somewhere, or something ended without a sentence of Loupe's own
    """
    from benchmarks.faults.world import Mongod, set_up

    drawn = wrong = 0
    with tempfile.TemporaryDirectory(prefix="shown-", ignore_cleanup_errors=True) as name:
        mongod = Mongod(Path(name) / "db")
        try:
            set_up(Path(name), mongod)
            for seed in range(first, first + rounds):
                place = Path(name) / str(seed)
                place.mkdir()
                made = tried(seed, place, panels, None if panels is None else (), lambda text: print(ascii(text)[:500]))
                drawn, wrong = drawn + made.drawn, wrong + len(made.wrong)
                print(f"round {seed}: {made.drawn:,} outputs, {len(made.wrong)} wrong", flush=True)
        finally:
            mongod.kill()
    print(f"{drawn:,} outputs of {rounds} rounds, wrong: {figures.at_most(wrong, drawn)}")
    if wrong:
        raise SystemExit(1)
