"""The plan of an experiment as a TOML file: read, with the line of whatever does not fit, and its datasets opened."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fiftyone as fo

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.store import named
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples

#: in place of None, which TOML lacks: the model's own guidance
OWN = "own"
_MAX_BYTES = 1_000_000


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(fits, value))


def _table(value: Any) -> bool:
    return isinstance(value, dict)


#: key → whether a value fits, and what is expected
_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "dataset": (_text, "the name of a dataset"),
    "real_train": (lambda value: _text(value) or _table(value), "a dataset, or a table with dataset and view or tag"),
    "real_test": (lambda value: _text(value) or _table(value), "a dataset, or a table with dataset and view or tag"),
    "label": (_text, "the name of a field"),
    "models": (
        lambda value: _text(value) or _table(value) or _list_of(lambda each: _text(each) or _table(each))(value),
        'a list of models: names, hub ids, folders, or tables such as {model = "…", steps = 30}',
    ),
    "styles": (
        lambda value: _text(value) or (_table(value) and bool(value)) or _list_of(_text)(value),
        "a list of styles and templates, or a table of them by names of your own",
    ),
    "guidance": (
        _list_of(lambda each: _number(each) or each == OWN),
        f'a list of numbers, or "{OWN}" for the model\'s own',
    ),
    "seeds": (_list_of(lambda each: isinstance(each, int) and not isinstance(each, bool)), "a list of whole numbers"),
    "per_class": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "classes": (_list_of(_text), "a list of classes"),
    "names": (lambda value: _table(value) and all(map(_text, value.values())), "a table of classes and their words"),
    "captions": (_text, "the name of a field"),
    "options": (_table, "a table of settings of all models"),
    "released": (
        lambda value: _table(value) and all(map(_text, value.values())),
        'a table of models and dates, such as {mine = "2026-03"}',
    ),
    "checks": (
        lambda value: _text(value) or (isinstance(value, list) and all(map(_text, value))) or value is False,
        "a preset, a list of checks, or false for none",
    ),
    "embedder": (_text, "the name of an embedder"),
    "field": (_text, "the name of a field"),
    "seed": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "output_dir": (_text, "a folder"),
    "report": (_text, "the path of a page"),
    "device": (_text, "the name of a device"),
}
_NEEDED = ("dataset", "real_train", "real_test", "label")
_PLACES = ("dataset", "view", "tag")


def read(path: Path) -> dict[str, Any]:
    """Returns what a plan asks for, by the names of the arguments of ``loupe.experiment``.

    Paths in it are meant from its own folder. ``guidance = ["own"]`` is None, ``checks = false``, too.

    Args:
        path: of a .toml file

    Raises:
        InputError: it cannot be read, or something in it does not fit: with the line, what was expected and what came
        UnknownName: a key that there is not; the nearest is suggested
    """
    try:
        data = path.expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"expected a plan, a .toml file, got {path}: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path}: expected a plan of at most {_MAX_BYTES:,} bytes, got {len(data):,}")
    try:
        text = data.decode("utf-8-sig")
        given = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: expected TOML in UTF-8: {error}") from error
    for key, value in given.items():
        where = f"{path}{_line(text, key)}"
        if key not in _KEYS:
            raise InputError(f"{where}: {UnknownName('key', key, _KEYS)}")
        fits, expected = _KEYS[key]
        if not fits(value):
            raise InputError(f"{where}: expected {key} to be {expected}, got {str(value)[:80]!r}")
    missing = [key for key in _NEEDED if key not in given]
    if missing:
        raise InputError(f"{path}: expected the keys {', '.join(_NEEDED)}, got no {missing[0]}")
    for key in ("real_train", "real_test"):
        if isinstance(given[key], dict):
            _require_place(f"{path}{_line(text, key)}", key, given[key])
    return _as_arguments(given, path.expanduser().resolve().parent)


def _line(text: str, key: str) -> str:
    """Returns ``":"`` and the number of the line that a key stands on; empty where it cannot be told."""
    name = rf'"?{re.escape(key)}"?'
    # what stands below the head of a table is the table's
    above = re.split(r"^(?=[ \t]*\[)", text, maxsplit=1, flags=re.MULTILINE)[0]
    place = re.search(rf"^[ \t]*{name}[ \t]*[=.]", above, re.MULTILINE)
    place = place or re.search(rf"^[ \t]*\[+[ \t]*{name}[ \t]*[\].]", text, re.MULTILINE)
    return "" if place is None else f":{text.count(chr(10), 0, place.start()) + 1}"


def _require_place(where: str, key: str, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in _PLACES:
            raise InputError(f"{where}: {UnknownName(f'key of {key}', name, _PLACES)}")
    if not _text(given.get("dataset")) or ("view" in given) + ("tag" in given) > 1:
        raise InputError(f"{where}: expected {key} to have a dataset, and a view or a tag at most, got {dict(given)!r}")
    if not all(map(_text, given.values())):
        raise InputError(f"{where}: expected names in {key}, got {dict(given)!r}")


def _as_arguments(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    made = dict(given)
    if "guidance" in made:
        made["guidance"] = [None if each == OWN else each for each in made["guidance"]]
    if made.get("checks") is False:
        made["checks"] = None
    for key in ("output_dir", "report"):
        if key in made:
            made[key] = folder / Path(made[key]).expanduser()
    if "models" in made:
        models = made["models"] if isinstance(made["models"], list) else [made["models"]]
        made["models"] = [_model(each, folder) for each in models]
    return made


def _model(given: Any, folder: Path) -> Any:
    if isinstance(given, dict):
        return {**given, **({"model": _model(given["model"], folder)} if _text(given.get("model")) else {})}
    beside = folder / Path(given).expanduser()
    return str(beside) if beside.is_dir() else given


def opened(plan: Mapping[str, Any], *, stays: bool) -> tuple[fo.Dataset, Samples, Samples]:
    """Returns the dataset of a plan, which is made where there is none, and its real samples.

    Args:
        plan: as ``read`` returns it
        stays: whether a dataset that is made is to stay: where only a plan is made nothing is left behind

    Raises:
        UnknownName: no dataset, saved view or tag of that name
        DatabaseGone: the database does not answer
    """
    real = [_samples(plan[key]) for key in ("real_train", "real_test")]
    with database_errors():
        own = named.opened(plan["dataset"]) if stays or fo.dataset_exists(plan["dataset"]) else fo.Dataset()
    return own, real[0], real[1]


def _samples(given: str | Mapping[str, str]) -> Samples:
    place = {"dataset": given} if isinstance(given, str) else given
    name = place["dataset"]
    with database_errors():
        if not fo.dataset_exists(name):
            raise UnknownName("dataset", name, fo.list_datasets())
        dataset = fo.load_dataset(name)
        if "view" in place:
            if not dataset.has_saved_view(place["view"]):
                raise UnknownName(f"saved view of {name}", place["view"], dataset.list_saved_views())
            return dataset.load_saved_view(place["view"])
        if "tag" in place:
            tags = dataset.distinct("tags")
            if place["tag"] not in tags:
                raise UnknownName(f"tag of {name}", place["tag"], tags)
            return dataset.match_tags(place["tag"])
    return dataset
