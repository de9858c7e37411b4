"""What ``find_duplicates`` and ``find_leaks`` do with ``objects=``: the same for the crops of a field of detections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.alike_objects import ObjectDuplicates, ObjectLeaks, ObjectPair
from loupe.brain.core.records import Output
from loupe.brain.core.specs import SetMeasure
from loupe.brain.engine.reader import Row
from loupe.brain.sets.duplicates import Duplicates as DuplicatesMeasure
from loupe.brain.sets.leaks import Leaks as LeaksMeasure
from loupe.brain.similarity import cohesion, object_pairs
from loupe.brain.similarity import objects as object_prints
from loupe.brain.similarity.duplicates import ComparedBefore, IndexPair
from loupe.brain.similarity.objects import OBJECTS, Objects
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.datasets import root
from loupe.brain.store.objects import groups as object_groups
from loupe.brain.store.objects import mirror as store_objects
from loupe.brain.store.objects import prints as store_prints
from loupe.brain.store.workspace import tidy_app
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.flagging import threshold_of
from loupe.brain.verbs.steps.objects import flag_objects

if TYPE_CHECKING:
    import fiftyone as fo


def find_among_objects(
    verb: Lifecycle, path: str, threshold: float | None, *, exact: bool, near: bool, resume: bool
) -> ObjectDuplicates:
    """Compares the objects of a field with each other, see ``loupe.find_duplicates``."""
    samples = verb.samples
    store_objects.require(samples, path)
    mirror = store_objects.mirror_of(path)
    limit = threshold_of(samples, "near_duplicate", threshold, mirror)
    spec = registry.pick("set measure", registry.sets(), DuplicatesMeasure.name)
    assert isinstance(spec, DuplicatesMeasure)
    wanted = {"exact_duplicate": exact, "near_duplicate": near}
    outputs = [output for output in spec.outputs if wanted[output.name]]
    rows, stored, known = _read(verb, path, outputs, resume=resume)
    keys = _keys(rows)
    before = {part: _before(samples, spec, _of(mirror, part), keys, rows, stored) for part in object_pairs.PARTS}
    made = object_pairs.alike(known, spec, limit, before, verb.report, exact=exact, near=near)
    for part, similarities in made.similarities.items():
        named = {(keys[a], keys[b]): value for (a, b), value in similarities.items()}
        compared = [keys[at] for at in made.compared[part]]
        store_sets.save_pairs(samples, spec, compared, named, _of(mirror, part))

    ids = [str(store_objects.object_id(mirror, region.id)) for region in known.regions]
    columns = {store_prints.OVERLAP: known.overlap}
    columns |= {"exact_duplicate": made.exact} if exact else {}
    columns |= {"near_duplicate": made.near} if near else {}
    groups = {at: ids[group[0]] for group in made.groups for at in group}
    store_prints.write_results(samples, path, spec, rows, columns, known.reasons, groups, known.not_now)
    flag_objects(samples, path, {"near_duplicate": limit} if near and threshold is not None else None)
    tidy_app(root(samples))
    labels = [region.id for region in known.regions]
    messages = []
    view = ""
    if len({labels[at] for at in groups}) < len(groups):
        messages.append("no view of the groups: labels of several samples share their id, of which none can be made")
    elif groups:
        view = object_groups.save_view(samples, path)
    loose = cohesion.loose(made.groups, made.means, limit)
    result = ObjectDuplicates(
        pairs=_named(made.pairs, known, rows),
        groups=tuple(tuple(labels[at] for at in group) for group in made.groups),
        loose=tuple(labels[made.groups[at][0]] for at in loose),
        messages=tuple(filter(None, [cohesion.message(made.groups, loose, "objects"), *messages, *known.messages])),
        objects=path,
        n=len(labels),
        compared=len(labels) - len(known.reasons),
        unknown=_counted(known),
        view=view,
    )
    given = {"exact": exact, "near": near, "threshold": limit.value, "resume": resume}
    counts = {"pairs": len(result.pairs), "groups": len(result.groups), "n_objects": result.n}
    _finish(verb, path, spec, rows, result, {**given, **counts}, known.not_now)
    return result


def find_leaks_among_objects(
    verb: Lifecycle, path: str, splits: str | Sequence[str], threshold: float | None
) -> ObjectLeaks:
    """Compares the objects of a field with those of other splits, see ``loupe.find_leaks``."""
    samples = verb.samples
    store_objects.require(samples, path)
    limit = threshold_of(samples, "leak", threshold, store_objects.mirror_of(path))
    spec = registry.pick("set measure", registry.sets(), LeaksMeasure.name)
    assert isinstance(spec, LeaksMeasure)
    split_of = store_sets.splits_of(samples, splits)
    rows, _, known = _read(verb, path, spec.outputs, resume=True)
    names = sorted(set(split_of.values()))
    of_rows = np.array([names.index(split_of[row.id]) if row.id in split_of else -1 for row in rows], dtype=np.int64)
    own = of_rows[known.owners]
    for nowhere in np.flatnonzero(own < 0).tolist():
        known.reasons[nowhere] = "in none of the splits"
    pairs, highest = object_pairs.across(known, own, spec, limit, verb.report)
    store_prints.write_results(
        samples,
        path,
        spec,
        rows,
        {"leak": highest, store_prints.OVERLAP: known.overlap},
        known.reasons,
        unchanged=known.not_now,
    )
    flag_objects(samples, path, {"leak": limit} if threshold is not None else None)
    tidy_app(root(samples))
    between = Counter(", ".join(sorted((names[own[a]], names[own[b]]))) for a, b, *_ in pairs)
    inside = Counter(names[own[at]] for at in {at for a, b, *_ in pairs for at in (a, b)})
    result = ObjectLeaks(
        pairs=_named(pairs, known, rows),
        between=dict(sorted(between.items())),
        samples={name: inside[name] for name in names},
        messages=tuple(known.messages),
        objects=path,
        n=len(known.regions),
        compared=len(known.regions) - len(known.reasons),
        unknown=_counted(known),
    )
    given = {"splits": splits if isinstance(splits, str) else list(splits), "threshold": limit.value}
    _finish(verb, path, spec, rows, result, {**given, "pairs": len(pairs), "n_objects": result.n}, known.not_now)
    return result


def _read(
    verb: Lifecycle, path: str, outputs: Sequence[Output], *, resume: bool
) -> tuple[list[Row], Mapping[str, np.ndarray], Objects]:
    """Returns the samples that have objects, what was stored of them, and the objects."""
    samples = verb.samples
    own = store_prints.own_fields(path, outputs)
    store_fields.require(samples, own)
    verb.step(0, 0, "loading")
    rows, emptied = store_prints.rows(samples, path)
    stored = store_prints.load(samples, path, rows) if resume else {}
    store_fields.declare(samples, own)
    store_objects.empty(samples, path, emptied)
    keep = partial(store_prints.write, samples, path)
    known = object_prints.read(rows, verb.report, stored, keep, engine=verb.engine)
    return rows, stored, known


def _keys(rows: Sequence[Row]) -> list[str]:
    """Returns what tells the objects apart, as long as nothing of their sample changes: labels may share their id."""
    return [f"{row.id}/{place}" for row in rows for place in range(len(row.fields[OBJECTS]))]


def _of(mirror: str, part: str) -> str:
    return f"_{mirror}_{part}"


def _before(
    samples: fo.Dataset | fo.DatasetView,
    spec: DuplicatesMeasure,
    of: str,
    keys: Sequence[str],
    rows: Sequence[Row],
    stored: Mapping[str, np.ndarray],
) -> ComparedBefore:
    """Returns which of the objects were compared with each other before and have not changed since."""
    compared, similarities = store_sets.load_pairs(samples, spec, of) if stored else (set(), {})
    unchanged = np.repeat([row.id in stored for row in rows], [len(row.fields[OBJECTS]) for row in rows])
    old = unchanged.astype(bool) & np.array([key in compared for key in keys], dtype=bool)
    place = {keys[at]: at for at in np.flatnonzero(old).tolist()}
    kept = {(place[a], place[b]): value for (a, b), value in similarities.items() if a in place and b in place}
    return ComparedBefore(old, kept)


def _named(pairs: Sequence[IndexPair], known: Objects, rows: Sequence[Row]) -> tuple[ObjectPair, ...]:
    regions, owners = known.regions, known.owners.tolist()
    return tuple(
        ObjectPair(
            regions[a].id,
            regions[b].id,
            kind,
            value,
            rows[owners[a]].id,
            rows[owners[b]].id,
            regions[a].label,
            regions[b].label,
        )
        for a, b, kind, value in pairs
    )


def _counted(known: Objects) -> dict[str, int]:
    """Returns how many objects were not compared, by the reason; what differs from file to file counts together."""
    texts = ("unreadable" if why.startswith("unreadable") else why for why in known.reasons.values())
    return dict(Counter(texts).most_common())


def _finish(
    verb: Lifecycle,
    path: str,
    spec: SetMeasure,
    rows: Sequence[Row],
    result: ObjectDuplicates | ObjectLeaks,
    params: Mapping[str, object],
    errors: Mapping[str, str],
) -> None:
    unknown = {spec.name: result.n - result.compared} if result.n > result.compared else {}
    verb.finish(len(rows), unknown=unknown, params={"objects": path, **params, **spec.params()}, errors=errors)
