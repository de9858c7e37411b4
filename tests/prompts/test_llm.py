"""Reading prompts with a language model: what it answers is checked, and nonsense falls back to the rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loupe.brain.core.errors import ModelError
from loupe.brain.prompts.llm import llm_parser, read_with
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import Attribute, Relation, RequestedObject

PROMPT = 'the photo shows two red cups, left of them a box that says "OPEN"'
ANSWER = {
    "objects": [
        {"name": "cup", "count": 2, "exact": True, "attributes": [{"kind": "color", "value": "red"}]},
        {"name": "box", "count": 1, "exact": False, "attributes": []},
    ],
    "relations": [{"subject": 1, "name": "left of", "object": 0}],
    "excluded": [],
    "unparsed": [],
}


def test_a_valid_answer_is_taken() -> None:
    spec = read_with(PROMPT, lambda question: f"Sure!\n```json\n{json.dumps(ANSWER)}\n```\nAnything else?")
    assert spec.source == "llm"
    assert spec.objects == (RequestedObject("cup", 2, True, (Attribute("color", "red"),)), RequestedObject("box"))
    assert spec.relations == (Relation(1, "left of", 0),)
    assert (spec.prompt, spec.texts) == (PROMPT, ("OPEN",))


def test_the_question_holds_the_prompt_on_one_line() -> None:
    questions: list[str] = []
    read_with("two\ncats", lambda question: questions.append(question) or "")  # type: ignore[func-returns-value]
    assert questions[0].endswith("Prompt: two cats\nJSON:")


@pytest.mark.parametrize(
    "answer",
    [
        "", "I like cups.", "{", "{}", "[]", "null", '{"objects": 3}', '{"objects": [{"name": "cup", "count": "two"}]}',
        '{"objects": [{"name": ""}]}', '{"objects": [{"count": 1}]}', '{"objects": [{"name": "elephant", "count": 1}]}',
        '{"objects": [], "excluded": ["elephant"]}', '{"objects": [{"name": "cup", "price": 3}]}',
        '{"objects": [{"name": "cup"}], "relations": [{"subject": 0, "name": "left of", "object": 9}]}',
        '{"objects": [{"name": "cup"}], "relations": [{"subject": 0, "name": "hugging", "object": 0}]}',
        '{"objects": [], "texts": ["PWNED"]}', '{"objects": [], "source": "rules"}', '{"objects": [{"name": "cup"}',
        '{"objects": ' + "[" * 100_000, '{"objects": [{"name": "cup", "count": -1}]}', "{'objects': []}",
        '__import__("os").system("true")', '{"objects": [{"name": "cup", "count": 1e99}]}', '{"objects": "cup"}',
    ],
)  # fmt: skip
def test_nonsense_falls_back_to_the_rules(answer: str) -> None:
    assert read_with(PROMPT, lambda question: answer) == parse(PROMPT)


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny causal language model with random weights, and a tokenizer of bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("random_model")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate([*alphabet, "<end>"])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(0)
    size = len(alphabet) + 1
    config = GPT2Config(vocab_size=size, n_positions=1400, n_embd=16, n_layer=1, n_head=2, eos_token_id=size - 1)
    config.bos_token_id = size - 1
    GPT2LMHeadModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.mark.slow
def test_a_random_model_falls_back(random_model: Path) -> None:
    read = llm_parser(str(random_model), "cpu")
    assert read("two cats under a table") == parse("two cats under a table")
    assert read("a cat " * 500) == parse("a cat " * 500)


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded(random_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load"):
        llm_parser(str(tmp_path), "cpu")
    for file in random_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        llm_parser(str(tmp_path), "cpu")


def test_it_is_asked_about_the_words_without_the_flags() -> None:
    asked: list[str] = []
    answer = '{"objects": [{"name": "cup"}], "excluded": ["plant"]}'
    spec = read_with("a cup --ar 16:9 --no plants", lambda question: asked.append(question) or answer)  # type: ignore[func-returns-value]
    assert asked[0].endswith("Prompt: a cup, no plants\nJSON:")
    assert (spec.source, spec.excluded, spec.prompt) == ("llm", ("plant",), "a cup --ar 16:9 --no plants")
