"""Vectors, the map and the index, against FiftyOne's own readers of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def filled(dataset: Any, pictures: list[Path]) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures])
    return dataset


def test_vectors_are_stored_and_are_those_of_the_embedder(filled: Any) -> None:
    import fiftyone as fo
    import torch

    import loupe
    from loupe.brain.embedders.hog import Hog
    from loupe.brain.engine.reader import read
    from loupe.brain.imaging.batches import ImageBatch

    run = loupe.embed(filled, embedder="hog", visualize=None, similarity=False)
    assert (run.n, run.skipped, run.errors) == (8, 0, 0)
    assert isinstance(filled.get_field("embeddings"), fo.VectorField)
    embed = Hog().load("cpu")
    for sample in filled:
        picture = read(sample.filepath)
        pixels = torch.from_numpy(picture.pixels.transpose(2, 0, 1)[None].copy())
        expected = embed(ImageBatch(("a",), pixels, (picture.size,)))[0].numpy()
        assert sample.embeddings.dtype == np.float32
        assert np.allclose(sample.embeddings, expected, atol=1e-6)
    assert filled.has_run(run.key)


@pytest.mark.slow
def test_the_map_is_what_the_panel_reads(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    loupe.embed(filled, embedder="hog")
    assert set(filled.list_brain_runs()) == {"embeddings_umap", "embeddings_similarity"}
    info = filled.get_brain_info("embeddings_umap")
    assert info.config.type == "visualization"
    again = fo.load_dataset(filled.name)
    again.reload()
    results = again.load_brain_results("embeddings_umap")
    assert results.points.shape == (8, 2)
    assert np.isfinite(results.points).all()
    assert set(results.sample_ids) == set(filled.values("id"))


def test_the_index_finds_the_nearest(filled: Any) -> None:
    import loupe

    loupe.embed(filled, embedder="hog", visualize=None)
    first = filled.first()
    vectors = np.stack(filled.values("embeddings"))
    expected = [filled.values("id")[index] for index in np.argsort(-(vectors @ vectors[0]), kind="stable")]
    ids = filled.sort_by_similarity(first.id, k=8, brain_key="embeddings_similarity").values("id")
    assert ids[0] == first.id
    assert ids[:3] == expected[:3]


@pytest.mark.slow
def test_nothing_is_computed_again_when_nothing_changed(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.embedders.hog import Hog

    loupe.embed(filled, embedder="hog")
    times = {key: filled.get_brain_info(key).timestamp for key in filled.list_brain_runs()}
    monkeypatch.setattr(Hog, "load", lambda self, device: pytest.fail("loaded again"))
    run = loupe.embed(filled, embedder="hog")
    assert (run.n, run.skipped) == (0, 8)
    assert {key: filled.get_brain_info(key).timestamp for key in filled.list_brain_runs()} == times


def test_only_new_and_changed_files_are_embedded_and_the_map_holds_all(filled: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    path = tmp_path / "new.png"
    Image.effect_noise((64, 64), 80).convert("RGB").save(path)
    loupe.embed(filled, embedder="hog", visualize="pca")
    filled.add_sample(fo.Sample(filepath=str(path)))
    assert loupe.embed(filled, embedder="hog", visualize="pca").n == 1
    before = filled.last().embeddings
    Image.new("RGB", (64, 64), "red").save(path)
    assert loupe.embed(filled, embedder="hog", visualize="pca").n == 1
    filled.reload()
    assert not np.allclose(filled.last().embeddings, before)
    # a view embeds its own samples, and the map is still that of the whole dataset
    assert loupe.embed(filled[:3], embedder="hog", visualize="pca", resume=False).n == 3
    assert filled.load_brain_results("embeddings_pca").points.shape == (9, 2)


def test_another_embedder_embeds_all_anew(filled: Any) -> None:
    import loupe
    from loupe.brain.embedders.hog import Hog

    loupe.embed(filled, embedder="hog", visualize=None)
    before = np.stack(filled.values("embeddings"))
    run = loupe.embed(filled, embedder=Hog(color=0.9), visualize=None)
    assert run.n == 8
    assert not np.allclose(np.stack(filled.values("embeddings")), before)
    with pytest.raises(errors.InputError, match="another embedder"):
        loupe.embed(filled[:3], embedder="hog")


def test_where_checked_was_deleted_loupes_own_field_is_embedded_anew(filled: Any) -> None:
    """Found by the fault campaign: the vectors counted as the user's own, which no call could replace."""
    import loupe

    loupe.embed(filled, embedder="hog", visualize=None, similarity=False)
    before = filled.values("embeddings")
    filled.delete_sample_field("checked")
    with pytest.raises(errors.InputError, match="outside this view"):
        loupe.embed(filled[:2], embedder="hog", visualize=None, similarity=False)
    assert loupe.embed(filled, embedder="hog", visualize=None, similarity=False).n == len(filled)
    assert np.array_equal(np.stack(filled.values("embeddings")), np.stack(before))


