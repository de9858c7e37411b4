"""What factors read from the database, against the documents; and what cannot be sliced by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from every_kind import PROMPTS, TEXTS, N, boxes, of_every_kind

import loupe
from loupe import Factor
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.columns import NONE, shown

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    """48 samples with a field of every kind; none of the tests changes them."""
    made = of_every_kind()
    yield made
    made.delete()


def test_what_each_source_reads_is_what_the_documents_say(filled: Any) -> None:
    from loupe.brain.store import columns

    wanted = [
        Factor.label("truth"),
        Factor.label("boxes"),
        Factor.count("boxes", name="n"),
        Factor.tags(),
        Factor.tags("train", "test", name="splits"),
        Factor.metadata("aspect", bins=[0.75, 1], name="aspect"),
        Factor.time("at", "hour", name="hour"),
        Factor.time("at", "month", name="month"),
        Factor.time("day", name="day"),
        Factor.views(),
        Factor.field("level", bins=[0.5, 2]),
        Factor.field("flag"),
    ]
    read = columns.read(filled, wanted, failures=[])
    saved = {name: set(filled.load_saved_view(name).values("id")) for name in filled.list_saved_views()}

    def expected(sample: Any) -> dict[str, list[Any]]:
        boxes = None if sample.boxes is None else sample.boxes.detections
        meta, level = sample.metadata, sample.level
        aspect = None if meta is None or not meta.height else meta.width / meta.height
        return {
            "truth": [sample.truth and sample.truth.label],
            "boxes": [box.label for box in boxes or () if box.label],
            "n": [None if boxes is None else len(boxes)],
            "tags": sample.tags,
            "splits": [tag for tag in sample.tags if tag in ("train", "test")],
            "aspect": [] if aspect is None else ["< 0.75" if aspect < 0.75 else "[0.75, 1)" if aspect < 1 else ">= 1"],
            "hour": [sample["at"] and sample["at"].hour],
            "month": [sample["at"] and f"{sample['at']:%Y-%m}"],
            "day": [sample["day"] and f"{sample['day']:%Y-%m-%d}"],
            "views": [name for name, ids in saved.items() if sample.id in ids],
            "level": [] if level is None else ["< 1" if level < 1 else "1" if level == 1 else ">= 2"],
            "flag": [sample.flag],
        }

    no_list = filled.values("id")[2]  # its document of boxes lacks the list: FiftyOne reads that as an empty one
    for row, sample in enumerate(filled):
        for name, values in expected(sample).items():
            if (name, sample.id) == ("n", no_list):
                continue
            column = read.factors[name]
            own = [column.values[code] for code in column.codes[column.samples == row]]
            assert set(map(repr, own)) == set(map(repr, values or [None])), name
    assert read.factors["splits"].values == ("train", "test", None)


def _size(box: dict[str, Any]) -> str | None:
    place = box["bounding_box"]
    if len(place) != 4:
        return None
    area = place[2] * place[3]
    return "small" if area < 0.0033 else "medium" if area < 0.03 else "large"


def _position(box: dict[str, Any]) -> str | None:
    place = box["bounding_box"]
    if len(place) != 4:
        return None
    column, row = (min(2, max(0, math.floor(3 * (place[at] + place[at + 2] / 2)))) for at in (0, 1))
    names = ["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"]
    return names[3 * row + column]


def test_what_boxes_and_prompts_say_is_what_a_loop_over_them_says(filled: Any) -> None:
    from loupe.brain.store import columns

    wanted = [
        Factor.box_size("boxes"),
        Factor.box_position("boxes", of=["dog", "cat"]),
        Factor.count("boxes", of="dog"),
        Factor.count("boxes", of=["$owl", "猫"], name="odd ones"),
        Factor.attribute("boxes", "occluded"),
        Factor.attribute("boxes", "confidence", bins=[0.3], name="sure"),
        Factor.attribute("boxes", "view", of="cat", name="cats"),
        Factor.metadata("orientation"),
        Factor.metadata("format"),
        Factor.light(),
        Factor.field("size", width=0.25),
        Factor.prompt("words", only=["dogs", "rain"]),
        Factor.prompt("negation"),
        Factor.prompt("count"),
    ]
    read = columns.read(filled, wanted, failures=[])
    negation = {PROMPTS[3]: True, PROMPTS[5]: True}
    counts = {PROMPTS[2]: 3, PROMPTS[3]: 2, PROMPTS[8]: 1}
    for row, sample in enumerate(filled):
        own = [] if row in (2,) or not row % 6 else boxes(row)
        light, size, prompt = sample["quality"].overexposure, sample["size"], sample["prompt"]
        text = None if prompt is None or not prompt.strip() else prompt
        meta = sample.metadata
        no_light = light is None or math.isnan(light)
        expected: dict[str, list[Any]] = {
            "boxes size": [_size(box) for box in own],
            "boxes position": [_position(box) for box in own if box["label"] in ("dog", "cat")],
            "boxes.occluded": [box["occluded"] for box in own],
            "sure": [
                "< 0.3" if box["confidence"] < 0.3 else ">= 0.3"
                for box in own
                if box["confidence"] is not None and not math.isnan(box["confidence"])
            ],
            "cats": [box["view"] for box in own if box["label"] == "cat"],
            "metadata.format": [meta and meta.mime_type],
            "light": [] if no_light else ["dark" if light < 0.25 else "medium" if light < 0.6 else "bright"],
            "size": []
            if size is None
            else [">= 1" if size == math.inf else f"[{size // 0.25 * 0.25:g}, {size // 0.25 * 0.25 + 0.25:g})"],
            "prompt words": [word for word in ("dogs", "rain") if word in (text or "")],
            "prompt negation": [] if text is None else [negation.get(text, False)],
            "prompt count": [counts.get(text)],
        }
        if row != 2:
            dogs = sum(box["label"] == "dog" for box in own)
            expected["boxes dog count"] = [dogs if row % 6 else None]
            odd = sum(box["label"] in ("$owl", "猫") for box in own)
            expected["odd ones"] = [odd if row % 6 else None]
        if meta is not None and meta.height:
            expected["metadata.orientation"] = ["landscape" if meta.width > meta.height else "portrait"]
        for name, values in expected.items():
            column = read.factors[name]
            had = {column.values[code] for code in column.codes[column.samples == row]}
            assert had == ({value for value in values if value is not None} or {None}), (row, name)
    assert read.factors["boxes size"].values == ("small", "medium", "large", None)
    assert read.factors["light"].values == ("dark", "medium", "bright", None)


def test_paths_are_what_their_field_holds(filled: Any) -> None:
    names = {
        "score": Factor.field("score", bins=4),
        "tags": Factor.tags(),
        "truth": Factor.label("truth"),
        "metadata.width": Factor.metadata("width", bins=None),
    }
    for path, factor in names.items():
        by_path, by_factor = (loupe.slice(filled, by, failure="blur") for by in (path, factor))
        assert [rate.to_dict() for rate in by_path] == [rate.to_dict() for rate in by_factor]
    assert {rate.slice.values["text"] for rate in loupe.slice(filled, "text", failure="blur")} == {
        shown(text) for text in TEXTS
    }
    counted = loupe.slice(filled, "text", failure="blur")
    assert sum(rate.n + rate.unknown + rate.unchecked for rate in counted) == N
    flags = loupe.slice(filled, ["flag", "level"], failure="blur")
    assert sum(rate.unchecked for rate in flags) == N
    assert flags[0].slice.values == {"flag": "False", "level": "-3"}
    assert flags[-1].slice.values["flag"] == NONE


@pytest.mark.parametrize(
    ("by", "error", "message"),
    [
        ("txt", UnknownName, r"unknown field 'txt'\. Did you mean 'text'"),
        ("scenario.time", UnknownName, r"'scenario\.time'"),
        (Factor.tags() * Factor.field("levl"), UnknownName, r"Did you mean 'level'"),
        (Factor.label("truht"), UnknownName, r"Did you mean 'truth'"),
        (Factor.count("bxes"), UnknownName, r"Did you mean 'boxes'"),
        (Factor.time("att", "hour"), UnknownName, "unknown field 'att'"),
        (Factor.views("cats"), UnknownName, r"saved view 'cats'.* dogs"),
        ("metadata", InputError, r"cannot slice by 'metadata'.*its fields: .*metadata\.width"),
        ("camera", InputError, r"its fields: camera\.lens\.name$"),
        ("boxes.detections", InputError, r"cannot slice by 'boxes\.detections'"),
        ("truth.id", InputError, r"cannot slice by 'truth\.id', a ObjectIdField"),
        ("truth.logits", InputError, r"a VectorField: slice by a field of strings"),
        ("at", InputError, r"take a part of it, Factor\.time\('at', 'day'\)"),
        (Factor.attribute("boxes", "ocluded"), InputError, r"unknown attribute 'ocluded'\. Did you mean 'occluded'"),
        (Factor.attribute("boxes", "mask"), InputError, r"add_dynamic_sample_fields"),
        (Factor.attribute("text", "x"), InputError, "labels with attributes, but 'text'"),
        (Factor.attribute("boxes", "occluded", bins=2), InputError, "holds yes or no"),
        (Factor.box_size("truth"), InputError, "a field of detections, which have boxes, but 'truth'"),
        (Factor.box_position("several"), InputError, "a field of detections, which have boxes, but 'several'"),
        (Factor.count("words", of="x"), InputError, "a field of labels to count x of, but 'words' is a list"),
        (Factor.prompt("length", path="level"), InputError, "prompts, which are texts, but 'level' is a IntField"),
        (Factor.field("size", width=0.0001), InputError, "at most 98 bins, got 0.0001, which makes 8,501"),
        (Factor.field("text", bins=2), InputError, "'text' holds texts"),
        (Factor.field("truth", bins=2), InputError, "'truth' holds texts"),
        (Factor.label("text"), InputError, "a field of labels with classes, but 'text'"),
        (Factor.count("truth"), InputError, "lists of labels to count, but 'truth'"),
        (Factor.count("level"), InputError, "lists of labels to count, but 'level'"),
        (Factor.time("text"), InputError, "a field of dates or times, but 'text' is a StringField"),
        (Factor.time("day", "hour"), InputError, "'day' holds dates, which have no hour"),
    ],
)  # fmt: skip
def test_what_cannot_be_sliced_by(filled: Any, by: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        loupe.slice(filled, by)
