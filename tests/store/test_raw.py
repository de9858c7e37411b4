"""Documents read a field at a time, against the same documents read one by one."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import bson
import numpy as np
import pytest
from bson import Binary, Code, Decimal128, ObjectId, Regex

from loupe.brain.store.raw import Batch, Irregular

RNG = np.random.default_rng(12)
NAMES = ("a", "b", "label", "a_very_long_name_of_a_field", "a_very_long_name_of_a_fjeld", "ü", "x$y", "1", "")
PATHS = (
    "a",
    "b.label",
    "things.label",
    "things.list",
    "a_very_long_name_of_a_field",
    "a_very_long_name_of_a_fjeld",
    "ü",
)
VALUES = (
    *(None, True, False, 0, -5, 2**40, 0.5, math.nan, math.inf, -0.0, "", "night", "a\x00b", "猫 <b>", "x" * 300),
    *(
        datetime(2026, 1, 1, tzinfo=UTC),
        Binary(b"12345"),
        Decimal128("1.5"),
        Code("x"),
        {"deep": {"er": [1, {"x": 2}]}},
    ),
)


def batch(documents: list[Any]) -> Batch:
    return Batch(bson.encode({"firstBatch": documents, "id": bson.Int64(0), "ns": "x"}), "firstBatch", {})


def value() -> Any:
    return VALUES[RNG.integers(len(VALUES))]


def things() -> Any:
    kind = RNG.integers(5)
    if kind == 0:
        return [None, [], "text", 3][RNG.integers(4)]
    elements: list[Any] = []
    for _ in range(RNG.integers(13)):
        element = {name: value() for name in ("other", "label", "b") if RNG.random() < 0.7}
        elements.append({**element, "list": ["x", None]} if RNG.random() < 0.2 else element)
    return [*elements, None, 7] if kind == 1 else elements


def document() -> dict[str, Any]:
    names = [name for name in NAMES if RNG.random() < 0.8]
    if RNG.random() < 0.05:
        RNG.shuffle(names)
    made = {name: value() for name in names}
    if RNG.random() < 0.7:
        made["b"] = {"other": value(), "label": value()} if RNG.random() < 0.8 else {}
    return {**made, "things": things()}


def expected(document: Any, names: list[str]) -> Any:
    """What stands at a path: ``missing``, a value, or a list of what the elements of a list have."""
    for at, name in enumerate(names):
        if isinstance(document, list):
            inside = [expected(element, names[at:]) for element in document if isinstance(element, dict)]
            return inside
        if not isinstance(document, dict) or name not in document:
            return "missing"
        document = document[name]
    return document


@pytest.mark.parametrize("n", [0, 1, 7, 150])
def test_any_documents_are_read_as_one_by_one(n: int) -> None:
    for _ in range(20 if n else 1):
        documents = [document() for _ in range(n)]
        # as the database has them: a document's floats, its longs, its lists
        stored = [bson.decode(bson.encode(each)) for each in documents]
        read = batch(documents)
        assert read.n == n
        for path, values in read.read(PATHS).items():
            given: list[list[Any]] = [[] for _ in range(n)]
            for owner, each in zip(values.owners.tolist(), _python(read, values), strict=True):
                given[owner].append(each)
            for own, of in zip(given, stored, strict=True):
                wanted = expected(of, path.split("."))
                listed = wanted if isinstance(wanted, list) and path.startswith("things.") else [wanted]
                plain = [
                    each if type(each) in (str, bool, int, bson.Int64, float, type(None)) else "other"
                    for each in listed
                ]
                plain = [None if each == "missing" else each for each in plain]
                assert str(own) == str(plain) or (values.lists is not None and not own and plain == [None]), path


def _python(read: Batch, values: Any) -> list[Any]:
    """The values as Python has them; "other" for those that are read by nobody."""
    known = np.isin(values.kinds, [0, 1, 2, 8, 10, 16, 18])
    kept = type(values)(values.kinds[known], values.places[known], values.owners[known], values.n)
    made = np.full(len(known), "other", dtype=object)
    made[known] = np.array([*read.objects(kept), None], dtype=object)[:-1]
    return made.tolist()  # type: ignore[no-any-return]


def test_numbers_are_numbers_and_nothing_else_is() -> None:
    values = [1.5, 3, 2**40, True, math.nan, None, "1", Decimal128("1"), math.inf]
    read = batch([*({"x": each} for each in values), {}])
    numbers = read.numbers(read.read(["x"])["x"])
    np.testing.assert_array_equal(numbers, [1.5, 3, 2**40, 1, *[np.nan] * 4, math.inf, np.nan])


def test_lists_are_taken_apart_and_ids_are_texts() -> None:
    key = ObjectId()
    read = batch(
        [{"_id": key, "tags": ["x", "y"]}, {"tags": []}, {"tags": "z"}, {}, {"tags": list(map(str, range(120)))}]
    )
    tags = read.items(read.read(["tags"])["tags"])
    assert tags.owners.tolist() == [0, 0, 2, 3, *[4] * 120]
    assert read.objects(tags) == ["x", "y", "z", None, *map(str, range(120))]
    assert read.objects(read.read(["_id"])["_id"])[:2] == [str(key), None]


def test_every_document_in_an_order_of_its_own_is_refused_and_not_read_wrong() -> None:
    names = [f"field {at}" for at in range(100)]
    documents = []
    for _ in range(200):
        RNG.shuffle(names)
        documents.append({name: float(name.split()[1]) for name in names})
    with pytest.raises(Irregular, match="orders of their own"):
        batch(documents).read(["field 3"])
    # few fields may come in any order
    few = [{name: number for name, number in each.items() if number < 15} for each in documents]
    read = batch(few)
    assert set(read.numbers(read.read(["field 3"])["field 3"]).tolist()) == {3.0}


@pytest.mark.parametrize(
    ("documents", "path"),
    [
        ([{"x": Regex("a")}], "x"),
        ([{"x": [{"y": [{"z": 1}]}]}], "x.y.z"),
        ([{"x": [{"y": 1}]}, {"x": {"y": 1}}], "x.y"),
    ],
)
def test_what_is_not_read_is_refused(documents: list[Any], path: str) -> None:
    with pytest.raises(Irregular):
        batch(documents).read([path])
    read = batch([{"x": datetime(2026, 1, 1, tzinfo=UTC)}])
    with pytest.raises(Irregular, match="type 9"):
        read.objects(read.read(["x"])["x"])
    nested = batch([{"x": [{"y": ["a"]}]}])
    with pytest.raises(Irregular, match="lists in lists"):
        nested.items(nested.read(["x.y"])["x.y"])
    with pytest.raises(Irregular, match="too long"):
        read.read(["x" * 2000])
    with pytest.raises(Irregular):
        Batch(bson.encode({"firstBatch": ["text"], "id": bson.Int64(0)}), "firstBatch", {})
    with pytest.raises(Irregular):
        Batch(bson.encode({"id": bson.Int64(0)}), "firstBatch", {})
