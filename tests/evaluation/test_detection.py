"""Boxes measured at thresholds, on slices of pictures and of objects, and what they were taken for: against loops."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.slicing.evaluation import boxes
from loupe.brain.evaluation.confusion import NOTHING, of_boxes
from loupe.brain.evaluation.detection import Detected, size_of
from loupe.brain.evaluation.matching import COCO_IOUS, Boxes, match, overlaps

IMAGES = 60


def _detected(truths: Boxes, predictions: Boxes, **slicing: np.ndarray) -> Detected:
    matches = match(truths, predictions, **slicing)
    return Detected.of_matches(truths, predictions, matches, np.arange(IMAGES), 4)


def _values(detected: Detected, confidence: float | None = None) -> dict[str, float]:
    return {name: k.sum() / n.sum() if n.sum() else np.nan for name, (k, n) in detected.ratios(confidence).items()}


@pytest.mark.parametrize("confidence", [None, 0.3, 0.62, 0.95])
def test_counts_at_a_threshold_are_those_of_matching_again(confidence: float | None) -> None:
    truths, predictions = boxes(np.random.default_rng(1), IMAGES)
    values = _values(_detected(truths, predictions), confidence)
    kept = predictions.take(predictions.score >= (confidence or 0))
    matches = match(truths, kept, [0.5])
    counted = ~matches.ignored[0]
    true = int((counted & (matches.match[0] >= 0)).sum())
    false, missed = int(counted.sum()) - true, int((~truths.crowd).sum()) - true
    assert values["precision"] == pytest.approx(true / (true + false))
    assert values["recall"] == pytest.approx(true / (true + missed))
    assert values["f1"] == pytest.approx(2 * true / (2 * true + false + missed))


def test_a_slice_of_pictures_is_measured_as_if_it_were_all_there_is() -> None:
    truths, predictions = boxes(np.random.default_rng(2), IMAGES)
    whole = _detected(truths, predictions)
    chosen = np.arange(IMAGES) % 3 == 0
    part = whole.take(chosen)
    alone = _detected(truths.take(chosen[truths.image]), predictions.take(chosen[predictions.image])).take(chosen)
    assert part.sizes() == alone.sizes()
    assert _values(part, 0.4) == _values(alone, 0.4)
    own, other = part.resampled(None), alone.resampled(None)
    assert own.names == ("map", "ap50")
    assert own.statistic(np.ones(part.clusters)) == pytest.approx(other.statistic(np.ones(alone.clusters)))


def test_false_positives_belong_to_objects_by_what_they_are_themselves() -> None:
    """Not to every slice that their picture has an object of."""
    truths, predictions = boxes(np.random.default_rng(3), IMAGES, crowds=0)
    size, own_size = size_of(truths.area), size_of(predictions.area)
    every = _values(_detected(truths, predictions))
    false_of, counts = [], 0
    for part in range(3):
        detected = _detected(truths, predictions, true_ignored=size != part, outside=own_size != part)
        matches = match(truths, predictions, [0.5], true_ignored=size != part, outside=own_size != part)
        hit = matches.match[0]
        free = (hit < 0) & (own_size == part)
        true = sum(1 for to in hit if to >= 0 and size[to] == part)
        values = _values(detected)
        assert values["precision"] == pytest.approx(true / (true + free.sum()))
        assert values["recall"] == pytest.approx(true / (size == part).sum())
        false_of.append(int(free.sum()))
        counts += true
    # the slices share the false positives out: none stands in two of them
    whole = match(truths, predictions, [0.5])
    assert sum(false_of) <= int((whole.match[0] < 0).sum()) + (counts - int((whole.match[0] >= 0).sum()))
    assert min(false_of) > 0
    assert every["precision"] > 0


def test_without_attributes_of_predictions_only_recall_is_known() -> None:
    truths, predictions = boxes(np.random.default_rng(4), IMAGES)
    matches = match(truths, predictions)
    detected = Detected.of_matches(truths, predictions, matches, np.arange(IMAGES), 4, assigned=False)
    assert set(detected.ratios(None)) == {"recall"}
    assert detected.resampled(None).names == ()


@pytest.mark.parametrize("confidence", [None, 0.5])
def test_confusions_are_those_of_a_loop(confidence: float | None) -> None:
    truths, predictions = boxes(np.random.default_rng(5), IMAGES)
    matches = match(truths, predictions)
    pairs = of_boxes(truths, predictions, matches, 0, confidence)
    counts = pairs.counts(4)

    expected = np.zeros((5, 5), dtype=int)
    for image in range(IMAGES):
        own = [at for at in np.flatnonzero(truths.image == image) if not truths.crowd[at]]
        given = np.flatnonzero((predictions.image == image) & ~matches.ignored[0])
        given = [at for at in given if confidence is None or predictions.score[at] >= confidence]
        left = set(own)
        free = []
        for at in given:
            to = matches.match[0, at]
            if to >= 0:
                expected[truths.label[to], predictions.label[at]] += 1
                left.discard(to)
            else:
                free.append(at)
        for at in sorted(free, key=lambda at: -predictions.score[at]):
            near = {to: _iou(truths, predictions, to, at) for to in left}
            best = max(near, key=lambda to: (near[to], to), default=None)
            if best is not None and near[best] >= 0.5:
                expected[truths.label[best], predictions.label[at]] += 1
                left.discard(best)
            else:
                expected[4, predictions.label[at]] += 1
        for to in left:
            expected[truths.label[to], 4] += 1
    assert counts.tolist() == expected.tolist()
    assert counts[4, 4] == 0
    values = _values(_detected(truths, predictions), confidence)
    assert np.diag(counts)[:4].sum() / counts[:4].sum() == pytest.approx(values["recall"])
    assert np.diag(counts)[:4].sum() / counts[:, :4].sum() == pytest.approx(values["precision"])
    missed = pairs.predicted == NOTHING
    assert np.isnan(pairs.score[missed]).all()
    assert not np.isnan(pairs.score[~missed]).any()


def _iou(truths: Boxes, predictions: Boxes, to: int, at: int) -> float:
    return float(overlaps(truths.box[[to]], predictions.box[[at]], np.array([False]))[0])


def test_sizes_are_cocos() -> None:
    assert size_of(np.array([32.0**2 - 1e-9, 32.0**2, 96.0**2 - 1e-9, 96.0**2])).tolist() == [0, 1, 1, 2]
    assert COCO_IOUS[0] == 0.5
    assert COCO_IOUS[-1] == pytest.approx(0.95)
