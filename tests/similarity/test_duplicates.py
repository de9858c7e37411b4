"""Which pictures are equal, which are nearly, and the groups that they make."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import scene

from loupe.brain.core.records import Threshold
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.similarity.duplicates import ComparedBefore, equal_pictures, grouped, similar_pictures
from loupe.brain.similarity.fingerprints import Contents, Fingerprint
from loupe.brain.similarity.thumbnail_similarity import thumbnails

NEAR = Threshold(">", 0.9)


def fingerprint(picture: np.ndarray, of_file: str, of_pixels: str) -> Fingerprint:
    made = thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
    area = picture.shape[0] * picture.shape[1]
    return Fingerprint(of_file * 32, of_pixels * 32, area, made.luma[0], made.chroma[0])


@pytest.fixture
def known() -> Contents:
    """A picture, one that cannot be read, twice a plain one, and the first again: mirrored and larger, and equal."""
    first, plain = scene(0), np.full((40, 40, 3), 90, np.uint8)
    return Contents.of(
        [
            fingerprint(first, "a", "a"),
            None,
            fingerprint(plain, "b", "b"),
            fingerprint(plain, "c", "b"),
            fingerprint(np.repeat(first[:, ::-1], 2, axis=0), "d", "d"),
            fingerprint(first, "a", "a"),
            fingerprint(scene(1), "e", "e"),
        ],
        {1: "unreadable: no picture"},
    )


def nothing_before(n: int) -> ComparedBefore:
    return ComparedBefore(np.zeros(n, bool), {})


def test_equal_pictures_are_counted_and_paired_with_the_first(known: Contents) -> None:
    equal = equal_pictures(known)
    assert equal.first.tolist() == [0, 1, 2, 2, 4, 0, 6]
    np.testing.assert_array_equal(equal.counts, np.float32([1, np.nan, 1, 1, 0, 1, 0]))
    assert equal.pairs == ((2, 3, "pixels", 1.0), (0, 5, "bytes", 1.0))


def test_of_equal_pictures_one_is_compared(known: Contents) -> None:
    similar = similar_pictures(known, equal_pictures(known), Duplicates(), nothing_before(7), None, lambda _: None)
    assert similar.compared.tolist() == [0, 2, 4, 6]
    (pair,) = similar.pairs(NEAR)
    assert pair[:3] == (0, 4, "near")
    assert pair[3] == similar.similarities[0, 4] > 0.99
    assert all(0.3 <= value <= 1 for value in similar.similarities.values())
    assert similar.pairs(Threshold(">", 1.0)) == []
    assert similar.highest[[0, 2, 3, 5]].tolist() == [1, 1, 1, 1], "they have an equal one, however little they show"
    assert similar.highest[4] == np.float32(pair[3])
    assert similar.highest[6] < 0.9
    assert np.isnan(similar.highest[1])
    assert known.reasons == {1: "unreadable: no picture"}


def test_a_plain_picture_with_no_equal_one_is_unknown(known: Contents) -> None:
    alone = Contents.of([known.prints[0], known.prints[2]], {})
    similar = similar_pictures(alone, equal_pictures(alone), Duplicates(), nothing_before(2), None, lambda _: None)
    np.testing.assert_array_equal(similar.highest, np.float32([0, np.nan]))
    assert list(alone.reasons) == [1]


def test_what_was_compared_before_is_kept_and_not_compared_again(known: Contents) -> None:
    before = ComparedBefore(np.array([1, 1, 1, 1, 1, 1, 0], bool), {(0, 4): 0.5, (0, 5): 0.6, (2, 4): 0.4})
    similar = similar_pictures(known, equal_pictures(known), Duplicates(), before, None, lambda _: None)
    assert similar.similarities[0, 4] == 0.5
    assert similar.similarities[2, 4] == 0.4
    assert (0, 5) not in similar.similarities, "the last one is equal to the first now"
    assert similar.highest[4] == 0.5


def test_further_pairs_are_compared_where_one_of_them_is_new(known: Contents) -> None:
    before = ComparedBefore(np.array([1, 1, 1, 1, 1, 1, 0], bool), {})
    # no hash is nearer than 1: the further pairs are all there is
    spec = Duplicates(min_hash=1.0)
    further = (np.array([0, 0]), np.array([4, 6]))
    kept = Contents.of([*known.prints[:6], fingerprint(scene(0)[6:, 8:], "f", "f")], {})
    similar = similar_pictures(kept, equal_pictures(known), spec, before, further, lambda _: None)
    assert set(similar.similarities) == {(0, 6)}


def test_a_group_begins_with_its_largest_picture(known: Contents) -> None:
    pairs = [(0, 5, "bytes", 1.0), (0, 4, "near", 0.95), (2, 3, "pixels", 1.0)]
    assert grouped(known, pairs) == [[4, 0, 5], [2, 3]]
    assert grouped(known, []) == []


def test_all_prints_are_gone_through_once_however_many_groups_there_are(
    known: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a picture made 50,000 pictures 2.5 billion steps."""
    plain, calls = Contents.areas.fget, []
    assert plain is not None
    monkeypatch.setattr(Contents, "areas", property(lambda self: calls.append(len(self.prints)) or plain(self)))
    assert grouped(known, [(0, 5, "bytes", 1.0), (0, 4, "near", 0.95), (2, 3, "pixels", 1.0)]) == [[4, 0, 5], [2, 3]]
    assert calls == [len(known.prints)]
