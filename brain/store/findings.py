"""Reads what slices are looked for in, keeps what was found, and finds the samples of a finding again."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.alike import MoreLike
from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.findings import Finding, SliceFindings
from loupe.brain.core.hashes import hex_hash
from loupe.brain.core.records import Record
from loupe.brain.core.results import Slice
from loupe.brain.core.taxonomy import ANY
from loupe.brain.similarity.neighbors import usable
from loupe.brain.slicing.factors import Factor
from loupe.brain.slicing.findings import Sliced
from loupe.brain.slicing.groups import together
from loupe.brain.slicing.outcomes import Outcome, State, any_of
from loupe.brain.store import choices, columns, narrowing
from loupe.brain.store import outcomes as store_outcomes
from loupe.brain.store import runs as store_runs
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import count
from loupe.brain.store.factors import place, samples_of
from loupe.brain.store.fields import GROUP
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.runs import root

#: the key that the last findings are kept under, and that of what was dismissed among Loupe's settings
KEY, _DISMISSED = "loupe_findings", "dismissed"
#: of the factors that nobody named, so many are combined
MAX_FACTORS = 12
#: a value that more than this share of the samples have ties nothing together
_TIES = 0.25


def read(
    view: SampleCollection,
    *,
    failure: str | None = None,
    outcome: Outcome | None = None,
    by: Sequence[str | Factor] | None = None,
    groups: Sequence[str] = (),
    embeddings: str | None = None,
) -> tuple[Sliced, np.ndarray | None, list[str]]:
    """Returns what slices are looked for in.

    Args:
        view: a dataset or view of N samples
        failure: one failure mode, or "any"; None for each that something was judged for, and for all of them together
        outcome: what is looked at instead of failure modes
        by: the factors; None for those that are worth looking at
        groups: the fields whose values tie samples together; those that are not there are left out
        embeddings: a field of vectors

    Returns:
        the samples; (N, D) float32 vectors of unit length, zeros where there is none, or None; notes on what was left
        out

    Raises:
        UnknownName: no such field or failure mode; the nearest name is suggested
        InputError: a field of another kind, or samples that came or went meanwhile
    """
    notes: list[str] = []
    factors = _worth_it(view, outcome, notes) if by is None else list(by)
    named = None if failure in (None, ANY) else [str(failure)]
    table = columns.read(view, factors, named, outcome)
    states = dict(table.states)
    if outcome is None and named is None:
        judged = table.judged()
        states = dict(judged)
        if judged:
            together_in_one = any_of(judged.values())
            states = {ANY: together_in_one} if failure == ANY else {**judged, ANY: together_in_one}
        if failure is None and len(judged) == 1:
            del states[ANY]
    ties = [path for path in groups if view.has_field(path)]
    with database_errors():
        ids, *keys = view.values(["id", *ties])
        vectors = _vectors(view, embeddings) if embeddings is not None else None
    n = len(ids)
    if any(len(state) != n for state in states.values()) or (vectors is not None and len(vectors) != n):
        raise InputError("samples came or went while they were read: call again")
    kept = [key for path, key in zip(ties, keys, strict=True) if ties_together(path, key, notes)]
    known = Sliced(ids, states, table.factors, table.by, together(n, kept), embeddings or "")
    return known, vectors, notes


def _worth_it(view: SampleCollection, outcome: Outcome | None, notes: list[str]) -> list[Factor]:
    """Returns the factors that are worth looking at: of few values, labels, tags, and numbers in bins."""
    outcome_paths = {fact.path for fact in outcome.facts.values()} if outcome is not None else set()
    offered = []
    for name, factor in choices.factors(view).items():
        if factor.path in outcome_paths or factor.path == GROUP or factor.path.split(".")[0] == "review":
            continue
        with suppress(LoupeError):
            place(view, factor)
            offered.append((name, factor))
    if len(offered) > MAX_FACTORS:
        left_out = ", ".join(name for name, _ in offered[MAX_FACTORS:])
        notes.append(f"The first {MAX_FACTORS} factors were combined; left out: {left_out}. Name others with by=")
    return [factor for _, factor in offered[:MAX_FACTORS]]


def ties_together(path: str, values: Sequence[Any], notes: list[str]) -> bool:
    """Returns whether a field's values tie samples together: one that a large part of them share does not."""
    counts = Counter(value for value in values if isinstance(value, str) and value)
    largest = max(counts.values(), default=0)
    if largest > 1 and largest > _TIES * len(values):
        notes.append(
            f"{path}: {largest:,} of {len(values):,} samples have the same value, so it ties no samples together"
        )
        return False
    return True


