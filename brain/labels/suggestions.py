"""Prompts for what a set lacks: own prompts with some words replaced, a template, captions of what lies in a hole.

Pure: what to ask for is given, and what the set's own prompts say of which factors.
"""

from __future__ import annotations

import re
import string
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, overload

from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.records import Record
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.labels.cells import short
from loupe.brain.prompts.files import MAX_PROMPTS, RESERVED, checked_text

#: so many different prompts are made for one cell, where there are as many
VARIETY = 5
#: what is asked for where the set has no prompt that says it
TEMPLATE, WITHOUT_CLASS = "a photo of {class}, {context}", "a photo, {context}"
_CLASS, _CONTEXT = "class", "context"


@dataclass(frozen=True)
class Wanted:
    """What there should be more of.

    Attributes:
        values: by factor what the pictures are to show, as words; empty where only ``texts`` tell
        n: how many pictures
        why: in words
        of_class: which of the factors is the class; empty where none is
        texts: sentences that describe such pictures
        scenes: of each text what its picture shows, by factor; empty: ``values``
    """

    values: Mapping[str, str]
    n: int
    why: str
    of_class: str = ""
    texts: tuple[str, ...] = ()
    scenes: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class OwnPrompt:
    """A prompt of the set.

    Attributes:
        text: the prompt
        values: by factor the value that its pictures have
        scenario: the factors that it was made from, by their short names
    """

    text: str
    values: Mapping[str, str]
    scenario: Mapping[str, str]


@dataclass(frozen=True)
class Suggestion(Record):
    """A prompt, and how often to draw it.

    Attributes:
        prompt: the text
        factors: the scenario that it describes: what the new samples have in ``scenario``
        n: how many pictures
        why: what they are for
    """

    prompt: str
    factors: Mapping[str, str]
    n: int
    why: str


