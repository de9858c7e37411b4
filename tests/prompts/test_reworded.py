"""Other words for a prompt: what asks for something else is refused; with a tiny real language model, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loupe.brain.prompts import llm
from loupe.brain.prompts.reworded import Reworded, reworded

PROMPT, WORDS = 'a red sign that says "42", night, fog', ["red", "42", "night", "fog"]


def answer(*texts: object) -> Reworded:
    return reworded(PROMPT, WORDS, lambda question: json.dumps(texts), n=10)


@pytest.mark.parametrize(
    "text",
    ['night and fog, a red sign that says "42"', 'a red sign that says "42", at night in the fog'],
)
def test_the_same_in_other_words(text: str) -> None:
    assert answer(text) == Reworded((text,), 0)


@pytest.mark.parametrize(
    "text",
    [
        'a blue sign that says "42", night, fog',  # another color
        'a red sign that says "43", night, fog',  # another text
        'two red signs that say "42", night, fog',  # another number
        'a red sign that says "42" and a dog, night, fog',  # another thing
        'a red sign that says "42", fog',  # a factor is lost
        'a red sign that says "42", nightly fog',  # that is not the word
        'a red wooden sign that says "42", night, fog',  # another property
        "",
        "   ",
        PROMPT,
        7,
        None,
        ["a"],
        "red 42 night fog " * 60,
        'a red sign that says "42", night, fog, no cats',
    ],
)
def test_what_asks_for_something_else_is_refused(text: object) -> None:
    assert answer(text) == Reworded((), 1)


@pytest.mark.parametrize("text", ["", "no idea", "[1, 2", "{}", "[" * 5000, '{"a": 1}', "\x00"])
def test_what_is_no_list_is_refused(text: str) -> None:
    assert reworded(PROMPT, WORDS, lambda question: text) == Reworded((), 1)


def test_each_once_and_not_too_many() -> None:
    same = 'night, fog, a red sign that says "42"'
    assert answer(same, same) == Reworded((same,), 0)
    many = [f'night, fog, a red sign that says "42"{"!" * at}' for at in range(9)]
    assert len(reworded(PROMPT, WORDS, lambda question: json.dumps(many), n=3).prompts) == 3


def test_the_question_names_what_has_to_stay() -> None:
    asked: list[str] = []
    reworded(PROMPT, [*WORDS, "absent"], lambda question: asked.append(question) or "[]", n=2)  # type: ignore[func-returns-value]
    assert "in 2 other ways" in asked[0]
    assert "keep these words: red, 42, night, fog." in asked[0]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model of random weights: what it answers is noise, as an untrained or unfit one's would be."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("language")
    letters = [chr(code) for code in range(32, 127)]
    words = {letter: at for at, letter in enumerate(["<eos>", "<unk>", *letters])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<eos>", unk_token="<unk>"
    ).save_pretrained(folder)
    import torch

    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(words), n_positions=700, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


def test_a_real_model_that_answers_noise(tiny: Path) -> None:
    speaks = llm.load(str(tiny))
    first = reworded(PROMPT, WORDS, speaks)
    assert first.prompts == ()
    assert first.refused >= 1
    assert reworded(PROMPT, WORDS, speaks) == first, "the likeliest answer each time"