def _vectors(view: SampleCollection, field: str) -> np.ndarray:
    kinds = view.get_field_schema()
    if not isinstance(kinds.get(field), fo.VectorField):
        raise UnknownName(
            "field of vectors", field, [name for name in kinds if isinstance(kinds[name], fo.VectorField)]
        )
    own = store_vectors.gather(view, field)[1]
    unit = np.zeros((len(own.index) + len(own.reasons), own.unit.shape[1]), dtype=np.float32)
    unit[own.index] = own.unit
    return unit


# the samples of a finding


def view_of(samples: SampleCollection, finding: Finding | MoreLike) -> fo.DatasetView:
    """Returns the samples of a finding: ``finding.whole.n`` of them were judged; or those of ``more_like``, in order.

    Args:
        samples: the dataset or view that ``loupe.discover_slices`` looked through, or ``loupe.more_like``
        finding: one of its findings or candidates, or what ``more_like`` returned

    Raises:
        UnknownName, InputError: a field that it was made by is not there any more

    Example::

        worst = loupe.discover_slices(dataset).findings[0]
        session.view = loupe.view_of(dataset, worst)
    """
    if isinstance(finding, MoreLike):
        return samples.select(list(finding.ids), ordered=True)
    if finding.near is not None:
        return samples.select(_near(samples, finding))
    made_by = [Factor.from_dict(facts) for facts in finding.factors]
    slice = Slice({factor.name: finding.slice.values[factor.name] for factor in made_by})
    return samples_of(samples, slice, made_by)


def _near(samples: SampleCollection, finding: Finding) -> list[str]:
    assert finding.near is not None
    with database_errors():
        if not samples.has_field(finding.near.field):
            raise UnknownName("field of vectors", finding.near.field, samples.get_field_schema())
        center = root(samples).select([finding.near.center]).values(finding.near.field)
        ids = samples.values("id")
        unit = _vectors(samples, finding.near.field)
    own = usable(center)
    if not len(own.index) or own.unit.shape[1] != unit.shape[1]:
        raise InputError("the sample in the middle of this neighborhood has no vector any more: look for slices again")
    near = (unit @ own.unit[0] >= finding.near.cosine - 1e-6) & unit.any(axis=1)
    return [ids[at] for at in np.flatnonzero(near).tolist()]


@dataclass(frozen=True)
class InSlice(Narrowing):
    """The samples of a finding.

    Attributes:
        key: of the finding
        title: what the App is told of it
        where: the database's queries that hold of each of them; none where only their ids tell
        failing: of which failure mode or "any" only those that failed; empty: all
    """

    key: str
    title: str
    where: tuple[Mapping[str, Any], ...]
    failing: str = ""

    tag: ClassVar[str] = "finding"

    @property
    def selects(self) -> bool:
        return not self.where

    def query(self) -> dict[str, Any]:
        """Returns the database's query for them.

        Raises:
            UnknownName: no such failure mode
        """
        parts = [dict(query) for query in self.where] or [{"filepath": {"$ne": None}}]
        if self.failing:
            names = None if self.failing == ANY else [self.failing]
            failed = [store_outcomes.query(each, State.FAILED) for each in store_outcomes.of_failures(names)]
            parts.append({"$or": failed})
        return {"$and": parts}

    def facts(self) -> Any:
        return [self.key, self.title, [dict(query) for query in self.where], self.failing]

    @classmethod
    def from_facts(cls, facts: Any) -> InSlice:
        key, title, where, failing = facts
        if not all(isinstance(query, dict) for query in where):
            raise ValueError("expected queries")
        return cls(key, title, tuple(where), failing)


def narrowing_of(
    samples: SampleCollection, finding: Finding, *, failing: bool = False
) -> tuple[InSlice, list[str] | None]:
    """Returns what a panel narrows the view to, and the ids where only those tell.

    Raises:
        UnknownName, InputError: as for ``view_of``
    """
    named = finding.failure if failing else ""
    queries: list[Mapping[str, Any]] = []
    for facts in finding.factors:
        factor = Factor.from_dict(facts)
        stage = place(samples, factor).stage(factor, factor.value_of(finding.slice.values[factor.name]))
        if not isinstance(stage, fo.Match):
            queries = []
            break
        queries.append(dict(stage.filter))
    made = InSlice(finding.key, finding.where, tuple(queries), named)
    if queries:
        return made, None
    return made, list(view_of(samples, finding).values("id"))


