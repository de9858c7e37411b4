"""Clusters of vectors, named by what tells them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loupe
from loupe.brain.core.errors import InputError, NoSamples, UnknownName
from loupe.brain.slicing.clusters import cluster_names, k_means
from loupe.brain.slicing.columns import NONE

N = 40


@pytest.fixture
def three(dataset: Any) -> Any:
    """Three heaps of vectors: 20 at night, 12 by day in the rain, 8 of nothing in particular; six samples without."""
    import fiftyone as fo

    rng = np.random.default_rng(3)
    heap = [0] * 20 + [1] * 12 + [2] * 8
    prompts = {0: ["a cup", "a lantern"], 1: ["a cup in the rain", "rain on a street"], 2: ["a cup", "a dog"]}
    samples = [fo.Sample(filepath=f"/nowhere/x{index}.png", prompt="x-ray") for index in range(6)]
    for index, of in enumerate(heap):
        vector = np.eye(3)[of] + rng.normal(scale=0.05, size=3)
        scenario = fo.DynamicEmbeddedDocument(time=["Night", "day", None][of])
        prompt = prompts[of][index % 2]
        samples.append(fo.Sample(filepath=f"/nowhere/{index}.png", v=vector, prompt=prompt, scenario=scenario))
    dataset.add_samples(samples, dynamic=True, progress=False)
    return dataset


@pytest.mark.database
def test_heaps_are_clusters_and_have_their_words(three: Any) -> None:
    result = loupe.find_clusters(three, 3, embeddings="v")
    names = ["1: night, lantern", "2: day, rain, street", "3: dog"]
    assert result.counts == dict(zip(names, [20, 12, 8], strict=True))
    assert three.values("cluster") == [None] * 6 + [names[0]] * 20 + [names[1]] * 12 + [names[2]] * 8
    assert (result.unknown, result.unsure) == (6, 0)
    assert three.list_runs() == ["loupe_find_clusters_1"]
    table = loupe.slice(three, loupe.Factor.clusters(), failure="blur")
    assert [(rate.slice.values["cluster"], rate.unchecked) for rate in table] == [*result.counts.items(), (NONE, 6)]
    assert loupe.find_clusters(three, 3, embeddings="v") == result  # the same again
    loupe.find_clusters(three.limit(9), 2, embeddings="v", field="few")
    assert [value is None for value in three.values("few")] == [True] * 6 + [False] * 3 + [True] * 37


@pytest.mark.database
def test_what_clusters_cannot_be_made_of(three: Any) -> None:
    for n in (1, 101, True, 2.0):
        with pytest.raises(InputError, match="expected n to be a whole number"):
            loupe.find_clusters(three, n, embeddings="v")
    with pytest.raises(InputError, match="at least 50 different vectors to make 50 clusters of, got 40"):
        loupe.find_clusters(three, 50, embeddings="v")
    with pytest.raises(UnknownName, match=r"'embeddings'.* v"):
        loupe.find_clusters(three, 3)
    with pytest.raises(InputError, match="'prompt' is a field that Loupe did not make"):
        loupe.find_clusters(three, 3, embeddings="v", field="prompt")
    with pytest.raises(NoSamples):
        loupe.find_clusters(three.limit(0), 3, embeddings="v")
    assert not three.has_field("cluster")
    with pytest.raises(InputError, match=r"run loupe\.find_clusters\(samples, field='cluster'\)"):
        loupe.slice(three, loupe.Factor.clusters())


def test_the_largest_cluster_is_the_first_and_seeds_decide() -> None:
    rng = np.random.default_rng(1)
    heaps = np.repeat(np.eye(4), [5, 30, 10, 20], axis=0) + rng.normal(scale=0.01, size=(65, 4))
    labels = k_means(heaps.astype(np.float32), 4)
    assert labels.tolist() == [3] * 5 + [0] * 30 + [2] * 10 + [1] * 20
    noise = rng.normal(size=(200, 5)).astype(np.float32)
    assert (k_means(noise, 5, seed=1) == k_means(noise, 5, seed=1)).all()
    assert (k_means(noise, 5, seed=1) != k_means(noise, 5, seed=2)).any()
    assert np.diff(np.bincount(k_means(noise, 5))).max() <= 0


def test_a_cluster_that_nothing_tells_of_has_its_number() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    assert cluster_names(labels, [{"cup"}] * 20) == ["1", "2"]
    # in a fifth more of them, and twice as often
    assert cluster_names(labels, [{"a"}] * 4 + [set()] * 6 + [{"a"}] * 2 + [set()] * 8) == ["1: a", "2"]
    assert cluster_names(labels, [{"a"}] * 3 + [set()] * 7 + [{"a"}] * 2 + [set()] * 8) == ["1", "2"]
    assert cluster_names(labels[:0], []) == []
    assert cluster_names(np.array([0, 0]), [{"a", "b", "c", "d"}, {"a", "b", "c", "d"}]) == ["1: a, b, c"]
