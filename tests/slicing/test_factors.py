"""Factors: what their values are called, and the way back from a name to its value."""

from __future__ import annotations

import json
import math
import pickle

import pytest

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.columns import NONE, Column, combine, shown
from loupe.brain.slicing.factors import Factor, factors_of, listed

TEXTS = [
    "day",
    "",
    "None",
    NONE,
    f'"{NONE}"',
    f'""{NONE}""',
    '"',
    "a.b",
    "$set",
    "ü → 猫",
    "x\ny",
    "< 0.5",
    "1",
    "True",
]


def entries(column: Column) -> list[list[object]]:
    rows: list[list[object]] = [[] for _ in range(column.n)]
    for sample, code in zip(column.samples.tolist(), column.codes.tolist(), strict=True):
        rows[sample].append(column.values[code])
    return rows


def test_values_stand_in_natural_order() -> None:
    column = Column.of(["b", "a10", None, "a9", "b"])
    assert column.values == ("a9", "a10", "b", None)
    assert column.codes.tolist() == [2, 1, 3, 0, 2]
    assert column.counts().tolist() == [1, 1, 2, 1]
    assert column.rows("b").tolist() == [0, 4]
    assert column.rows(None).tolist() == [2]
    assert Column.of([10, 9, None]).values == (9, 10, None)
    assert Column.of([True, False]).values == (False, True)
    assert Column.of([]).values == ()
    assert Column.of(["10", "9", "x", 3]).values == (3, "9", "10", "x")


def test_a_list_gives_a_sample_several_values_each_once() -> None:
    column = Column.of([["b", "a", "b"], [], None, [None], [None, "a"], [["c"], ["a", "c"]], "b"])
    assert column.values == ("a", "b", "c", None)
    assert entries(column) == [["a", "b"], [None], [None], [None], ["a"], ["a", "c"], ["b"]]
    assert column.n == 7
    assert column.samples.tolist() == sorted(column.samples.tolist())
    assert column.rows("a").tolist() == [0, 4, 5]


def test_combinations_are_those_that_occur_in_the_order_of_their_columns() -> None:
    slices = combine({"a": Column.of(["y", "x", None]), "b": Column.of([[1, 2], [2], []])}, 3)
    assert slices.values == [{"a": "x", "b": 2}, {"a": "y", "b": 1}, {"a": "y", "b": 2}, {"a": None, "b": None}]
    assert sorted(zip(slices.samples.tolist(), slices.codes.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 0), (2, 3)]
    everything = combine({}, 3)
    assert everything.values == [{}]
    assert everything.codes.tolist() == [0, 0, 0]
    assert combine({"a": Column.of([])}, 0).values == []


@pytest.mark.parametrize(
    ("factor", "values"),
    [
        (Factor.field("x").of_kind("text"), TEXTS),
        (Factor.field("x").of_kind("bool"), [True, False]),
        (Factor.field("x").of_kind("int"), [-3, 0, 7, 2**62]),
        (Factor.field("x", bins=20).of_kind("float").fitted([0.1, -2.5, math.inf, -math.inf, 1e300]),
         [0.1, -2.5, math.inf, -math.inf, 1e300, 3.0]),
        (Factor.field("x", bins=[0, 0.5]).of_kind("float"), [-1.0, 0.0, 0.49, 0.5, math.inf]),
        (Factor.field("x", bins=[0, 3]).of_kind("int"), [-1, 0, 2, 3, 99]),
        (Factor.tags(*TEXTS), TEXTS),
    ],
)  # fmt: skip
def test_every_value_has_a_name_of_its_own_and_comes_back_by_it(factor: Factor, values: list) -> None:
    column = factor.column([*values, None])
    names = [shown(value) for value in column.values]
    assert len(set(names)) == len(names)
    assert column.values[-1] is None
    for value, name in zip(column.values, names, strict=True):
        back = factor.value_of(name)
        assert back == value
        assert type(back) is type(value)


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (Factor.field("x").of_kind("bool"), "true"),
        (Factor.field("x").of_kind("bool"), "1"),
        (Factor.field("x").of_kind("int"), "1.0"),
        (Factor.field("x").of_kind("int"), " 1"),
        (Factor.field("x").of_kind("int"), "many"),
        (Factor.field("x", bins=[0.5]).of_kind("float"), "0.5"),
        (Factor.field("x", bins=[0.5]).of_kind("float"), "< 0.50"),
        (Factor.field("x", bins=9).of_kind("float").fitted([1.0]), "nan"),
        (Factor.field("x", bins=9).of_kind("float").fitted([1.0]), "1"),
        (Factor.tags("a"), "b"),
    ],
)
def test_a_name_that_no_value_has(factor: Factor, name: str) -> None:
    with pytest.raises(InputError, match="a value of the factor"):
        factor.value_of(name)


