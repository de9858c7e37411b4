"""Reads prompts with a language model: any causal one that transformers loads, from a folder or the hub.

It is asked for JSON, and its answer is checked as strictly as a stranger's file. An answer that is no such JSON, or
that names things of which the prompt has no word, is thrown away: then the rules' own reading is returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from loupe.brain.core.errors import MissingDependency, ModelError, PromptError
from loupe.brain.core.relations import RelationName
from loupe.brain.prompts.cleaned import cleaned
from loupe.brain.prompts.metadata import checked
from loupe.brain.prompts.nouns import singular
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec

_EXAMPLE = (
    '{"objects": [{"name": "cup", "count": 3, "exact": true, "attributes": [{"kind": "color", "value": "green"}]}, '
    '{"name": "bench", "count": 1, "exact": false, "attributes": []}], '
    '"relations": [{"subject": 0, "name": "left of", "object": 1}], "excluded": ["dog"], "unparsed": []}'
)
_QUESTION = f"""What does this prompt for a picture ask for? Answer with one JSON object and nothing else.
objects: every visible thing; name: a singular noun; count: a number, or null for several without a number;
exact: whether the prompt gives the number; attributes: kind is color, shape, texture, material, size or other.
relations: subject and object are places in objects; name is one of {", ".join(RelationName)}.
excluded: singular nouns of what must not be there. unparsed: parts of the prompt that fit nowhere.
Prompt: three green cups to the left of a bench, no dogs
JSON: {_EXAMPLE}
Prompt: """
_ANSWERED = frozenset(("objects", "relations", "excluded", "unparsed"))
#: an answer that is longer than this is no answer
_MAX_TOKENS = 1024

#: a question in, the model's answer out
Generate = Callable[[str], str]


def llm_parser(model: str, device: str = "cpu") -> Callable[[str], PromptSpec]:
    """Returns a function as ``parse`` that asks a language model, and falls back to the rules on nonsense.

    Only safetensors weights are loaded, and no code that comes with a model is run.

    Args:
        model: a local folder or a hub id
        device: where it runs, such as ``"cpu"`` or ``"cuda"``

    Raises:
        ModelError: the model cannot be loaded
        MissingDependency: transformers is not installed

    >>> read = llm_parser("some/model")  # doctest: +SKIP
    >>> read("two cats under a table").source  # doctest: +SKIP
    'llm'
    """
    generate = load(model, device)
    return lambda prompt: read_with(prompt, generate)


def read_with(prompt: str, generate: Generate) -> PromptSpec:
    """Returns what ``generate`` answers about the prompt as a spec; the rules' spec where it answers nonsense.

    >>> read_with("two cats", lambda question: '{"objects": [{"name": "cat", "count": 2, "exact": true}]}').source
    'llm'
    >>> read_with("two cats", lambda question: "I like cats!").source
    'rules'
    """
    by_rules = parse(prompt)
    asked = cleaned(prompt).sentence
    answer = _first_object(generate(f"{_QUESTION}{' '.join(asked.split())}\nJSON:"))
    if answer is None or not answer.keys() <= _ANSWERED or "objects" not in answer:
        return by_rules
    try:
        # what is to be written is read from the quotation marks, which no model does better
        spec = checked(
            {**answer, "prompt": prompt, "texts": by_rules.texts, "text_free": by_rules.text_free, "source": "llm"}
        )
    except (PromptError, RecursionError):
        return by_rules
    return spec if _stands_in(spec, asked) else by_rules


def _first_object(answer: str) -> dict[str, Any] | None:
    """The first JSON object in a text; None where there is none."""
    start = answer.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(answer, start)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _stands_in(spec: PromptSpec, prompt: str) -> bool:
    """Whether the last word of each name stands in the prompt: a model may not add things of its own."""
    forms = {
        form for word in re.findall(r"[^\W_]+(?:['’\-][^\W_]+)*", prompt.lower()) for form in (word, singular(word))
    }
    names = [requested.name for requested in spec.objects] + list(spec.excluded)
    return all(name.lower().split()[-1] in forms for name in names)


def load(model: str, device: str = "cpu") -> Generate:
    """Returns what answers questions: a causal language model, the likeliest answer each time.

    Raises:
        ModelError, MissingDependency: as for ``llm_parser``
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingDependency("expected transformers: pip install transformers") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
        network = AutoModelForCausalLM.from_pretrained(model, use_safetensors=True, trust_remote_code=False)
        network = network.to(device).eval()
    # transformers and the hub's client raise what they like for a missing file, a wrong kind or no connection
    except Exception as error:
        brief = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise ModelError(
            f"cannot load {model!r}: {brief}. Expected a causal language model with safetensors weights: a local "
            "folder in transformers' format, or a hub id"
        ) from error

    @torch.inference_mode()
    def generate(question: str) -> str:
        if getattr(tokenizer, "chat_template", None):
            turns = [{"role": "user", "content": question}]
            question = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(question, return_tensors="pt").input_ids.to(device)
        longest = getattr(network.config, "max_position_embeddings", None) or ids.shape[1] + _MAX_TOKENS
        room = min(_MAX_TOKENS, longest - ids.shape[1])
        if room < 1:
            return ""
        made = network.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=room,
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
        )
        return str(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))

    return generate