def test_stopped_and_taken_up_again(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.engine import reader

    monkeypatch.setattr(reader, "CHUNK", 3)

    def stop(step: loupe.Progress) -> None:
        if step.done >= 3:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.embed(filled, embedder="hog", visualize=None, progress=stop)
    assert len(filled.exists("embeddings")) == 3
    run = loupe.embed(filled, embedder="hog", visualize=None)
    assert (run.n, run.skipped) == (5, 3)
    assert len(filled.exists("embeddings")) == 8


@pytest.mark.slow
def test_an_unreadable_file_is_unknown_and_the_rest_goes_on(filled: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    filled.add_samples([fo.Sample(filepath=str(bad)), fo.Sample(filepath=str(tmp_path / "missing.png"))])
    run = loupe.embed(filled, embedder="hog")
    assert (run.n, run.errors, dict(run.unknown)) == (10, 0, {"embed": 2})
    assert len(filled.exists("embeddings")) == 8
    labels = filled.last().unknown.classifications
    assert [label.label for label in labels] == ["embed"]
    assert "no file" in labels[0].reason
    assert filled.load_brain_results("embeddings_umap").points.shape == (8, 2)
    assert loupe.embed(filled, embedder="hog").n == 0
    # a file that is mended is embedded, and is not unknown any more
    Image.new("RGB", (64, 64), "red").save(bad)
    assert loupe.embed(filled, embedder="hog").n == 1
    filled.reload()
    assert filled.match({"filepath": str(bad)}).first().unknown.classifications == []


def test_three_samples_get_vectors_and_a_message_instead_of_a_map(dataset: Any, pictures: list[Path]) -> None:
    import fiftyone as fo

    import loupe

    dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures[:3]])
    with pytest.warns(UserWarning, match="at least 5 vectors, 'embeddings' has 3"):
        run = loupe.embed(dataset, embedder="hog")
    assert "at least 5" in run.messages["umap"]
    assert len(dataset.exists("embeddings")) == 3
    assert dataset.list_brain_runs() == ["embeddings_similarity"]


@pytest.mark.slow
def test_five_and_six_samples_get_a_map(dataset: Any, pictures: list[Path]) -> None:
    import fiftyone as fo

    import loupe

    dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures[:5]])
    loupe.embed(dataset, embedder="hog", similarity=False)
    assert dataset.load_brain_results("embeddings_umap").points.shape == (5, 2)
    dataset.add_sample(fo.Sample(filepath=str(pictures[5])))
    loupe.embed(dataset, embedder="hog", similarity=False)
    assert dataset.load_brain_results("embeddings_umap").points.shape == (6, 2)


@pytest.mark.slow
def test_the_map_is_the_same_for_the_same_seed() -> None:
    from loupe.brain.verbs.embed import project

    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(size=(15, 8)) * 0.1 + center for center in np.eye(8)[:2] * 3]).astype(
        np.float32
    )
    first = project(vectors, "umap", seed=3)
    assert np.array_equal(first, project(vectors, "umap", seed=3))
    gap = np.linalg.norm(first[:15].mean(0) - first[15:].mean(0))
    assert gap > 2 * max(first[:15].std(), first[15:].std())


