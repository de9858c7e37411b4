"""Factors in the database: the view of a value holds just the samples whose column has it, for every source."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

import loupe
from loupe import Factor
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.results import Slice
from loupe.brain.slicing.columns import NONE, shown

pytestmark = pytest.mark.database

N = 48
TEXTS = (
    "day", "night", None, "", "(none)", '"(none)"', "None", "True", "1", "a.b", "$text", '"; {}', "it's", "{'$gt': 1}",
    "ü → 猫", "< 0.5", "[0, 1)", "/x/",
)  # fmt: skip
FLOATS = (None, math.nan, math.inf, -math.inf, 0.0, -0.0, 0.25, 0.5, 0.1 + 0.2, 1e-300, -7.5, sys.float_info.max)
INTS = (0, 1, None, -3, 2**40, 2, 3, 1)
CLASSES = ("cat", "dog", "$owl", "a.b", "猫")
TAGS = ((), ("train",), ("test",), ("train", "odd"), ("$x", "a.b"), ("猫", "train", "test"))
PROMPTS = (
    None, "", "a cat and three dogs", "exactly two owls next to a box, no people", 'a sign that says "OPEN $1.50"',
    "no text", "猫 in the rain", "rain, rain, $where {'a': 1} a.b", "one dog in front of a red house", "  ",
)  # fmt: skip
TIMES = (
    None, datetime(2026, 11, 28, 23, 59, 59), datetime(2026, 11, 29), datetime(1969, 12, 31, 5),
    datetime(2026, 1, 9, 23), datetime(2025, 11, 28),
)  # fmt: skip


def boxes(index: int) -> list[dict[str, Any]]:
    """The facts of a sample's boxes: of every size and place, some broken, attributes of every kind, or none."""
    listed = []
    for at, label in enumerate(labels(index)):
        side = (0.02, 0.1, 0.3, 0.9, 1.0)[(index + at) % 5]
        place = [((index * 7 + at * 3) % 10) / 10, ((index * 3 + at) % 11) / 10, side, side]
        facts: dict[str, Any] = {"label": label, "bounding_box": place if (index + at) % 9 else [0.1, 0.2]}
        facts["confidence"] = (0.25, None, 0.5, math.nan, 0.999, math.inf, -0.0)[(index + at) % 7]
        facts["occluded"] = (True, False, None)[(index + at) % 3]
        facts["crowd"] = (0, 2, None, 7)[(index * at) % 4]
        facts["view"] = ("front", "$side", "a.b", None)[(index + 2 * at) % 4]
        listed.append(facts)
    return listed


