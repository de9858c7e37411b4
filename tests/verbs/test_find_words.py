"""Words that fit pictures, by a tiny CLIP that knows nothing: the right vectors are compared, and what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scenes import scene
from tiny_clip import tiny_clip

import loupe
from loupe.brain.core.errors import InputError, NoSamples, UnknownName
from loupe.brain.slicing.columns import NONE
from loupe.brain.slicing.words import best_words

pytestmark = pytest.mark.database


@pytest.fixture
def embedded(dataset: Any, tmp_path: Path) -> tuple[Any, Any]:
    """Nine pictures with vectors of a tiny CLIP, and one without; the embedder."""
    import fiftyone as fo

    pytest.importorskip("open_clip")
    for index in range(10):
        Image.fromarray(scene(index)).save(tmp_path / f"{index}.png")
        dataset.add_sample(fo.Sample(filepath=str(tmp_path / f"{index}.png")))
    spec = tiny_clip(tmp_path)
    loupe.embed(dataset, embedder=spec, visualize=None, similarity=False)
    dataset.set_values("embeddings", [*dataset.values("embeddings")[:9], None])
    return dataset, spec


def test_each_picture_gets_the_word_of_the_nearest_text(embedded: Any) -> None:
    import open_clip
    import torch

    dataset, spec = embedded
    words = ["day", "night", "rain"]
    result = loupe.find_words(dataset, words, margin=0)
    model = open_clip.create_model(spec.model, pretrained=spec.pretrained).eval()
    tokens = open_clip.get_tokenizer(spec.model)([f"a photo of {word}" for word in words])
    with torch.no_grad():
        texts = model.encode_text(tokens, normalize=True).numpy()
    cosines = np.stack(dataset.values("embeddings")[:9]) @ texts.T
    assert dataset.values("words") == [*(words[at] for at in cosines.argmax(axis=1)), None]
    assert result.counts == {word: dataset.values("words").count(word) for word in words}
    assert (result.unsure, result.unknown, result.field) == (0, 1, "words")
    # a margin between the gaps: those below abstain
    gaps = np.sort(cosines, axis=1)[:, -1] - np.sort(cosines, axis=1)[:, -2]
    margin = float(np.sort(gaps)[3:5].mean())
    again = loupe.find_words(dataset, words, margin=margin, field="sure")
    assert [value is None for value in dataset.values("sure")] == [*(gaps < margin), True]
    assert again.unsure == 4
    assert repr(again).startswith("5 samples in 'sure', 4 unsure, 1 unknown")
    assert dataset.list_runs() == ["loupe_embed_1", "loupe_find_words_1", "loupe_find_words_2"]
    table = loupe.slice(dataset, loupe.Factor.words(path="sure"), failure="blur")
    assert {rate.slice.values["sure"]: rate.unchecked for rate in table} == {
        **{word: count for word, count in again.counts.items() if count},
        NONE: 5,
    }


def test_a_view_leaves_the_others_as_they_are_and_another_call_replaces(embedded: Any) -> None:
    dataset, _ = embedded
    loupe.find_words(dataset, ["day", "night"], margin=0)
    before = dataset.values("words")
    loupe.find_words(dataset.limit(3), ["cat", "dog"], margin=0)
    assert set(dataset.values("words")[:3]) <= {"cat", "dog"}
    assert dataset.values("words")[3:] == before[3:]
    result = loupe.find_words(dataset, ["cat", "dog"], margin=1.9)
    assert (result.unsure, dataset.values("words")) == (9, [None] * 10)


def test_what_words_cannot_be_found_by(embedded: Any) -> None:
    import fiftyone as fo

    dataset, _ = embedded
    for words in ("day", ["day"], ["day", "day"], ["day", 3], ["day", " "], []):
        with pytest.raises(InputError, match="two or more different words"):
            loupe.find_words(dataset, words)
    with pytest.raises(InputError, match=r"a template with \{\} for the word"):
        loupe.find_words(dataset, ["day", "night"], template="a photo")
    for margin in (-0.1, 2, True, "1"):
        with pytest.raises(InputError, match=r"(a margin of cosine|expected margin to be)"):
            loupe.find_words(dataset, ["day", "night"], margin=margin)
    with pytest.raises(UnknownName, match=r"'embedding'\. Did you mean 'embeddings'"):
        loupe.find_words(dataset, ["day", "night"], embeddings="embedding")
    dataset.set_values("mine", ["x"] * 10)
    with pytest.raises(InputError, match="'mine' is a field that Loupe did not make"):
        loupe.find_words(dataset, ["day", "night"], field="mine")
    with pytest.raises(InputError, match=r"letters, digits and _, got 'a\.b'"):
        loupe.find_words(dataset, ["day", "night"], field="a.b")
    dataset.add_sample_field("others", fo.VectorField)
    dataset.set_values("others", [np.ones(4)] * 10)
    with pytest.raises(InputError, match=r"vectors that loupe\.embed made, by one of open_clip: 'others'"):
        loupe.find_words(dataset, ["day", "night"], embeddings="others")
    loupe.embed(dataset, embedder="hog", field="shapes", visualize=None, similarity=False)
    with pytest.raises(InputError, match=r"knows texts \(open_clip\), but 'shapes' has those of hog"):
        loupe.find_words(dataset, ["day", "night"], embeddings="shapes")
    with pytest.raises(NoSamples):
        loupe.find_words(dataset.limit(0), ["day", "night"])
    assert not dataset.has_field("words")
    with pytest.raises(InputError, match=r"expected 'words' on these samples, got none: run loupe\.find_words"):
        loupe.slice(dataset, loupe.Factor.words())


def test_of_no_picture_there_is_no_word() -> None:
    assert best_words(np.zeros((0, 2)), np.eye(2)).tolist() == []
    assert best_words(np.array([[1.0, 0], [1, 1]]), np.eye(2)).tolist() == [0, -1]
