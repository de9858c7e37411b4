"""From prompts to requests: variants are chosen, marks understood, and what a generator cannot do is said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.hashes import number_of
from loupe.brain.core.records import Request
from loupe.brain.core.written import Mark, PromptSyntax, Syntax, WrittenPrompt
from loupe.brain.prompts.files import Prompt
from loupe.brain.prompts.texts import MAX_CHARACTERS, checked_text
from loupe.brain.prompts.variants import expanded, has_variants
from loupe.brain.prompts.wildcards import Wildcards
from loupe.brain.prompts.written import written

#: the App's JavaScript shows larger integers rounded
_SEEDS = 2**53
_MAX_SHOWN = 1000
_PLURALS = {
    "alternation": "alternations",
    "schedule": "schedules",
    "link": "links to pictures",
    "part": "BREAK and AND",
}


@dataclass(frozen=True)
class Reading:
    """How prompts are read.

    Attributes:
        syntax: ``"plain"``: marks are understood, and what the generator cannot do is left out and said; ``"refuse"``:
            a prompt with such a mark is an error; ``"keep"``: prompts are drawn as they stand, variants too
        understands: what the generator reads and takes
        generator: its name, for what is said
        wildcards: the values of wildcards
    """

    syntax: Syntax = "plain"
    understands: PromptSyntax = field(default_factory=PromptSyntax)
    generator: str = "the generator"
    wildcards: Wildcards | None = None

    def __post_init__(self) -> None:
        if self.syntax not in get_args(Syntax):
            raise InputError(f"expected syntax to be one of {', '.join(get_args(Syntax))}, got {self.syntax!r}")


@dataclass(frozen=True)
class Requests:
    """The requests of a call, and what was left out of their prompts.

    Attributes:
        requests: one for each image, in order
        notes: what was left out, by kind: a sentence each
    """

    requests: tuple[Request, ...]
    notes: Mapping[str, str]


def requests_of(
    prompts: Sequence[Prompt],
    per_prompt: int,
    seed: int,
    reading: Reading | None = None,
    origins: Sequence[str] | None = None,
) -> Requests:
    """Returns a request for each image; those of the same prompt are numbered through.

    Each has a seed of its own, derived from ``seed``, its prompt as it is written and its number; so do its variants.
    A size that a prompt asks for as a ratio is left to ``sized``, which knows the model's own.

    Args:
        prompts: what to draw
        per_prompt: images for each
        seed: of the call
        reading: how the prompts are read
        origins: for each prompt what it is drawn from, which tells images of one prompt apart; "": from nothing else

    Raises:
        PromptError: a prompt that cannot be read, or with ``syntax="refuse"`` one that is not understood

    >>> requests = requests_of([Prompt("a {red|blue} cup --seed 7")], 2, seed=0).requests
    >>> [(request.prompt, request.seed) for request in requests]
    [('a red cup', 7), ('a blue cup', 6227140840807832)]
    """
    reading = reading or Reading()
    numbers: Counter[str] = Counter()
    left_out = _LeftOut(reading)
    requests = []
    for at, prompt in enumerate(prompts):
        identity: list[Any] = [prompt.seed, prompt.prompt, prompt.negative_prompt or "", sorted(prompt.factors.items())]
        if origins is not None and origins[at]:
            identity.append(origins[at])
        name = json.dumps(identity)
        for made in _made(prompt, per_prompt, numbers[name], seed, reading, left_out):
            number = numbers[name]
            numbers[name] += 1
            own = made.seed if number == 0 else -1
            requests.append(made if own >= 0 else replace(made, seed=number_of([seed, *identity, number], 8) % _SEEDS))
    return Requests(tuple(requests), left_out.notes())


def _made(
    prompt: Prompt, per_prompt: int, first: int, seed: int, reading: Reading, left_out: _LeftOut
) -> Iterator[Request]:
    """The requests of a prompt; a seed of -1 is still to be derived."""
    own = -1 if prompt.seed is None else prompt.seed
    plain = Request(prompt.prompt, own, prompt.factors, prompt.negative_prompt or "")
    if reading.syntax == "keep":
        yield from [plain] * per_prompt
        return
    negative = prompt.negative_prompt or ""
    varies = has_variants(prompt.prompt) or has_variants(negative)
    last = None
    for number in range(first, first + per_prompt):
        if last is None or varies:
            last = _read(prompt, negative, number, seed, reading, left_out)
        yield last


def _read(prompt: Prompt, negative: str, number: int, seed: int, reading: Reading, left_out: _LeftOut) -> Request:
    """A prompt of which variants are chosen and marks understood."""
    chosen = expanded(prompt.prompt, seed, number, reading.wildcards)
    excluded = expanded(negative, seed, number, reading.wildcards)
    own, other = (written(text, keep=reading.understands.reads) for text in (chosen.text, excluded.text))
    takes = reading.understands.takes
    dropped = [*own.dropped, *other.dropped]
    dropped += [mark for mark in own.resolved if mark.kind in ("size", "negative") and mark.kind not in takes]
    if prompt.seed is not None and own.seed is not None:
        dropped += [mark for mark in own.resolved if mark.kind == "seed"]
    left_out.note(prompt.prompt, dropped, [*own.odd, *other.odd])
    if not own.text:
        raise PromptError(f"expected a prompt with words in it, got {prompt.prompt[:200]!r}, which has none")
    excludes = [own.negative] if "negative" in takes and own.negative else []
    text = checked_text(own.text, f"{prompt.prompt[:60]!r} with its variants chosen", "prompt", MAX_CHARACTERS)
    free = {name: value for name, value in chosen.chosen.items() if name not in prompt.factors}
    return Request(
        text,
        own.seed if prompt.seed is None and own.seed is not None else -1 if prompt.seed is None else prompt.seed,
        {**prompt.factors, **free} if free else prompt.factors,
        ", ".join([*([other.text] if other.text else []), *excludes]),
        size=_size(own) if "size" in takes else None,
        facts=_facts(prompt, own, text, dropped),
    )


def _size(own: WrittenPrompt) -> tuple[float, float] | None:
    return own.size or own.aspect


def _facts(prompt: Prompt, own: WrittenPrompt, text: str, dropped: Sequence[Mark]) -> dict[str, Any]:
    """What is kept of a prompt that is drawn otherwise than it is written."""
    facts = {} if text == prompt.prompt else {"written": prompt.prompt}
    if dropped:
        facts["dropped"] = "; ".join(dict.fromkeys(mark.text for mark in dropped))[:_MAX_SHOWN]
    return facts


def sized(requests: Sequence[Request], width: int | None, height: int | None) -> tuple[Request, ...]:
    """Returns the requests with the sizes that they ask for, in pixels.

    A ratio becomes a size of about as many pixels as the model's own, in steps of 64 from 512 x 512 on, else of 8.

    Args:
        requests: as ``requests_of`` makes them
        width, height: the model's own

    Raises:
        PromptError: a ratio, and a model that says no size of its own

    >>> [request.size for request in sized([Request("a cup", 1, size=(16.0, 9.0))], 1024, 1024)]
    [(1344, 768)]
    """
    return tuple(
        request if request.size is None else replace(request, size=_pixels(request, width, height))
        for request in requests
    )


def _pixels(request: Request, width: int | None, height: int | None) -> tuple[int, int]:
    assert request.size is not None
    across, down = request.size
    if isinstance(across, int) and isinstance(down, int):
        return max(8, round(across / 8) * 8), max(8, round(down / 8) * 8)
    if not width or not height:
        raise PromptError(
            f"expected width and height for the ratio {across:g}:{down:g} of {request.prompt[:60]!r}: the model says "
            "no size of its own"
        )
    step = 64 if width * height >= 512 * 512 else 8
    made = [max(step, round((width * height * ratio) ** 0.5 / step) * step) for ratio in (across / down, down / across)]
    return made[0], made[1]


class _LeftOut:
    """Counts what the generator does not understand."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.prompts: dict[str, set[str]] = {}
        self.examples: dict[str, str] = {}

    def note(self, prompt: str, dropped: Sequence[Mark], odd: Sequence[str]) -> None:
        """Notes what is lost of a prompt.

        Raises:
            PromptError: something is, and it should be refused
        """
        if dropped and self.reading.syntax == "refuse":
            mark = dropped[0]
            raise PromptError(
                f"{self.reading.generator} does not understand {mark.text[:60]!r} ({mark.kind}) in {prompt[:200]!r}: "
                "leave it out, or take syntax='plain', which draws the words"
            )
        for kind, text in [*((mark.kind, mark.text) for mark in dropped), *(("odd", text) for text in odd)]:
            self.prompts.setdefault(kind, set()).add(prompt)
            self.examples.setdefault(kind, text)

    def notes(self) -> dict[str, str]:
        """Returns a sentence for each kind."""
        notes = {}
        for kind, prompts in self.prompts.items():
            example = " ".join(self.examples[kind].split())[:60]
            count = f"{len(prompts):,} prompt{'s' if len(prompts) > 1 else ''}"
            if kind == "odd":
                notes["prompts"] = f"{count} with a bracket that is left as it stands: {example}"
            else:
                name = _PLURALS.get(kind, f"{kind}s")
                notes[name] = f"left out of {count}, for {self.reading.generator} does not read them: {example}"
        return notes