def labels(index: int) -> list[str | None]:
    """The classes of a sample's boxes: none, several, twice the same, one without a class."""
    count = index % 5
    return [None if index % 7 == 3 and at == 0 else CLASSES[(index + at * at) % len(CLASSES)] for at in range(count)]


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    """48 samples with a field of every kind; none of the tests changes them."""
    import fiftyone as fo

    made = fo.Dataset()
    kinds = {"text": fo.StringField, "flag": fo.BooleanField, "level": fo.IntField, "score": fo.FloatField}
    for path, kind in {**kinds, "guidance": fo.FloatField, "day": fo.DateField, "at": fo.DateTimeField}.items():
        made.add_sample_field(path, kind)
    made.add_sample_field("words", fo.ListField, subfield=fo.StringField)
    made.add_sample_field("ranks", fo.ListField, subfield=fo.IntField)
    made.add_sample_field("weights", fo.ListField, subfield=fo.FloatField)
    samples = []
    for index in range(N):
        sample = fo.Sample(filepath=f"/nowhere/{index:02}.png", tags=list(TAGS[index % len(TAGS)]))
        sample["text"] = TEXTS[index % len(TEXTS)]
        sample["flag"] = (True, False, None)[index % 3]
        sample["level"] = INTS[index % len(INTS)]
        sample["score"] = FLOATS[index % len(FLOATS)]
        sample["guidance"] = (7.5, 3.0, None, 5.25)[index % 4]
        sample["at"] = TIMES[index % len(TIMES)]
        sample["day"] = None if sample["at"] is None else date(*sample["at"].timetuple()[:3])
        sample["words"] = (None, [], ["x"], ["x", "y.z", "$"])[index % 4]
        sample["ranks"] = (None, [], [3], [1, 3, 3])[index % 4]
        sample["weights"] = (None, [0.5])[index % 2]
        sample["prompt"] = PROMPTS[index % len(PROMPTS)]
        sample["size"] = (0.1, 0.3, None, 0.95, 0.5, math.inf, 0.25)[index % 7]
        sample["quality"] = fo.DynamicEmbeddedDocument(
            overexposure=(0.1, 0.25, math.nan, 0.4, None, 0.6, 0.9)[index % 7]
        )
        sample["camera"] = fo.DynamicEmbeddedDocument(lens=fo.DynamicEmbeddedDocument(name="wide"))
        if index % 6:
            sample["truth"] = fo.Classification(label=CLASSES[index % 5] if index % 4 else None)
            sample["boxes"] = fo.Detections(
                detections=[fo.Detection(**{**facts, "bounding_box": [0, 0, 1, 1]}) for facts in boxes(index)]
            )
            sample["main"] = fo.Detection(**{**boxes(index)[0], "bounding_box": [0, 0, 1, 1]}) if boxes(index) else None
            sample["several"] = fo.Classifications(
                classifications=[fo.Classification(label=label) for label in labels(index + 1)]
            )
        if index % 5:
            width, height = ((640, 480), (480, 640), (333, 1000), (100 + index, 0))[index % 4]
            sample.metadata = fo.ImageMetadata(width=width, height=height, size_bytes=1000 + 37 * index, num_channels=3)
            sample.metadata.mime_type = ("image/png", "image/jpeg", None)[index % 3]
        samples.append(sample)
    made.add_samples(samples, progress=False)
    made.add_dynamic_sample_fields()
    # fields that are not there, and a document without its list
    raw = made._sample_collection
    raw.update_one({"_id": made.values("_id")[1]}, {"$unset": {"text": "", "score": "", "words": "", "tags": ""}})
    for index, sample_id in enumerate(made.values("_id")):  # FiftyOne itself takes no broken box
        for at, facts in enumerate(boxes(index) if index % 6 else ()):
            place = {f"boxes.detections.{at}.bounding_box": facts["bounding_box"]}
            raw.update_one(
                {"_id": sample_id}, {"$set": place | ({} if at else {"main.bounding_box": facts["bounding_box"]})}
            )
    raw.update_one({"_id": made.values("_id")[2]}, {"$set": {"boxes": {"_cls": "Detections"}}})
    made.reload()
    made.save_view("dogs", made.match({"truth.label": "dog"}))
    made.save_view("some $.猫", made.limit(20).skip(3))
    made.save_view("nothing", made.match({"text": "no such"}))
    yield made
    made.delete()


