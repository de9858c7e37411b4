"""Any prompt is read, whatever it is, in a time that grows with its length."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import suite
from effort import calls

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec


@pytest.mark.parametrize(
    "prompt", ["", " ", "\n", "...", "(((", ")))", "a", "the of", "'\"", ",,,", "no", "without", "\x00"]
)
def test_nothing_to_read(prompt: str) -> None:
    spec = parse(prompt)
    assert (spec.prompt, spec.objects, spec.relations, spec.excluded) == (prompt, (), (), ())


def test_the_prompt_must_be_text() -> None:
    with pytest.raises(PromptError, match="expected a prompt, got int"):
        parse(7)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        "(", "()", '" ', "a ", "a cup of ", "a group of ", "a pair of ", "red and ", "red, ", "no ", "no cat, ",
        "<a", "a-",
        "that says A ", "with ", "cat ", "not ", "a cat and ", "\n", "a cat on a mat, ", "1,", "&lt;",
        "the cat ", "a" * 50,
        "it ", "next to ", "a photo of ", "the dog is red and ", "'", "\\", "made of ", "-", "of ", "8k ", "two or ",
    ],
)  # fmt: skip
def test_any_prompt_takes_linear_time(part: str) -> None:
    shorter, longer = (part * (length // len(part)) for length in (5_000, 20_000))
    assert parse(longer).prompt == longer
    assert calls(lambda: parse(longer)) < 5 * calls(lambda: parse(shorter))


_WORDS = """
a an the no not two three dozen pair of group cat dogs red wooden and or , . on left to right under it them with without
is are that says "x" ( ) small large than bigger next photo style made like 8k é 犬 🐶 - 1girl very
"""


def test_any_words_in_any_order_are_read() -> None:
    words = _WORDS.split()
    chance = random.Random(0)
    for _ in range(3000):
        spec = parse(" ".join(chance.choices(words, k=chance.randint(1, 14))))
        assert all(requested.name and requested.name == requested.name.lower() for requested in spec.objects)
        assert all(requested.count is None or requested.count > 0 for requested in spec.objects)
        assert PromptSpec.from_dict(spec.to_dict()) == spec


def test_our_own_prompts_of_all_kinds_are_read() -> None:
    prompts = [row["prompt"] for row in (*suite.metadata(), *suite.pairs())]
    prompts += [prompt for prompt, _ in (*suite.TEXTS, *suite.CHINESE)] + list(suite.PROSE)
    for prompt in prompts:
        spec = parse(prompt)
        assert spec.prompt == prompt
        assert PromptSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.slow
def test_all_prompts_of_the_suites_are_read(shared_data: Path) -> None:
    folder = shared_data / "8_prompts"
    prompts = (folder / "dalle3_eval" / "8k_coco.txt").read_text().splitlines()[::4]
    prompts += (folder / "dpg_bench" / "dpg_prompts.tsv").read_text().splitlines()[::4]
    prompts += (folder / "text_rendering" / "longtext_bench_zh.jsonl").read_text().splitlines()
    for prompt in prompts:
        spec = parse(prompt)
        assert PromptSpec.from_dict(spec.to_dict()) == spec