def test_floats_get_bins_and_whatever_is_no_number_is_missing() -> None:
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, math.nan, None, math.inf, -math.inf]
    factor = Factor.field("score").of_kind("float").fitted(values)
    assert factor.bins == (0.2, 0.5, 0.7)  # ten numbers in four
    column = factor.column(values)
    assert column.values == ("< 0.2", "[0.2, 0.5)", "[0.5, 0.7)", ">= 0.7", None)
    assert column.codes.tolist() == [0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 3, 0]


def test_few_numbers_are_slices_of_their_own() -> None:
    guidance = [7.5, 3.0, 7.5, None, 5.0]
    factor = Factor.field("generation.guidance").of_kind("float").fitted(guidance)
    assert factor.bins is None
    assert factor.column(guidance).values == (3.0, 5.0, 7.5, None)
    assert factor.of_kind("float").bins is None  # it is not put into bins again
    assert Factor.field("level", bins=2).of_kind("int").fitted([3, 3, 1, None]).bins is None
    assert Factor.field("level", bins=2).of_kind("int").fitted([3, 2, 1, None]).bins == (2,)
    assert Factor.field("level").of_kind("int").fitted(range(99)).bins is None


def test_given_edges_are_kept_whatever_the_values() -> None:
    factor = Factor.field("x", bins=[1, 2.5]).of_kind("float")
    assert factor.fitted([0.0] * 9).bins == (1.0, 2.5)
    assert Factor.field("x", bins=[1, 2.5]).of_kind("int").bins == (1, 3)
    assert factor.column([math.nextafter(1, 0), 1.0, 2.5]).values == ("< 1", "[1, 2.5)", ">= 2.5")
    assert factor.column([3.0, 0.0]).values == ("< 1", ">= 2.5")  # in order, and only those that occur


@pytest.mark.parametrize("kind", ["text", "bool"])
def test_only_numbers_are_put_into_bins(kind: str) -> None:
    with pytest.raises(InputError, match="numbers to put into bins, but 'x' holds"):
        Factor.field("x", bins=3).of_kind(kind)  # type: ignore[arg-type]


def test_only_some_tags_count_and_they_keep_their_order() -> None:
    column = Factor.tags("train", "val", "test").column(
        [["test", "odd"], ["train"], [], ["odd"], ["val", "train"], None]
    )
    assert column.values == ("train", "val", "test", None)
    assert entries(column) == [["test"], ["train"], [None], [None], ["train", "val"], [None]]
    # one class of each sample
    assert entries(Factor.label("gt", only=["cat"]).of_kind("text").column(["cat", "dog", None])) == [
        ["cat"],
        [None],
        [None],
    ]


def test_a_product_is_its_parts() -> None:
    a, b, c = Factor.tags(), Factor.field("wet"), Factor.count("boxes")
    product = a * b * c
    assert product.parts() == (a, b, c)
    assert (a * (b * c)).parts() == product.parts()
    assert product.name == "tags × wet × boxes count"
    assert repr(product) == "Factor(tags × wet × boxes count)"
    assert factors_of([a * b, "wet", c]) == (a, b, c)
    with pytest.raises(TypeError):
        a * "wet"  # type: ignore[operator]