def narrow(view: SampleCollection, to: InSlice, ids: Sequence[str] | None = None) -> fo.DatasetView:
    """Returns the samples of a view that are in the slice."""
    return narrowing.narrow(view, to, ids)


# what is kept


@dataclass(frozen=True)
class Kept(Record):
    """The last findings of a dataset.

    Attributes:
        findings: what was found
        at: when: ISO 8601 in UTC
        by: who looked
        n: how many samples the view had
        view: what changes with its stages
        stamp: what changes with its samples
    """

    findings: SliceFindings
    at: str
    by: str
    n: int
    view: str
    stamp: str


@dataclass(frozen=True)
class Dismissal(Record):
    """Why somebody has put a finding aside.

    Attributes:
        reason: in their words
        by: who
        at: when: ISO 8601 in UTC
        sentence: what the finding said then
        together: what was put aside at once shares it
    """

    reason: str
    by: str
    at: str
    sentence: str = ""
    together: str = ""


def keep(samples: SampleCollection, findings: SliceFindings, params: Mapping[str, Any]) -> None:
    """Keeps the findings on the dataset, in the place of the last ones."""
    facts = Kept(findings, now(), user(), findings.n, columns.fingerprint(samples), stamp(samples)).to_dict()
    store_runs.put(samples, KEY, "discover_slices", params, {"findings": facts})


def load(samples: SampleCollection) -> Kept | None:
    """Returns the last findings; None where there are none, or where they are of a form that nobody can read."""
    facts = (store_runs.results(samples, KEY) or {}).get("findings")
    try:
        return None if facts is None else Kept(**{**facts, "findings": SliceFindings.from_dict(facts["findings"])})
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def stamp(samples: SampleCollection) -> str:
    """Returns what changes when a sample of a view comes, goes or is written to, by anyone or by a run of Loupe's."""
    with database_errors():
        n = count(samples)
        # by the index: a maximum would look at every sample
        last = samples.sort_by("last_modified_at", reverse=True).limit(1).values("last_modified_at")
        # Loupe's own bulk writes leave the time of a sample as it is, and keep a run
        runs = [key for key in store_runs.listed(samples) if key != KEY]
    return f"{n} {last[0] if last else ''} {hex_hash(' '.join(runs), 4)}"


def stale(samples: SampleCollection, last: Kept) -> str:
    """Returns what has changed since the last findings of a view; empty where nothing has."""
    if columns.fingerprint(samples) != last.view:
        return (
            f"This was found on another view, of {last.n:,} samples: what is shown is cut down to this one. Look again "
            "to judge this view."
        )
    if stamp(samples) != last.stamp:
        return "The samples, their failures or their scores have changed since: look again."
    return ""


def outcomes_known() -> set[str]:
    """Returns the failure modes whose states the database can be asked for."""
    return {outcome.name for outcome in store_outcomes.of_failures()}


def dismissed(samples: SampleCollection) -> dict[str, Dismissal]:
    """Returns by the keys of findings why somebody has put them aside."""
    stored = store_runs.settings(samples).get(_DISMISSED) or {}
    known = {}
    for key, facts in stored.items():
        with suppress(TypeError):
            known[key] = Dismissal(**facts)
    return known


def dismiss(
    samples: SampleCollection, findings: Finding | Sequence[Finding], reason: str, *, by: str = ""
) -> list[Dismissal]:
    """Puts findings aside; they stay aside when slices are looked for again.

    Args:
        samples: a dataset or view
        findings: which: one, or several that are put aside, and can be taken back, together
        reason: why, in a few words
        by: who; by default whoever runs this

    Raises:
        InputError: no reason
    """
    if not reason.strip():
        raise InputError("expected a reason to put a finding aside, got nothing: say in a few words why")
    own = [findings] if isinstance(findings, Finding) else list(findings)
    words, who, when = " ".join(reason.split())[:500], by or user(), now()
    made = {each.key: Dismissal(words, who, when, each.sentence, own[0].key) for each in own}
    store_runs.set_settings(samples, {f"{_DISMISSED}.{key}": each.to_dict() for key, each in made.items()})
    return list(made.values())


def restore(samples: SampleCollection, key: str) -> None:
    """Takes back that a finding, and those that were put aside together with it, were put aside."""
    known = dismissed(samples)
    if key in known:
        own = [other for other, each in known.items() if each.together == known[key].together] or [key]
        store_runs.set_settings(samples, {f"{_DISMISSED}.{other}": None for other in own})


def now() -> str:
    """Returns the time: ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def user() -> str:
    """Returns who runs this; empty where nobody knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
