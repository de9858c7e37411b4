"""What ``rebalance`` is to draw: each thing that is lacking with its target, what is there of it, and its prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from loupe.brain.core.findings import Finding
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.holes import Hole
from loupe.brain.core.proportions import Proportion
from loupe.brain.core.rebalanced import NOTHING
from loupe.brain.core.specs import Check, Generator
from loupe.brain.generation.counted import Known, decide
from loupe.brain.labels.cells import Cell
from loupe.brain.labels.coverage import Coverage
from loupe.brain.labels.suggestions import SuggestedPrompts, Wanted, factor_name, suggested
from loupe.brain.prompts import llm, styles
from loupe.brain.prompts.reworded import reworded
from loupe.brain.store import rebalance as store
from loupe.brain.store import rows as store_rows
from loupe.brain.store import suggestions as store_suggestions
from loupe.brain.verbs.steps.lacking import FOR_SLICE, name_of, of_cell, of_finding, of_hole, parts_of

if TYPE_CHECKING:
    import fiftyone as fo

_Prompts: TypeAlias = tuple[tuple[str, Mapping[str, str]], ...]

VERSION = 1
#: of a generator: what changes no picture, and may be another when the same call goes on
_NOT_IN_KEY = {"batch_size", "images_per_call", "budget", "concurrency", "placement"}
#: draws at most, for each sample that is needed, and for each thing
_EACH, _SOME = 20, 50


@dataclass(frozen=True, eq=False)
class Ask:
    """How the prompts come to be.

    Attributes:
        template: as of ``suggest_prompts``
        captions: the field that the set's own prompts are taken from
        language_model: that says each of them in other words; None: none does
        seed: of the draws
    """

    template: str | None = None
    captions: str | None = None
    language_model: str | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Wish:
    """A thing that is lacking.

    Attributes:
        key: what its draws share
        where: in words
        target: how many samples that count it is to have
        present: how many it has, without those drawn for it
        prompts: what is asked for, in turn, each with its factors
        limit: draws at most
        values: what the pictures are to show, by factor
        expected: how many pass of the generated pictures that are there
        refused: answers of the language model
    """

    key: str
    where: str
    target: int
    present: int
    prompts: _Prompts
    limit: int
    values: Mapping[str, str] = field(default_factory=dict)
    expected: Proportion = NOTHING
    refused: int = 0

    @property
    def needed(self) -> int:
        """How many samples that count are to be drawn."""
        return max(self.target - self.present, 0)

    def row(self, number: int) -> dict[str, Any]:
        """Returns what is asked for in a draw: the same in every call."""
        prompt, factors = self.prompts[number % len(self.prompts)]
        seed = styles.seed_of(VERSION, store.REBALANCE, self.key, "", number)
        return {"prompt": prompt, "factors": {**factors, store.FACTOR: f"{self.key}-{number}"}, "seed": seed}

    def class_of(self, label: str) -> str | None:
        """Returns the class that is asked for; None where none is."""
        for name, value in self.values.items():
            if name == label or factor_name(name) == factor_name(label):
                return value
        return None


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of the pictures that are there.

    Attributes:
        dataset: it
        gate: the checks that a sample has to pass
        allowed: whose silence does not matter
    """

    dataset: fo.Dataset
    gate: Sequence[Check]
    allowed: bool | Sequence[str]

    def counting(self, ids: Sequence[str]) -> tuple[int, Proportion]:
        """Returns how many of the samples count, and of the generated ones how many pass.

        A sample that nothing has checked counts: it is the user's own. One that was checked counts where it passes what
        looked at it.
        """
        known = store.known(self.dataset, ids, self.gate)
        applying = gates(self.dataset, ids, self.gate)
        passing = {each for each in ids if each in known and self._passes(known[each], applying[each])}
        drawn = store.generated(self.dataset, ids)
        judged = [each for each in drawn if known.get(each, Known()).checked]
        return len(passing), Proportion.of(sum(each in passing for each in judged), len(judged)) if judged else NOTHING

    def _passes(self, known: Known, applying: frozenset[str]) -> bool:
        return not known.checked or decide(known, applying & known.checked, self.allowed).answer == "passes"


def gates(dataset: fo.Dataset, ids: Sequence[str], checks: Sequence[Check]) -> dict[str, frozenset[str]]:
    """Returns by sample the checks that apply to it: those that do not abstain by its fields alone."""
    names = frozenset(check.name for check in checks)
    made = dict.fromkeys(ids, names)
    needs = sorted({name for check in checks for name in check.reads()})
    if not ids or not needs:
        return made
    rows, _ = store_rows.pending_rows(dataset.select(list(ids)), checks, needs=needs, resume=False)
    for row in rows:
        silent = {check.name for check in checks if check.abstains(row.fields)}
        made[row.id] = names - silent
    return made


