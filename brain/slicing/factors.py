"""What samples are sliced by. A factor names the values of a field; brain/store/factors.py reads and finds them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.numbers import is_real, is_whole
from loupe.brain.slicing import bins as number_bins
from loupe.brain.slicing.factor_values import BINS as BINS
from loupe.brain.slicing.factor_values import FactorValues
from loupe.brain.slicing.factor_values import Kind as Kind
from loupe.brain.slicing.factor_values import Source as Source

#: parts of the metadata that are numbers, and those that are names
METADATA = ("width", "height", "size_bytes", "num_channels", "aspect", "megapixels")
METADATA_NAMES = ("format", "orientation")
TIME = ("year", "month", "day", "hour")
PROMPT = ("objects", "count", "negation", "quoted", "relation", "length", "words")
#: of relative areas: what COCO calls small (32 x 32 pixels) and large (96 x 96), of a picture of 640 x 480
BOX_EDGES = (0.0033, 0.03)
BOX_SIZES = ("small", "medium", "large")
BOX_POSITIONS = (
    *("top left", "top", "top right"),
    *("left", "center", "right"),
    *("bottom left", "bottom", "bottom right"),
)
#: the score that tells how much light there is, and where dark ends and bright begins
LIGHT, LIGHT_EDGES, LIGHT_NAMES = "quality.overexposure", (0.25, 0.6), ("dark", "medium", "bright")

_Bins = int | Iterable[float] | None


@dataclass(frozen=True, repr=False)
class Factor(FactorValues):
    """What slices are made by. Factors are made by the methods below; ``a * b`` is their combinations.

    Of a factor with several values a sample (its labels, tags, words) a sample is in several slices: it counts once in
    each, so a slice's own interval holds as ever, but the slices share samples and do not vary independently.

    >>> Factor.field("uniqueness", bins=4) * Factor.tags()
    Factor(uniqueness × tags)
    """

    @classmethod
    def field(
        cls,
        path: str,
        *,
        bins: _Bins = None,
        width: float | None = None,
        names: Iterable[str] = (),
        name: str | None = None,
    ) -> Factor:
        """Returns the values of a field of strings, bools, ints or floats, or of lists of them.

        Args:
            path: the field, e.g. ``"scenario.time"`` or ``"quality.sharpness"``
            bins: of numbers: how many bins with about as many samples each, or the edges between them. None: each int
                by itself, and four bins of floats. Numbers with no more values than bins get none
            width: of numbers: how wide each bin is instead, from a multiple of it to the next
            names: what the bins between given edges are called, the lowest first; by their ends by default
            name: what the slices call it; the path by default

        Raises:
            InputError: bins that are none, both bins and a width, or not as many names as bins

        >>> Factor.field("quality.sharpness", bins=[0.3, 0.6], names=["soft", "fair", "sharp"]).bin_names()
        ('soft', 'fair', 'sharp')
        """
        made = cls(name or path, "field", path, bins=_bins(bins), width=_width(width), names=_texts("bins", names))
        if made.bins is not None and made.width is not None:
            raise InputError(f"expected bins or their width, got both: {made.bins!r} and {made.width!r}")
        edges = made.bins if isinstance(made.bins, tuple) else None
        if made.names and (edges is None or len(made.names) != len(edges) + 1):
            wanted = "given edges to name the bins between" if edges is None else f"{len(edges) + 1} names of bins"
            raise InputError(f"expected {wanted}, got names={made.names!r}")
        return made

    @classmethod
    def label(cls, path: str, *, only: Iterable[str] = (), name: str | None = None) -> Factor:
        """Returns the classes of a field of labels: of each sample the one class, or all that it has.

        Args:
            path: a field of a classification, of classifications, of detections, of polylines or of keypoints
            only: the classes that count; all by default
            name: what the slices call it; the path by default
        """
        return cls(name or path, "label", path, only=_texts("classes", only))

    @classmethod
    def count(cls, path: str, *, of: str | Iterable[str] = (), bins: _Bins = None, name: str | None = None) -> Factor:
        """Returns how many labels a field holds; a sample without the field's value has no count.

        Args:
            path: a field of classifications, of detections, of polylines or of keypoints, or of lists
            of: the class or classes that are counted; all by default
            bins: as for ``field``; None: each number by itself
            name: what the slices call it; the path, the classes and "count" by default
        """
        classes = _classes(of)
        return cls(name or " ".join((path, *classes, "count")), "count", path, of=classes, bins=_bins(bins))

    @classmethod
    def attribute(
        cls, path: str, attribute: str, *, of: str | Iterable[str] = (), bins: _Bins = None, name: str | None = None
    ) -> Factor:
        """Returns an attribute of a field's labels: ``confidence``, or one of your own (``occluded``).

        Args:
            path: a field of labels
            attribute: strings, bools, ints or floats; a declared one (``dataset.add_dynamic_sample_fields()``)
            of: the class or classes that count; all by default
            bins: as for ``field``
            name: what the slices call it; ``<path>.<attribute>`` by default
        """
        return cls(name or f"{path}.{attribute}", "attribute", path, attribute, of=_classes(of), bins=_bins(bins))

    @classmethod
    def box_size(
        cls,
        path: str,
        *,
        of: str | Iterable[str] = (),
        edges: Iterable[float] = BOX_EDGES,
        name: str | None = None,
    ) -> Factor:
        """Returns how large a field's boxes are: small, medium, large, by their share of the picture's area.

        A sample is in the slice of each size that it has a box of.

        Args:
            path: a field of detections, or of one
            of: the class or classes that count; all by default
            edges: the two relative areas, in (0, 1), from which on a box is medium, and large; by default about
                COCO's 32 x 32 and 96 x 96 pixels of a picture of 640 x 480. Other numbers of edges are called by them
            name: what the slices call it; the path and "size" by default
        """
        known = _bins(tuple(edges))
        names = BOX_SIZES if isinstance(known, tuple) and len(known) + 1 == len(BOX_SIZES) else ()
        return cls(name or f"{path} size", "box", path, "size", of=_classes(of), bins=known, names=names)

    @classmethod
    def box_position(cls, path: str, *, of: str | Iterable[str] = (), name: str | None = None) -> Factor:
        """Returns in which ninth of the picture the centers of a field's boxes lie: "top left" to "bottom right".

        Args:
            path: a field of detections, or of one
            of: the class or classes that count; all by default
            name: what the slices call it; the path and "position" by default
        """
        return cls(name or f"{path} position", "box", path, "position", only=BOX_POSITIONS, of=_classes(of))

    @classmethod
    def tags(cls, *only: str, name: str = "tags") -> Factor:
        """Returns the tags of each sample: all of them, or those of the given ones, e.g. the names of splits."""
        return cls(name, "tags", "tags", only=_texts("tags", only))

    @classmethod
    def views(cls, *only: str, name: str = "views") -> Factor:
        """Returns which saved views of the dataset each sample is in: of all of them, or of the given ones."""
        return cls(name, "views", only=_texts("saved views", only))

    @classmethod
    def metadata(cls, part: str, *, bins: _Bins = BINS, name: str | None = None) -> Factor:
        """Returns a fact of the pictures' metadata, which ``dataset.compute_metadata()`` reads from the files.

        Args:
            part: width or height in pixels, size_bytes, num_channels, aspect: width / height, megapixels; or format:
                the mime type, or orientation: portrait, square or landscape
            bins: of the numbers, as for ``field``
            name: what the slices call it; ``metadata.<part>`` by default

        Raises:
            UnknownName: no such part
        """
        if part not in METADATA + METADATA_NAMES:
            raise UnknownName("part of the metadata", part, METADATA + METADATA_NAMES)
        kept = None if part in METADATA_NAMES else _bins(bins)
        return cls(name or f"metadata.{part}", "metadata", "metadata", part, bins=kept)

    @classmethod
    def time(cls, path: str, part: str = "day", *, name: str | None = None) -> Factor:
        """Returns a part of a field of dates or times, in UTC.

        Args:
            path: the field, e.g. ``"created_at"``
            part: year, month (of a year: 2026-11), day (2026-11-28), or hour (0 to 23)
            name: what the slices call it; the path and the part by default

        Raises:
            UnknownName: no such part
        """
        if part not in TIME:
            raise UnknownName("part of a time", part, TIME)
        return cls(name or f"{path} {part}", "time", path, part)

    @classmethod
    def light(cls, *, edges: Iterable[float] = LIGHT_EDGES, name: str = "light") -> Factor:
        """Returns how much light there is in a picture: dark, medium or bright, by the score ``overexposure``.

        That score is the mean luma of a picture, but for what is white; nothing is decoded here, so the check
        ``exposure`` has to have run. Dark is most of what is night, and what else lacks light: a fact of the pixels,
        not of the time of day.

        Args:
            edges: of the luma, in (0, 1): from where on a picture is medium, and bright. Other numbers of edges are
                called by them
            name: what the slices call it
        """
        known = _bins(tuple(edges))
        names = LIGHT_NAMES if isinstance(known, tuple) and len(known) + 1 == len(LIGHT_NAMES) else ()
        return cls(name, "stored", LIGHT, "loupe.check(samples, ['exposure'])", bins=known, names=names)

    @classmethod
    def words(cls, *only: str, path: str = "words", name: str | None = None) -> Factor:
        """Returns which of some words fits a picture best, as ``loupe.find_words`` stored it.

        Args:
            only: the words that count; all by default
            path: the field that it wrote to
            name: what the slices call it; the path by default
        """
        verb = f"loupe.find_words(samples, [...], field={path!r})"
        return cls(name or path, "stored", path, verb, only=_texts("words", only))

    @classmethod
    def clusters(cls, *, path: str = "cluster", name: str | None = None) -> Factor:
        """Returns the cluster of vectors that a picture is in, as ``loupe.find_clusters`` stored it.

        Args:
            path: the field that it wrote to
            name: what the slices call it; the path by default
        """
        return cls(name or path, "stored", path, f"loupe.find_clusters(samples, field={path!r})")

    @classmethod
    def prompt(
        cls, part: str, *, only: Iterable[str] = (), bins: _Bins = None, path: str = "prompt", name: str | None = None
    ) -> Factor:
        """Returns what a prompt asks for, as Loupe's grammar reads it, or the words that it is made of.

        Args:
            part: objects: how many kinds of objects it names; count: the largest number of one kind that it gives;
                negation: whether it excludes anything; quoted: whether it wants something written; relation: whether
                objects are to stand to each other; length: how many words it has; words: the words themselves
            only: of words: those that count, in lower case; by default the twenty that tell the prompts apart the most
            bins: of objects, count and length, as for ``field``
            path: the field of the prompts
            name: what the slices call it; the path and the part by default

        Raises:
            UnknownName: no such part
        """
        if part not in PROMPT:
            raise UnknownName("part of a prompt", part, PROMPT)
        words = tuple(word.lower() for word in _texts("words", only))
        if words and part != "words":
            raise InputError(f"expected words that count only for 'words', got them for {part!r}")
        return cls(name or f"{path} {part}", "prompt", path, part, only=words, bins=_bins(bins))

    def __mul__(self, other: Factor) -> Factor:
        """Returns the combinations of two factors' values."""
        if not isinstance(other, Factor):
            return NotImplemented
        parts = (*self.parts(), *other.parts())
        return Factor(" × ".join(part.name for part in parts), "product", factors=parts)

    def parts(self) -> tuple[Factor, ...]:
        """Returns what a product is made of; of any other factor itself."""
        return self.factors if self.source == "product" else (self,)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Factor:
        """Returns the factor that ``to_dict`` made plain values of.

        >>> factor = Factor.tags("train", "test") * Factor.field("level", bins=[0.5, 1])
        >>> Factor.from_dict(factor.to_dict()) == factor
        True
        """
        kept: dict[str, Any] = {
            name: tuple(value) if isinstance(value, (list, tuple)) else value for name, value in facts.items()
        }
        return cls(**{**kept, "factors": tuple(cls.from_dict(part) for part in facts["factors"])})


