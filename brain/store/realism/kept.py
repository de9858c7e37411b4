"""What ``compare_to_real`` and ``test_transfer`` found last, for their panel: records, pictures, what is gone since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.cloud import Cloud
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.realism import Realism, Transfer
from loupe.brain.labels.suggestions import SuggestedPrompts
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import runs, suggestions
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.factors import fit
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.overview import Picture
from loupe.brain.store.realism import sides as realism
from loupe.brain.store.realism.sides import PRODUCT
from loupe.brain.store.thresholds_view import sources

#: kinds of samples that there are pictures of
KINDS = ("synthetic", "uncovered", "smooth", "sharp")
#: pictures of a kind that are shown
MAX_PICTURES = 8
#: holes that there are pictures of
MAX_HOLES = 3
#: samples of a kind that a view is narrowed to
MAX_SHOWN = 500
_NAMES = {
    "synthetic": "what is taken for synthetic, surest first",
    "uncovered": "real samples without a synthetic one near, farthest first",
    "smooth": "synthetic samples, least fine detail first",
    "sharp": "synthetic samples, most fine detail first",
    "pairs": "what is nearest to a real sample, nearest first",
}
#: which samples are shown of a kind, and by what they are sorted, the largest first or last
_SYNTHETIC = {f"{realism.PATH}.real_distance": {"$ne": None}}
_WHERE: dict[str, dict[str, Any]] = {
    "synthetic": {**_SYNTHETIC, f"{realism.PATH}.domain_probability": {"$gte": 0.5}},
    "uncovered": {f"{realism.PATH}.covered": False},
    "smooth": {**_SYNTHETIC, f"{realism.PATH}.high_frequency": {"$ne": None}},
    "sharp": {**_SYNTHETIC, f"{realism.PATH}.high_frequency": {"$ne": None}},
}
_SORTED: dict[str, tuple[str, bool]] = {
    "synthetic": (f"{realism.PATH}.domain_probability", True),
    "uncovered": (f"{realism.PATH}.synthetic_distance", True),
    "smooth": (f"{realism.PATH}.high_frequency", False),
    "sharp": (f"{realism.PATH}.high_frequency", True),
}


@dataclass(frozen=True)
class Kept:
    """What is kept on a synthetic dataset; None of what was not found yet.

    Attributes:
        realism, transfer: what was found
        real: the name of the dataset of the real samples; empty where nothing is kept of it
        by: what the measures are parted by; empty: nothing
        cloud: both sides in one plane
        shows: the database's query of each class or scenario, by its name
        at, transfer_at: when: ISO 8601 in UTC
        prompts: what was suggested last
        maps: brain keys of maps that FiftyOne keeps of the dataset, where both sides are of it
    """

    realism: Realism | None = None
    transfer: Transfer | None = None
    real: str = ""
    by: str = ""
    cloud: Cloud | None = None
    shows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    at: str = ""
    transfer_at: str = ""
    prompts: SuggestedPrompts | None = None
    maps: tuple[str, ...] = ()


@dataclass(frozen=True)
class PicturedPair:
    """A synthetic picture and the real one that it may be a copy of; how far it is, over what is usual."""

    synthetic: Picture
    real: Picture
    ratio: float


@dataclass(frozen=True)
class Part(Narrowing):
    """Some of the samples that were compared.

    Attributes:
        name: how they are called
        where: the database's query
        listed: a list of ids belongs to it, the worst first
    """

    name: str
    where: Mapping[str, Any]
    listed: bool = False

    tag: ClassVar[str] = "realism"

    def query(self) -> dict[str, Any]:
        return {"$and": [dict(self.where)]}

    def facts(self) -> Any:
        return [self.name, dict(self.where), self.listed]

    @classmethod
    def from_facts(cls, facts: Any) -> Part:
        name, where, listed = facts
        if not isinstance(name, str) or not isinstance(where, dict) or not isinstance(listed, bool):
            raise ValueError("expected a name, a query, and whether ids belong to it")
        return cls(name, where, listed)

    @property
    def selects(self) -> bool:
        return self.listed


def queries(samples: Samples, by: Factor, values: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Returns the query of each value of a factor that one query tells; of the others nothing can be shown.

    They are made anew and not kept: what a dataset brings along is no query that anybody should run.

    Args:
        samples: the synthetic samples, whose dataset the panel is open on
        by: the factor, its bins fitted
        values: their names
    """
    try:
        parts = fit(samples, by)
    except LoupeError:
        return {}
    made = {}
    for value in values:
        # of a product the parts' names with this between them: a name that has it itself cannot be taken apart
        own = value.split(PRODUCT) if len(parts) > 1 else [value]
        if len(own) != len(parts):
            continue
        try:
            stages = [
                place.stage(factor, factor.value_of(name)) for (factor, place), name in zip(parts, own, strict=True)
            ]
        except LoupeError:
            continue
        if all(isinstance(stage, fo.Match) for stage in stages):
            filters = [dict(stage.filter) for stage in stages]
            made[value] = filters[0] if len(filters) == 1 else {"$and": filters}
    return made


