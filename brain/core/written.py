"""Prompts as people write them: what of a prompt is its words, and what is an order to the program that draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record

#: what a mark in a prompt is. Each but the last three is lost on a generator that does not read it
Kind: TypeAlias = Literal[
    "weight",  # (word:1.3), ((word)), [word], word::2
    "alternation",  # [a|b]: one step this, one step that
    "schedule",  # [a:b:0.5]: first this, then that
    "part",  # BREAK, AND
    "lora",  # <lora:name:0.8>
    "hypernetwork",  # <hypernet:name:1>
    "embedding",  # embedding:name
    "flag",  # --v 6
    "link",  # a picture's address in front
    "setting",  # Steps: 20, Sampler: Euler a
    "size",  # --ar 16:9
    "seed",  # --seed 1
    "negative",  # --no plants
    "escape",  # \(
]
KINDS: tuple[str, ...] = get_args(Kind)
Dialect: TypeAlias = Literal["auto", "a1111", "midjourney", "comfyui"]
#: what may be done with the marks in prompts
Syntax: TypeAlias = Literal["plain", "refuse", "keep"]


@dataclass(frozen=True)
class PromptSyntax(Record):
    """What a generator understands beside words.

    Attributes:
        reads: the kinds of marks that it reads in the prompt by itself: they are left in the text
        takes: what it takes beside the prompt: ``"size"`` of a single image, ``"negative"``
    """

    reads: tuple[Kind, ...] = ()
    takes: tuple[Literal["size", "negative"], ...] = ("negative",)

    def __post_init__(self) -> None:
        unknown = (set(self.reads) - set(KINDS)) | (set(self.takes) - {"size", "negative"})
        if unknown:
            raise InputError(f"expected kinds of marks ({', '.join(KINDS)}), got {sorted(unknown)[0]!r}")


@dataclass(frozen=True)
class Mark(Record):
    """An order in a prompt: its ``kind``, and the ``text`` as it is written there."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Weight(Record):
    """How strongly a span of ``WrittenPrompt.plain`` is to be drawn.

    Attributes:
        start, end: of the span, in characters
        weight: 1 is as all other words; brackets in brackets are multiplied
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Adapter(Record):
    """A LoRA, a hypernetwork or an embedding that a prompt names, with its weight."""

    kind: Kind
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class WrittenPrompt(Record):
    """A prompt as somebody wrote it, taken apart.

    Attributes:
        raw: as it was written
        plain: its words, without any mark: what is asked for
        text: what a generator gets: its words, and the marks that it reads
        negative: what is not to be drawn, by ``--no``, a negative weight or a negative prompt; the words only
        weights: the spans of ``plain`` that weigh other than 1, in order; no two overlap
        adapters: LoRAs, hypernetworks and embeddings
        size: (width, height) in pixels, where it says so
        aspect: (width, height) as a ratio, where it says so
        seed: in [0, 2**63), where it says so
        dropped: marks that are lost: they stand in no text, and nothing else does what they ask for
        kept: marks that stand in ``text``
        resolved: marks that stand in the fields here: the size, the seed, what is excluded, escaped brackets
        odd: what looks like a mark and is none, such as a bracket that is never closed; it is left in the words
    """

    raw: str
    plain: str
    text: str
    negative: str = ""
    weights: tuple[Weight, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    size: tuple[int, int] | None = None
    aspect: tuple[float, float] | None = None
    seed: int | None = None
    dropped: tuple[Mark, ...] = ()
    kept: tuple[Mark, ...] = ()
    resolved: tuple[Mark, ...] = ()
    odd: tuple[str, ...] = ()