FACTORS = [
    Factor.field("text"),
    Factor.field("flag"),
    Factor.field("level"),
    Factor.field("level", bins=3),
    Factor.field("level", bins=[0.5, 1, 2]),
    Factor.field("score"),
    Factor.field("score", bins=11),
    Factor.field("score", bins=2),
    Factor.field("score", bins=[-7.5, 0, 0.25, 0.3]),
    Factor.field("guidance"),
    Factor.field("words"),
    Factor.field("ranks"),
    Factor.field("boxes.detections.label", name="any box"),
    Factor.field("several"),
    Factor.field("tags"),
    Factor.label("truth"),
    Factor.label("truth", only=["dog", "$owl"]),
    Factor.label("boxes"),
    Factor.label("boxes", only=["cat", "猫"]),
    Factor.label("several"),
    Factor.field("size", width=0.25),
    Factor.field("level", width=1099511627776),
    Factor.field("size", bins=[0.3, 0.6], names=["(none)", "mid", "x"]),
    Factor.field("level", bins=[0, 2], names=["below", "few", "many"]),
    Factor.field("weights"),
    Factor.field("weights", bins=[0.2, 0.7]),
    Factor.field("ranks", bins=2),
    Factor.field("boxes.detections.confidence", bins=3),
    Factor.attribute("boxes", "confidence"),
    Factor.attribute("boxes", "confidence", bins=[0, 0.5]),
    Factor.attribute("boxes", "confidence", of=["dog", "$owl"], bins=2),
    Factor.attribute("boxes", "occluded"),
    Factor.attribute("boxes", "crowd"),
    Factor.attribute("boxes", "crowd", of="cat", name="crowd of cats"),
    Factor.attribute("boxes", "view", of="cat", name="view of cats"),
    Factor.attribute("boxes", "view"),
    Factor.attribute("main", "confidence", bins=2),
    Factor.attribute("main", "view", of=CLASSES),
    Factor.attribute("main", "view", name="whole view"),
    Factor.box_size("boxes"),
    Factor.box_size("boxes", of="dog"),
    Factor.box_size("boxes", edges=[0.01]),
    Factor.box_size("main"),
    Factor.box_position("boxes"),
    Factor.box_position("main", of=["cat", "dog"]),
    Factor.count("boxes", of="cat"),
    Factor.count("boxes", of=["$owl", "a.b"], bins=[1]),
    Factor.count("several", of="猫"),
    Factor.light(),
    Factor.light(edges=[0.5]),
    Factor.metadata("format"),
    Factor.metadata("orientation"),
    Factor.metadata("megapixels", bins=2),
    Factor.prompt("objects"),
    Factor.prompt("count"),
    Factor.prompt("negation"),
    Factor.prompt("quoted"),
    Factor.prompt("relation"),
    Factor.prompt("length", bins=2),
    Factor.prompt("words"),
    Factor.prompt("words", only=["Rain", "dog", "never"]),
    Factor.count("boxes"),
    Factor.count("boxes", bins=[1, 3]),
    Factor.count("boxes", bins=2),
    Factor.count("several"),
    Factor.count("words"),
    Factor.tags(),
    Factor.tags("test", "train"),
    Factor.views(),
    Factor.views("nothing", "some $.猫"),
    Factor.metadata("width"),
    Factor.metadata("width", bins=None),
    Factor.metadata("size_bytes"),
    Factor.metadata("num_channels"),
    Factor.metadata("aspect"),
    Factor.metadata("aspect", bins=[0.75, 1]),
    Factor.metadata("aspect", bins=2),
    Factor.time("at", "hour"),
    Factor.time("at", "day"),
    Factor.time("at", "month"),
    Factor.time("at", "year"),
    Factor.time("day"),
    Factor.time("day", "year"),
]


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: f"{factor.source} {factor.name} {factor.bins}")
@pytest.mark.parametrize("narrowed", [False, True])
def test_the_view_of_a_value_holds_just_the_samples_that_have_it(filled: Any, factor: Factor, narrowed: bool) -> None:
    from loupe.brain.store import columns, factors

    view = filled.match({"flag": {"$ne": False}}).skip(2) if narrowed else filled
    read = columns.read(view, factor, failures=["blur"])
    (fitted,) = read.by
    column = read.factors[factor.name]
    ids = np.array(view.values("id"))
    assert sorted(set(column.samples.tolist())) == list(range(len(ids)))  # every sample has some value
    assert len(set(map(shown, column.values))) == len(column.values) > 1 or factor.part == "num_channels"
    for value in column.values:
        expected = ids[column.rows(value)].tolist()
        assert expected
        shows = factors.having(view, fitted, value)
        assert shows.values("id") == expected
        json.dumps(shows._serialize(), allow_nan=False)  # a view travels as JSON
        named = Slice({factor.name: shown(value)})
        assert factors.samples_of(view, named, factor).values("id") == expected


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
        if meta is not None and meta.height:
            expected["metadata.orientation"] = ["landscape" if meta.width > meta.height else "portrait"]
        for name, values in expected.items():
            column = read.factors[name]
            had = {column.values[code] for code in column.codes[column.samples == row]}
            assert had == ({value for value in values if value is not None} or {None}), (row, name)
    assert read.factors["boxes size"].values == ("small", "medium", "large", None)
    assert read.factors["light"].values == ("dark", "medium", "bright", None)


def test_the_view_of_a_product_is_that_of_its_parts(filled: Any) -> None:
    from loupe.brain.slicing.columns import combine
    from loupe.brain.store import columns, factors

    product = Factor.field("score", bins=3) * Factor.tags() * Factor.label("boxes")
    read = columns.read(filled, product, failures=[])
    slices = combine(read.factors, N)
    ids = np.array(filled.values("id"))
    assert len(slices.values) > 40
    for code, values in enumerate(slices.values[:60]):
        expected = ids[slices.samples[slices.codes == code]].tolist()
        assert factors.having(filled, read.by[0] * read.by[1] * read.by[2], values.values()).values("id") == expected
        named = Slice({name: shown(value) for name, value in values.items()})
        assert factors.samples_of(filled, named, product).values("id") == expected
        assert factors.samples_of(filled, named, [product.parts()[0], "tags", "boxes"]).values("id") == expected
    rates = loupe.slice(filled, product, failure="blur")
    assert [rate.slice.values for rate in rates] == [
        {name: shown(value) for name, value in values.items()} for values in slices.values
    ]
    again = loupe.slice(filled, list(product.parts()), failure="blur")
    assert [rate.to_dict() for rate in again] == [rate.to_dict() for rate in rates]


