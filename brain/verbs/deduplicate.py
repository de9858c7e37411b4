"""``loupe.deduplicate``: of each group of duplicates one picture is kept, by a rule; nothing is deleted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import who
from loupe.brain.core.deduplicated import RULES, Deduplication, GroupDecision, Standing
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.labels.duplicates import DROP, Candidate, best
from loupe.brain.store import fields as store_fields
from loupe.brain.store.duplicates import decided as store_deduplicated
from loupe.brain.store.duplicates import groups as duplicate_groups
from loupe.brain.store.duplicates.groups import Members
from loupe.brain.verbs.lifecycle import Lifecycle, running

if TYPE_CHECKING:
    import fiftyone as fo

#: takes back what rules have decided
NONE = "none"
_CHUNK = 500


def deduplicate(
    samples: fo.Dataset | fo.DatasetView,
    keep: str = "best",
    *,
    splits: str | Sequence[str] | None = None,
    prefer: Sequence[str] = (),
    save_view: bool = True,
    note: str = "",
    by: str = "",
    progress: bool | ProgressCallback | None = None,
) -> Deduplication:
    """Keeps one picture of each group of duplicates that nobody has decided, and drops the others. Nothing is deleted.

    The groups are those of ``find_duplicates``, joined by the pairs of ``find_leaks``: run one of them first. What was
    decided stands in ``deduplicated`` of each sample (``keep`` or ``drop``), with who and when; ``kept_view`` leaves
    the dropped ones out. What a person decided (the panel *Duplicates*) is never changed: of a group in which they have
    kept a picture, the new ones are dropped. ``keep="none"`` takes back what rules have decided.

    Args:
        samples: a dataset or view; of a group only the samples of the view are decided
        keep: which picture of a group. ``"best"``: by its split, then the one with the most pixels, then the sharpest,
            then one whose format loses nothing, then the largest file. ``"largest"``: the one with the most pixels,
            then the largest file. ``"first"``: the first in the view's order. ``"none"``: take back what rules decided
        splits: a field path with the split's name on each sample, or sample tags; by default what ``find_leaks`` was
            told last, else a field named split, subset or fold, else the tags train, val, test
        prefer: the splits whose pictures ``"best"`` keeps, the first of them first; by default the test set, then the
            validation set, and the training set last: what was measured on a test set before still compares then
        save_view: save the view of what is kept, as "Without duplicates"
        note: in one's own words; kept with each decision
        by: who decided; the user of the operating system by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        what was kept and dropped, what is still open, and how many pairs are left that stand in two splits, counted
        anew from what is stored

    Raises:
        InputError: another rule, nobody has looked for duplicates yet, a sample in two splits, or a field of the user's
            own named ``deduplicated``
        UnknownName: no such field; the nearest name is suggested
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop; what was written stays, and the next call goes on
        DatabaseGone: the database stopped answering

    >>> loupe.deduplicate(dataset)  # doctest: +SKIP
    Deduplication(best: 140 of 140 groups decided; 163 pictures dropped (163 in all); 0 leaks left; …)
    """
    if keep not in (*RULES, NONE):
        raise InputError(f"expected keep to be {', '.join(map(repr, (*RULES, NONE)))}, got {keep!r}")
    with running(samples, "deduplicate", progress) as verb:
        view = verb.samples
        store_fields.require(view, store_fields.of_deduplicated())
        if not duplicate_groups.searched(view):
            raise InputError(
                "expected groups of duplicates, but nobody has looked for any: run loupe.find_duplicates(samples) "
                "first, or loupe.find_leaks(samples, splits=...)"
            )
        where = _splits(view, splits)
        done = _Done()
        if keep == NONE:
            done.taken_back = store_deduplicated.take_back_rules(view)
        else:
            _apply(verb, duplicate_groups.read(view, where), keep, prefer, by or who.user(), note, done)
        # what is stored now, whoever has decided meanwhile, is what counts
        now = duplicate_groups.read(view, where)
        decided = now.groups.decided()
        by_rule = now.groups.count(now.by_rule) > 0
        result = Deduplication(
            rule=keep,
            groups=now.groups.n,
            decided=int(decided.sum()),
            by_people=int((decided & ~by_rule).sum()),
            open=int((~decided).sum()),
            kept=tuple(done.kept),
            dropped=tuple(done.dropped),
            taken_back=done.taken_back,
            n_dropped=int((now.groups.status == DROP).sum()),
            leaks=int(now.groups.leaks().sum()) if where else None,
            splits=(where,) if isinstance(where, str) and where else tuple(where),
            cut=len(now.cut_of),
            view=store_deduplicated.save_view(view) if save_view and keep != NONE else "",
        )
        params = {"keep": keep, "splits": list(result.splits), "prefer": list(prefer), "note": note}
        counts = {"groups": result.groups, "dropped": len(result.dropped), "leaks": result.leaks}
        verb.finish(len(done.kept) + len(done.dropped) + done.taken_back, params={**params, **counts})
    return result


@dataclass
class _Done:
    kept: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    taken_back: int = 0


def _splits(samples: fo.Dataset | fo.DatasetView, given: str | Sequence[str] | None) -> duplicate_groups.Splits:
    if given is None:
        return next(iter(duplicate_groups.usual_splits(samples)), ())
    return given if isinstance(given, str) else tuple(given)


def _apply(
    verb: Lifecycle, members: Members, rule: str, prefer: Sequence[str], by: str, note: str, done: _Done
) -> None:
    """Decides the groups that nobody has, by the chunk: what is written stays where the verb is stopped."""
    wanted = np.flatnonzero(~members.groups.decided()).tolist()
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        verb.step(start, len(wanted), "deciding")
        known = store_deduplicated.standing(verb.samples, [each for group in part for each in members.of(group)])
        decisions = []
        for group, candidates in duplicate_groups.candidates(verb.samples, members, part):
            made = _decision(members.of(group), candidates, known, rule, prefer)
            if made is not None:
                free, kept = made
                at = who.now("milliseconds")
                decision = GroupDecision("keep", kept, secrets.token_hex(8), by=by, at=at, note=note, rule=rule)
                decisions.append((free, decision))
        written = store_deduplicated.decide_all(verb.samples, decisions, known)
        for (free, decision), was in zip(decisions, written, strict=True):
            if was:
                done.kept += [each for each in free if each == decision.keep]
                done.dropped += [each for each in free if each != decision.keep]
    verb.step(len(wanted), max(len(wanted), 1), "deciding")


def _decision(
    members: Sequence[str],
    candidates: Sequence[Candidate],
    known: dict[str, Standing | None],
    rule: str,
    prefer: Sequence[str],
) -> tuple[list[str], str] | None:
    """Returns the samples of a group that are decided, and the one that is kept; None where a person has to."""
    left = [at for at, each in enumerate(members) if each in known]
    by_people = {at: stands for at in left if (stands := known[members[at]]) is not None and not stands.rule}
    free = [at for at in left if at not in by_people]
    if not free:
        return None
    # what a person has kept stays kept, and only copies are dropped
    among = [at for at, stands in by_people.items() if stands.status != "drop"] or free
    kept = among[best([candidates[at] for at in among], rule, prefer)]  # type: ignore[arg-type]
    if len(left) == 1 and kept in free:
        return None
    return [members[at] for at in free], members[kept]
