"""The nearest others: by brute force, by FiftyOne's index, from samples, slices and sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database

N = 60


@pytest.fixture
def filled(dataset: Any, tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(N, 8)).astype(np.float32)
    for at in range(N):
        path = tmp_path / f"{at}.png"
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
        sample = fo.Sample(filepath=str(path), embeddings=vectors[at], tags=["train" if at % 2 else "test"])
        if at % 3:
            sample["label"] = fo.Classification(label="cat")
        dataset.add_sample(sample)
    return dataset


def brute(dataset: Any, query: list[str], field: str = "embeddings", among: Any = None) -> list[str]:
    rows = dict(zip(*dataset.values(["id", field]), strict=True))
    unit = {each: np.asarray(vector) / np.linalg.norm(vector) for each, vector in rows.items() if vector is not None}
    mean = np.mean([unit[each] for each in query], axis=0)
    others = [each for each in (among or dataset).values("id") if each not in query and each in unit]
    return sorted(others, key=lambda each: -float(unit[each] @ mean))


def test_it_is_brute_force(filled: Any) -> None:
    import loupe

    ids = filled.values("id")
    made = loupe.more_like(filled, ids[3], 10)
    assert list(made.ids) == brute(filled, [ids[3]])[:10]
    assert made.by == "exact"
    assert made.searched == N - 1
    assert list(made.distances) == sorted(made.distances)
    unit = np.stack(filled.values("embeddings"))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    place = {each: at for at, each in enumerate(ids)}
    assert made.distances[0] == pytest.approx(1 - unit[3] @ unit[place[made.ids[0]]], abs=1e-5)
    assert loupe.view_of(filled, made).values("id") == list(made.ids)
    assert f"sample {ids[3]}" in repr(made)
    assert filled.list_runs() == []


def test_several_a_sample_and_a_view(filled: Any) -> None:
    import loupe

    ids = filled.values("id")
    several = brute(filled, ids[:4])[:7]
    assert list(loupe.more_like(filled, ids[:4], 7).ids) == several
    assert list(loupe.more_like(filled, filled.limit(4), 7).ids) == several
    assert list(loupe.more_like(filled, filled.first(), 7).ids) == brute(filled, ids[:1])[:7]
    assert len(loupe.more_like(filled, ids[0], 1000).ids) == N - 1


def test_a_finding_of_slices(filled: Any) -> None:
    import loupe
    from loupe.brain.core.findings import Finding

    filled.set_values("time", ["night"] * 20 + ["day"] * 40)
    filled.set_values("bad", [at < 18 or at == 40 for at in range(N)])
    bad = loupe.Outcome.field("bad", failed=[True])
    result = loupe.discover_slices(filled, outcome=bad, by=["time"], min_samples=5)
    listed = [*result.findings, *result.candidates]
    assert isinstance(listed[0], Finding)
    made = loupe.more_like(filled, listed[0], 5)
    night = filled.values("id")[:20]
    assert list(made.ids) == brute(filled, night)[:5]


def test_among_those_that_fail_that_have_no_label_and_of_a_split(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    ids = filled.values("id")
    blur = fo.Classifications(classifications=[fo.Classification(label="blur")])
    filled.set_values("failures", [None if at % 5 else blur.copy() for at in range(N)])
    filled.set_values("quality", [fo.DynamicEmbeddedDocument(sharpness=0.1) for _ in range(N)])
    failing = filled.select([ids[at] for at in range(0, N, 5)])
    made = loupe.more_like(filled, ids[1], 5, failing="blur")
    assert list(made.ids) == brute(filled, [ids[1]], among=failing)[:5]
    assert made.searched == 12
    unlabeled = loupe.more_like(filled, ids[1], 50, unlabeled="label")
    assert set(unlabeled.ids) == {ids[at] for at in range(0, N, 3)}
    test = loupe.more_like(filled, ids[1], 50, split="test")
    assert set(test.ids) == {ids[at] for at in range(0, N, 2)}
    filled.set_values("split", ["hold" if at < 9 else None for at in range(N)])
    assert set(loupe.more_like(filled, ids[1], 50, split="hold").ids) == set(ids[:9]) - {ids[1]}
    view = loupe.more_like(filled.limit(10), ids[50], 50)
    assert set(view.ids) == set(ids[:10])
    assert not loupe.more_like(filled.limit(1), ids[0]).ids


def test_vectors_that_are_not_usable(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    ids, vectors = filled.values("id"), filled.values("embeddings")
    vectors[0], vectors[1] = None, np.full(8, np.nan)
    filled.set_values("embeddings", vectors)
    made = loupe.more_like(filled, ids[5], 100)
    assert made.unknown == 2
    assert not {ids[0], ids[1]} & set(made.ids)
    nobody = loupe.more_like(filled.limit(2), ids[5])
    assert (nobody.ids, nobody.searched, nobody.unknown) == ((), 2, 2)
    for at in (0, 1):
        with pytest.raises(InputError, match=r"no usable vector.*loupe\.embed"):
            loupe.more_like(filled, ids[at])
    vectors[2:4] = [np.ones(8), -np.ones(8)]
    filled.set_values("embeddings", vectors)
    with pytest.raises(InputError, match="opposite directions"):
        loupe.more_like(filled, ids[2:4])


def test_fiftyones_index_gives_the_same(filled: Any) -> None:
    import fiftyone.brain as fob

    import loupe

    loupe.embed(filled, embedder="hog", field="shapes", visualize=None)
    ids = filled.values("id")
    made = loupe.more_like(filled, ids[3], 8, embeddings="shapes")
    assert made.by == "shapes_similarity"
    filled.delete_brain_run("shapes_similarity")
    exact = loupe.more_like(filled, ids[3], 8, embeddings="shapes")
    assert exact.by == "exact"
    assert made.ids == exact.ids
    assert made.searched == exact.searched == N - 1
    np.testing.assert_allclose(made.distances, exact.distances, atol=1e-5)
    # one of somebody's own, with a metric that is not that of cosines, is not taken
    fob.compute_similarity(filled, embeddings="embeddings", brain_key="own", backend="sklearn", metric="cosine")
    assert loupe.more_like(filled, ids[3]).by == "exact"


def test_a_vector_that_an_index_still_holds_is_no_match_once_it_is_none(filled: Any) -> None:
    import loupe

    loupe.embed(filled, embedder="hog", field="shapes", visualize=None)
    ids = filled.values("id")
    first, second = loupe.more_like(filled, ids[3], 2, embeddings="shapes").ids
    held = dict(zip(ids, filled.values("shapes"), strict=True))
    held[first] = np.full_like(held[first], np.nan)
    filled.set_values("shapes", list(held.values()))
    made = loupe.more_like(filled, ids[3], 2, embeddings="shapes")
    assert made.by == "shapes_similarity"
    assert made.ids[0] == second
    assert first not in made.ids


def test_an_index_that_is_out_of_date_is_not_taken(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    loupe.embed(filled, embedder="hog", field="shapes", visualize=None)
    path = filled.first().filepath
    filled.add_sample(fo.Sample(filepath=path))
    loupe.embed(filled, embedder="hog", field="shapes", visualize=None, similarity=False)
    made = loupe.more_like(filled, filled.first(), 1, embeddings="shapes")
    assert made.by == "exact"
    assert made.ids == (filled.last().id,)
    assert made.distances[0] == pytest.approx(0, abs=1e-5)
    loupe.embed(filled, embedder="hog", field="shapes", visualize=None)
    view = filled.match_tags("test")
    made = loupe.more_like(view, filled.last(), 3, embeddings="shapes")
    assert made.by == "shapes_similarity"
    assert list(made.ids) == brute(filled, [filled.last().id], "shapes", among=view)[:3]


def test_a_sentence(filled: Any, tmp_path: Path) -> None:
    from tiny_clip import tiny_clip

    import loupe
    from loupe.brain.core.errors import InputError

    clip = tiny_clip(tmp_path)
    loupe.embed(filled, embedder=clip, field="clip", visualize=None, similarity=False)
    made = loupe.more_like(filled, "a red sign", 5, embeddings="clip")
    assert made.query == "'a red sign'"
    text = clip.load_texts("cpu")(["a red sign"]).numpy()[0]
    unit = np.stack(filled.values("clip"))
    assert list(made.ids) == [filled.values("id")[at] for at in np.argsort(-(unit @ text), kind="stable")[:5]]
    assert made.searched == N
    with pytest.raises(InputError, match=r"vectors that loupe\.embed made, by one of open_clip"):
        loupe.more_like(filled, "a red sign")
    loupe.embed(filled, embedder="hog", field="shapes", visualize=None, similarity=False)
    with pytest.raises(InputError, match=r"those of hog: run loupe\.embed"):
        loupe.more_like(filled, "a red sign", embeddings="shapes")


def test_a_sentence_without_the_weights_says_what_to_do(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.core.errors import MissingWeights
    from loupe.brain.embedders.open_clip import OpenClip
    from loupe.brain.store import vectors

    vectors.remember_embedder(filled, OpenClip(), "embeddings")
    monkeypatch.setattr(OpenClip, "absent", lambda self: "its weights are not here, run `this`")
    with pytest.raises(MissingWeights, match=r"not here, run `this`\. Or ask by the id of a sample"):
        loupe.more_like(filled, "a red sign")


def test_odd_queries_are_refused(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    for query, words in (
        ("", "empty text"),
        ("  ", "empty text"),
        ([], "at least one sample"),
        (filled.limit(0), "at least one sample"),
        (["a sentence"], "by itself"),
        (7, "got int"),
        (None, "got NoneType"),
        ("0" * 24, "does not have"),
    ):
        with pytest.raises(InputError, match=words):
            loupe.more_like(filled, query)
    query = filled.first().id
    for n in (0, -1, True, 2.5):
        with pytest.raises(InputError, match="expected n to be a whole number"):
            loupe.more_like(filled, query, n)
    with pytest.raises(UnknownName, match="Did you mean 'embeddings'"):
        loupe.more_like(filled, query, embeddings="embedding")
    with pytest.raises(UnknownName, match="failure mode"):
        loupe.more_like(filled, query, failing="blurr")
    with pytest.raises(UnknownName, match="labels"):
        loupe.more_like(filled, query, unlabeled="labels")
    with pytest.raises(InputError, match="split 'tset'"):
        loupe.more_like(filled, query, split="tset")
    with pytest.raises(NoSamples):
        loupe.more_like(filled.limit(0), query)
