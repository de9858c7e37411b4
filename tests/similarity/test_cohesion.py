"""How alike the members of a group are to the one that stands for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import scene

from loupe.brain.core.records import Threshold
from loupe.brain.similarity import cohesion
from loupe.brain.similarity.fingerprints import Contents, Fingerprint
from loupe.brain.similarity.thumbnail_similarity import thumbnails

NEAR = Threshold(">", 0.85)


def contents(*pictures: np.ndarray) -> Contents:
    prints: list[Fingerprint | None] = []
    for at, picture in enumerate(pictures):
        made = thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
        area = picture.shape[0] * picture.shape[1]
        prints.append(Fingerprint(None, f"{at:032x}", area, made.luma[0], made.chroma[0]))
    return Contents.of(prints, {})


def test_a_chain_of_different_pictures_is_loose_and_a_group_of_copies_is_not() -> None:
    first = scene(0)
    known = contents(first, first[:, ::-1].copy(), first[4:, 6:].copy(), scene(1), scene(2), scene(3))
    groups = [[0, 1, 2], [3, 4, 5]]
    # the chain was told so: 3 like 4, 4 like 5
    chain = {(3, 4): 0.9, (4, 5): 0.9}
    means = cohesion.mean_similarities(groups, np.arange(6), [(known, chain)])
    assert means[0] > 0.95
    assert means[1] == pytest.approx(0.45, abs=0.2)
    assert cohesion.loose(groups, means, NEAR) == [1]
    assert "1 of 2 groups is loose" in cohesion.message(groups, [1], "pictures")
    assert cohesion.message(groups, [], "pictures") == ""
    # what is alike in another part counts
    means = cohesion.mean_similarities(groups, np.arange(6), [(known, chain), (known, {(3, 5): 1.0})])
    assert means[1] == pytest.approx(0.95)


def test_equal_ones_are_alike_and_large_groups_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    known = contents(scene(0), scene(0), scene(1))
    groups = [[0, 1]]
    assert cohesion.mean_similarities(groups, np.array([0, 0, 2]), [(known, {})]).tolist() == [1.0]
    assert cohesion.loose(groups, np.array([1.0]), Threshold(">", 1.0)) == []
    assert cohesion.mean_similarities([], np.zeros(0, int), [(known, {})]).tolist() == []
    compared: list[int] = []
    monkeypatch.setattr(cohesion, "_compared", lambda _, pairs: compared.append(len(pairs)) or [1.0] * len(pairs))
    many = Contents([None] * 5000, np.zeros(5000, np.int64), known.thumbs, {}, known.previews)
    assert cohesion.mean_similarities([list(range(5000))], np.arange(5000), [(many, {})]).tolist() == [1.0]
    assert compared == [100]
