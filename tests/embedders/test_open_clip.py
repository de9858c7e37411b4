"""CLIP features, from tiny checkpoints made here: no internet is needed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import ModelError
from loupe.brain.embedders.open_clip import OpenClip
from loupe.brain.imaging.batches import ImageBatch

open_clip = pytest.importorskip("open_clip")

CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    """A folder with the configuration and the weights of a tiny CLIP, and the model itself."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-test-clip.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-test-clip").eval()
    torch.save(model.state_dict(), folder / "weights.pt")
    return folder, model


def batch(count: int = 3) -> ImageBatch:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 40, 56), dtype=np.uint8)
    return ImageBatch(tuple(map(str, range(count))), torch.from_numpy(pixels), ((56, 40),) * count)


def test_the_vectors_are_those_of_open_clip(made: tuple[Path, torch.nn.Module]) -> None:
    folder, model = made
    images = batch()
    vectors = OpenClip(model="tiny-test-clip", pretrained=str(folder / "weights.pt")).load("cpu")(images)
    _, _, transform = open_clip.create_model_and_transforms("tiny-test-clip")
    pictures = [Image.fromarray(image) for image in images.pixels.permute(0, 2, 3, 1).numpy()]
    with torch.no_grad():
        expected = model.encode_image(torch.stack([transform(picture) for picture in pictures]), normalize=True)
    assert vectors.shape == (3, 24)
    assert vectors.dtype == torch.float32
    assert torch.allclose(vectors, expected, atol=1e-5)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-5)


def test_a_folder_with_safetensors(made: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    folder, model = made
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        tmp_path / "open_clip_model.safetensors",
    )
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": {}}))
    by_folder = OpenClip(model=f"local-dir:{tmp_path}").load("cpu")(batch())
    by_file = OpenClip(model="tiny-test-clip", pretrained=str(folder / "weights.pt")).load("cpu")(batch())
    assert torch.allclose(by_folder, by_file, atol=1e-5)


def test_weights_that_cannot_be_had_are_an_error_that_names_the_offline_embedder() -> None:
    for spec in (
        OpenClip(model="no-such-model"),
        OpenClip(pretrained="no-such-tag"),
        OpenClip(pretrained="/no/file.pt"),
    ):
        with pytest.raises(ModelError, match=r'embedder="hog" needs no weights'):
            spec.load("cpu")


def test_a_pickle_that_is_more_than_weights_is_refused(made: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelError):
        OpenClip(model="tiny-test-clip", pretrained=str(tmp_path / "evil.pt")).load("cpu")
    assert not (tmp_path / "ran").exists()


def test_random_weights_are_never_slipped_in(made: tuple[Path, torch.nn.Module]) -> None:
    with pytest.raises(ModelError):
        OpenClip(model="tiny-test-clip", pretrained="").load("cpu")


def test_a_checkpoint_of_another_model_is_refused(made: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    _, model = made
    weights = dict(model.state_dict())
    del weights["visual.conv1.weight"]
    torch.save(weights, tmp_path / "part.pt")
    with pytest.raises(ModelError):
        OpenClip(model="tiny-test-clip", pretrained=str(tmp_path / "part.pt")).load("cpu")
