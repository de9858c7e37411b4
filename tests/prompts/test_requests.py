"""From prompts to requests: seeds, sizes and what is left out."""

from __future__ import annotations

import pytest

from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.records import Request
from loupe.brain.core.written import PromptSyntax
from loupe.brain.prompts.files import Prompt
from loupe.brain.prompts.requests import Reading, requests_of, sized
from loupe.brain.prompts.wildcards import Wildcards

SIZED = PromptSyntax(takes=("size", "negative"))


def test_a_plain_prompt_is_what_it_was() -> None:
    prompts = [Prompt("a cat (sitting)", {"time": "day"}), Prompt("a dog", seed=5, negative_prompt="fog")]
    for syntax in ("plain", "refuse", "keep"):
        made = requests_of(prompts, 2, 7, Reading(syntax))  # type: ignore[arg-type]
        assert not made.notes
        assert [(each.prompt, each.seed) for each in made.requests] == SEEDS
        assert all(not each.facts and each.size is None for each in made.requests)
        assert made.requests[2].negative_prompt == "fog"


#: as the version before this one had them: what is drawn already is not drawn again
SEEDS = [
    ("a cat (sitting)", 3479766582426321),
    ("a cat (sitting)", 4011141196442271),
    ("a dog", 5),
    ("a dog", 6878724291958031),
]


def test_what_is_written_becomes_what_is_asked() -> None:
    prompt = Prompt("a (red hat:1.3) --ar 16:9 --no fog --seed 9", negative_prompt="(bad:1.2)")
    made = requests_of([prompt], 2, 0, Reading(understands=SIZED, generator="diffusion"))
    first, second = sized(made.requests, 1024, 1024)
    assert (first.prompt, first.seed, first.negative_prompt, first.size) == ("a red hat", 9, "bad, fog", (1344, 768))
    assert second.seed != 9
    assert dict(first.facts) == {"written": prompt.prompt, "dropped": "(red hat:1.3); (bad:1.2)"}
    assert made.notes == {"weights": "left out of 1 prompt, for diffusion does not read them: (red hat:1.3)"}


def test_a_generator_that_takes_less() -> None:
    prompt = Prompt("a cat --ar 16:9 --no fog", seed=4)
    made = requests_of([prompt], 1, 0, Reading(understands=PromptSyntax(takes=())))
    assert made.requests[0].size is None
    assert made.requests[0].negative_prompt == ""
    assert set(made.notes) == {"sizes", "negatives"}
    with pytest.raises(PromptError, match=r"does not understand '--ar 16:9' \(size\)"):
        requests_of([prompt], 1, 0, Reading("refuse", PromptSyntax(takes=())))
    requests_of([prompt], 1, 0, Reading("refuse", SIZED))


def test_a_generator_that_reads_weights() -> None:
    made = requests_of([Prompt("a (cat:1.3)")], 1, 0, Reading("refuse", PromptSyntax(reads=("weight",))))
    assert made.requests[0].prompt == "a (cat:1.3)"
    assert not made.notes


def test_keep_draws_prompts_as_they_stand() -> None:
    raw = "a {red|blue} (cat:1.3) __x__ --ar 16:9"
    made = requests_of([Prompt(raw)], 1, 0, Reading("keep"))
    assert (made.requests[0].prompt, made.requests[0].size) == (raw, None)
    with pytest.raises(InputError, match="plain, refuse, keep"):
        Reading("other")  # type: ignore[arg-type]


def test_each_image_has_variants_and_a_seed_of_its_own() -> None:
    prompt = Prompt("a {red|blue|green|black} cup")
    alone = requests_of([prompt], 8, 0).requests
    assert len({each.seed for each in alone}) == 8
    assert len({each.prompt for each in alone}) > 1
    # neither what stands beside it nor a larger number changes any
    among = requests_of([Prompt("{x|y}"), prompt, Prompt("a dog")], 12, 0).requests
    assert among[12:20] == alone
    twice = requests_of([prompt, prompt], 4, 0).requests
    assert twice == alone


def test_wildcards_become_factors() -> None:
    wildcards = Wildcards({"animal": ["cat", "dog"], "id": ["1"]})
    made = requests_of([Prompt("a __animal__ __id__", {"time": "day"})], 4, 1, Reading(wildcards=wildcards))
    assert all(each.factors["animal"] in each.prompt for each in made.requests)
    assert all(set(each.factors) == {"time", "animal"} for each in made.requests)
    kept = requests_of([Prompt("a __animal__", {"animal": "mine"})], 1, 1, Reading(wildcards=wildcards))
    assert kept.requests[0].factors == {"animal": "mine"}


@pytest.mark.parametrize("raw", ["--ar 16:9", "<lora:x:1>", "embedding:x", "{|}", "Negative prompt: fog"])
def test_a_prompt_without_words(raw: str) -> None:
    with pytest.raises(PromptError, match="words in it"):
        requests_of([Prompt(raw)], 1, 0)


def test_a_row_s_own_seed_wins_and_that_is_said() -> None:
    made = requests_of([Prompt("a cat --seed 3", seed=8)], 1, 0)
    assert made.requests[0].seed == 8
    assert "seeds" in made.notes


@pytest.mark.parametrize(
    ("size", "own", "pixels"),
    [
        ((16.0, 9.0), (1024, 1024), (1344, 768)),
        ((1.0, 1.0), (96, 32), (56, 56)),
        ((16.0, 9.0), (256, 256), (344, 192)),
        ((2.0, 3.0), (512, 512), (448, 640)),
        ((512, 770), (1024, 1024), (512, 768)),
        ((640, 480), (None, None), (640, 480)),
    ],
)
def test_sizes(size: tuple[float, float], own: tuple[int | None, int | None], pixels: tuple[int, int]) -> None:
    assert sized([Request("a cat", 1, size=size)], *own)[0].size == pixels


def test_a_ratio_of_a_model_without_a_size() -> None:
    with pytest.raises(PromptError, match="expected width and height"):
        sized([Request("a cat", 1, size=(16.0, 9.0))], None, None)
