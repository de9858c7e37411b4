"""What is kept of files, and who is compared with whom across groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scenes import scene

from loupe.brain.core.records import Progress, Threshold
from loupe.brain.similarity import fingerprints
from loupe.brain.similarity.fingerprints import Contents, Fingerprint
from loupe.brain.similarity.thumbnail_similarity import thumbnails

SAME = Threshold(">", 0.9)


def fingerprint(picture: np.ndarray, of_file: str | None, of_pixels: str) -> Fingerprint:
    made = thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
    area = picture.shape[0] * picture.shape[1]
    return Fingerprint(of_file and of_file * 32, of_pixels * 32, area, made.luma[0], made.chroma[0])


@pytest.mark.parametrize("of_file", ["a", None])
def test_a_fingerprint_packs_and_unpacks(of_file: str | None) -> None:
    made = fingerprint(scene(0), of_file, "b")
    packed = made.pack()
    assert packed.shape == (4648,)
    again = Fingerprint.unpack(packed)
    assert (again.bytes, again.pixels, again.area) == (made.bytes, made.pixels, 120 * 160)
    np.testing.assert_array_equal(again.luma, made.luma)
    np.testing.assert_array_equal(again.chroma, made.chroma)


def test_contents_know_who_can_be_read() -> None:
    first, last = fingerprint(scene(0), "a", "b"), fingerprint(scene(1), "c", "d")
    known = Contents.of([first, None, last], {1: "unreadable: no picture"})
    assert known.places.tolist() == [0, -1, 1]
    assert known.pixels == ["b" * 32, None, "d" * 32]
    assert known.areas == [19200, 0, 19200]
    np.testing.assert_array_equal(known.thumbs.luma, [first.luma, last.luma])
    assert len(Contents.of([None], {}).thumbs) == 0


def test_files_of_equal_pixels_have_equal_bytes_too_or_not() -> None:
    made = fingerprint(scene(0), "a", "b")
    gone = replace(made, bytes=None)
    known = Contents.of([made, made, replace(made, bytes="c" * 32), gone, gone], {})
    assert [known.kind(0, other) for other in (1, 2, 3)] == ["bytes", "pixels", "pixels"]
    assert known.kind(3, 4) == "pixels", "of files that are gone nothing is known"


def across(
    known: Contents, groups: list[int], *, of_first: bool | None = None
) -> tuple[dict[tuple[int, int], str], np.ndarray]:
    """The kind of each pair, and the highest similarities."""
    options = {} if of_first is None else {"of_first": of_first}
    pairs, highest = fingerprints.across(
        known, np.array(groups), SAME, per_image=5, minimum=0.8, report=lambda _: None, **options
    )
    return {pair: kind for pair, (kind, _) in pairs.items()}, highest


@pytest.fixture
def known() -> Contents:
    """Two pictures, each three times, once mirrored; the first and the last have the same file."""
    a, b = scene(0), scene(1)
    return Contents.of(
        [
            fingerprint(a, "a", "a"),
            fingerprint(b, "b", "b"),
            fingerprint(b[:, ::-1], "c", "c"),
            None,
            fingerprint(b, "d", "b"),
            fingerprint(a[:, ::-1], "e", "e"),
            fingerprint(a, "a", "a"),
        ],
        {},
    )


def test_each_is_compared_with_those_of_other_groups(known: Contents) -> None:
    pairs, highest = across(known, [0, 1, 2, 2, 1, -1, 2])
    assert pairs == {(0, 6): "bytes", (1, 2): "near", (2, 4): "near"}, "not within a group, and none of group -1"
    assert highest[[0, 6]].tolist() == [1, 1]
    assert (highest[[1, 2, 4]] > 0.99).all()
    assert np.isnan(highest[[3, 5]]).all()


def test_copies_of_the_first_group_only(known: Contents) -> None:
    pairs, highest = across(known, [0, 1, 2, 2, 1, 1, 2], of_first=True)
    assert pairs == {(0, 5): "near", (0, 6): "bytes"}
    assert (highest[[1, 2, 4]] == 0).all()


def test_equal_ones_take_no_places_of_near_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many equal copies as a picture has places for others, and one that is mirrored."""
    a = scene(0)
    copies = [fingerprint(a, str(at), "a") for at in range(6)]
    known = Contents.of([*copies, fingerprint(a[:, ::-1], "m", "m")], {})
    looked: list[int] = []
    plain = fingerprints.verified

    def spy(thumbs: object, pairs: Any, *given: Any, **settings: Any) -> np.ndarray:
        looked.append(len(pairs))
        return plain(thumbs, pairs, *given, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(fingerprints, "verified", spy)
    pairs, highest = across(known, [0, 1, 1, 1, 1, 1, 1], of_first=True)
    assert pairs == {**{(0, at): "pixels" for at in range(1, 6)}, (0, 6): "near"}
    assert highest[:6].tolist() == [1] * 6
    assert highest[6] > 0.99
    assert looked == [1], "of the equal ones none is looked at"
    reported = (np.array([0, 1]), np.array([1, 2]))  # by another search: across two groups, and within one
    fingerprints.across(
        known,
        np.array([0, 1, 1, 1, 1, 1, 1]),
        SAME,
        per_image=5,
        minimum=0.8,
        report=lambda _: None,
        of_first=True,
        further=reported,
    )
    assert looked == [1, 1], "nor are those that another search reports"


def test_pairs_from_elsewhere_are_compared_too(known: Contents) -> None:
    reports: list[Progress] = []

    def similarities(*further: tuple[int, int]) -> dict[tuple[int, int], float]:
        compared, first, second, similar = fingerprints.compare(
            known,
            np.array([0, 1, 4, 5, 6]),
            per_image=1,
            minimum=2,  # no cosine is: hashes suggest nothing
            report=reports.append,
            further=tuple(np.array(further).T) if further else None,
        )
        assert compared.tolist() == [0, 1, 4, 5, 6]
        return dict(zip(zip(first.tolist(), second.tolist(), strict=True), similar.tolist(), strict=True))

    assert similarities() == {}
    made = similarities((0, 5), (0, 1), (1, 2), (2, 1), (3, 0))
    assert set(made) == {(0, 5), (0, 1)}, "both have to be among those that are compared"
    assert made[0, 5] > 0.99
    assert made[0, 1] < 0.9
    assert Progress(2, 2, "comparing candidates") in reports
    assert reports[-1] == Progress(1, 1, "looking closely"), "at those alone that are alike"


def test_a_picture_without_detail_is_judged_by_its_pixels_alone() -> None:
    plain = np.full((40, 40, 3), 90, np.uint8)
    known = Contents.of([fingerprint(plain, file, pixels) for file, pixels in ("ab", "cb", "de", "fe")], {})
    pairs, highest = across(known, [0, 1, 1, 1])
    assert pairs == {(0, 1): "pixels"}
    assert highest[:2].tolist() == [1, 1]
    assert np.isnan(highest[2:]).all()
    reason = "too little detail to tell it from other pictures"
    assert known.reasons == {2: reason, 3: reason}, "that the first two are the same is known all the same"


def test_progress_says_what_is_done(known: Contents) -> None:
    seen: list[Progress] = []
    fingerprints.across(known, np.array([0, 1, 2, 2, 1, -1, 2]), SAME, per_image=5, minimum=0.8, report=seen.append)
    assert Progress(5, 5, "looking for candidates") in seen
    assert "comparing candidates" in {report.message for report in seen}
    assert seen[-1].message == "looking closely"
    assert seen[-1].done == seen[-1].total


def test_of_very_many_equal_pictures_not_all_pairs_are_told() -> None:
    groups = np.arange(900) % 3
    groups[5] = -1
    few = list(range(0, 12))
    listed = set(fingerprints._equal_across(few, groups))
    assert listed == {(a, b) for a in few for b in few if a < b and groups[a] != groups[b] and 5 not in (a, b)}
    many = list(fingerprints._equal_across(range(900), groups))
    assert len(many) == 2 * 899
    assert {place for pair in many for place in pair} == set(range(900)) - {5}
    assert all(a < b and groups[a] != groups[b] for a, b in many)
