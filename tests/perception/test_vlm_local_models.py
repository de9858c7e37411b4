"""Which models the VLM on this machine takes, from where, and which it refuses."""

from __future__ import annotations

import json
import pickle
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
from tiny_vlm import build, questions

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.perception.vlm.local import LocalVlm

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vlms") / "tiny-qwen"
    build(folder)
    return folder


@pytest.fixture
def copy(untaught: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untaught, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"dtype": "int8"}, "dtype"), ({"batch_size": 0}, "batch_size"), ({"batch_size": True}, "batch_size")],
)
def test_settings_out_of_bounds(settings: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        LocalVlm("x/y", **settings)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("", "the name of a model"),
        ("a\0b", "the name of a model"),
        ("no-such-folder", "there is no such folder"),
        ("nobody/nothing", r"cache or on the hub, got neither .*hf download nobody/nothing"),
        ("nobody/nothing/at/all", "there is no such folder"),
    ],
)
def test_a_model_that_is_not_there(model: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        LocalVlm(model)


def test_a_revision(untaught: Path) -> None:
    with pytest.raises(ModelError, match="'nobody/nothing' at 'v2'"):
        LocalVlm("nobody/nothing", revision="v2")
    with pytest.raises(ModelError, match="no revision of a local folder"):
        LocalVlm(str(untaught), revision="main")


def test_a_model_in_the_hubs_cache(untaught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repo = tmp_path / "models--someone--tiny"
    shutil.copytree(untaught, repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for revision in (None, "main", commit):
        vlm = LocalVlm("someone/tiny", revision=revision)
        assert vlm.facts["fingerprint"] == f"hub:{commit}"
        assert vlm.facts["model"] == "someone/tiny"
        assert vlm.answer(questions(1))[0].mass > 0
    with pytest.raises(ModelError, match="at 'other'"):
        LocalVlm("someone/tiny", revision="other")


class _Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (Path(self.path),)


def test_a_pickle_is_never_opened(copy: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="weights as safetensors, got chat_template"):
        LocalVlm(str(copy))
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(_Evil(str(trap))))
    with pytest.raises(ModelError, match=r"weights as safetensors, got \.bin only"):
        LocalVlm(str(copy))
    # not even where some other safetensors file lies beside it
    (copy / "adapter.safetensors").write_bytes(b"")
    with pytest.raises(ModelError):
        LocalVlm(str(copy))
    assert not trap.exists()


@pytest.mark.parametrize("part", ["config.json", "processor_config.json", "tokenizer_config.json"])
def test_code_that_comes_with_a_model_is_not_run(copy: Path, tmp_path: Path, part: str) -> None:
    trap = tmp_path / "trap"
    (copy / "evil.py").write_text(f"import pathlib\npathlib.Path({str(trap)!r}).touch()\nclass Evil: pass\n")
    values = json.loads((copy / part).read_text())
    classes = ("AutoConfig", "AutoModelForImageTextToText", "AutoProcessor", "AutoImageProcessor")
    values["auto_map"] = {**dict.fromkeys(classes, "evil.Evil"), "AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    if part == "config.json":
        values["model_type"] = "evil"
    else:
        values.update(processor_class="Evil", tokenizer_class="Evil")
    (copy / part).write_text(json.dumps(values))
    # a tokenizer that transformers has itself is taken from there
    refused = pytest.raises(ModelError, match="copy brings code of its own, which Loupe does not run")
    with refused if part != "tokenizer_config.json" else nullcontext():
        LocalVlm(str(copy))
    assert not trap.exists()


def test_a_folder_that_is_no_model(tmp_path: Path, copy: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match=r"config\.json, got nothing"):
        LocalVlm(str(empty))
    for broken in ("{", "[]", "{}", '{"model_type": "bert"}'):
        (copy / "config.json").write_text(broken)
        with pytest.raises(ModelError, match="cannot be loaded"):
            LocalVlm(str(copy))


def test_broken_weights(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        LocalVlm(str(copy))


def test_missing_weights_are_not_made_up(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = copy / "model.safetensors"
    weights = load_file(path)
    del weights["lm_head.weight"]
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"expected all weights, got none for lm_head\.weight and 1 in all"):
        LocalVlm(str(copy))


def test_a_model_without_a_chat_template_or_without_words(copy: Path) -> None:
    tokenizer = copy / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"No"', '"Nope"').replace('"no"', '"nope"'))
    with pytest.raises(ModelError, match="a token for 'no'"):
        LocalVlm(str(copy))
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="chat template"):
        LocalVlm(str(copy))
