"""What prompts ask for is no failure: which failure modes that is, sample by sample, stored among the unknowns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.prompts.as_asked import as_asked
from loupe.brain.prompts.cleaned import prompt_text
from loupe.brain.store import fields, plain, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.fields import ASKED, PROMPT, UNKNOWN
from loupe.brain.store.updates import Elements

_SCENARIO = "scenario"

#: samples that are written at once
_CHUNK = 10_000


def reason(words: str) -> str:
    """Returns why a sample is no failure.

    >>> reason("night")
    'as asked: "night"'
    """
    return f'as asked: "{words}"'


def read(samples: SampleCollection) -> list[dict[str, str]] | None:
    """Returns for each sample the failure modes that its prompt and its factors ask for, with the words that do.

    None where no sample has a prompt: then nothing is read.
    """
    if not samples.has_field(PROMPT.path):
        return None
    schema = samples.get_field_schema(flat=True)
    factors = [
        path for path, kind in schema.items() if path.startswith(f"{_SCENARIO}.") and isinstance(kind, fo.StringField)
    ]
    if plain.are_plain(samples, [PROMPT.path]):
        (prompts, *values), _ = plain.read(samples, [PROMPT.path, *factors])
    else:
        with database_errors():
            prompts, *values = samples.values([PROMPT.path, *factors])
    known: dict[tuple[str | None, ...], dict[str, str]] = {}
    asked = []
    for prompt, *factor in zip(prompts, *values, strict=True):
        text = prompt if isinstance(prompt, str) else prompt_text(prompt)
        # a factor says more of the prompt; it is none without it
        key = (text, *(value if isinstance(value, str) else None for value in factor)) if text else ()
        if key not in known:
            # the prompt's own words come first
            known[key] = {mode: words for part in reversed(key) for mode, words in as_asked(part).items()}
        asked.append(known[key])
    return asked


def of_objects(samples: SampleCollection, owners: np.ndarray, failures: Sequence[str]) -> np.ndarray:
    """Returns which of K failure modes the prompts ask for: they are no failures of the objects in those pictures.

    Args:
        samples: a dataset or view
        owners: (M,) int64: the sample of each object
        failures: K

    Returns:
        (M, K) bool
    """
    asked = read(samples)
    if asked is None:
        return np.zeros((len(owners), len(failures)), dtype=bool)
    own = np.array([[failure in modes for failure in failures] for modes in asked], dtype=bool)
    return np.asarray(own.reshape(len(asked), len(failures))[owners])


def stored(samples: SampleCollection) -> list[frozenset[str]]:
    """Returns for each sample the failure modes that stand in ``unknown`` as asked for; none where no field is."""
    if not samples.has_field(ASKED):
        return []
    with database_errors():
        return [frozenset(mode for mode in modes or () if mode) for modes in samples.values(ASKED)]


def mask(samples: SampleCollection, failure: str) -> np.ndarray | None:
    """Returns a (N,) bool array: for which samples a failure mode is as asked; None where that is nowhere stored."""
    modes = stored(samples)
    return np.array([failure in own for own in modes], dtype=bool) if modes else None


def write(
    samples: SampleCollection,
    ids: Sequence[str],
    asked: Sequence[Mapping[str, str]],
    checks: Mapping[str, str],
) -> None:
    """Writes which failure modes are as asked: only where that differs from what stands there.

    Args:
        samples: a dataset or view of N samples
        ids: of all N
        asked: for each sample the failure modes and the words that ask for them
        checks: by failure mode the check that scores it; what stands there of others stays
    """
    if not samples.has_field(ASKED):
        if not any(asked):
            return
        fields.declare(samples, [*fields.BASE, fields.AS_ASKED])
    before = _standing(samples, checks)
    wanted = [{mode: reason(words) for mode, words in own.items()} for own in asked]
    changed = [at for at, (own, standing) in enumerate(zip(wanted, before, strict=True)) if own != standing]
    with database_errors():
        for start in range(0, len(changed), _CHUNK):
            operations = []
            part = changed[start : start + _CHUNK]
            for at in part:
                # "label" is the check, as of every unknown: what it says anew takes these away, too
                new = [_element(checks[mode], mode, text) for mode, text in sorted(wanted[at].items())]
                elements = Elements("Classifications", "classifications", "asked", tuple(checks), new)
                operations.append(updates.update(ids[at], {}, {UNKNOWN: elements}))
            updates.write(samples, operations, [ids[at] for at in part])


def _element(check: str, mode: str, text: str) -> dict[str, Any]:
    return updates.label(check, reason=text, asked=mode)


def _standing(samples: SampleCollection, checks: Mapping[str, str]) -> list[dict[str, str]]:
    reasons = f"{UNKNOWN}.classifications.reason"
    with database_errors():
        columns = samples.values([ASKED, reasons])
    return [
        {mode: text for mode, text in zip(modes or (), texts or (), strict=True) if mode in checks}
        for modes, texts in zip(*columns, strict=True)
    ]