@dataclass(frozen=True, repr=False)
class SuggestedPrompts(Tabular, Record, Sequence[Mapping[str, Any]]):
    """Prompts that ``loupe.generate`` takes: a row for each picture, so that it is as long as there are pictures.

    Attributes:
        suggestions: each prompt once, with how often to draw it
        notes: what no prompt was made for, and why
    """

    suggestions: tuple[Suggestion, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(each.n for each in self.suggestions)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[Mapping[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | list[Mapping[str, Any]]:
        rows = range(len(self))[index]
        if isinstance(rows, range):
            return [self[at] for at in rows]
        ends = list(accumulate(each.n for each in self.suggestions))
        return _row(self.suggestions[bisect_right(ends, rows)])

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for each in self.suggestions:
            for _ in range(each.n):
                yield _row(each)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> SuggestedPrompts:
        """Returns the prompts that ``to_dict`` made plain values of."""
        return cls(
            tuple(
                Suggestion(
                    str(each["prompt"]),
                    {str(name): str(value) for name, value in each["factors"].items()},
                    int(each["n"]),
                    str(each["why"]),
                )
                for each in facts["suggestions"]
            ),
            tuple(map(str, facts["notes"])),
        )

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each prompt."""
        rows = [
            (each.n, each.prompt, ", ".join(f"{name}={value}" for name, value in each.factors.items()), each.why)
            for each in self.suggestions
        ]
        title = f"{len(self):,} pictures of {len(rows):,} prompts"
        return Table.of(title, ("pictures", "prompt", "scenario", "for"), rows, "\n".join(self.notes))


def _row(suggestion: Suggestion) -> dict[str, Any]:
    return {"prompt": suggestion.prompt, "factors": dict(suggestion.factors)}


def suggested(wanted: Iterable[Wanted], own: Sequence[OwnPrompt] = (), template: str | None = None) -> SuggestedPrompts:
    """Returns prompts for what is wanted.

    Where the set has a prompt whose pictures differ from what is wanted only in factors whose words stand in it, those
    words are replaced, and the rest of its scenario stays; of several such prompts up to five, those that need the
    fewest changes. Else a template is filled.

    Args:
        wanted: what there should be more of
        own: the set's prompts
        template: used instead of the set's prompts: with ``{class}``, ``{context}`` (all other factors, with a comma
            between) or the factors by name

    Raises:
        InputError: a template with a placeholder that none of what is wanted has, or more than a million pictures
    """
    every = [each for each in wanted if each.n > 0]
    if template is not None:
        _require_placeholders(template, every)
    total = sum(each.n for each in every)
    if total > MAX_PROMPTS:
        raise InputError(f"expected at most {MAX_PROMPTS:,} pictures, got {total:,}: give a smaller target")
    made: list[Suggestion] = []
    notes: list[str] = []
    known = [_Words.of(each) for each in own]
    for each in every:
        try:
            made += _shared_out(_prompts(each, known, template), each)
        except PromptError as error:
            notes.append(f"no prompt for {each.why}: {error}")
    return SuggestedPrompts(tuple(made), tuple(notes))


def _prompts(wanted: Wanted, own: Sequence[_Words], template: str | None) -> list[tuple[str, dict[str, str]]]:
    """Returns prompts with their scenarios; raises ``PromptError`` where none can be made."""
    asked = {factor_name(name): value for name, value in wanted.values.items()}
    if wanted.texts and template is None:
        made: dict[str, dict[str, str]] = {}
        for text, scene in zip(wanted.texts, wanted.scenes or [wanted.values] * len(wanted.texts), strict=True):
            factors = {factor_name(name): value for name, value in scene.items()}
            made.setdefault(checked_text(text, "a caption", "a caption"), factors)
        return [(text, factors) for text, factors in made.items() if text]
    if not wanted.values:
        raise PromptError("nothing tells what its pictures show: give captions")
    if template is None:
        replaced = _replaced(wanted, own)
        if replaced:
            return [(text, {**scenario, **asked}) for text, scenario in replaced]
    return [(checked_text(_filled(wanted, template), "the template", "the prompt"), asked)]


def _shared_out(prompts: Sequence[tuple[str, dict[str, str]]], wanted: Wanted) -> list[Suggestion]:
    some = list(prompts)[: min(len(prompts), wanted.n, VARIETY)]
    if not some:
        raise PromptError("it has no words")
    each, more = divmod(wanted.n, len(some))
    return [
        Suggestion(text, {name: _value(name, value) for name, value in factors.items()}, each + (at < more), wanted.why)
        for at, (text, factors) in enumerate(some)
    ]


def _value(name: str, value: str) -> str:
    text = checked_text(value, "a factor", name)
    if not text:
        raise PromptError(f"{name} has no words")
    return text


@dataclass(frozen=True)
class _Words:
    """A prompt with what stands in it: the factors whose value it says, which no other factor of it has."""

    own: OwnPrompt
    says: frozenset[str]

    @classmethod
    def of(cls, own: OwnPrompt) -> _Words:
        values = [value.lower() for value in own.values.values()]
        other = [value.lower() for name, value in own.scenario.items() if name not in map(short, own.values)]
        says = {
            name
            for name, value in own.values.items()
            if (values + other).count(value.lower()) == 1 and _pattern(value).search(own.text)
        }
        return cls(own, frozenset(says))


def _replaced(wanted: Wanted, own: Sequence[_Words]) -> list[tuple[str, Mapping[str, str]]]:
    """Returns the set's prompts in other words, those that need the fewest changes first."""
    options: list[tuple[int, int, frozenset[str]]] = []
    for at, words in enumerate(own):
        values = words.own.values
        differs = frozenset(name for name, value in wanted.values.items() if values.get(name) != value)
        if differs <= words.says and all(name in values for name in wanted.values):
            options.append((len(differs), at, differs))
    made: dict[str, Mapping[str, str]] = {}
    for _, at, differs in sorted(options, key=lambda option: option[:2]):
        values = own[at].own.values
        text = _replace(own[at].own.text, {values[name]: wanted.values[name] for name in sorted(differs)})
        if text not in made:
            made[text] = own[at].own.scenario
        if len(made) == VARIETY:
            break
    return list(made.items())


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(in_words(value))}(?!\w)", re.IGNORECASE)


def _replace(text: str, words: Mapping[str, str]) -> str:
    """Returns a text with the words of some values in place of others', and the articles that go with them.

    >>> _replace("an orange cup by day", {"orange": "blue"}), _replace("A car", {"car": "owl"})
    ('a blue cup by day', 'An owl')
    >>> _replace("a cup by day", {"cup": "day lily", "day": "night"})
    'a day lily by night'
    """
    order = sorted(words, key=lambda value: (-len(value), value))
    # first a mark for each, so that no word that was put in is taken for one that is to go
    marks = [f"\ue000{number}\ue001" for number in range(len(order))]
    for mark, old in zip(marks, order, strict=True):
        text = _pattern(old).sub(mark, text)
    for mark, old in zip(marks, order, strict=True):
        new = in_words(words[old])
        article = "n" if new[:1].lower() in tuple("aeiou") else ""
        text = re.sub(rf"\b([Aa])n?(\s+)(?={mark})", rf"\g<1>{article}\g<2>", text).replace(mark, new)
    return text


def in_words(value: str) -> str:
    """Returns a value as it stands in a sentence.

    >>> in_words("traffic_light")
    'traffic light'
    """
    return " ".join(value.replace("_", " ").split())


def _filled(wanted: Wanted, template: str | None) -> str:
    words = {name: in_words(value) for name, value in wanted.values.items()}
    contexts = ", ".join(value for name, value in words.items() if name != wanted.of_class)
    named = words.get(wanted.of_class, "")
    if template is None:
        class_in_words = f"an {named}" if named[:1].lower() in tuple("aeiou") else f"a {named}"
        used = TEMPLATE if named else WITHOUT_CLASS
        return used.format_map({_CLASS: class_in_words, _CONTEXT: contexts}).removesuffix(", ")
    values = {**{factor_name(name): value for name, value in words.items()}, _CONTEXT: contexts}
    if named:
        values[_CLASS] = named
    lacking = [name for name in _placeholders(template) if name not in values]
    if lacking:
        raise PromptError(f"the template asks for {{{lacking[0]}}}, which it has not")
    return "".join(
        literal + ("" if name is None else values[name]) for literal, name, _, _ in string.Formatter().parse(template)
    )


def _placeholders(template: str) -> list[str]:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"expected {{name}} placeholders in the template, got {template[:60]!r}: {error}") from error
    return [name for _, name, _, _ in parts if name is not None]


def _require_placeholders(template: str, wanted: Sequence[Wanted]) -> None:
    if not isinstance(template, str) or not template.strip():
        raise InputError(f"expected a template such as 'a photo of a {{class}} in {{context}}', got {template!r}")
    known = {_CLASS, _CONTEXT, *(factor_name(name) for each in wanted for name in each.values)}
    unknown = [name for name in _placeholders(template) if name not in known]
    if unknown:
        raise InputError(f"expected the placeholders {', '.join(sorted(known))}, got {{{unknown[0]}}}")


def factor_name(name: str) -> str:
    """Returns what a factor is called in ``scenario``.

    >>> factor_name("scenario.time"), factor_name("ground_truth.label"), factor_name("my field"), factor_name("seed")
    ('time', 'ground_truth', 'my_field', 'scene_seed')
    """
    made = re.sub(r"\W", "_", short(name).removesuffix(".label")).strip("_")[:60] or "factor"
    return f"scene_{made}" if made in RESERVED or made[0].isdigit() else made
