"""Objects compared with each other: planted copies, second labels, tiny and plain crops, splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pasted import Box, picture, shares, small, thing
from PIL import Image

from loupe.brain.core.records import Threshold
from loupe.brain.engine.crops import OBJECTS, Region
from loupe.brain.engine.reader import Row
from loupe.brain.imaging import boxes
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.sets.leaks import Leaks
from loupe.brain.similarity import matching, object_pairs, objects
from loupe.brain.similarity.duplicates import ComparedBefore

NEAR = Threshold(">", 0.85)


def rows(folder: Path, *pictures: tuple[np.ndarray, list[Box]]) -> list[Row]:
    made = []
    for at, (pixels, own) in enumerate(pictures):
        path = folder / f"{at}.png"
        Image.fromarray(pixels).save(path)
        regions = tuple(Region(f"{at}-{place}", "car", tuple(shares(box))) for place, box in enumerate(own))
        made.append(Row(str(at), str(path), {OBJECTS: regions}))
    return made


def compared(known: objects.Objects, **how: bool) -> object_pairs.AlikeObjects:
    n = len(known.regions)
    before = dict.fromkeys(object_pairs.PARTS, ComparedBefore(np.zeros(n, bool), {}))
    return object_pairs.alike(known, Duplicates(), NEAR, before, lambda _: None, **how)


def test_copies_are_told_by_their_kind_and_others_are_none(tmp_path: Path) -> None:
    first = thing(0)
    mirrored = np.ascontiguousarray(small(first)[:, ::-1])
    known = objects.read(
        rows(
            tmp_path,
            (picture(0, (first, 20, 20)), [(20, 20, 100, 80), (180, 120, 100, 80)]),
            (picture(1, (first, 150, 100)), [(150, 100, 100, 80)]),
            (picture(2, (mirrored, 50, 50)), [(50, 50, 80, 64)]),
            (picture(3, (first, 60, 90), cut_out=True), [(60, 90, 100, 80)]),
            (picture(4), [(60, 90, 100, 80)]),
        ),
        lambda _: None,
    )
    made = compared(known)
    assert {(a, b): kind for a, b, kind, _ in made.pairs if a == 0} == {
        (0, 2): "pixels", (0, 3): "near", (0, 4): "middle",
    }  # fmt: skip
    assert {place for a, b, *_ in made.pairs for place in (a, b)} == {0, 2, 3, 4}
    assert sorted(map(sorted, made.groups)) == [[0, 2, 3, 4]]
    assert made.groups[0][0] == 0
    np.testing.assert_array_equal(made.exact, np.float32([1, 0, 1, 0, 0, 0]))
    assert made.near[[0, 2]].tolist() == [1, 1]
    assert made.near[[1, 5]].max() < 0.85
    assert known.reasons == {}
    assert not compared(known, near=False).similarities
    assert {kind for _, _, kind, _ in compared(known, exact=False).pairs} == {"near", "middle"}


def test_two_labels_of_one_object_are_no_duplicates(tmp_path: Path) -> None:
    one_box = [(20.0, 20.0, 100.0, 80.0)]
    known = objects.read(
        rows(
            tmp_path,
            (picture(0), [*one_box, (21, 21, 100, 80), (20, 20, 100, 80), (45, 20, 100, 80)]),
            (picture(1), one_box),
        ),
        lambda _: None,
    )
    made = compared(known)
    assert made.pairs == []
    assert known.second.tolist() == [-1, 0, 0, -1, -1]
    assert known.overlap.tolist() == pytest.approx([1, 0.96, 1, 0.62, 0], abs=0.02)
    assert {at: reason.split(":")[0] for at, reason in known.reasons.items()} == dict.fromkeys(
        (1, 2), "a second label of one object"
    )
    assert np.isnan(made.near[[1, 2]]).all()
    assert np.isnan(made.exact[[1, 2]]).all()


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    plain = np.full((240, 320, 3), 200, np.uint8)
    odd = [
        (20.0, 20.0, 0.0, 80.0),
        (400.0, 20.0, 10.0, 80.0),
        (float("nan"), 0.0, 10.0, 10.0),
        (10.0, 10.0, 15.0, 90.0),
    ]
    made = rows(
        tmp_path, (picture(0), odd), (plain, [(20, 20, 90, 90), (150, 20, 90, 90)]), (picture(1), [(0, 0, 90, 90)])
    )
    Path(made[2].path).write_bytes(b"nothing")
    known = objects.read(made, lambda _: None)
    alike = compared(known)
    reasons = [known.reasons[at].split(":")[0] for at in range(7)]
    assert reasons == [
        "its box has no area",
        "its box lies outside the picture",
        "its box is not four finite numbers",
        "too small to compare it",
        "too little detail to tell it from other objects",
        "too little detail to tell it from other objects",
        "unreadable",
    ]
    assert alike.pairs == []
    assert np.isnan(alike.exact).all()
    assert np.isnan(alike.near).all()


def test_what_is_stored_is_not_read_again(tmp_path: Path) -> None:
    made = rows(tmp_path, (picture(0), [(20, 20, 100, 80)]), (picture(1), [(20, 20, 100, 80)]))
    kept: dict[str, np.ndarray] = {}
    first = objects.read(made, lambda _: None, keep=lambda _, prints: kept.update(prints))
    for row in made:
        Path(row.path).unlink()
    again = objects.read(made, lambda _: None, kept)
    np.testing.assert_array_equal(first.packed, again.packed)
    assert again.sizes.tolist() == [[100, 80]] * 2
    assert again.reasons == {}
    assert {"unreadable"} == {why.split(":")[0] for why in objects.read(made, lambda _: None).reasons.values()}


def test_every_pair_across_splits(tmp_path: Path) -> None:
    first = thing(0)
    own = [(20.0, 20.0, 100.0, 80.0)]
    known = objects.read(
        rows(tmp_path, *((picture(at, (first, 20, 20), cut_out=at == 4), own) for at in range(5))), lambda _: None
    )
    splits = np.array([0, 0, 1, -1, 1])
    pairs, highest = object_pairs.across(known, splits, Leaks(), NEAR, lambda _: None)
    assert [(a, b, kind) for a, b, kind, _ in pairs] == [
        (0, 2, "pixels"), (0, 4, "middle"), (1, 2, "pixels"), (1, 4, "middle"),
    ]  # fmt: skip
    assert highest[:3].tolist() == [1, 1, 1]
    assert np.isnan(highest[3])
    assert highest[4] > 0.85


def test_overlaps_agree_with_a_loop_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    bounds = np.concatenate([rng.uniform(0, 0.1, (60, 2)), rng.uniform(0.4, 0.5, (60, 2))], 1).tolist()
    bounds[7] = bounds[3]
    bounds[50] = [0.1, 0.1, float("nan"), 0.1]
    owners = np.repeat([0, 1, 2], 20)
    regions = [Region(str(at), None, tuple(each)) for at, each in enumerate(bounds)]
    second, overlap, (a, b) = objects.overlaps(regions, owners)
    corners = [boxes.corners(tuple(each), 1, 1) for each in bounds]
    for i in range(60):
        others = [j for j in range(60) if j != i and owners[j] == owners[i] and j != 50]
        ious = {j: boxes.iou(corners[i], corners[j]) for j in others} if i != 50 else {}
        assert np.isnan(overlap[i]) == (i == 50)
        if i == 50:
            continue
        assert overlap[i] == pytest.approx(max(ious.values()), abs=1e-6)
        earlier = [j for j in others if j < i and ious[j] >= objects.SECOND_LABEL and second[j] < 0]
        assert second[i] == (earlier[0] if earlier else -1)
        shared = {j for j in others if ious[j] >= objects.SHARED}
        assert shared == {*a[b == i].tolist(), *b[a == i].tolist()}
    assert second[7] >= 0
    # what lies on a second label alone stands for itself
    chain = [(0.0, 0.0, 0.5, 0.5), (0.03, 0.0, 0.5, 0.5), (0.06, 0.0, 0.5, 0.5)]
    regions = [Region(str(at), None, each) for at, each in enumerate(chain)]
    assert objects.overlaps(regions, np.zeros(3, np.int64))[0].tolist() == [-1, 0, -1]


def test_boxes_that_share_much_look_alike_for_that_and_are_no_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [(40.0, 40.0, 120.0, 120.0), (36.0, 32.0, 136.0, 136.0)]
    made = rows(tmp_path, (picture(0), own))
    assert compared(objects.read(made, lambda _: None)).pairs == []
    monkeypatch.setattr(objects, "SHARED", 2.0)
    assert len(compared(objects.read(made, lambda _: None)).pairs) == 1, "else they would be one"


def test_pairs_that_are_left_out_are_no_candidates_and_take_no_place() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (64, 64)).astype(np.float32)
    luma = np.stack([np.clip(base + rng.normal(0, 3, base.shape), 0, 255).astype(np.uint8) for _ in range(30)])
    without = (np.repeat(np.arange(10), 10), np.tile(np.arange(10, 20), 10))
    for block in (7, 1024):
        pairs, _ = matching.searched(luma, per_image=29, without=without, block=block)
        made = {(a, b) for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)}
        assert made == {(a, b) for a in range(30) for b in range(a + 1, 30)} - set(
            zip(*(each.tolist() for each in without), strict=True)
        )
    chosen = np.array([3, 12, 25])
    left_out = set(zip(*(each.tolist() for each in without), strict=True))
    pairs, _ = matching.searched(luma, per_image=29, without=without, chosen=chosen, block=2)
    made = {(a, b) for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)}
    every = {(min(a, b), max(a, b)) for a in chosen.tolist() for b in range(30) if a != b}
    assert made == every - left_out
    # those that are left out take no place of others
    pairs, _ = matching.searched(luma, per_image=3, without=without, chosen=chosen, block=2)
    made = {(a, b) for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)}
    assert not made & left_out
    assert all(sum(each in pair for pair in made) >= 3 for each in chosen.tolist())


def test_labels_that_disagree() -> None:
    pairs = [(0, 1, "near", 0.9), (1, 2, "pixels", 1.0), (0, 3, "near", 0.9)]
    assert object_pairs.labeled_differently(pairs, ["car", "van", "van", None]) == [pairs[0]]
