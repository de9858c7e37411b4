"""What is said of sets that are known; and that one measure alone never decides a collapse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loupe.brain.core import realism as names
from loupe.brain.core.realism import Estimate
from loupe.brain.realism import transfer
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.compare import compare
from loupe.brain.realism.spectra import BandGap
from loupe.brain.realism.verdicts import Evidence, below, verdicts

K, SIZE = 4, 16
MEANS = np.random.default_rng(5).normal(0, 0.9, (K, SIZE))


def _set(seed: int, n: int = 400, *, noise: float = 1.0, shift: float = 0.0, wrong: float = 0.0) -> Labeled:
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % K
    vectors = MEANS[classes] + noise * rng.normal(size=(n, SIZE)) + shift * np.sin(np.arange(SIZE))
    given = np.where(rng.random(n) < wrong, (classes + rng.integers(1, K, n)) % K, classes)
    return Labeled(vectors.astype(np.float32), given)


def _copies(of: Labeled, originals: int) -> Labeled:
    """Few originals, over and over, each a little moved."""
    rng = np.random.default_rng(9)
    chosen = np.arange(len(of.classes)) % originals
    moved = of.vectors[chosen] + 0.2 * rng.normal(size=of.vectors.shape).astype(np.float32)
    return Labeled(moved.astype(np.float32), of.classes[chosen])


def _evidence(made: Labeled, *, labels: bool = True, spectra: BandGap | None = None) -> Evidence:
    real, test = _set(0), _set(1)
    compared = compare(real.vectors, made.vectors, permutations=39)
    trained = transfer.measure(real, test, made, K) if labels else None
    return Evidence(compared.manifold, compared.diversity, compared.apart, spectra, trained, compared.alike)


def _named(evidence: Evidence) -> set[str]:
    return {each.name for each in verdicts(evidence)}


def _gap(matched: float, null: float = 0.1) -> BandGap:
    spread = np.linspace(-0.01, 0.01, 12)
    bands = np.concatenate([np.zeros(15), [-1.0]])
    distance = np.concatenate([np.full(15, 0.1), [matched]])
    return BandGap(bands, distance, (-2.0, -3.0), (0.1, 0.01), matched, null + spread, matched + spread)


FAULTS = {names.COLLAPSE, names.DOMAIN_SHIFT, names.LABEL_MISMATCH, names.SPECTRAL, names.MEMORIZED}


def test_a_second_real_set_is_useful_and_has_no_fault() -> None:
    reported = _named(_evidence(_set(2)))
    assert not reported & FAULTS
    assert names.USEFUL in reported


@pytest.mark.parametrize("noise", [0.4, 0.6])
def test_a_narrow_set_has_collapsed(noise: float) -> None:
    assert names.COLLAPSE in _named(_evidence(_set(2, noise=noise)))


def test_few_originals_have_collapsed() -> None:
    assert names.COLLAPSE in _named(_evidence(_copies(_set(2), 40)))


def test_labels_that_teach_nothing_hide_no_collapse() -> None:
    """Labels by chance: S→S cannot rise above R→R, and says nothing of the set."""
    rng = np.random.default_rng(3)
    real, test, made = (Labeled(each.vectors, rng.integers(0, K, 400)) for each in (_set(0), _set(1), _set(2)))
    point = Labeled(np.repeat(made.vectors[:4], 100, axis=0) + np.float32(0.01), made.classes)
    compared = compare(real.vectors, point.vectors, permutations=39)
    trained = transfer.measure(real, test, point, K)
    assert np.isnan(trained.utility.value)
    known = Evidence(compared.manifold, compared.diversity, compared.apart, None, trained, compared.alike)
    assert names.COLLAPSE in _named(known)


def test_a_shift_is_named_where_real_knowledge_does_not_hold() -> None:
    reported = _named(_evidence(_set(2, shift=2.5)))
    assert names.DOMAIN_SHIFT in reported
    assert names.COLLAPSE not in reported
    assert names.LABEL_MISMATCH not in reported


def test_wrong_labels_are_no_shift() -> None:
    reported = _named(_evidence(_set(2, wrong=0.4)))
    assert names.LABEL_MISMATCH in reported
    assert not reported & {names.DOMAIN_SHIFT, names.COLLAPSE}


def test_labels_are_not_blamed_where_the_pictures_look_different() -> None:
    known = _evidence(_set(2, wrong=0.4))
    apart = replace(known.apart, accuracy=0.9)
    assert names.LABEL_MISMATCH not in _named(replace(known, apart=apart))


def test_copies_of_the_real_set_are_memorized() -> None:
    real = _set(0)
    copies = Labeled(real.vectors + np.float32(0.01), real.classes)
    assert names.MEMORIZED in _named(_evidence(copies))


def test_a_spectrum_far_from_that_of_real_halves_is_named_with_its_figures() -> None:
    (made,) = [each for each in verdicts(_evidence(_set(2), spectra=_gap(0.6))) if each.name == names.SPECTRAL]
    assert "at 97 % of the finest detail there is 1/10 of the power" in made.sentence
    assert made.evidence["band distance"] == 0.6
    # what real halves differ by is no fault, nor is what nobody would see
    assert names.SPECTRAL not in _named(_evidence(_set(2), spectra=_gap(0.6, null=0.58)))
    assert names.SPECTRAL not in _named(_evidence(_set(2), spectra=_gap(0.2)))


def test_density_and_coverage_alone_never_make_a_collapse() -> None:
    known = _evidence(_set(2))
    low = {
        name: values * (0.3 if name in ("coverage", "density") else 1.0)
        for name, values in known.manifold.matched.items()
    }
    assert names.COLLAPSE not in _named(replace(known, manifold=replace(known.manifold, matched=low)))


def test_recall_diversity_and_what_trains_itself_are_all_needed_for_a_collapse() -> None:
    known = _evidence(_set(2, noise=0.4))
    assert names.COLLAPSE in _named(known)
    assert known.transfer is not None
    matched, null = known.manifold.matched, known.manifold.null
    for changed in (
        replace(known, manifold=replace(known.manifold, matched={**matched, "recall": null["recall"]})),
        replace(known, diversity=(known.diversity[1], known.diversity[1])),
        replace(known, transfer=replace(known.transfer, narrowness=Estimate(0.0, -0.01, 0.01))),
    ):
        assert names.COLLAPSE not in _named(changed)


def test_without_labels_a_collapse_is_said_unless_the_spectrum_may_explain_it() -> None:
    narrow = _set(2, noise=0.4)
    assert names.COLLAPSE in _named(_evidence(narrow, labels=False))
    assert names.COLLAPSE not in _named(_evidence(narrow, labels=False, spectra=_gap(0.6)))


def test_where_real_samples_leave_no_room_above_them_a_collapse_needs_none() -> None:
    """S→S cannot rise by .02 above an accuracy of .99: what needs no labels decides, as without them."""
    known = _evidence(_set(2, noise=0.4))
    assert known.transfer is not None
    held = known.transfer.arms["R→R held out"]
    arms = {**known.transfer.arms, "R→R held out": replace(held, accuracy=Estimate(0.99, 0.98, 1.0))}
    easy = replace(known.transfer, arms=arms, narrowness=Estimate(0.01, 0.005, 0.015))
    assert names.COLLAPSE in _named(replace(known, transfer=easy))
    assert names.COLLAPSE not in _named(replace(known, transfer=easy, spectra=_gap(0.6)))


def test_of_vectors_that_are_all_alike_nothing_is_said() -> None:
    (made,) = verdicts(replace(_evidence(_set(2, noise=0.4)), alike=True))
    assert made.name == names.INSUFFICIENT_DATA
    assert "All real vectors are the same" in made.sentence


def test_too_few_samples_are_said_and_nothing_else() -> None:
    few = verdicts(_evidence(_set(2, n=60)))
    assert [each.name for each in few] == [names.INSUFFICIENT_DATA]
    assert "60 samples on the smaller side" in few[0].sentence


def test_what_is_neither_useful_nor_useless_is_not_known() -> None:
    known = _evidence(_set(2))
    assert known.transfer is not None

    def reported(utility: Estimate, gain: Estimate) -> set[str]:
        assert known.transfer is not None
        return _named(replace(known, transfer=replace(known.transfer, utility=utility, gain=gain)))

    nothing = Estimate(0.0, -0.01, 0.01)
    nan = float("nan")
    assert reported(Estimate(nan, nan, nan), nothing) == {names.INSUFFICIENT_DATA}
    assert reported(Estimate(0.9, 0.86, 0.94), nothing) == {names.USEFUL}
    assert reported(Estimate(0.9, 0.7, 1.1), nothing) == {names.INSUFFICIENT_DATA}
    assert reported(Estimate(0.5, 0.4, 0.6), Estimate(0.02, 0.01, 0.03)) == {names.ADDITIVE_ONLY}
    assert reported(Estimate(0.5, 0.4, 0.6), nothing) == set()


def test_every_verdict_says_what_to_do() -> None:
    for made in (*verdicts(_evidence(_set(2, noise=0.4))), *verdicts(_evidence(_set(2, wrong=0.4)))):
        assert made.sentence
        assert made.next
        assert made.evidence
        assert all(isinstance(value, float) for value in made.evidence.values())


def test_below_is_beyond_chance_and_beyond_what_matters() -> None:
    null = np.array([0.9, 1.0, 1.1, 1.0])
    assert below(np.full(4, 0.5), null, 0.1)
    assert not below(np.full(4, 0.8), null, 0.1)  # within four deviations
    assert not below(np.full(4, 0.9), np.full(4, 1.0), 0.15)  # too little to matter
    assert not below(np.full(4, 1.5), null, 0.1)
    assert not below(np.full(4, np.nan), null, 0.1)


def test_s_to_s_that_is_as_high_as_it_can_be_is_enough() -> None:
    """R→R of .93 and few samples: S→S of 1 is not surely above it."""
    known = _evidence(_copies(_set(2), 40))
    assert known.transfer is not None
    held = known.transfer.arms["R→R held out"]
    arms = {**known.transfer.arms, "R→R held out": replace(held, accuracy=Estimate(0.93, 0.9, 0.96))}
    for value, named in ((0.07, True), (0.06, True), (0.03, False), (0.0, False), (-0.03, False)):
        trained = replace(known.transfer, arms=arms, narrowness=Estimate(value, value - 0.06, value + 0.06))
        assert (names.COLLAPSE in _named(replace(known, transfer=trained))) is named, value
