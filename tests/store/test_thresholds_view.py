"""What a threshold would flag, and the samples on either side of it, of a column small enough to count by hand."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

pytestmark = pytest.mark.database

SCORES = [0.9, 0.2, None, 0.5, 0.7, 0.4, float("nan")]


@pytest.fixture
def scored(dataset: Any) -> Any:
    """Scores of the failure mode "blur", which fails below its threshold; one is missing, and one unknown."""
    import fiftyone as fo

    from loupe.brain.store import thresholds_view

    samples = [fo.Sample(filepath=f"/nowhere/a b/{index}.png") for index in range(len(SCORES))]
    dataset.add_samples(samples, progress=False)
    path = thresholds_view.score_path("blur")
    dataset.add_sample_field("quality", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    dataset.add_sample_field(path, fo.FloatField)
    dataset.set_values(path, SCORES)
    return dataset


def test_a_column_is_read_in_the_order_of_the_samples(scored: Any) -> None:
    from loupe.brain.core.errors import UnknownName
    from loupe.brain.store import thresholds_view

    column = thresholds_view.read(scored, "blur")
    assert column.ids == scored.values("id")
    assert column.scores.dtype == np.float32
    np.testing.assert_array_equal(column.scores, np.float32([0.9, 0.2, np.nan, 0.5, 0.7, 0.4, np.nan]))
    view = scored[3:5]
    np.testing.assert_array_equal(thresholds_view.read(view, "blur").scores, np.float32([0.5, 0.7]))
    never = thresholds_view.read(view, "halo")
    assert never.ids == view.values("id")
    assert np.isnan(never.scores).all()
    with pytest.raises(UnknownName, match="Did you mean 'blur'"):
        thresholds_view.read(scored, "blurr")


def test_a_mode_counts_as_soon_as_one_sample_has_a_number(scored: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import thresholds_view

    assert thresholds_view.flagged(scored) == {"blur": 0}
    labels = [fo.Classifications(classifications=[fo.Classification(label="blur")]), None, *([None] * 5)]
    scored.set_values("failures", labels)
    assert thresholds_view.flagged(scored) == {"blur": 1}
    assert thresholds_view.flagged(scored[1:]) == {"blur": 0}
    assert thresholds_view.flagged(scored[2:3]) == {}, "nothing is known of it"


@pytest.mark.parametrize("op", ["<", ">"])
def test_the_database_finds_just_what_the_threshold_violates(scored: Any, op: Literal["<", ">"]) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store import thresholds_view
    from loupe.brain.store.narrowing import narrow, widen

    column = thresholds_view.read(scored, "blur")
    for value in (0.1, 0.2, 0.4, 0.45, 0.9, 1.0):
        violating = Threshold(op, value).violates(column.scores)
        known = ~np.isnan(column.scores)
        for which, chosen in (("failing", violating), ("passing", known & ~violating), ("examples", None)):
            side = thresholds_view.Side("blur", op, value, which)  # type: ignore[arg-type]
            view = narrow(scored, side)
            # examples are selected by their ids: the query alone leaves out what has no score at all
            expected = [index for index, score in enumerate(SCORES) if score is not None]
            assert view.values("id") == [
                column.ids[index] for index in (expected if chosen is None else np.flatnonzero(chosen))
            ]
            assert side.selects == (which == "examples")
            before, narrowed_to = widen(view, thresholds_view.Side)
            assert narrowed_to == side
            assert len(before) == len(SCORES)


def test_the_largest_score_there_can_be_is_on_its_own_boundary(scored: Any) -> None:
    from loupe.brain.store import thresholds_view
    from loupe.brain.store.narrowing import narrow

    largest = float(np.finfo(np.float32).max)
    scored.set_values(thresholds_view.score_path("blur"), [largest, *([0.5] * 6)])
    for op, failing in (("<", 6), (">", 0)):
        sides = [thresholds_view.Side("blur", op, largest, which) for which in ("failing", "passing")]  # type: ignore[arg-type]
        assert [len(narrow(scored, side)) for side in sides] == [failing, 7 - failing]


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("value", [0.6, 0.0, -0.25, 1e30, 3.5e38])
def test_the_boundary_lies_between_two_scores(value: float) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store.thresholds_view import boundary

    on = np.float32(value)
    below, above = boundary(Threshold("<", value)), boundary(Threshold(">", value))
    if np.isfinite(on):
        assert float(np.nextafter(on, np.float32(-np.inf))) < below < float(on) < above
        assert above < float(np.nextafter(on, np.float32(np.inf)))
    else:
        assert below == above == float("inf"), "beyond all that a score can be"


def test_a_preview_counts_and_shows_the_nearest(scored: Any) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.stats.intervals import wilson
    from loupe.brain.store import thresholds_view

    used, default = thresholds_view.in_use(scored, "blur")
    assert used == default
    assert used.op == "<"
    column = thresholds_view.read(scored, "blur")
    made = thresholds_view.preview(scored, "blur", column, value=0.65, examples=2)
    assert made.threshold == Threshold("<", 0.65)
    assert (made.used, made.default) == (used, default)
    assert (made.histogram.judged, made.histogram.failed, made.histogram.unknown) == (5, 3, 2)
    assert made.failing_by_used == sum(score is not None and score < used.value for score in SCORES)
    assert made.rate == 3 / 5
    assert (made.low, made.high) == pytest.approx([float(end) for end in wilson(3, 5)])
    assert [example.score for example in made.failing] == pytest.approx([0.4, 0.5])
    assert [example.score for example in made.passing] == pytest.approx([0.7, 0.9])
    assert [example.id for example in made.examples] == [column.ids[index] for index in (5, 3, 4, 0)]
    assert made.failing[0].source == "/media?filepath=%2Fnowhere%2Fa%20b%2F5.png"
    at_used = thresholds_view.preview(scored, "blur", column, value=None, examples=1)
    assert at_used.threshold == Threshold(used.op, used.value)
    assert len(at_used.examples) == 2


def test_the_slider_stands_still_until_the_threshold_leaves_it(scored: Any) -> None:
    from loupe.brain.store import thresholds_view

    column = thresholds_view.read(scored, "blur")
    inside, at_the_end, beyond = (
        thresholds_view.preview(scored, "blur", column, value=value, examples=1).histogram.range
        for value in (0.313, 1.0, 1.5)
    )
    assert inside == at_the_end
    assert (inside.low, inside.high) == (0.0, 1.0)
    assert beyond.high >= 1.5


def test_of_nothing_there_is_no_rate(scored: Any) -> None:
    from loupe.brain.store import thresholds_view

    made = thresholds_view.preview(scored, "blur", thresholds_view.read(scored[2:3], "blur"), value=None, examples=3)
    assert np.isnan(made.rate)
    assert made.examples == ()


def test_thumbnails_are_shown_where_the_grid_shows_them(scored: Any) -> None:
    from loupe.brain.store import thresholds_view

    ids = scored.values("id")[:2]
    assert thresholds_view.sources(scored, []) == {}
    assert list(thresholds_view.sources(scored[3:], ids)) == ids, "also of samples that the view leaves out"
    scored.set_values("thumb", ["https://pictures/1.png", *([None] * (len(SCORES) - 1))])
    scored.app_config.grid_media_field = "thumb"
    scored.save()
    assert thresholds_view.sources(scored, ids) == {
        ids[0]: "https://pictures/1.png",
        ids[1]: "/media?filepath=%2Fnowhere%2Fa%20b%2F1.png",
    }
