"""``loupe.relabel``: the labels once more, with those put right that are wrong, in a field of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import who
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real, require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.relabeled import Correction, Relabeled
from loupe.brain.core.review import Decision
from loupe.brain.labels.corrections import corrected, keeps
from loupe.brain.stats.remaining import remaining
from loupe.brain.store.labels import given as store_labels
from loupe.brain.store.relabel import corrected as store_relabel
from loupe.brain.store.relabel.corrected import Standing
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def relabel(
    samples: fo.Dataset | fo.DatasetView,
    label: str,
    *,
    accept: float | Mapping[str, str | None] | None = None,
    top: int | None = None,
    field: str | None = None,
    by: str = "",
    progress: bool | ProgressCallback | None = None,
) -> Relabeled:
    """Writes corrected labels into a field of their own: what was given, with the wrong ones put right.

    What people have decided counts, in the panel *Label issues*, in *Review* or by ``review``: a suggestion that was
    accepted, another class, no class at all; whoever keeps a label or is unsure leaves it as it is. ``accept`` and
    ``top`` accept suggestions that nobody has decided as well. Your own labels are never changed, and the same call
    gives the same labels again; without ``accept`` and ``top`` just what people decided.

    A corrected label is a classification with ``how`` it came about (``given``, ``suggested``, ``chosen``), by whom and
    when. Where no class fits there is none, so that no training takes the sample for one.

    Args:
        samples: a dataset or view
        label: the field of the given labels that ``find_label_issues`` has judged
        accept: accepts each suggestion whose label is wrong with more than this probability, in [0, 1]; or the class
            of each sample by its id, None where no class fits: that is kept as your decision
        top: accepts so many suggestions, those whose labels are most probably wrong
        field: where the corrected labels go; by default ``<label>_corrected``
        by: who accepts; the user of the operating system by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        what was changed, kept and left open, and how many labels are probably still wrong

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind; a score outside [0, 1]; an id that is none of the samples; a class that
            the field does not know; or ``field`` is one of the user's own
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        loupe.find_label_issues(dataset, "ground_truth")
        made = loupe.relabel(dataset, "ground_truth", accept=0.9)
        dataset.match({"ground_truth_corrected.how": "suggested"})  # to look at
    """
    _require(accept, top)
    with running(samples, "relabel", progress) as verb:
        view = verb.samples
        path = store_labels.path_of(view, label)
        into = store_relabel.default_field(label) if field is None else field
        store_relabel.require(view, label, into)
        verb.step(0, 2, "reading")
        standing = store_relabel.read(view, path, into)
        name, at = by or who.user(), who.now("milliseconds")
        new = _decided(view, standing, accept, label, name, at) if isinstance(accept, Mapping) else {}
        above = None if isinstance(accept, Mapping) else accept
        decisions, taken = {**standing.decisions, **new}, _taken(standing, above, top)
        changes, outdated = _changes(standing, decisions, taken, name, at)
        result = _result(standing, decisions, changes, taken, outdated, label, into)
        n = len(standing.ids)
        for done in store_relabel.write(view, path, into, standing, changes, new):
            verb.step(n + done, 2 * n, "writing")
        params = {"label": label, "field": into, "accept": above, "classes": len(new), "top": top, "by": name}
        verb.finish(n, params={**params, "changed": result.changed})
    return result


def _require(accept: object, top: object) -> None:
    if not (accept is None or isinstance(accept, Mapping)) and (not is_real(accept) or not 0 <= accept <= 1):
        raise InputError(f"expected a probability from 0 to 1, or a class by sample id, to accept, got {accept!r}")
    if top is not None:
        require_whole(top=(top, 0))


def _decided(
    samples: fo.Dataset | fo.DatasetView,
    standing: Standing,
    classes: Mapping[str, str | None],
    label: str,
    by: str,
    at: str,
) -> dict[str, Decision]:
    """Returns the decisions that classes by sample id are."""
    given = dict(zip(standing.ids, standing.given, strict=True))
    strangers = sorted(set(map(str, classes)) - given.keys())
    if strangers:
        raise InputError(
            f"expected ids of these samples, got {len(strangers):,} that are none of them, e.g. {strangers[0]!r}"
        )
    known = store_relabel.known_classes(samples, label, standing.given)
    for name in dict.fromkeys(classes.values()):
        if name is not None:
            store_relabel.require_class(name, known, label)
    made = {}
    for key, name in classes.items():
        decision = Decision("real", by=by, at=at, correction=name or "")
        if name is not None and name == given[str(key)]:
            decision = Decision("false_alarm", by=by, at=at)
        before = standing.decisions.get(str(key))
        # said once more, it is no other decision
        same = before is not None and replace(before, by=by, at=at, note="") == decision
        made[str(key)] = before if same and before is not None else decision
    return made


def _taken(standing: Standing, above: float | None, top: int | None) -> set[int]:
    """Returns the places of the suggestions that are accepted where nobody has decided."""
    places = np.array(sorted(standing.suggestions), dtype=np.int64)
    scores = standing.scores[places]
    # by their ids where scores are equal, so that the same call takes the same ones
    ids = np.array([standing.ids[at] for at in places.tolist()])
    order = np.lexsort((ids, -scores)) if len(places) else places
    taken = set(places[order[: top or 0]].tolist())
    return taken | (set() if above is None else set(places[scores > above].tolist()))


def _changes(
    standing: Standing, decisions: Mapping[str, Decision], taken: set[int], by: str, at: str
) -> tuple[dict[str, Correction], int]:
    """Returns the labels that differ from the given ones by sample id, and how many suggestions were outdated."""
    places = {sample_id: place for place, sample_id in enumerate(standing.ids)}
    changes: dict[str, Correction] = {}
    outdated = 0
    for place in sorted({*standing.suggestions, *(places[each] for each in decisions)}):
        sample_id, given = standing.ids[place], standing.given[place]
        decision = decisions.get(sample_id)
        made = corrected(given, decision, standing.suggestions.get(place), accepted=place in taken)
        outdated += made.outdated
        if made.how == "given":
            continue
        name, when = (by, at) if decision is None else (decision.by, decision.at)
        before = standing.changes.get(sample_id)
        if decision is None and before is not None and (before.corrected, before.how) == (made.label, made.how):
            name, when = before.by, before.at  # accepted by an earlier call
        changes[sample_id] = Correction(sample_id, given, made.label, made.how, name, when)
    return changes, outdated


def _result(
    standing: Standing,
    decisions: Mapping[str, Decision],
    changes: Mapping[str, Correction],
    taken: set[int],
    outdated: int,
    label: str,
    field: str,
) -> Relabeled:
    given_of = dict(zip(standing.ids, standing.given, strict=True))
    seen = standing.by_score(decisions, changes.keys() - decisions.keys())
    without = {sample_id for sample_id, given in given_of.items() if given is None}
    unlabeled = len(without - changes.keys()) + sum(each.corrected is None for each in changes.values())
    return Relabeled(
        label=label,
        field=field,
        n=len(standing.ids) - unlabeled,
        changes=tuple(changes.values()),
        kept=sum(keeps(decision, given_of[sample_id]) for sample_id, decision in decisions.items()),
        skipped=sum(decision.status == "unsure" for decision in decisions.values()),
        undecided=sum(standing.ids[at] not in decisions for at in standing.suggestions.keys() - taken),
        outdated=outdated,
        unlabeled=unlabeled,
        remaining=remaining(seen),
    )
