"""Datasets, fields and classes whose names mean something to a program: verbs take them, or say what is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.result import Result
from benchmarks.faults.world import World, dataset, pictures

_NAMES = (
    *("a b", "a'b", 'a"b', "a`b", "a\\b", "a/b", "../b", "a|b", "a,b", "a;b", "a:b", "a=b", "#a", "%s", "{0}", "{{a}}"),
    *(
        "<script>LOUPEMARK()</script>",
        "<b>",
        "&lt;",
        "[a](javascript:b)",
        "**a**",
        "a\nb",
        "a\tb",
        "  a  ",
        "-a",
        "=1+1",
    ),
    *(
        "naïve",
        "日本語",
        "🦊",
        "e\u0301",
        "\u202eab",
        "\u2028",
        "null",
        "None",
        "NaN",
        "true",
        "0",
        "1e9",
        "self",
        "class",
    ),
    *(
        "id",
        "sample",
        "filepath",
        "metadata",
        "checked",
        "failures",
        "quality",
        "prompt",
        "embeddings",
        "x" * 200,
        "猫.b",
    ),
)
#: what is called with a name: the verb, and the argument that names a field
_CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("slice", {"by": "FIELD"}),
    ("split", {"sizes": {"NAME": 0.5, "rest": 0.5}, "groups": []}),
    ("find_label_issues", {"label": "FIELD", "embeddings": "vectors"}),
    ("coverage", {"by": [], "label": "FIELD"}),
    ("select", {"n": 5, "label": "FIELD", "save_as": "NAME"}),
    ("find_leaks", {"splits": ["NAME", "test"]}),
    ("find_shortcuts", {"label": "FIELD"}),
    ("discover_slices", {"failure": "dark", "by": ["FIELD"]}),
    ("compare", {"by": "FIELD", "failure": "dark"}),
    ("embed", {"embedder": "hog", "field": "NAME", "visualize": None}),
    ("report", {"path": "FOLDER/NAME.html"}),
    ("report", {"path": "FOLDER/page.html", "by": ["FIELD"]}),
)


def named(world: World, seed: int) -> Result:
    """Runs a verb with a hostile name for the dataset, a field, its classes, a split or a file."""
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    verb, given = _CALLS[seed % len(_CALLS)]
    name, field, title = (str(rng.choice(_NAMES)) for _ in range(3))
    result = Result(f"{verb}, {field[:20]!a}, {name[:20]!a}")
    folder = world.place()
    paths = pictures(folder / "pictures", 24, seed % 1000)
    with dataset(paths) as made:
        with contextlib.suppress(ValueError):  # FiftyOne has no dataset of that name
            made.name = f"{title}-{seed}"
        try:
            made.add_sample_field(field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
        except Exception:
            # FiftyOne has no field of that name, or Loupe's own would be there
            field = "given"
        labels = [fo.Classification(label=str(rng.choice([name, "b", "c"]))) for _ in paths]
        made.set_values(field, labels)
        made.set_values("vectors", [rng.normal(size=5) for _ in paths])
        made.set_values("tags", [["test" if at % 3 else "train"] for at in range(len(paths))])
        world.start("check", dataset=made.name, checks=["exposure"]).wait()
        made.reload()
        before = _own(made, field)
        own = {"FIELD": field, "NAME": name}
        ended = result.ended(world.start(verb, dataset=made.name, **_filled(given, own, folder)))
        made.reload()
        if _own(made, field) != before:
            result.lost += 1
            result.say("the user's own has changed")
        if ended is not None and ended["ok"]:
            _look(folder, result)
    return result


def _own(made: Any, field: str) -> list[Any]:
    columns = made.values(["filepath", f"{field}.label", "tags", "vectors"])
    return [[str(value) for value in column] for column in columns]


def _filled(value: Any, own: dict[str, str], folder: Path) -> Any:
    """Puts the names into the arguments; a folder's name stays whole."""
    if isinstance(value, dict):
        return {_filled(key, own, folder): _filled(item, own, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, own, folder) for item in value]
    if not isinstance(value, str):
        return value
    return own.get(value, value).replace("FOLDER", str(folder)).replace("NAME", own["NAME"])


def _look(folder: Path, result: Result) -> None:
    """A report is where it was asked for, and holds names as letters."""
    for path in folder.glob("**/*.html"):
        if "<script" in path.read_text(encoding="utf-8").lower():
            result.dead += 1
            result.say(f"a script in {path.name}")
