"""Duplicates on a FiftyOne dataset: fields, groups, failures, unknowns."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scenes import labels, scene

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def filled(dataset: Any, tmp_path: Path) -> Any:
    """a.png, its copy, the same pixels as .bmp, a smaller JPEG of it, mirrored; another picture; plain; unreadable."""
    import fiftyone as fo

    first = Image.fromarray(scene(0))
    small = first.resize((80, 60))
    small.save(tmp_path / "0_small.jpg", quality=70)
    first.save(tmp_path / "1_a.png")
    shutil.copy(tmp_path / "1_a.png", tmp_path / "2_copy.png")
    first.save(tmp_path / "3_a.bmp")
    first.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "4_mirrored.png")
    Image.fromarray(scene(1)).save(tmp_path / "5_other.png")
    Image.new("RGB", (90, 90), (40, 90, 160)).save(tmp_path / "6_plain.png")
    (tmp_path / "7_bad.png").write_bytes(b"nothing")
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in sorted(tmp_path.iterdir())])
    return dataset


def test_fields_groups_pairs_and_failures(filled: Any) -> None:
    import loupe

    result = loupe.find_duplicates(filled)
    ids = filled.values("id")
    assert filled.values("quality.exact_duplicate") == [0, 2, 2, 2, 0, 0, 0, None]
    near = filled.values("quality.near_duplicate")
    assert near[1:4] == [1, 1, 1]
    assert min(near[0], near[4]) > 0.85
    assert near[5] < 0.85
    assert near[6:] == [None, None]
    # the representative is the largest picture, and the first of equals
    assert result.groups == ((ids[1], ids[2], ids[3], ids[4], ids[0]),)
    assert filled.values("duplicate_group") == [ids[1]] * 5 + [None] * 3
    kinds = {(ids.index(pair.id_a), ids.index(pair.id_b)): pair.kind for pair in result.pairs}
    assert kinds[1, 2] == "bytes"
    assert kinds[1, 3] == "pixels"
    assert kinds[0, 1] == kinds[1, 4] == "near"
    both = ["exact_duplicate", "near_duplicate"]
    assert labels(filled, "failures") == [["near_duplicate"], both, both, both, ["near_duplicate"], [], [], []]
    assert labels(filled, "unknown")[6:] == [["duplicates"], ["duplicates"]]
    reasons = filled.values("unknown.classifications.reason")
    assert "too little detail" in reasons[6][0]
    assert reasons[7][0].startswith("unreadable")


def test_rates_count_the_unknown(filled: Any) -> None:
    import loupe

    loupe.find_duplicates(filled)
    (rate,) = loupe.slice(filled, [], failure="near_duplicate")
    assert (rate.n, rate.failures, rate.unknown, rate.unchecked) == (6, 5, 2, 0)


def test_a_second_call_gives_the_same_and_a_deleted_copy_is_forgotten(filled: Any) -> None:
    import loupe

    first = loupe.find_duplicates(filled)
    assert loupe.find_duplicates(filled) == first
    filled.delete_samples(filled.values("id")[:5][1:])
    assert loupe.find_duplicates(filled).groups == ()
    assert filled.values("duplicate_group") == [None] * 4
    assert labels(filled, "failures") == [[]] * 4


def test_exact_only_and_near_only(filled: Any) -> None:
    import loupe

    result = loupe.find_duplicates(filled, near=False)
    assert {pair.kind for pair in result.pairs} == {"bytes", "pixels"}
    assert [len(group) for group in result.groups] == [3]
    assert not filled.has_field("quality.near_duplicate")
    result = loupe.find_duplicates(filled, exact=False)
    assert {pair.kind for pair in result.pairs} == {"near"}
    assert [len(group) for group in result.groups] == [5]


def test_a_threshold_is_kept_on_the_dataset(filled: Any) -> None:
    import loupe

    assert [len(group) for group in loupe.find_duplicates(filled, threshold=1.0).groups] == [3]
    assert labels(filled, "failures")[0] == []
    assert [len(group) for group in loupe.find_duplicates(filled).groups] == [3]
    assert [len(group) for group in loupe.find_duplicates(filled, threshold=0.5).groups] == [5]


def test_a_stop_leaves_everything_as_it_was(filled: Any) -> None:
    import loupe

    def stop(step: loupe.Progress) -> None:
        if step.message == "reading" and step.done:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.find_duplicates(filled, progress=stop)
    assert not filled.has_field("duplicate_group")


def test_one_sample_and_only_plain_and_unreadable_ones(filled: Any) -> None:
    import loupe

    assert loupe.find_duplicates(filled[5:6]).groups == ()
    assert loupe.find_duplicates(filled[6:]).groups == ()
    assert loupe.find_duplicates(filled[7:]).pairs == ()


def test_pictures_of_a_few_pixels_are_unknown_but_for_equal_ones(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    from sklearn.datasets import load_digits

    import loupe

    digits = (load_digits().images[:120] * 15.9).astype(np.uint8)
    for at, pixels in enumerate([*digits, digits[0]]):
        Image.fromarray(pixels).save(tmp_path / f"{at:03}.png")
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in sorted(tmp_path.iterdir())], progress=False)
    result = loupe.find_duplicates(dataset)
    assert [(pair.kind, pair.similarity) for pair in result.pairs] == [("bytes", 1.0)]
    reasons = {own[0] for own in dataset.values("unknown.classifications.reason") if own}
    assert reasons == {"too small to tell it from other pictures: fewer than 256 pixels"}
    assert result.loose == ()


def test_a_group_that_is_a_chain_is_called_loose(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.similarity import cohesion

    assert loupe.find_duplicates(filled).messages == ()
    monkeypatch.setattr(cohesion, "mean_similarities", lambda groups, *_: np.full(len(groups), 0.5))
    result = loupe.find_duplicates(filled)
    assert result.loose == (result.groups[0][0],)
    assert "1 of 1 groups is loose" in repr(result)


def test_what_find_leaks_has_found_is_compared_too_and_the_other_way_round(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.similarity import matching
    from loupe.brain.similarity.cells import Thoroughness

    filled.set_values("split", ["train", "test"] * 4)
    wanted = loupe.find_duplicates(filled)
    across = loupe.find_leaks(filled, splits="split")
    near = {frozenset((pair.id_a, pair.id_b)) for pair in across.pairs if pair.kind == "near"}
    assert near
    none = matching.Candidates(*np.zeros((4, 0), np.int64))
    # neither finds a candidate by itself
    monkeypatch.setattr(matching, "searched", lambda *_, **__: (none, Thoroughness()))
    again = loupe.find_leaks(filled, splits="split")
    assert {frozenset((pair.id_a, pair.id_b)) for pair in again.pairs if pair.kind == "near"} <= near
    assert [pair for pair in again.pairs if pair.kind == "near"]
    only = loupe.find_duplicates(filled, resume=False)
    pairs = {frozenset((pair.id_a, pair.id_b)) for pair in only.pairs if pair.kind == "near"}
    assert pairs
    assert pairs <= {frozenset((pair.id_a, pair.id_b)) for pair in wanted.pairs}


def test_bad_input(filled: Any) -> None:
    import loupe

    with pytest.raises(errors.InputError, match="neither"):
        loupe.find_duplicates(filled, exact=False, near=False)
    with pytest.raises(errors.InputError, match="threshold"):
        loupe.find_duplicates(filled, threshold=2)
    with pytest.raises(errors.NoSamples):
        loupe.find_duplicates(filled.limit(0))