def wishes(
    source: Any,
    standing: Standing,
    spec: Generator,
    ask: Ask,
    *,
    target: int | None,
    each: int | None,
    max_draws: int | None,
    kept: Mapping[str, Any],
    rewords: Callable[[str], llm.Generate] | None = None,
) -> tuple[list[Wish], list[str]]:
    """Returns what is lacking with its prompts, and notes on what no prompt was made for.

    Args:
        source: as of ``rebalance``
        standing: what is there
        spec: what draws
        ask: how the prompts come to be
        target, each: as of ``rebalance``
        max_draws: as of ``rebalance``
        kept: by key what an earlier call asked for: that is asked for again, whatever the set's own prompts are now
        rewords: loads the language model; None: a plan, for which none is loaded
    """
    if isinstance(source, SuggestedPrompts):
        parts, notes = _suggested(source), list(source.notes)
    else:
        parts, notes = _lacking(source, standing, target, each)
    factors = [facts for part in parts if part.part is not None for facts in _factors(part.part)]
    own = _own_prompts(standing.dataset, factors, ask) if ask.template is None else []
    speaks = None
    made: list[Wish] = []
    for part in parts:
        needed = part.target - part.present
        limit = max_draws if max_draws is not None else max(_EACH * needed, _SOME)
        key = _key(part, spec, ask)
        known = kept.get(key)
        if known is not None:
            prompts: _Prompts = tuple((str(text), dict(values)) for text, values in known["prompts"])
            refused = int(known["refused"])
        else:
            listed = part.listed or suggested([replace(part.wanted, n=max(limit, 1))], own, ask.template)
            notes += [] if part.listed else listed.notes
            prompts, refused = tuple((every.prompt, dict(every.factors)) for every in listed.suggestions), 0
            if prompts and ask.language_model is not None and rewords is not None and needed > 0:
                speaks = speaks or rewords(ask.language_model)
                prompts, refused = _more(prompts, part.wanted, speaks)
        if prompts:
            wish = Wish(
                key, part.where, part.target, part.present, prompts, limit, dict(part.wanted.values), part.expected,
                refused,
            )  # fmt: skip
            made.append(wish)
    return list({wish.key: wish for wish in made}.values()), notes


@dataclass(frozen=True, eq=False)
class _Part:
    part: Cell | Finding | Hole | None
    where: str
    wanted: Wanted
    target: int
    present: int
    expected: Proportion = NOTHING
    listed: SuggestedPrompts | None = None


def _suggested(source: SuggestedPrompts) -> list[_Part]:
    """Returns the parts of prompts that somebody has: those for one thing together."""
    by_why: dict[str, list[Any]] = {}
    for each in source.suggestions:
        by_why.setdefault(each.why, []).append(each)
    made = []
    for why, suggestions in by_why.items():
        shared = dict(suggestions[0].factors)
        for each in suggestions:
            shared = {name: value for name, value in shared.items() if each.factors.get(name) == value}
        n = sum(each.n for each in suggestions)
        made.append(_Part(None, why, Wanted(shared, n, why), n, 0, NOTHING, SuggestedPrompts(tuple(suggestions))))
    return made


def _lacking(source: Any, standing: Standing, target: int | None, each: int | None) -> tuple[list[_Part], list[str]]:
    parts, place, notes = parts_of(source)
    place = standing.dataset if place is None else place
    made = []
    for part, coverage in parts:
        if isinstance(part, Hole):
            asked, reason = of_hole(part, each)
            present, expected, total = 0, NOTHING, (asked.n if asked else 0)
        else:
            ids = store.members(standing.dataset, part)
            counted, expected = (None, NOTHING) if ids is None else standing.counting(ids)
            asked, total, present, reason = _of_samples(part, coverage, place, target, each, counted)
        if asked is None:
            notes.append(f"no prompt for {name_of(part)}: {reason}")
        else:
            made.append(_Part(part, name_of(part), asked, total, present, expected))
    return made, notes


def _of_samples(
    part: Cell | Finding, coverage: Coverage | None, place: Any, target: int | None, each: int | None,
    present: int | None,
) -> tuple[Wanted | None, int, int, str]:  # fmt: skip
    """Returns what is asked for of a cell or slice, how many it is to have, how many it has, and why nothing is."""
    if isinstance(part, Finding):
        here = present or 0
        total = target if target is not None else here + (each or FOR_SLICE)
        asked, reason = of_finding(part, place, max(total - here, 1))
        return asked, total, here, reason
    here = part.n if present is None else present
    asked, reason = of_cell(part, coverage, target, present=here)
    if asked is None and reason == _ENOUGH:
        # it stays in the result: the same call again says that nothing is left to do
        asked, _ = of_cell(part, coverage, target, present=-1)
        return (None, 0, here, reason) if asked is None else (asked, asked.n - 1, here, reason)
    return asked, here + (asked.n if asked else 0), here, reason


_ENOUGH = "it has as many as it should"


def _factors(part: Cell | Finding | Hole) -> list[Mapping[str, Any]]:
    return [] if isinstance(part, Hole) else list(part.factors)


def _own_prompts(dataset: fo.Dataset, factors: Sequence[Mapping[str, Any]], ask: Ask) -> list[Any]:
    if not factors:
        return []
    others = store.others(dataset)
    if ask.captions is not None:
        return store_suggestions.own_prompts(others, store.factors_here(dataset, factors), field=ask.captions)
    return store_suggestions.own_prompts(others, store.factors_here(dataset, factors))


def _key(part: _Part, spec: Generator, ask: Ask) -> str:
    """Returns what tells the draws for one thing from all others: with a larger target they go on."""
    settings = {name: str(value) for name, value in spec.params().items() if name not in _NOT_IN_KEY}
    listed = [] if part.listed is None else [every.to_dict() for every in part.listed.suggestions]
    parts: list[Any] = [VERSION, spec.name, spec.version, settings, sorted(part.wanted.values.items())]
    parts += [list(part.wanted.texts), listed, ask.template, ask.captions, ask.language_model, ask.seed]
    return json_hash(parts, 8)


def _more(
    prompts: Sequence[tuple[str, Mapping[str, str]]], wanted: Wanted, speaks: llm.Generate
) -> tuple[_Prompts, int]:
    """Returns the prompts with other words for each, and how many answers were refused."""
    made: dict[str, Mapping[str, str]] = dict(prompts)
    refused = 0
    for text, factors in prompts:
        answer = reworded(text, [*factors.values(), *wanted.values.values()], speaks)
        refused += answer.refused
        for each in answer.prompts:
            made.setdefault(each, factors)
    return tuple(made.items()), refused