def test_what_is_sliced_by() -> None:
    assert factors_of("scenario.time") == (Factor.field("scenario.time"),)
    assert factors_of([]) == ()
    assert factors_of(["a", "a"]) == (Factor.field("a"),)
    assert factors_of(Factor.tags()) == (Factor.tags(),)
    for given in (3, None, ["a", 3], [["a"]]):
        with pytest.raises(InputError, match="expected field paths or factors"):
            factors_of(given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="two factors are called 'a'"):
        factors_of(["a", Factor.field("a", bins=3)])
    assert len(factors_of(["a", Factor.field("a", bins=3, name="a in bins")])) == 2


@pytest.mark.parametrize(
    "factor",
    [
        Factor.field("a.b", bins=4, name="c"),
        Factor.field("a", bins=[0.5, 1]),
        Factor.field("a", bins=[0.5, 1]).of_kind("int"),
        Factor.label("ground_truth", only=["cat"]),
        Factor.count("boxes", bins=[1, 5]),
        Factor.views("best"),
        Factor.metadata("aspect"),
        Factor.time("created_at", "hour") * Factor.tags(),
        Factor.field("a", width=0.1),
        Factor.field("a", bins=[0.5], names=["low", "high"]),
        Factor.count("boxes", of=["cat", "dog"]),
        Factor.attribute("boxes", "confidence", of="cat", bins=3),
        Factor.box_size("boxes"),
        Factor.box_position("boxes", of="cat"),
        Factor.light(),
        Factor.prompt("words", only=["rain"]),
    ],
)
def test_a_factor_goes_through_json_and_may_be_a_key(factor: Factor) -> None:
    assert Factor.from_dict(json.loads(json.dumps(factor.to_dict()))) == factor
    assert pickle.loads(pickle.dumps(factor)) == factor
    assert {factor: 1}[factor] == 1


def test_a_factor_that_an_older_version_kept_is_read() -> None:
    facts = {"name": "a", "source": "field", "path": "a", "part": "", "only": [], "bins": [1, 2], "kind": "int"}
    assert Factor.from_dict({**facts, "factors": []}) == Factor.field("a", bins=[1, 2]).of_kind("int")


def test_names_by_default_tell_factors_of_one_field_apart() -> None:
    names = [
        factor.name
        for factor in (
            Factor.field("gt"), Factor.count("gt"), Factor.time("at"), Factor.time("at", "hour"),
            Factor.metadata("width"), Factor.tags(), Factor.views(), Factor.label("label"),
            Factor.count("gt", of="cat"), Factor.attribute("gt", "size"), Factor.box_size("gt"),
            Factor.box_position("gt"), Factor.light(), *map(Factor.prompt, ("objects", "count", "words")),
        )
    ]  # fmt: skip
    assert len(set(names)) == len(names)


def test_what_no_factor_is_made_of() -> None:
    with pytest.raises(UnknownName, match=r"'widht'\. Did you mean 'width'"):
        Factor.metadata("widht")
    with pytest.raises(UnknownName, match="'minute'"):
        Factor.time("at", "minute")
    with pytest.raises(InputError, match="2 to 100 bins, got 1"):
        Factor.field("a", bins=1)
    with pytest.raises(InputError, match="names of classes, got 'cat'"):
        Factor.label("gt", only="cat")
    with pytest.raises(InputError, match="names of tags"):
        Factor.tags(3)  # type: ignore[arg-type]
    assert Factor.tags("b", "a", "b").only == ("b", "a")
    with pytest.raises(UnknownName, match=r"'negations'\. Did you mean 'negation'"):
        Factor.prompt("negations")
    with pytest.raises(InputError, match="only for 'words'"):
        Factor.prompt("length", only=["cat"])
    with pytest.raises(InputError, match="bins or their width, got both"):
        Factor.field("a", bins=3, width=0.1)
    for width in (0, -1, math.nan, math.inf, True, "1"):
        with pytest.raises(InputError, match="a width of bins above 0"):
            Factor.field("a", width=width)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"expected 3 names of bins, got names=\('low', 'high'\)"):
        Factor.field("a", bins=[1, 2], names=["low", "high"])
    with pytest.raises(InputError, match="given edges to name"):
        Factor.field("a", bins=2, names=["low", "high"])
    with pytest.raises(InputError, match="finite numbers as the edges"):
        Factor.box_size("boxes", edges=["a", "b"])  # type: ignore[list-item]


