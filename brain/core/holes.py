"""Where a reference has no sample near: the records of ``coverage`` and ``compare_to_real``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.p_values import equals
from loupe.brain.core.proportions import Proportion
from loupe.brain.core.records import Record
from loupe.brain.core.shares import percent


@dataclass(frozen=True)
class Hole(Record):
    """A region of the reference where the samples have none.

    Attributes:
        number: from 1, the largest first
        size: how many reference pictures lie in it, none of them near any sample
        share: of all reference pictures that were compared, with its interval
        expected: how many samples the region would have if the samples lay as the reference does
        p: how probable it is that chance leaves out a region so large anywhere: by those of relabeled sets
        ids: of its reference pictures, those in its middle first; at most 1,000
        mostly: labels of its pictures, with their share: the most frequent up to three
        texts: captions or prompts of those in its middle
        label: the field of those labels; empty where none was given
        scenario: of each scenario the value that at least half of its pictures have, with the share that do
        scenes: of each text the label and the scenario of its own picture
    """

    number: int
    size: int
    share: Proportion
    expected: float
    p: float
    ids: tuple[str, ...]
    mostly: tuple[tuple[str, float], ...] = ()
    texts: tuple[str, ...] = ()
    label: str = ""
    scenario: tuple[tuple[str, str, float], ...] = ()
    scenes: tuple[Mapping[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """What is known of it, in one sentence."""
        text = f"Hole {self.number}: {self.size:,} reference pictures ({percent(self.share.rate)}) have no sample near"
        text += f", where about {rounded(self.expected)} are expected (p {equals(self.p)})"
        parts = [*self.mostly, *((value, share) for _, value, share in self.scenario)]
        mostly = ", ".join(f"{name} {percent(share)}" for name, share in parts)
        return f"{text}; mostly {mostly}" if mostly else text

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Holes(Record):
    """How the samples cover a reference.

    Attributes:
        covered: the reference pictures that have a sample nearer than their k-th nearest reference picture: the
            coverage of Naeem et al. (2020). Of samples in groups one of each is looked at
        expected: the coverage that samples drawn as the reference would have: in [0, 1]
        ratio: coverage / expected: 1 is as good as another draw
        k: how many neighbors make a ball
        holes: the regions without samples that chance does not explain, the largest first
        notes: what was left out, and why
    """

    covered: Proportion
    expected: float
    ratio: float
    k: int
    holes: tuple[Hole, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The coverage in one sentence."""
        return (
            f"{percent(self.covered.rate)} of {self.covered.n:,} reference pictures have a sample near; as good a draw "
            f"would cover {percent(self.expected)}"
        )

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Holes:
        """Returns the holes that ``to_dict`` made plain values of, also by a version that knew fewer of them."""
        return cls(
            covered=Proportion.from_dict(facts["covered"]),
            expected=_number(facts["expected"]),
            ratio=_number(facts["ratio"]),
            k=int(facts["k"]),
            holes=tuple(map(_hole, facts["holes"])),
            notes=tuple(facts["notes"]),
        )


def rounded(number: float) -> str:
    """Returns a number of samples as people read it."""
    return f"{number:,.0f}" if number >= 9.5 else f"{number:.2g}"


def _hole(facts: Mapping[str, Any]) -> Hole:
    return Hole(
        number=int(facts["number"]),
        size=int(facts["size"]),
        share=Proportion.from_dict(facts["share"]),
        expected=_number(facts["expected"]),
        p=_number(facts["p"]),
        ids=tuple(facts["ids"]),
        mostly=tuple((str(name), float(share)) for name, share in facts["mostly"]),
        texts=tuple(facts["texts"]),
        label=str(facts.get("label", "")),
        scenario=tuple((str(name), str(value), float(share)) for name, value, share in facts.get("scenario", ())),
        scenes=tuple({str(name): str(value) for name, value in own.items()} for own in facts.get("scenes", ())),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