def test_bins_of_a_view_are_those_of_its_samples_and_a_fitted_factor_keeps_them(filled: Any) -> None:
    from loupe.brain.store import columns, factors

    factor = Factor.metadata("size_bytes", bins=2)
    (whole,) = columns.read(filled, factor).by
    few = filled.limit(10)
    (own,) = columns.read(few, factor).by
    assert own.bins != whole.bins
    (kept,) = columns.read(few, whole).by
    assert kept == whole
    (edge,) = whole.bins
    assert factors.having(few, whole, f">= {edge}").values("id") == few.match(
        {"metadata.size_bytes": {"$gte": edge}}
    ).values("id")


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


def test_what_is_no_value_or_no_slice_of_a_factor(filled: Any) -> None:
    from loupe.brain.store import factors

    fitted = Factor.field("score", bins=[0, 1])
    with pytest.raises(UnknownName, match=r"bin '\[0, 2\)'"):
        factors.having(filled, fitted, "[0, 2)")
    with pytest.raises(InputError, match="a value for each of the 2 factors"):
        factors.having(filled, Factor.tags() * fitted, ["train"])
    with pytest.raises(InputError, match="a slice by tags, got one by text"):
        factors.samples_of(filled, Slice({"text": "day"}), Factor.tags())
    with pytest.raises(InputError, match="a slice by nothing, got one by text"):
        factors.samples_of(filled, Slice({"text": "day"}), [])
    with pytest.raises(InputError, match="a value of the factor 'flag', got 'yes'"):
        factors.samples_of(filled, Slice({"flag": "yes"}), "flag")
    assert len(factors.samples_of(filled, Slice({}), [])) == N
    assert len(factors.having(filled, Factor.field("text"), "no such")) == 0
    assert len(factors.having(filled, Factor.views(), "no such")) == 0


def test_a_computed_text_is_only_a_text(filled: Any) -> None:
    from loupe.brain.store.places import Computed

    computed = Computed("text", {"$ifNull": ["$text", None]})
    for text in ("$text", "day", None):
        shows = filled.view().add_stage(computed.stage(Factor.field("text"), text))
        assert shows.values("id") == [sample.id for sample in filled if sample.text == text]


def test_too_many_slices_are_refused(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.slicing import columns

    monkeypatch.setattr(columns, "MAX_SLICES", 30)
    with pytest.raises(InputError, match=r"at most 30 slices, got 48 by filepath.*bins=4"):
        loupe.slice(filled, "filepath", failure="blur")


def test_metadata_that_was_never_computed_and_views_of_patches(dataset: Any) -> None:
    import fiftyone as fo

    box = fo.Detection(label="cat", bounding_box=[0, 0, 1, 1])
    dataset.add_samples(
        [
            fo.Sample(filepath=f"/nowhere/{index}.png", boxes=fo.Detections(detections=[box.copy()]))
            for index in range(3)
        ],
        progress=False,
    )
    for part in ("width", "aspect"):
        with pytest.raises(InputError, match="compute_metadata"):
            loupe.slice(dataset, Factor.metadata(part))
    dataset.save_view("patches", dataset.to_patches("boxes"))
    dataset.save_view("first", dataset.limit(1))
    with pytest.raises(InputError, match="saved views of samples, but 'patches' is a PatchesView"):
        loupe.slice(dataset, Factor.views("patches"))
    rates = loupe.slice(dataset, Factor.views(), failure="blur")
    assert [(rate.slice.values["views"], rate.unchecked) for rate in rates] == [("first", 1), (NONE, 2)]


def test_an_empty_view_says_so(filled: Any) -> None:
    from loupe.brain.core.errors import NoSamples

    for by in (Factor.tags(), Factor.field("score"), Factor.count("boxes"), Factor.views(), []):
        with pytest.raises(NoSamples):
            loupe.slice(filled.limit(3).match({"text": "no such"}), by)
