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


def test_weights_that_cannot_be_had_are_an_error_that_names_another_embedder() -> None:
    for spec in (
        OpenClip(model="no-such-model"),
        OpenClip(pretrained="no-such-tag"),
        OpenClip(pretrained="/no/file.pt"),
    ):
        with pytest.raises(ModelError, match=r'embedder="efficientnet_lite"'):
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


def test_the_default_weights_are_looked_for_where_open_clip_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
    from open_clip.pretrained import get_pretrained_cfg

    from loupe.brain.embedders import open_clip as ours

    spec = OpenClip()
    assert get_pretrained_cfg(spec.model, spec.pretrained)["hf_hub"].rstrip("/") == ours._REPOSITORY
    assert {HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME} == set(ours._FILES)

    real = huggingface_hub.try_to_load_from_cache
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda repository, file: real(repository, file, cache_dir=tmp_path)
    )
    assert 'embedder="open_clip"' in spec.absent()
    folder = tmp_path / f"models--{ours._REPOSITORY.replace('/', '--')}"
    for file in ours._FILES:
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / "main").write_text("abc")
        (folder / "snapshots" / "abc").mkdir(parents=True, exist_ok=True)
        (folder / "snapshots" / "abc" / file).write_bytes(b"")
        assert not spec.absent()
        (folder / "snapshots" / "abc" / file).unlink()
    assert not OpenClip(model="local-dir:/nowhere").absent(), "what is named is looked for by load"