def test_bins_of_a_width_reach_from_multiple_to_multiple() -> None:
    factor = Factor.field("x", width=0.1).of_kind("float").fitted([0.05, 0.3, math.nan, None, math.inf])
    assert factor.bins == (0.0, 0.1, 0.2, 0.3, 0.4)
    column = factor.column([0.05, 0.3, math.nan, None, math.inf, -math.inf, 0.1 + 0.2])
    assert entries(column) == [["[0, 0.1)"], ["[0.3, 0.4)"], [None], [None], [">= 0.4"], ["< 0"], ["[0.3, 0.4)"]]
    whole = Factor.field("x", width=10).of_kind("int").fitted([0, 9, 25, -1])
    assert whole.bin_names() == ("< -10", "-10 to -1", "0 to 9", "10 to 19", "20 to 29", ">= 30")
    assert Factor.field("x", width=1).of_kind("float").fitted([1.5]).bin_names() == ("< 1", "[1, 2)", ">= 2")
    assert Factor.field("x", width=0.5).of_kind("int").fitted([1, 2]).bins == (1, 2, 3)
    assert Factor.field("x", width=1).of_kind("float").fitted([None, math.nan, math.inf]).bins is None
    with pytest.raises(InputError, match=r"at most 98 bins, got .*, which makes 101 from 0 to 1"):
        Factor.field("x", width=0.01).of_kind("float").fitted([0, 1])
    assert len(Factor.field("x", width=0.01).of_kind("float").fitted([0.0, 0.975]).bin_names()) == 100


def test_what_is_of_another_kind_is_missing() -> None:
    """As it is to the database, whose numbers are no texts and whose truths are no numbers."""
    numbers = Factor.field("x", bins=[1]).of_kind("float")
    assert entries(numbers.column(["3", True, 2, None, 0.5, {"a": 1}])) == [
        [None],
        [None],
        [">= 1"],
        [None],
        ["< 1"],
        [None],
    ]
    assert entries(Factor.field("x").of_kind("int").column(["3", True, 2])) == [[None], [None], [2]]
    assert entries(Factor.field("x").of_kind("text").column(["3", 3, ["a", 4]])) == [["3"], [None], ["a"]]
    assert entries(Factor.field("x").of_kind("bool").column([True, 1, "True"])) == [[True], [None], [None]]
    assert numbers.fitted(["3", 2.0]) == numbers
    assert Factor.field("x", bins=2).of_kind("float").fitted(["9", True, 1.0, 2.0, 3.0]).bins == (2.0,)


def test_lists_of_numbers_are_put_into_bins_item_by_item() -> None:
    sizes = Factor.box_size("boxes").of_kind("float")
    column = sizes.column([[0.5, 0.001, 0.5], [], [None], None, [math.nan, 0.01]])
    assert entries(column) == [["small", "large"], [None], [None], [None], ["medium"]]


def test_the_words_that_count_are_those_that_tell_prompts_apart() -> None:
    words = [["cat", "rain"], ["cat", "rain"], ["cat", "snow"], ["cat"], None, []]
    factor = Factor.prompt("words").of_kind("text")
    assert factor.needs_values
    fitted = factor.fitted(words)
    assert fitted.only == ("rain", "snow")  # all have a cat
    assert not fitted.needs_values
    assert entries(fitted.column(words)) == [["rain"], ["rain"], ["snow"], [None], [None], [None]]
    assert len(factor.fitted([[f"word{n}"] for n in range(90)]).only) == 20


def test_fields_to_slice_by_are_listed_and_others_refused() -> None:
    assert listed("time", "by") == ["time"]
    assert listed((each for each in ("time", "place")), "by") == ["time", "place"]
    for wrong in (None, 5, {"time": 1}, b"time"):
        with pytest.raises(InputError, match="expected by to be a field path, a factor or a list of them, got"):
            listed(wrong, "by")
