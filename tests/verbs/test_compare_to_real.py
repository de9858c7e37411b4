"""A synthetic dataset against a real one: what is returned, what is written, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real_and_synthetic as made
from scipy.spatial.distance import cdist

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def real(database: str, tmp_path: Path) -> Iterator[Any]:
    own = made.dataset(tmp_path / "real", 0, 240)
    yield own
    own.delete()


@pytest.fixture
def same(database: str, tmp_path: Path) -> Iterator[Any]:
    own = made.dataset(tmp_path / "same", 1, 200)
    yield own
    own.delete()


@pytest.fixture
def narrow(database: str, tmp_path: Path) -> Iterator[Any]:
    own = made.dataset(tmp_path / "narrow", 2, 200, noise=0.3, draw=made.smooth, suffix="jpg")
    yield own
    own.delete()


def _named(result: Any) -> set[str]:
    return {each.name for each in result.findings}


def test_a_second_real_set_has_no_fault_and_every_measure_stands_beside_its_null(real: Any, same: Any) -> None:
    import loupe

    result = loupe.compare_to_real(same, real, label="ground_truth")
    assert not _named(result) & {"COLLAPSE", "DOMAIN_SHIFT", "LABEL_MISMATCH", "SPECTRAL", "MEMORIZED"}
    assert (result.n_synthetic, result.n_real, result.unknown) == (200, 240, 0)
    measures = {each.name: each for each in result.metrics["embeddings"]}
    assert measures["recall"].chance
    assert measures["recall"].ratio == pytest.approx(1, abs=0.1)
    assert measures["coverage"].null_low < measures["coverage"].null < measures["coverage"].null_high
    assert result.warnings == ()
    assert len(result.bands) == 16
    assert np.abs(result.bands).max() < 0.2
    assert "200 synthetic against 240 real samples" in str(result)


def test_of_very_many_vectors_some_are_compared_and_the_others_keep_what_is_known(
    real: Any, same: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.verbs import compare_to_real as verb

    monkeypatch.setattr(verb, "MAX_VECTORS", 150)
    result = loupe.compare_to_real(same, real, spectra=False)
    assert (result.n_synthetic, result.n_real) == (150, 150)
    assert any(each.startswith("150 of the 200 synthetic vectors were compared") for each in result.warnings)
    assert any(each.startswith("150 of the 240 real vectors were compared") for each in result.warnings)
    assert len(same.exists("realism.nearest_real")) == 150
    inside = set(real.exists("realism.covered").values("id"))
    assert set(same.exists("realism.nearest_real").values("realism.nearest_real")) <= inside
    again = loupe.compare_to_real(same, real, spectra=False)
    assert again.metrics == result.metrics, "the seed decides which"


def test_what_is_written_is_what_brute_force_says(real: Any, same: Any) -> None:
    import loupe

    loupe.compare_to_real(same, real)
    ids, theirs = same.values(["id", "embeddings"])
    own_ids, ours = real.values(["id", "embeddings"])
    across, within = cdist(np.stack(ours), np.stack(theirs)), np.sort(cdist(np.stack(ours), np.stack(ours)), axis=1)
    assert same.values("realism.nearest_real") == [own_ids[at] for at in across.argmin(axis=0)]
    assert real.values("realism.nearest_synthetic") == [ids[at] for at in across.argmin(axis=1)]
    assert real.values("realism.covered") == (across <= within[:, 5:6]).any(axis=1).tolist()
    assert same.values("realism.among_real") == (across <= within[:, 5:6]).any(axis=0).tolist()
    assert same.values("realism.authentic") == (across.min(axis=0) > within[across.argmin(axis=0), 1]).tolist()
    np.testing.assert_allclose(same.values("realism.real_distance"), across.min(axis=0), rtol=1e-3)
    for samples in (real, same):
        reported = samples.values("realism.domain_probability")
        assert all(0 <= each <= 1 for each in reported)
        # white noise: three quarters of all frequencies lie above half of the finest in one direction or both
        assert np.mean(samples.values("realism.high_frequency")) == pytest.approx(0.8, abs=0.07)
    rates = loupe.slice(same, "place", outcome=loupe.Outcome.field("realism.authentic", failed=[False]))
    assert sum(rate.failures for rate in rates) == same.match({"realism.authentic": False}).count()


def test_a_narrow_smooth_set_is_named_and_what_differs_of_its_files_is_said(real: Any, narrow: Any) -> None:
    import loupe

    result = loupe.compare_to_real(narrow, real, label="ground_truth", by="ground_truth")
    assert {"COLLAPSE", "SPECTRAL"} <= _named(result)
    assert result.warnings[0] == "the file format differs: real PNG 100 %, synthetic JPEG 100 %"
    assert set(result.by) == {"cat", "dog", "owl", "pig"}
    recall = {name: next(each for each in measures if each.name == "recall") for name, measures in result.by.items()}
    assert all(each.ratio < 0.8 for each in recall.values())
    assert result.bands[-1] < -0.5


def test_values_with_few_samples_are_left_out_and_counted(real: Any, same: Any) -> None:
    import loupe

    view = same.match({"ground_truth.label": {"$ne": "pig"}})
    result = loupe.compare_to_real(view, real, by="ground_truth", spectra=False)
    assert result.left_out == {"pig": (60, 0)}
    assert set(result.by) == {"cat", "dog", "owl"}
    assert same.match({"ground_truth.label": "pig"}).values("realism.real_distance") == [None] * 50


def test_two_views_of_one_dataset_are_two_sides(real: Any) -> None:
    import loupe

    result = loupe.compare_to_real(real[:100], real[100:], spectra=False)
    assert (result.n_synthetic, result.n_real) == (100, 140)
    with pytest.raises(errors.InputError, match="got 50 that are both"):
        loupe.compare_to_real(real[:100], real[50:], spectra=False)
    with pytest.raises(errors.InputError, match="got 240 that are both"):
        loupe.compare_to_real(real, real)


def test_the_same_pictures_twice_are_memorized_and_said(real: Any, tmp_path: Path) -> None:
    import loupe

    again = made.dataset(tmp_path / "again", 0, 240)
    result = loupe.compare_to_real(again, real)
    assert "MEMORIZED" in _named(result)
    assert result.pairs[0].distance == 0
    assert any("240 synthetic samples have the very vector of a real one" in each for each in result.warnings)
    again.delete()


def test_bad_vectors_are_left_out_and_counted(real: Any, same: Any) -> None:
    import loupe

    first, second = same.limit(2)
    first["embeddings"] = [float("nan")] * made.SIZE
    second["embeddings"] = None
    first.save()
    second.save()
    result = loupe.compare_to_real(same, real, spectra=False)
    assert (result.n_synthetic, result.unknown) == (198, 2)
    assert all(np.isfinite(each.value) for each in result.metrics["embeddings"] if each.name != "frechet_endless")


def test_little_and_wrong_input_is_refused_and_nothing_is_written(real: Any, same: Any) -> None:
    import loupe

    with pytest.raises(errors.InputError, match="at least 12 vectors on each side, got 240 real and 10 synthetic"):
        loupe.compare_to_real(same[:10], real, spectra=False)
    with pytest.raises(errors.UnknownName, match="unknown field of vectors on the synthetic side 'embedding'"):
        loupe.compare_to_real(same, real, embeddings="embedding")
    with pytest.raises(errors.InputError, match="k to be a whole number from 1 to 20, got 0"):
        loupe.compare_to_real(same, real, k=0)
    with pytest.raises(errors.InputError, match="at least one field of vectors"):
        loupe.compare_to_real(same, real, embeddings=[])
    same.set_values("embeddings", [[1.0, 2.0]] * 200)
    with pytest.raises(errors.InputError, match="2 numbers on the synthetic side and 16 on the real one"):
        loupe.compare_to_real(same, real)
    assert not same.has_field("realism.real_distance")


def test_a_field_of_the_users_own_is_refused(real: Any, same: Any) -> None:
    import loupe

    same.set_values("realism", ["mine"] * 200)
    with pytest.raises(errors.InputError, match="'realism'"):
        loupe.compare_to_real(same, real)
    assert same.values("realism") == ["mine"] * 200


def test_it_can_be_stopped(real: Any, same: Any) -> None:
    import loupe

    def stop(progress: Any) -> None:
        raise errors.Stopped

    with pytest.raises(errors.Stopped):
        loupe.compare_to_real(same, real, progress=stop)
    assert not same.has_field("realism")


def test_what_was_found_last_is_kept(real: Any, same: Any) -> None:
    import loupe
    from loupe.brain.store.realism import sides as realism

    assert realism.kept(same, "realism") is None
    result = loupe.compare_to_real(same, real, spectra=False, seed=3)
    kept = realism.kept(same, "realism")
    assert kept is not None
    assert kept["findings"] == result.to_dict()["findings"]
    assert kept["seed"] == 3


def test_classes_of_one_side_are_named_and_those_that_differ_by_case(real: Any, same: Any) -> None:
    import loupe

    given = same.values("ground_truth.label")
    same.set_values("ground_truth.label", ["fox" if name == "owl" else name for name in given])
    result = loupe.compare_to_real(same, real, label="ground_truth", spectra=False)
    assert "classes of 'ground_truth' on one side only are not trained on: fox, owl" in result.warnings
    same.set_values("ground_truth.label", [name.upper() for name in given])
    result = loupe.compare_to_real(same, real, label="ground_truth", spectra=False)
    assert result.warnings[-2].endswith("CAT, DOG, OWL, PIG, cat and 3 more; some differ by case only")
    assert result.warnings[-1].startswith("nothing is trained by 'ground_truth': expected at least two classes")
    assert not _named(result) & {"USEFUL", "ADDITIVE_ONLY", "LABEL_MISMATCH", "DOMAIN_SHIFT"}


def test_ten_real_images_are_refused_and_sixty_are_too_few_to_tell(real: Any, same: Any) -> None:
    import loupe

    with pytest.raises(errors.InputError, match="at least 12 vectors on each side, got 10 real and 200 synthetic"):
        loupe.compare_to_real(same, real[:10], spectra=False)
    result = loupe.compare_to_real(same, real[:60], label="ground_truth", spectra=False)
    assert _named(result) == {"INSUFFICIENT_DATA"}
    assert "60 samples on the smaller side" in str(result)


@pytest.mark.parametrize("constant", [("real",), ("real", "same")])
def test_constant_vectors_tell_nothing(real: Any, same: Any, constant: tuple[str, ...]) -> None:
    import loupe

    for name, samples in (("real", real), ("same", same)):
        if name in constant:
            samples.set_values("embeddings", [[1.0] * made.SIZE] * len(samples))
    result = loupe.compare_to_real(same, real, label="ground_truth", spectra=False)
    assert _named(result) == {"INSUFFICIENT_DATA"}
    assert "all real vectors in 'embeddings' are alike: nothing can be told from them" in result.warnings


def test_a_synthetic_set_larger_than_the_real_one_is_compared_at_equal_sizes(real: Any, same: Any) -> None:
    import loupe

    result = loupe.compare_to_real(real, same[:120], label="ground_truth", spectra=False)
    assert (result.n_synthetic, result.n_real) == (240, 120)
    assert not _named(result) & {"COLLAPSE", "DOMAIN_SHIFT", "LABEL_MISMATCH", "MEMORIZED"}
    recall = next(each for each in result.metrics["embeddings"] if each.name == "recall")
    assert recall.ratio == pytest.approx(1, abs=0.15)


def test_duplicates_on_both_sides_are_counted(real: Any, same: Any) -> None:
    import loupe

    vectors, theirs = real.values("embeddings"), same.values("embeddings")
    same.set_values("embeddings", [*vectors[:20], *theirs[20:]])
    result = loupe.compare_to_real(same, real, spectra=False)
    assert "20 synthetic samples have the very vector of a real one in 'embeddings'" in result.warnings
    assert [pair.distance for pair in result.pairs[:20]] == [0.0] * 20


def test_bins_are_the_same_on_both_sides(real: Any, same: Any) -> None:
    """Numbers of which one side has larger ones: quantiles of either side would be other bins of one name."""
    import loupe

    real.set_values("light", [float(at % 10) for at in range(240)])
    same.set_values("light", [float(5 + at % 10) for at in range(200)])
    result = loupe.compare_to_real(same, real, by=loupe.Factor.field("light", bins=[0, 5, 10]), spectra=False)
    assert result.left_out == {"[0, 5)": (120, 0), ">= 10": (0, 100)}
    assert list(result.by) == ["[5, 10)"]
    halves = loupe.compare_to_real(same, real, by=loupe.Factor.field("light", bins=2), spectra=False)
    # the halves of the real side: all of the others lie in the upper one
    assert (set(halves.by), halves.left_out) == ({">= 5"}, {"< 5": (120, 0)})


def test_one_prompt_of_all_pictures_of_a_class_trains_no_less(real: Any, same: Any) -> None:
    import loupe

    plain = loupe.compare_to_real(same, real, label="ground_truth", spectra=False)
    same.set_values("prompt", [f"a photo of a {name}" for name in same.values("ground_truth.label")])
    result = loupe.compare_to_real(same, real, label="ground_truth", spectra=False)
    assert _named(result) == _named(plain)
    assert "USEFUL" in _named(result) | _named(plain)


def test_duplicates_are_not_trained_and_tested_on(real: Any, same: Any) -> None:
    """Each real picture ten times over: a set that is cut through copies would find itself easy."""
    from loupe.brain.store.realism import sides as realism

    real.set_values("duplicate_group", [f"g{at // 10}" for at in range(240)])
    theirs, ours = realism.read("embeddings", {"synthetic": same, "real": real})
    labeled = realism.labeled(real, ours, np.zeros(240, int))
    assert labeled.groups is not None
    assert len(np.unique(labeled.groups)) == 24
    assert realism.labeled(same, theirs, np.zeros(200, int)).groups is None


def test_how_well_labels_fit_is_told_by_class_and_by_sample_beside_the_real_ones(real: Any, same: Any) -> None:
    import loupe
    from loupe.brain.core.realism import Realism

    given = same.values("ground_truth.label")
    wrong = [name == "owl" and at % 8 < 4 for at, name in enumerate(given)]
    changed = ["cat" if turned else name for turned, name in zip(wrong, given, strict=True)]
    changed[1] = None
    same.set_values("ground_truth.label", changed)
    same.set_values("place", ["wrong" if turned else "right" for turned in wrong])
    result = loupe.compare_to_real(same, real, label="ground_truth")
    assert same.values("ground_truth.label") == changed, "nobody's labels are changed"
    assert result.worst_aligned()[0][0] == "cat"
    assert set(result.alignment) == set(made.CLASSES)
    whole = next(each for each in result.metrics["embeddings"] if each.name == "alignment")
    assert whole.high < 1
    assert whole.null_low < whole.null < whole.null_high
    assert Realism.from_dict(result.to_dict()) == result
    known = np.array(same.values("realism.alignment"), dtype=float)
    assert np.isnan(known[1])
    assert np.nanmedian(known[wrong]) < 0.2 < 0.5 < np.nanmedian(known[~np.array(wrong)])
    assert None not in real.values("realism.alignment")
    # of another comparison, without labels, nothing is left
    assert loupe.compare_to_real(same, real).alignment == {}
    assert set(same.values("realism.alignment")) == {None}
