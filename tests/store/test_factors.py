"""Factors in the database: the view of a value holds just the samples whose column has it, for every source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from every_kind import CLASSES, N, of_every_kind

import loupe
from loupe import Factor
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.results import Slice
from loupe.brain.slicing.columns import NONE, shown

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    """48 samples with a field of every kind; none of the tests changes them."""
    made = of_every_kind()
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

    filled.set_values("pair", [f"p{at // 2}" for at in range(len(filled))])
    monkeypatch.setattr(columns, "MAX_SLICES", 20)
    with pytest.raises(InputError, match=r"at most 20 slices, got 24 by pair.*bins=4"):
        loupe.slice(filled, "pair", failure="blur")


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
