"""Reads a set's own prompts, and what of each factor their pictures show; keeps what was suggested last."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from loupe.brain.labels.cells import short
from loupe.brain.labels.suggestions import OwnPrompt, SuggestedPrompts
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import columns
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples

_PROMPT, _SCENARIO = "prompt", "scenario."
#: of so many different prompts, taken evenly from all of them, words are replaced
MAX_PROMPTS = 2000
#: the key that what was suggested last is kept under
KEY = "loupe_prompts"


def has_prompts(samples: Samples, field: str = _PROMPT) -> bool:
    """Returns whether there is a field of prompts."""
    return isinstance(samples.get_field(field), fo.StringField)


def own_prompts(samples: Samples, factors: Sequence[Mapping[str, Any]], field: str = _PROMPT) -> list[OwnPrompt]:
    """Returns each prompt of the samples once, with the values of its first picture; empty where there are none.

    Args:
        samples: a dataset or view
        factors: whose values, as ``Factor.to_dict`` gives them
        field: where the prompts stand, or captions

    Raises:
        UnknownName, InputError: a factor that cannot be read any more
    """
    if not has_prompts(samples, field):
        return []
    with database_errors():
        prompts = samples.values(field)
    first: dict[str, int] = {}
    for at, prompt in enumerate(prompts):
        if isinstance(prompt, str) and prompt.strip():
            first.setdefault(prompt, at)
    rows = sorted(first.values())
    if len(rows) > MAX_PROMPTS:
        rows = [rows[at] for at in np.linspace(0, len(rows) - 1, MAX_PROMPTS).astype(int).tolist()]
    scenario = [path for path in columns.sliceable(samples) if path.startswith(_SCENARIO)]
    named = list({str(facts["name"]): Factor.from_dict(facts) for facts in factors}.values())
    table = columns.read(samples, named, failures=[]).factors if named else {}
    values = {name: _single(column) for name, column in table.items()}
    with database_errors():
        parts = dict(zip(scenario, samples.values(scenario), strict=True)) if scenario else {}
    return [
        OwnPrompt(
            prompts[at],
            {name: known[at] for name, known in values.items() if at in known},
            {short(path): str(held[at]) for path, held in parts.items() if held[at] is not None},
        )
        for at in rows
    ]


def _single(column: Any) -> dict[int, str]:
    """Returns the value of each sample that has just one."""
    counts = np.bincount(column.samples, minlength=column.n)
    alone = counts[column.samples] == 1
    pairs = zip(column.samples[alone].tolist(), column.codes[alone].tolist(), strict=True)
    return {at: shown(column.values[code]) for at, code in pairs if column.values[code] is not None}


def prompts_of(samples: Samples, ids: Sequence[str]) -> list[str]:
    """Returns the prompts of some samples, each once."""
    if not has_prompts(samples) or not ids:
        return []
    with database_errors():
        held = samples.select(list(ids)).values(_PROMPT)
    return list(dict.fromkeys(text for text in held if isinstance(text, str) and text.strip()))


def keep(samples: Samples, made: SuggestedPrompts) -> None:
    """Keeps what was suggested on the dataset, in the place of what was last.

    As a text: factors may be called as the database calls its own things.
    """
    store_runs.put(samples, KEY, "prompts", {"pictures": len(made)}, {"prompts": json.dumps(made.to_dict())})


def load(samples: Samples) -> SuggestedPrompts | None:
    """Returns what was suggested last; None where nothing was, or where it is of a form that nobody can read."""
    text = (store_runs.results(samples, KEY) or {}).get("prompts")
    try:
        return None if text is None else SuggestedPrompts.from_dict(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
