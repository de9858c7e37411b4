"""The arithmetic of calibration, against scikit-learn, plain definitions and properties that have to hold."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.shares import tenths
from loupe.brain.defects.seam import Seam
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.stats.calibration import (
    auroc,
    compared,
    injected,
    operating_point,
    propose,
    score,
    share_of,
    spread,
    threshold_for,
)
from loupe.brain.stats.risk import guaranteed_threshold

RNG = np.random.default_rng(11)


def _scores(n: int, kind: str, shift: float = 0.0) -> np.ndarray:
    """N scores: all different, in four steps with many ties, or partly unknown."""
    scores = RNG.normal(shift, 1, n)
    if kind == "ties":
        return scores.round().clip(-2, 2)
    if kind == "unknown":
        scores[RNG.random(n) < 0.3] = np.nan
    return scores


@pytest.mark.parametrize("kind", ["plain", "ties", "unknown"])
@pytest.mark.parametrize(("n", "m", "shift"), [(40, 60, 1), (200, 10, 0), (15, 90, -2), (50, 50, 9)])
def test_the_auroc_is_sklearns(n: int, m: int, shift: float, kind: str) -> None:
    clean, flawed = _scores(n, kind), _scores(m, kind, shift)
    known = [scores[~np.isnan(scores)] for scores in (clean, flawed)]
    expected = roc_auc_score(np.repeat([0, 1], [len(known[0]), len(known[1])]), np.concatenate(known))
    assert auroc(clean, flawed) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["plain", "ties"])
def test_turned_around_the_auroc_is_its_complement_and_order_is_all_it_looks_at(kind: str) -> None:
    clean, flawed = _scores(70, kind), _scores(50, kind, 0.7)
    assert auroc(clean, flawed) + auroc(flawed, clean) == pytest.approx(1)
    assert auroc(-clean, -flawed) == pytest.approx(auroc(flawed, clean))
    assert auroc(np.exp(clean), np.exp(flawed)) == pytest.approx(auroc(clean, flawed))
    assert auroc(clean, clean) == pytest.approx(0.5)


@pytest.mark.parametrize(("clean", "flawed"), [([], [1.0]), ([1.0], []), ([math.nan], [1.0]), ([1.0], [math.nan])])
def test_without_a_known_score_there_is_no_auroc(clean: list[float], flawed: list[float]) -> None:
    assert math.isnan(auroc(np.array(clean), np.array(flawed)))


@pytest.mark.parametrize("kind", ["plain", "ties", "unknown"])
@pytest.mark.parametrize("op", ["<", ">"])
@pytest.mark.parametrize("rate", [0, 0.01, 0.03, 0.07, 0.2, 0.49])
def test_the_threshold_is_the_strictest_score_that_flags_no_more_than_wanted(
    rate: float, op: Literal["<", ">"], kind: str
) -> None:
    for n in (1, 7, 100, 300):
        clean = _scores(n, kind)
        clean[0] = 0.0
        known = clean[~np.isnan(clean)]
        # by definition: of the clean scores that flag few enough, the one that flags the most
        few = [value for value in known if sum(Threshold(op, value).violates(known)) <= rate * len(known) + 1e-9]
        assert threshold_for(clean, op, rate) == (max(few) if op == "<" else min(few))


@pytest.mark.parametrize("n", [100, 200, 300, 700])
def test_a_rate_that_is_a_whole_number_of_pictures_is_met_exactly(n: int) -> None:
    clean = RNG.permutation(n).astype(np.float64)
    for percent in range(1, 50):
        line = Threshold(">", threshold_for(clean, ">", percent / 100))
        assert line.violates(clean).sum() == n * percent // 100


def test_the_two_ends_mirror_each_other() -> None:
    clean = _scores(80, "ties")
    assert threshold_for(clean, "<", 0.1) == -threshold_for(-clean, ">", 0.1)


def test_no_clean_score_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one known score"):
        threshold_for(np.array([np.nan, np.nan]), ">", 0.01)


@pytest.mark.parametrize(("n", "rate"), [(100, 0.99), (4, 0.75), (2, 0.5), (1, 0.9)])
def test_all_but_one_may_be_beyond_and_never_all(n: int, rate: float) -> None:
    scores = np.arange(float(n))
    assert threshold_for(scores, ">", rate) == scores[0]
    assert threshold_for(scores, "<", rate) == scores[-1]


@pytest.mark.parametrize("op", ["<", ">"])
def test_a_threshold_is_proposed_where_the_score_separates(op: Literal["<", ">"]) -> None:
    sign = 1 if op == ">" else -1
    clean, flawed = sign * RNG.normal(0, 1, 200), sign * RNG.normal(5, 1, 200)
    line, reason = propose(clean, flawed, op, 0.02)
    assert line is not None
    assert (line.op, line.value, reason) == (op, guaranteed_threshold(clean, op, 0.02), "")
    # toward the other end, the flawed pictures look the better ones
    other, reason = propose(clean, flawed, "<" if op == ">" else ">", 0.02)
    assert other is None
    assert "AUROC 0.00" in reason


def test_nothing_is_proposed_that_the_scores_do_not_bear_out() -> None:
    clean, flawed = np.arange(100.0), np.arange(100.0) + 1000
    assert propose(clean, flawed, ">", 0.01)[0] is not None
    few = np.where(np.arange(100) < 2, np.nan, clean)
    assert propose(few, flawed, ">", 0.01) == (
        None,
        "a rate of 1.0 % needs 99 known scores to choose from, got 98: take more pictures, or a higher rate",
    )
    assert "no copy" in propose(clean, flawed * np.nan, ">", 0.01)[1]
    assert "does not tell" in propose(clean, clean + 1, ">", 0.01)[1]
    # a tenth of the pictures have the worst score there is: no threshold is beyond them
    saturated = np.where(clean < 10, 1000.0, clean)
    line, reason = propose(saturated, np.full(100, 1000.0), ">", 0.01)
    assert line is None
    assert "as badly as the strongest defect" in reason
    assert propose(np.where(clean < 10, np.inf, clean), np.full(100, np.inf), ">", 0.01)[0] is None


def test_the_rate_is_kept_where_the_empirical_quantile_would_not() -> None:
    """Over many sets of pictures: what of further ones is flagged, on average."""
    rng = np.random.default_rng(2)
    kept, empirical = [], []
    for _ in range(400):
        clean, flawed = rng.random(120), 1 + rng.random(50)
        line, _ = propose(clean, flawed, ">", 0.02)
        assert line is not None
        kept.append(1 - line.value)
        empirical.append(1 - threshold_for(clean, ">", 0.02))
    assert 0.01 < np.mean(kept) <= 0.02
    assert np.mean(empirical) > 0.022


def test_a_share_counts_the_unknown_apart() -> None:
    share = share_of(Threshold("<", 3), np.array([1.0, 2, 3, 4, np.nan]))
    assert (share.n, share.flagged, share.unknown, share.rate) == (4, 2, 1, 0.5)
    assert 0 < share.low < 0.5 < share.high < 1
    assert str(share) == "50.0 % [15.0 %, 85.0 %]"
    none = share_of(Threshold("<", 3), np.array([np.nan]))
    assert (none.n, none.unknown, str(none)) == (0, 1, "not known")
    assert all(math.isnan(value) for value in (none.rate, none.low, none.high))


def test_an_operating_point_has_a_recall_for_each_severity() -> None:
    scores = np.array([[0.0, 1, 2], [0.0, 2, 3], [5.0, 2, np.nan]])
    point = operating_point(Threshold(">", 1.5), scores)
    assert (point.false_positive_rate.flagged, point.false_positive_rate.n) == (1, 3)
    assert [(share.flagged, share.n, share.unknown) for share in point.recall] == [(2, 3, 0), (2, 2, 1)]
    nobody = operating_point(Threshold(">", 1.5), scores[:0])
    assert [share.n for share in (nobody.false_positive_rate, *nobody.recall)] == [0, 0, 0]


def test_one_picture_is_scored_as_it_is() -> None:
    seen: list[ImageBatch] = []

    def scorer(batch: ImageBatch) -> Scores:
        seen.append(batch)
        return Scores({"red": batch.pixels[:, 0].float().mean((1, 2)), "other": torch.zeros(1)})

    pixels = RNG.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    scores = score(scorer, Output("red", "levels", True, (0, 255), ""), pixels[:, ::2])
    assert scores == pytest.approx(pixels[:, ::2, 0].mean(), rel=1e-6)
    assert (seen[0].pixels.shape, seen[0].sizes) == ((1, 3, 30, 20), ((20, 30),))


def test_a_seed_places_the_defect_the_same_at_every_severity() -> None:
    pixels = RNG.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    mild, strong = injected(Seam(), pixels, [1, 2], [1, 8])
    again = injected(Seam(), pixels, (number for number in (1, 2)), [8])[0]
    assert np.array_equal(strong, again)
    assert not np.array_equal(mild, strong)
    assert not np.array_equal(strong, injected(Seam(), pixels, [1, 3], [8])[0])
    assert len(injected(Seam(), pixels, [0])) == len(Seam.severities)


@pytest.mark.parametrize(("n", "limit"), [(1, 10), (9, 10), (10, 10), (97, 10), (1000, 200), (200, 200), (301, 300)])
def test_pictures_are_picked_evenly_and_then_all_the_others(n: int, limit: int) -> None:
    order = spread(n, limit, seed=3)
    assert sorted(order) == list(range(n))
    assert np.array_equal(order, spread(n, limit, seed=3))
    if n > limit:
        first = np.sort(order[:limit])
        assert np.diff(first).max() <= 2 * -(-n // limit)
        assert first[0] < -(-n // limit)
        assert not np.array_equal(order, spread(n, limit, seed=4))


def _points(now: float, proposed: float) -> tuple[object, object]:
    """What two thresholds do: 100 pictures score 0 … 99, copies with a defect 50 … 149."""
    scores = np.stack([np.arange(100.0), np.arange(50.0, 150.0)], axis=1)
    return operating_point(Threshold(">", now), scores), operating_point(Threshold(">", proposed), scores)


@pytest.mark.parametrize(
    ("now", "proposed", "wanted", "begins", "worse"),
    [
        # today's keeps to the rate as well, and finds more
        (97, 110, 0.03, "WORSE than today's, which also keeps to the rate", True),
        (97, 98, 0.03, "WORSE than today's, which also keeps to the rate", True),
        # today's flags too much: fewer flaws are the price
        (80, 97, 0.03, "Stricter than today's", False),
        # today's flags less than it may
        (99, 97, 0.03, "Laxer than today's", False),
        # as many false alarms, more flaws
        (120, 99, 0.03, "Better than today's", False),
        (97, 97, 0.03, "Does as today's does", False),
    ],
)
def test_a_proposed_threshold_is_compared_with_todays_on_the_same_pictures(
    now: float, proposed: float, wanted: float, begins: str, worse: bool
) -> None:
    sentence, is_worse = compared(*_points(now, proposed), wanted)  # type: ignore[arg-type]
    assert sentence.startswith(begins), sentence
    assert is_worse == worse
    assert "of the same 100 pictures" in sentence
    assert f"{tenths((99 - min(proposed, 99)) / 100)}" in sentence


def test_false_alarms_that_find_nothing_more_are_worse() -> None:
    scores = np.stack([np.arange(100.0), np.full(100, 200.0)], axis=1)
    now, proposed = (operating_point(Threshold(">", value), scores) for value in (90.0, 60.0))
    sentence, worse = compared(now, proposed, 0.03)
    assert worse
    assert sentence.startswith("WORSE than today's: of")
    assert "more than the 3.0 % that were asked for" in sentence
    assert compared(proposed, now, 0.03)[1] is False
    nobody = operating_point(Threshold(">", 1), np.full((4, 2), np.nan))
    assert compared(nobody, now, 0.03) == ("It cannot be compared with today's: too many scores are unknown.", False)