def listed(given: object, name: str) -> list[str | Factor]:
    """Returns one field path or factor, or several, as a list.

    Raises:
        InputError: it is no such thing and no list

    >>> listed("scenario.time", "by")
    ['scenario.time']
    """
    if isinstance(given, (str, Factor)):
        return [given]
    if not isinstance(given, Iterable) or isinstance(given, (bytes, Mapping)):
        raise InputError(f"expected {name} to be a field path, a factor or a list of them, got {given!r}"[:300])
    return list(given)


def factors_of(by: str | Factor | Iterable[str | Factor]) -> tuple[Factor, ...]:
    """Returns the factors whose combinations slices are made by, products taken apart, each once.

    Args:
        by: a field path or a factor, or several

    Raises:
        InputError: what is neither, or two factors of one name

    >>> factors_of(["scenario.time", Factor.tags() * Factor.field("wet")])
    (Factor(scenario.time), Factor(tags), Factor(wet))
    """
    given = [by] if isinstance(by, (str, Factor)) or not isinstance(by, Iterable) else by
    factors: dict[str, Factor] = {}
    for item in given:
        if not isinstance(item, (str, Factor)):
            raise InputError(f"expected field paths or factors to slice by, got {item!r}")
        for factor in Factor.field(item).parts() if isinstance(item, str) else item.parts():
            if factors.setdefault(factor.name, factor) != factor:
                raise InputError(f"two factors are called {factor.name!r}: give them names of their own (name=...)")
    return tuple(factors.values())


def _bins(bins: int | Iterable[float] | None) -> int | tuple[float, ...] | None:
    return None if bins is None else number_bins.checked(bins)


def _texts(what: str, given: Iterable[str]) -> tuple[str, ...]:
    texts = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"expected the names of {what}, got {given!r}")
    return tuple(dict.fromkeys(texts))


def _width(width: float | None) -> float | None:
    if width is None:
        return None
    if not is_real(width) or not math.isfinite(width) or width <= 0:
        raise InputError(f"expected a width of bins above 0, got {width!r}")
    return float(width) if not is_whole(width) else int(width)


def _classes(of: str | Iterable[str]) -> tuple[str, ...]:
    return _texts("classes", (of,) if isinstance(of, str) else of)
