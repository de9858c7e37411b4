"""Right, wrong or unknown: each of prompt, negative prompt, seed and model, beside sd-parsers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.provenance.layouts import Case

NAMES = ("prompt", "negative_prompt", "seed", "model")
Read = Callable[[Path], Mapping[str, Any]]


def ours(path: Path) -> Mapping[str, Any]:
    """Returns what Loupe reads."""
    from loupe.brain.provenance.read import UnreadableMetadata, of_file

    try:
        return of_file(path).values
    except UnreadableMetadata as error:
        return error.known.values


def sd_parsers(path: Path) -> Mapping[str, Any]:
    """Returns what sd-parsers 0.6 (MIT) reads, of its first sampler; with the search in the alpha channel."""
    from sd_parsers import ParserManager
    from sd_parsers.extractors import Eagerness

    try:
        info = ParserManager(eagerness=Eagerness.EAGER).parse(path)
    except Exception:
        return {}
    if info is None or not info.samplers:
        return {}
    sampler = info.samplers[0]
    return {
        "prompt": "\n".join(prompt.value for prompt in sampler.prompts) or None,
        "negative_prompt": "\n".join(prompt.value for prompt in sampler.negative_prompts),
        "seed": sampler.parameters.get("seed"),
        "model": sampler.model.name if sampler.model else None,
    }


def verdict(wanted: Any, got: Any) -> str:
    """Returns right, wrong or unknown. What the file does not tell is right where it is unknown.

    Texts are compared by their words, several texts whatever their order; a model also without its ending.
    """
    if wanted is None:
        return "right" if got is None else "wrong"
    if got is None:
        return "unknown"
    return "right" if _plain(wanted) == _plain(got) else "wrong"


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.strip().isdigit():
        return value.strip()
    if isinstance(value, (str, list)):
        text = value if isinstance(value, str) else repr(value)
        return sorted(" ".join(line.split()) for line in text.split("\n") if line.strip())
    return str(value)


def counted(cases: Iterable[Case], read: Read) -> dict[str, Counter[str]]:
    """Returns for each of the four how many are right, wrong, unknown."""
    counts = {name: Counter[str]() for name in NAMES}
    for case in cases:
        values = read(case.path)
        for name in NAMES:
            if name in case.truth:
                counts[name][verdict(case.truth[name], values.get(name))] += 1
    return counts
