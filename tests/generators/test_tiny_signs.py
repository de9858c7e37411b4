"""The sign renderer, the training stages in miniature, the sign reader's decoder and the carried checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers")
pytest.importorskip("cv2")

import torch

from benchmarks.generators import sign_reader
from training.tiny_signs import common, export, signs, tokenizer, train, train_text, train_unet
from training.tiny_signs.evaluate import Row, generate, measured_signs

pytestmark = pytest.mark.slow

MODEL = Path(__file__).parents[2] / "models" / "tiny-signs"
SIGN = signs.Sign("red", "42", "day", "clear")
carried = pytest.mark.skipif(not (MODEL / "model_index.json").exists(), reason="the checkpoint is not here")


def test_render_is_seeded_and_has_the_native_size() -> None:
    first = signs.render(SIGN, np.random.default_rng(3))
    again = signs.render(SIGN, np.random.default_rng(3))
    other = signs.render(SIGN, np.random.default_rng(4))
    assert first.shape == (signs.HEIGHT, signs.WIDTH, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_held_out_digits_are_never_trained_on() -> None:
    for legible in (True, False):
        train_bank, held = signs.digit_bank("train", legible), signs.digit_bank("heldout", legible)
        assert set(train_bank) == set(held) == set(range(10))
        counts = sum(map(len, train_bank.values())) + sum(map(len, held.values()))
        assert min(map(len, held.values())) >= 3
        assert legible or counts == 1797


def test_fog_hides_contrast_and_night_is_dark() -> None:
    def picture(time: str, weather: str) -> np.ndarray:
        return signs.render(signs.Sign("blue", "8", time, weather), np.random.default_rng(0)).astype(float)

    assert picture("day", "fog").std() < 0.6 * picture("day", "clear").std()
    assert picture("night", "clear").mean() < 0.5 * picture("day", "clear").mean()


def test_each_word_of_the_grammar_is_one_token(tmp_path: Path) -> None:
    made = tokenizer.build_tokenizer(tmp_path)
    for color in signs.COLORS:
        for weather in signs.WEATHERS:
            ids = made(signs.prompt_of(signs.Sign(color, "4096", "night", weather))).input_ids
            assert len(ids) == 16
            assert made.convert_ids_to_tokens(ids)[7:11] == ["4</w>", "0</w>", "9</w>", "6</w>"]


@pytest.mark.parametrize("prompt", ["", "東京 🐈 Ünïcode", "word " * 80, "a\x00b\n"])
def test_any_prompt_tokenises_to_the_same_length(tmp_path: Path, prompt: str) -> None:
    made = tokenizer.build_tokenizer(tmp_path)
    encoded = made(prompt, padding="max_length", truncation=True, max_length=made.model_max_length)
    assert len(encoded.input_ids) == tokenizer.MAX_LENGTH
    assert max(encoded.input_ids) < len(made)


def test_column_labels_are_centered() -> None:
    assert train_text.column_labels("7").count(7) == 5
    two = train_text.column_labels("12")
    assert two.index(2) - two.index(1) == 5
    assert two[0] == two[-1] == train_text.BOARDLESS


@pytest.mark.slow
def test_training_runs_resumes_and_exports(tmp_path: Path) -> None:
    limits = ["--vae-steps", "1", "--text-steps", "1", "--pool", "8", "--batch", "4", "--device", "cpu"]
    run = ["--out", str(tmp_path / "run"), *limits]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "train_vae", lambda *a: _short_vae(*a))
        train.main([*run, "--steps", "2"])
        state = common.load_state(tmp_path / "run" / "unet.pt")
        assert state is not None
        assert state["step"] == 2
        train.main([*run, "--steps", "3"])
    state = common.load_state(tmp_path / "run" / "unet.pt")
    assert state is not None
    assert state["step"] == 3
    size = export.export(tmp_path / "run", tmp_path / "model")
    assert 0 < size <= export.LIMIT_BYTES
    assert str(tmp_path) not in "".join(p.read_text() for p in (tmp_path / "model").rglob("*.json"))


def _short_vae(out: Path, budget: common.Budget, seed: int, device: torch.device) -> object:
    from training.tiny_signs.train_vae import train_vae

    return train_vae(out, budget, seed, device, batch=2, pool=4)


def test_budget_counts_earlier_runs() -> None:
    budget = common.Budget(10, 0.0)
    assert budget.progress(5) == 0.5
    assert budget.over(10)
    timed = common.Budget(0, 100.0)
    timed.spent_before = 150.0
    assert timed.over(0)


def test_average_follows_the_weights() -> None:
    weight = torch.nn.Parameter(torch.zeros(2))
    average = train_unet.Average([weight])
    with torch.no_grad():
        weight.fill_(1.0)
    for step in range(200):
        average.update([weight], step)
    assert 0.5 < float(average.shadow[0][0]) <= 1.0


def test_a_row_counts_what_is_right_and_what_is_not() -> None:
    row = Row("x")
    for text, confidence in [("42", 0.9), ("4", 0.9), ("422", 0.9), ("43", 0.9), ("42", 0.1)]:
        row.add(SIGN, sign_reader.Reading(text, confidence))
    assert (row.signs, row.right, row.missing, row.extra, row.wrong, row.unsure) == (5, 1, 1, 1, 1, 1)


def test_measured_signs_cover_every_scenario() -> None:
    made = measured_signs(8, seed=0)
    assert len(made) == 48
    assert {len(s.text) for s in made} == {1, 2, 3, 4}
    assert made == measured_signs(8, seed=0)


def _columns(*runs: tuple[int, int, int]) -> np.ndarray:
    probabilities = np.zeros((11, 24), np.float32)
    probabilities[10] = 1.0
    for digit, start, end in runs:
        probabilities[:, start:end] = 0.0
        probabilities[digit, start:end] = 0.9
        probabilities[10, start:end] = 0.1
    return probabilities


def test_the_reader_decodes_single_doubled_touching_and_no_digits() -> None:
    assert sign_reader._decode(_columns((4, 5, 8), (4, 10, 13))).text == "44"
    assert sign_reader._decode(_columns((4, 5, 8), (2, 8, 15))).text in {"422", "42"}
    assert sign_reader._decode(_columns()).text == ""


def test_the_reader_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="expected pictures"):
        sign_reader.SignReader(sign_reader.ColumnNet()).read(np.zeros((32, 96, 3), np.uint8))


def test_the_reader_is_stored_and_reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_reader, "train_reader", lambda seed=0: sign_reader.SignReader(sign_reader.ColumnNet()))
    first = sign_reader.load_reader(tmp_path)
    again = sign_reader.load_reader(tmp_path)
    picture = signs.render(SIGN, np.random.default_rng(0))[None]
    assert first.read(picture) == again.read(np.repeat(np.repeat(picture, 1, 1), 1, 2))


@carried
def test_carried_checkpoint_loads_everywhere_and_draws_signs() -> None:
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting, AutoPipelineForText2Image
    from PIL import Image

    weights = sum(path.stat().st_size for path in MODEL.rglob("*.safetensors"))
    assert 0 < weights <= 12_000_000
    pipeline = AutoPipelineForText2Image.from_pretrained(MODEL)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.unet.config.in_channels == 4
    assert pipeline.vae_scale_factor == 4
    alone = generate(pipeline, [SIGN], seed=5, steps=4, guidance=3.0)
    assert alone.shape == (1, signs.HEIGHT, signs.WIDTH, 3)
    assert np.array_equal(alone, generate(pipeline, [SIGN], seed=5, steps=4, guidance=3.0))
    picture = Image.fromarray(alone[0])
    mask = Image.fromarray(np.full((signs.HEIGHT, signs.WIDTH), 255, np.uint8))
    common_arguments = {"prompt": "a cat, 猫", "image": picture, "num_inference_steps": 4}
    again = AutoPipelineForImage2Image.from_pipe(pipeline)
    assert again(**common_arguments, strength=0.5).images[0].size == (signs.WIDTH, signs.HEIGHT)
    painter = AutoPipelineForInpainting.from_pipe(pipeline)
    size = {"height": signs.HEIGHT, "width": signs.WIDTH}
    assert painter(**common_arguments, mask_image=mask, **size).images[0].size == (signs.WIDTH, signs.HEIGHT)