@pytest.mark.parametrize(("n", "width"), [(30, 6), (12, 40)])
def test_pca_is_that_of_an_independent_implementation(n: int, width: int) -> None:
    from sklearn.decomposition import PCA

    from loupe.brain.verbs.embed import project

    vectors = np.random.default_rng(0).normal(size=(n, width)).astype(np.float32)
    vectors *= np.linspace(1, 9, width, dtype=np.float32) ** 2
    expected = PCA(2).fit_transform(vectors)
    assert np.allclose(np.abs(project(vectors, "pca")), np.abs(expected), rtol=1e-2, atol=1e-2)


def test_bad_input(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    with pytest.raises(errors.UnknownName, match="Did you mean 'hog'"):
        loupe.embed(filled, embedder="hogg")
    with pytest.raises(errors.InputError, match="give another field"):
        loupe.embed(filled, embedder="hog", field="filepath")
    with pytest.raises(errors.InputError, match="field name"):
        loupe.embed(filled, embedder="hog", field="a.b")
    with pytest.raises(errors.InputError, match="visualize"):
        loupe.embed(filled, embedder="hog", visualize="tsne")
    with pytest.raises(errors.NoSamples):
        loupe.embed(filled.limit(0), embedder="hog")
    filled.add_sample_field("mine", fo.VectorField)
    filled.set_values("mine", [np.ones(3)] * 8)
    with pytest.raises(errors.InputError, match="did not make"):
        loupe.embed(filled, embedder="hog", field="mine")
    assert np.array_equal(filled.first().mine, np.ones(3))


def test_weights_that_cannot_be_had_leave_everything_as_it_was(filled: Any) -> None:
    import loupe
    from loupe.brain.embedders.open_clip import OpenClip

    with pytest.raises(errors.ModelError, match='embedder="efficientnet_lite"'):
        loupe.embed(filled, embedder=OpenClip(pretrained="no-such-tag"))
    assert not filled.has_field("embeddings") or not len(filled.exists("embeddings"))
    assert "embedders" not in filled.info.get("loupe", {})


@pytest.mark.slow
def test_the_real_one(filled: Any, weights: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.embedders import open_clip
    from loupe.brain.perception import weights_table

    (tmp_path / weights_table.TABLE["efficientnet_lite0"].file).symlink_to(weights("efficientnet_lite0"))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", str(tmp_path))
    monkeypatch.setattr(open_clip.OpenClip, "absent", lambda self: "not here")
    run = loupe.embed(filled, visualize="pca")
    assert (run.n, run.errors, run.params["embedder"]["name"]) == (8, 0, "efficientnet_lite")
    vectors = np.stack(filled.values("embeddings"))
    assert vectors.shape == (8, 1280)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_of_very_many_vectors_some_are_mapped_and_the_others_lie_amid_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.verbs.steps import embedding

    monkeypatch.setattr(embedding, "DRAWN_FROM", 60)
    monkeypatch.setattr(embedding, "_PART", 64)
    rng = np.random.default_rng(0)
    groups = np.arange(200) % 2
    vectors = (3 * np.eye(8)[groups] + 0.1 * rng.normal(size=(200, 8))).astype(np.float32)
    vectors[7] = 0
    points = embedding.project(vectors, "umap", seed=3)
    assert points.shape == (200, 2)
    assert np.isfinite(points).all()
    assert np.array_equal(points, embedding.project(vectors, "umap", seed=3))
    chosen = np.sort(np.random.default_rng(3).choice(200, 60, replace=False))
    monkeypatch.setattr(embedding, "DRAWN_FROM", 200)
    np.testing.assert_array_equal(points[chosen], embedding.project(vectors[chosen], "umap", seed=3))
    middles = [points[chosen][groups[chosen] == group].mean(0) for group in (0, 1)]
    others = np.setdiff1d(np.arange(200), [*chosen.tolist(), 7])
    nearer = np.linalg.norm(points[others, None] - np.stack(middles), axis=2).argmin(1)
    assert (nearer == groups[others]).all()
    assert embedding.drawn_message("umap", 200) == ""
    assert "200 of the 201 vectors" in embedding.drawn_message("umap", 201)
    assert embedding.drawn_message("pca", 10**6) == ""
