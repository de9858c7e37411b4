"""What a report is made of: pages of sections of blocks, which know nothing of how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from loupe.brain.core.results import Rate
from loupe.brain.core.tables import Table


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a sample.

    Attributes:
        id: the sample's
        name: its file's name, without the folder: a report travels
        jpeg: the picture as a JPEG file; empty where it cannot be read
        caption: what stands below it
    """

    id: str
    name: str
    jpeg: bytes
    caption: str = ""


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text; ``small`` where it is an aside."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Numbers:
    """A row of large numbers, each with its words: ``("216", "samples")``."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Bar:
    """A share with its interval, and what belongs to it.

    Attributes:
        label: what it is of
        hint: what that means, in a sentence
        rate, low, high: in [0, 1]; NaN where nothing was judged
        note: what stands beside it, e.g. of how many
        pictures: examples
        against: another share that it is held against, drawn as a mark; None: there is none
    """

    label: str
    hint: str
    rate: float
    low: float
    high: float
    note: str
    pictures: tuple[Thumbnail, ...] = ()
    against: float | None = None


@dataclass(frozen=True)
class Bars:
    """Bars on one scale, which ends at ``top`` in (0, 1]."""

    bars: tuple[Bar, ...]
    top: float


@dataclass(frozen=True)
class Heat:
    """A table of rates: rows are slices, columns are failure modes; the first row is of all samples.

    Attributes:
        corner: what the rows are values of
        rows: how each row is called
        columns: how each column is called
        cells: the rates, row by row
        path: of the field that the rows are values of
    """

    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Rate, ...], ...]
    path: str = ""


@dataclass(frozen=True)
class Pictures:
    """Pictures in a row."""

    pictures: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class Curve:
    """A curve of a chart: its name, and N points (x, y), both in [0, 1]; a single point is a dot."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """Curves over the unit square; ``diagonal`` draws the line of equal x and y."""

    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    diagonal: bool = False


Block: TypeAlias = Text | Numbers | Bars | Heat | Pictures | Table | Chart


@dataclass(frozen=True)
class Section:
    """Blocks below a title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        title: its name
        subtitle: of what it is, and of when
        sections: in the order in which they are read; those without blocks are left out
        made_by: what made it, e.g. ``"Loupe 0.1.0"``
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    made_by: str


def top_of(shares: Sequence[float]) -> float:
    """Returns where a scale ends that shows all of these shares: a round number of at least 0.1.

    >>> top_of([0.02, 0.23]), top_of([]), top_of([float("nan"), 0.97])
    (0.25, 0.1, 1.0)
    """
    known = [share for share in shares if share == share]
    highest = max(known, default=0.0)
    return next(top for top in (0.1, 0.25, 0.5, 0.75, 1.0) if highest <= top)
