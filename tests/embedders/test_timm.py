"""Backbone features, from a checkpoint made here: no internet is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import ModelError
from loupe.brain.embedders.timm import Timm
from loupe.brain.imaging.batches import ImageBatch

timm = pytest.importorskip("timm")
MODEL = "test_vit"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    """A checkpoint file with a classifier, and the same model without it."""
    torch.manual_seed(0)
    model = timm.create_model(MODEL, pretrained=False, num_classes=10).eval()
    path = tmp_path_factory.mktemp("timm") / "weights.pt"
    torch.save(model.state_dict(), path)
    model.reset_classifier(0)
    return path, model


def batch(count: int = 3) -> ImageBatch:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 180, 200), dtype=np.uint8)
    return ImageBatch(tuple(map(str, range(count))), torch.from_numpy(pixels), ((200, 180),) * count)


def test_the_vectors_are_the_pooled_features_of_timm(made: tuple[Path, torch.nn.Module]) -> None:
    path, model = made
    images = batch()
    vectors = Timm(model=MODEL, checkpoint=str(path)).load("cpu")(images)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    pictures = [Image.fromarray(image) for image in images.pixels.permute(0, 2, 3, 1).numpy()]
    with torch.no_grad():
        features = model.forward_features(torch.stack([transform(picture) for picture in pictures]))
        expected = model.forward_head(features, pre_logits=True)
    expected = expected / expected.norm(dim=1, keepdim=True)
    assert vectors.shape == (3, model.num_features)
    assert vectors.dtype == torch.float32
    assert torch.allclose(vectors, expected, atol=1e-5)


def test_safetensors(made: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path, model = made
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    by_safetensors = Timm(model=MODEL, checkpoint=str(tmp_path / "weights.safetensors")).load("cpu")(batch())
    assert torch.allclose(by_safetensors, Timm(model=MODEL, checkpoint=str(path)).load("cpu")(batch()), atol=1e-6)


@pytest.mark.parametrize("spec", [Timm(model="no_such_model"), Timm(model=MODEL, checkpoint="/no/file.pt")])
def test_weights_that_cannot_be_had_are_an_error_that_names_another_embedder(spec: Timm) -> None:
    with pytest.raises(ModelError, match=r'embedder="efficientnet_lite"'):
        spec.load("cpu")


def test_a_checkpoint_of_another_model_is_refused(made: tuple[Path, torch.nn.Module]) -> None:
    path, _ = made
    with pytest.raises(ModelError, match="without"):
        Timm(model="test_resnet", checkpoint=str(path)).load("cpu")
