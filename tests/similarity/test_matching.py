"""The pure functions behind duplicates: against closed forms, brute force and another implementation."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.similarity import hashes, thumbnail_similarity
from loupe.brain.similarity import matching as d


def scene(seed: int, height: int = 180, width: int = 240) -> np.ndarray:
    """A picture with large shapes and fine texture, as photos have."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((4, 90), (10, 60), (40, 35)):
        noise = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        picture += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


def thumbs(*pictures: np.ndarray) -> thumbnail_similarity.Thumbnails:
    parts = [
        thumbnail_similarity.thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
        for picture in pictures
    ]
    return thumbnail_similarity.Thumbnails.join(parts)


def highest(*pictures: np.ndarray) -> float:
    made = thumbs(*pictures)
    pairs, _ = d.searched(made.luma)
    return float(d.similarities(made, pairs, workers=1).max()) if len(pairs) else 0.0


LINE = Duplicates.outputs[1].default_threshold.value  # type: ignore[union-attr]


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


CHANGES = {
    "re-encoded": lambda x: jpeg(x, 40),
    "half the size": lambda x: cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "stretched": lambda x: cv2.resize(x, (200, 200), interpolation=cv2.INTER_AREA),
    "middle 90 %": lambda x: x[9:171, 12:228],
    "top left 90 %": lambda x: x[:162, :216],
    "right 90 %": lambda x: x[:, 24:],
    "darker": lambda x: (x * 0.6).astype(np.uint8),
    "brighter": lambda x: np.clip(x * 1.2 + 10.0, 0, 255).astype(np.uint8),
    "mirrored": lambda x: x[:, ::-1],
    "upside down": lambda x: x[::-1],
    "turned": lambda x: np.rot90(x),
    "turned back": lambda x: np.rot90(x, 3),
    "transposed": lambda x: x.transpose(1, 0, 2),
    "grey": lambda x: cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_a_near_duplicate(change: str) -> None:
    for seed in range(3):
        picture = scene(seed)
        assert highest(picture, CHANGES[change](picture)) > LINE, seed


def test_other_pictures_are_not() -> None:
    assert highest(*(scene(seed) for seed in range(20))) < LINE


def text(*lines: str) -> np.ndarray:
    page = np.full((240, 320, 3), 248, np.uint8)
    page[:40] = (30, 60, 140)
    cv2.putText(page, "WEEKLY REPORT", (8, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
    for index, line in enumerate(lines):
        cv2.putText(page, line, (12, 80 + 34 * index), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 1, cv2.LINE_AA)
    return page


def test_a_shared_layout_is_no_duplicate() -> None:
    assert (
        highest(text("sales went up", "by nine percent", "in may"), text("costs were low", "and so were all", "fees"))
        < LINE
    )


def sign(digits: str, shade: int = 0) -> np.ndarray:
    board = np.full((64, 192, 3), (196 - shade, 28, 36), np.uint8)
    board[:4] = board[-4:] = 255
    for index, digit in enumerate(digits):
        cv2.putText(board, digit, (14 + 44 * index, 52), cv2.FONT_HERSHEY_SIMPLEX, 1.7, (255, 255, 255), 4, cv2.LINE_AA)
    return board


def test_signs_that_differ_in_one_digit_are_no_duplicates() -> None:
    assert highest(sign("4371"), sign("4871")) < LINE
    assert highest(sign("4371"), sign("4374")) < LINE
    assert highest(sign("4371"), jpeg(sign("4371", shade=10), 60)) > LINE


def test_another_color_is_another_picture() -> None:
    grid = np.zeros((120, 120), bool)
    grid[20:100, 30:90] = True
    grid[50:70] ^= True
    red, blue = np.full((120, 120, 3), 240, np.uint8), np.full((120, 120, 3), 240, np.uint8)
    red[grid], blue[grid] = (200, 40, 40), (40, 40, 235)
    assert highest(red, blue) < LINE


def test_flat_pictures_have_no_detail_to_tell() -> None:
    rng = np.random.default_rng(0)
    plain = [np.clip(rng.normal(level, 2, (90, 90, 3)), 0, 255).astype(np.uint8) for level in (20, 120, 230)]
    ramp = np.linspace(20, 220, 90)[:, None, None] * np.ones((1, 90, 3))
    assert not thumbnail_similarity.has_detail(thumbs(*plain, ramp.astype(np.uint8)).luma).any()
    assert thumbnail_similarity.has_detail(thumbs(scene(0)).luma).all()


def test_lamps_in_the_dark_are_no_duplicates() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:120, :160]
    scenes = []
    for _ in range(12):
        distance = (x - rng.uniform(20, 140)) ** 2 + (y - rng.uniform(15, 105)) ** 2
        glow = 10 + 240 * np.exp(-distance / (2 * rng.uniform(6, 14) ** 2))
        scenes.append(np.clip(glow[..., None] + rng.normal(0, 2, (120, 160, 3)), 0, 255).astype(np.uint8))
    made = thumbs(*scenes)
    judged = made[thumbnail_similarity.has_detail(made.luma)]
    pairs, _ = d.searched(judged.luma)
    assert (d.similarities(judged, pairs) > LINE).sum() <= 1


def test_the_hash_is_that_of_an_independent_cosine_transform() -> None:
    luma = thumbs(scene(3)).luma
    small = cv2.resize(luma[0].astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA)
    expected = cv2.dct(small)[:8, :8].reshape(64)[1:]
    assert np.allclose(hashes.hashes(luma)[0], expected / np.linalg.norm(expected), atol=1e-4)


def test_a_faint_picture_has_a_hash_and_a_flat_one_has_none() -> None:
    flat = np.full((2, 64, 64), 128, np.uint8)
    flat[1, 0, 0] += 1
    assert np.linalg.norm(hashes.hashes(flat), axis=1) == pytest.approx([0, 1], abs=1e-5)


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_hash_is_the_hash_of_the_turned_picture(turn: int) -> None:
    luma = thumbs(scene(1), scene(2)).luma
    assert np.allclose(
        hashes.turned_hashes(hashes.hashes(luma), turn),
        hashes.hashes(thumbnail_similarity.turned(luma, turn)),
        atol=1e-4,
    )


def test_the_eight_turns_differ() -> None:
    picture = np.arange(9).reshape(3, 3)
    assert len({thumbnail_similarity.turned(picture, turn).tobytes() for turn in range(8)}) == 8


@pytest.mark.parametrize("block", [3, 7, 64])
def test_tiles_find_what_brute_force_finds(block: int) -> None:
    luma = thumbs(*(scene(seed % 5, 64, 64)[:, :: (-1) ** (seed // 5)] for seed in range(15))).luma
    pairs, _ = d.searched(luma, per_image=14, minimum=0.9, block=block)
    whole = hashes.hashes(luma)
    expected = set()
    for a in range(15):
        for b in range(a + 1, 15):
            turned = max(float(hashes.turned_hashes(whole[[a]], turn)[0] @ whole[b]) for turn in range(8))
            cut = max(
                float(hashes.hashes(luma[[x]], w)[0] @ whole[y])
                for w in thumbnail_similarity.WINDOWS
                for x, y in ((a, b), (b, a))
            )
            part = max(float(hashes.hashes(luma[[a]], p)[0] @ hashes.hashes(luma[[b]], p)[0]) for p in hashes.PARTS)
            if max(turned, cut, part) >= 0.9:
                expected.add((a, b))
    assert {(min(a, b), max(a, b)) for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)} == expected


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_pictures(count: int) -> None:
    made = thumbs(*(scene(0) for _ in range(2)))[np.arange(count)]
    pairs, _ = d.searched(made.luma)
    assert len(pairs) == (1 if count == 2 else 0)
    assert d.similarities(made, pairs).shape == (len(pairs),)


def test_pairs_that_come_from_elsewhere_are_turned_to_fit() -> None:
    picture = cv2.resize(scene(4), (180, 180))
    for turn in range(8):
        made = thumbs(thumbnail_similarity.turned(picture.transpose(2, 0, 1), turn).transpose(1, 2, 0), picture)
        pairs = d.oriented(made.luma, np.array([0]), np.array([1]))
        assert (pairs.a.tolist(), pairs.b.tolist(), pairs.turn.tolist()) == ([0], [1], [turn])
        assert d.similarities(made, pairs)[0] > 0.99


def test_candidates_of_two_sources_are_joined_without_repeats() -> None:
    def pairs(*rows: tuple[int, int, int, int]) -> d.Candidates:
        return d.Candidates(*np.array(rows).T)

    joined = pairs((3, 5, 0, 1), (0, 2, 4, 0)) + pairs((0, 2, 4, 0), (0, 2, 0, 1))
    assert len(joined) == 3
    assert np.stack([joined.a, joined.b, joined.turn, joined.window], 1).tolist() == [
        [0, 2, 0, 1],
        [0, 2, 4, 0],
        [3, 5, 0, 1],
    ]


def test_progress_counts_pictures_and_pairs() -> None:
    made = thumbs(*(scene(seed % 2, 64, 64) for seed in range(5)))
    done: list[int] = []
    pairs, _ = d.searched(made.luma, block=2, step=done.append)
    assert done == [2, 4, 5]
    compared: list[int] = []
    d.similarities(made, pairs, step=compared.append)
    assert compared == [len(pairs)]


def test_hashes_of_contents(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).save(tmp_path / "b.bmp")
    assert d.bytes_hash(str(tmp_path / "a.png")) != d.bytes_hash(str(tmp_path / "b.bmp"))
    assert d.pixels_hash(pixels) == d.pixels_hash(np.asarray(Image.open(tmp_path / "b.bmp")))
    other = pixels.copy()
    other[7, 8, 2] ^= 1
    assert d.pixels_hash(other) != d.pixels_hash(pixels)
    # stable from process to process: never Python's seeded hash()
    assert d.pixels_hash(np.zeros((1, 1, 3), np.uint8)) == "f345a980a855b21f1c94a5dcee3c9b51"


def test_groups_are_those_of_scipy() -> None:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rng = np.random.default_rng(0)
    pairs = [(int(a), int(b)) for a, b in rng.integers(0, 60, (35, 2)) if a != b]
    rows, columns = np.array(pairs).T
    _, labels = connected_components(coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(60, 60)))
    expected = sorted(np.flatnonzero(labels == label).tolist() for label in set(labels.tolist()))
    assert d.connected(60, pairs) == [group for group in expected if len(group) > 1]


def test_two_of_the_same_hash_are_equal_and_one_alone_or_none_is_not() -> None:
    assert sorted(map(list, d.equal(["a", "b", "a", None, "c", "c", "c", None]))) == [[0, 2], [4, 5, 6]]


def test_more_thumbnails_than_are_hashed_at_once_are_hashed_as_few_are() -> None:
    luma = np.random.default_rng(8).integers(0, 256, (4100, 64, 64), dtype=np.uint8)
    np.testing.assert_allclose(hashes.hashes(luma)[4090:], hashes.hashes(luma[4090:]), atol=1e-6)


def test_a_part_is_compared_with_the_whole_and_not_the_whole_with_the_part() -> None:
    whole, part = scene(0), scene(0)[:162, :216]
    for pictures, of, beside in (((part, whole), 1, 0), ((whole, part), 0, 1)):
        made, _ = d.searched(thumbs(*pictures).luma)
        cropped = made.window > 0
        assert cropped.any()
        assert set(made.a[cropped & (made.turn == 0)]) == {of}
        assert set(made.b[cropped & (made.turn == 0)]) == {beside}
