"""A dataset whose owner gives everything a hostile name: itself, fields, classes, tags, prompts, files and people."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.fuzz.changes import Rng, pick
from benchmarks.fuzz.letters import Names

#: what stands before and behind the mark of a name
PARTS: tuple[tuple[str, str], ...] = (
    ("", "<script>alert(1)</script>"),
    ("", "<img src=x onerror=alert(1)>"),
    ("![x", "](http://127.0.0.1:9/x.png)"),
    ("[x", "](//127.0.0.1:9/x)"),
    ("http://127.0.0.1:9/", " www.example.com a@example.com"),
    ("__proto", "__ *a* `code` ~~b~~"),
    ("# ", "\n\n# head\n\n* a"),
    ("1. ", "|a|b|\n|-|-|"),
    ("=1+", "cmd|' /C calc'!A0"),
    ("@", "&lt;b&gt;&#60;script&#62;"),
    ("\x1b[2J\x1b]0;", "\x07\x9b31m\r"),
    ("\u202e", "\u2066gnp.exe\u2028"),
    ("$where", ": {'$gt': 1} {{7*7}} %s ${HOME}"),
    ("", "\U0001f98a e\u0301 日本語 א \u200f"),
    ("'\">", "</title></svg><svg onload=alert(1)>"),
    ("", " long" * 20_000),
    ("<!--", "--> <a href='http://127.0.0.1:9/'>x</a>"),
)


@dataclass
class Owned:
    """A dataset and what its names are.

    Attributes:
        made: the dataset
        real: another one, of real pictures
        names: all hostile names
        label, models, factor: its own fields
        folder: where files may be written
    """

    made: Any
    real: Any
    names: Names
    label: str
    models: tuple[str, str]
    factor: str
    folder: Path
    texts: list[str] = field(default_factory=list)

    def delete(self) -> None:
        """Deletes the datasets."""
        for each in (self.made, self.real):
            each.delete()


def owned(rng: Rng, folder: Path, n: int = 48) -> Owned:
    """Makes one."""
    import fiftyone as fo

    names, orders = Names(), rng.permutation(len(PARTS))
    count = iter(range(10**6))

    def hostile(made: Callable[[str], str] = str) -> str:
        return names.add(*PARTS[int(orders[next(count) % len(orders)])], made)

    classes, places, models, tags, people = ([hostile() for _ in range(size)] for size in (3, 3, 2, 2, 2))
    prompts = [hostile() for _ in range(8)]
    label, first, second, factor = (hostile(_field) for _ in range(4))
    made, real = (fo.Dataset(names.add(*pick(rng, PARTS[:8]), _dataset)) for _ in range(2))
    inner = hostile(file_name)
    files = [_picture(rng, folder / inner / f"{at:03}", at, hostile(file_name)) for at in range(n + n // 2)]
    for at, path in enumerate(files):
        code = at % len(classes)
        night = at % 3 == 0
        sample = fo.Sample(str(path), tags=[tags[at % 2], "train" if at % 4 else "test"])
        sample[label] = fo.Classification(label=classes[code])
        for number, name in enumerate((first, second)):
            wrong = rng.random() < (0.4 if night else 0.15) + 0.1 * number
            given = classes[(code + 1) % 3] if wrong else classes[code]
            sample[name] = fo.Classification(label=given, confidence=float(rng.uniform(0.4, 1)))
        sample[factor] = places[at % 3]
        sample["prompt"] = prompts[at % len(prompts)]
        sample["generation"] = fo.DynamicEmbeddedDocument(model=models[at % 2], seed=at // 2)
        sample["scenario"] = fo.DynamicEmbeddedDocument(place=places[at // 2 % 3], time="night" if night else "day")
        sample["taken"] = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=at % 4)
        sample["embeddings"] = (rng.normal(size=6) + 3 * np.eye(6)[code]).astype(np.float32)
        sample["owner"] = people[at % 2]
        (made if at < n else real).add_sample(sample, dynamic=True)
    return Owned(made, real, names, label, (first, second), factor, folder, [*classes, *places, *prompts, *models])


def _field(text: str) -> str:
    """Returns what FiftyOne takes for a name of a field: it begins with no mark of its own, and has no dots."""
    return re.sub(r"[.$\x00]", "", text[:80]).lstrip("_") or "x"


def _dataset(text: str) -> str:
    return text[:90]


def file_name(text: str) -> str:
    """Returns what a file can be called."""
    return text.replace("/", "\u2215").replace("\0", "")[:60] or "x"


def _picture(rng: Rng, folder: Path, number: int, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{text}.png"
    if number % 9 == 8:
        path.write_bytes(b"no picture")
        return path
    small = rng.integers(0, 40 if number % 5 == 0 else 256, (6, 8, 3), dtype=np.uint8)
    if number % 7 == 6:
        small = np.full((6, 8, 3), 90, np.uint8)
    Image.fromarray(small).resize((96, 72), Image.Resampling.BICUBIC).save(path)
    return path


def known(owned_by: Owned) -> Sequence[str]:
    """Returns texts to be given where a text is asked for."""
    return [*owned_by.texts, owned_by.label, *owned_by.models, owned_by.factor, owned_by.made.name, owned_by.real.name]