def load(samples: SampleCollection) -> Kept | None:
    """Returns what was found last; None where nothing was, or what is kept cannot be read."""
    facts = {
        **_read(realism.kept(samples, "realism"), partial(_compared, runs.root(samples))),
        **_read(realism.kept(samples, "transfer"), _transfer),
    }
    if not facts:
        return None
    made = Kept(**facts, prompts=suggestions.load(samples))
    return replace(made, maps=_maps(samples)) if made.cloud is not None and _together(samples, made) else made


def _read(kept: dict[str, Any] | None, read: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    # another version may have kept it in another form: as good as nothing, and no crash
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        return read(kept) if kept is not None else {}
    return {}


def _compared(dataset: fo.Dataset, kept: dict[str, Any]) -> dict[str, Any]:
    params, made = kept["params"], Realism.from_dict(kept)
    factor = kept["factor"]
    return {
        "realism": made,
        "real": str(params["real"]),
        "by": str(params["by"] or ""),
        "cloud": Cloud.from_dict(kept["cloud"]),
        "shows": {} if factor is None else queries(dataset, Factor.from_dict(factor), made.by),
        "at": str(kept["at"]),
    }


def _transfer(kept: dict[str, Any]) -> dict[str, Any]:
    return {"transfer": Transfer.from_dict(kept), "transfer_at": str(kept["at"])}


def worst(samples: SampleCollection, kept: Kept, which: str) -> tuple[Picture, ...]:
    """Returns the pictures that show a finding the best; a picture of another dataset has an empty id.

    Args:
        samples: of the synthetic dataset
        kept: what was found
        which: ``"synthetic"``: taken for synthetic most surely; ``"uncovered"``: real ones that are the farthest from
            any synthetic one; ``"smooth"``, ``"sharp"``: with the least and the most high frequencies
    """
    dataset = _side(samples, kept, real=which == "uncovered")
    return () if dataset is None else _pictures(samples, dataset, _first(dataset, which, MAX_PICTURES))


def _first(samples: SampleCollection, which: str, number: int) -> list[str]:
    path, reverse = _SORTED[which]
    if not samples.has_field(path):
        return []
    with database_errors():
        return list(samples.match(_WHERE[which]).sort_by(path, reverse=reverse).limit(number).values("id"))


def pairs(samples: SampleCollection, kept: Kept) -> tuple[PicturedPair, ...]:
    """Returns the pairs that are nearest to a copy, whose pictures both are still there."""
    real = _side(samples, kept, real=True)
    if kept.realism is None or real is None:
        return ()
    first = kept.realism.pairs[: 2 * MAX_PICTURES]
    theirs = {each.id: each for each in _pictures(samples, runs.root(samples), [pair.synthetic for pair in first])}
    served = sources(real, [pair.real for pair in first])
    own = real is runs.root(samples)
    return tuple(
        PicturedPair(
            theirs[pair.synthetic],
            Picture(pair.real if own else "", served[pair.real]),
            pair.distance / pair.usual if pair.usual > 0 else 0.0,
        )
        for pair in first
        if pair.synthetic in theirs and pair.real in served
    )[:MAX_PICTURES]


def more(samples: SampleCollection, kept: Kept, which: str) -> tuple[Part, list[str]]:
    """Returns what a view is narrowed to, to see more of a kind than its pictures, and the ids, the worst first.

    Args:
        samples: the view that is narrowed
        kept: what was found
        which: as for ``worst``, or ``"pairs"``: the synthetic samples that are nearest to a copy
    """
    if which != "pairs":
        return Part(_NAMES[which], _WHERE[which], True), _first(samples, which, MAX_SHOWN)
    nearest = [pair.synthetic for pair in kept.realism.pairs] if kept.realism is not None else []
    return Part(_NAMES[which], {f"{realism.PATH}.authentic": False}, True), nearest


def of_value(kept: Kept, value: str) -> Part | None:
    """Returns what a view is narrowed to, to see a class or scenario; None where no query tells it."""
    where = kept.shows.get(value)
    if where is None:
        return None
    compared = {f"{realism.PATH}.domain_probability": {"$ne": None}}
    return Part(f"{kept.by} {value}", {"$and": [dict(where), compared]})


def gone(samples: SampleCollection, kept: Kept) -> str:
    """Returns what of the samples that were compared is not there any more, as a sentence; empty where all are."""
    if kept.realism is None:
        return ""
    real = _side(samples, kept, real=True)
    if real is None:
        return f"The dataset of the real samples, {kept.real}, is gone"
    parts = []
    for dataset, name, field_name, before in (
        (runs.root(samples), "synthetic", "real_distance", kept.realism.n_synthetic),
        (real, "real", "synthetic_distance", kept.realism.n_real),
    ):
        path = f"{realism.PATH}.{field_name}"
        with database_errors():
            now = dataset.match({path: {"$ne": None}}).count() if dataset.has_field(path) else 0
        if now < before:
            parts.append(f"{before - now:,} of {before:,} {name} samples")
    return f"Gone since they were compared: {' and '.join(parts)}" if parts else ""


def holes(samples: SampleCollection, kept: Kept) -> tuple[tuple[Picture, ...], ...]:
    """Returns of each of the largest holes the real pictures in its middle; none of a dataset that is gone."""
    known = kept.realism.holes if kept.realism is not None else None
    real = _side(samples, kept, real=True)
    if known is None or real is None:
        return ()
    return tuple(_pictures(samples, real, hole.ids[:MAX_PICTURES]) for hole in known.holes[:MAX_HOLES])


def on_map(samples: SampleCollection, kept: Kept, key: str) -> Cloud | None:
    """Returns both sides where a map has them; None where it has not both, or cannot be read.

    Args:
        samples: of the dataset
        kept: what was found
        key: one of its ``maps``
    """
    if kept.cloud is None or key not in kept.maps:
        return None
    dataset = runs.root(samples)
    # what another version of FiftyOne, or a method that is not installed, has kept may not be readable
    try:
        made = dataset.load_brain_results(key)
        points = zip(made.sample_ids, made.points, strict=True)
        places = {str(sample_id): (float(point[0]), float(point[1])) for sample_id, point in points}
    except Exception:
        return None
    cloud = kept.cloud.moved(places)
    return cloud if cloud.real and cloud.synthetic else None


def _maps(samples: SampleCollection) -> tuple[str, ...]:
    """Returns the keys of the maps of pictures, those that UMAP made first."""
    dataset = runs.root(samples)
    keys = dataset.list_brain_runs(type="visualization")
    whole = [key for key in keys if getattr(dataset.get_brain_info(key).config, "patches_field", None) is None]
    return tuple(sorted(whole, key=lambda key: ("umap" not in key.lower(), key)))


def _together(samples: SampleCollection, kept: Kept) -> bool:
    return bool(kept.real == runs.root(samples).name)


def _side(samples: SampleCollection, kept: Kept, *, real: bool) -> fo.Dataset | None:
    dataset = runs.root(samples)
    if not real or kept.real in ("", dataset.name):
        return dataset
    return fo.load_dataset(kept.real) if fo.dataset_exists(kept.real) else None


def _pictures(samples: SampleCollection, dataset: fo.Dataset, ids: Sequence[str]) -> tuple[Picture, ...]:
    served = sources(dataset, list(ids))
    own = dataset is runs.root(samples)
    return tuple(Picture(each if own else "", served[each]) for each in ids if each in served)
