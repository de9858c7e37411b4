"""Which state a sample is in. A rule stands here once; brain/store/outcomes.py puts it to the database."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, TypeAlias

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record
from loupe.brain.core.taxonomy import ANY


class State(IntEnum):
    """What is known of one sample and one outcome. Only passed and failed are judged.

    The higher says more: of several outcomes together, the highest of their states is the state.
    """

    UNCHECKED = 0
    UNKNOWN = 1
    PASSED = 2
    FAILED = 3


def any_of(states: Iterable[np.ndarray]) -> np.ndarray:
    """Returns the (N,) states of several outcomes together, as ``Outcome.any_of`` says: the highest of each sample.

    Args:
        states: at least one (N,) array of ``State``

    >>> blur, halo = np.array([State.FAILED, State.PASSED, 0]), np.array([State.PASSED, State.UNKNOWN, 0])
    >>> any_of([blur, halo]).tolist() == [State.FAILED, State.PASSED, State.UNCHECKED]
    True
    """
    return np.asarray(np.max(np.stack(list(states)), axis=0))


@dataclass(frozen=True)
class Fact(Record):
    """A question to one field of a sample: yes or no.

    Attributes:
        path: the field
        test: ``"set"``: does it hold anything, be it an empty list? ``"number"``: does it hold a number? NaN is none.
            ``"any"``: does it hold one of ``values``, or its list one? ``"key"``: does its dict hold anything under
            one of ``values``?
        values: what is looked for
    """

    path: str
    test: Literal["set", "number", "any", "key"]
    values: tuple[Any, ...] = ()


#: the lines of a rule: a state, and which answers lead to it; a fact that is not named may be either
Rule: TypeAlias = tuple[tuple[State, Mapping[str, bool]], ...]

#: what a score, the label that ``flag`` writes and the check's own mark say of a failure mode
FAILURE_RULE: Rule = (
    (State.FAILED, {"scored": True, "labelled": True}),
    (State.PASSED, {"scored": True, "labelled": False, "flagged": True}),
    # a score that no threshold was put to yet has not passed
    (State.UNCHECKED, {"scored": True, "labelled": False, "flagged": False}),
    (State.UNKNOWN, {"scored": False, "checked": True}),
    (State.UNCHECKED, {"scored": False, "checked": False}),
)

#: the same where the prompt may ask for the failure mode: then no score says that anything went wrong, or right
UNLESS_ASKED: Rule = (
    (State.UNKNOWN, {"scored": True, "asked": True}),
    *((state, {**answers, "asked": False} if answers["scored"] else answers) for state, answers in FAILURE_RULE),
)

_FIELD_RULE: Rule = (
    (State.FAILED, {"failed": True}),
    (State.UNKNOWN, {"failed": False, "unknown": True}),
    (State.PASSED, {"failed": False, "unknown": False, "set": True}),
    (State.UNCHECKED, {"failed": False, "unknown": False, "set": False}),
)


@dataclass(frozen=True)
class Outcome(Record):
    """What samples pass or fail: a failure mode, an evaluation, somebody's decision.

    Attributes:
        name: what a rate calls it
        facts: what is asked of each sample, by name
        rule: which answers lead to which state; every combination of answers leads to just one
        parts: the outcomes that it is made of, where it is made of several: it has no rule then

    Raises:
        InputError: the rule leaves a combination of answers open, or decides it twice
    """

    name: str
    facts: Mapping[str, Fact]
    rule: Rule
    parts: tuple[Outcome, ...] = ()

    def __post_init__(self) -> None:
        if self.parts:
            return
        for answers in itertools.product((False, True), repeat=len(self.facts)):
            asked = dict(zip(self.facts, answers, strict=True))
            lines = [state.name for state, needed in self.rule if needed.items() <= asked.items()]
            if len(lines) != 1:
                raise InputError(f"expected one line of the rule of {self.name!r} for {asked}, got {lines or 'none'}")

    @classmethod
    def field(
        cls, path: str, *, failed: Iterable[Any], unknown: Iterable[Any] = (), name: str | None = None
    ) -> Outcome:
        """Returns the outcome that a field holds: of an evaluation run, of a decision by hand.

        Args:
            path: the field
            failed: the values that say that the sample failed, or one text; it passed with any other value
            unknown: the values that say that nobody can tell; a sample without a value is unchecked
            name: what its rates are called by; the path by default

        >>> wrong = Outcome.field("eval", failed=[False])
        >>> wrong.states({"eval": [True, False, None]}).tolist() == [State.PASSED, State.FAILED, State.UNCHECKED]
        True
        """
        facts = {
            "failed": Fact(path, "any", _several(failed)),
            "unknown": Fact(path, "any", _several(unknown)),
            "set": Fact(path, "set"),
        }
        return cls(name or path, facts, _FIELD_RULE)

    @classmethod
    def any_of(cls, outcomes: Iterable[Outcome], *, name: str = ANY) -> Outcome:
        """Returns the outcome of several together.

        A sample failed where it failed in any of them. It passed where it was judged in at least one and failed in
        none; it is unknown where none could judge it and some looked, and unchecked where none looked. So a rate is
        that of the failures that were seen among what was judged for anything: were a sample to pass only where all
        have judged it, one check that does not apply would leave nothing but failures to count.

        Args:
            outcomes: at least one
            name: what its rates are called by

        Raises:
            InputError: there are none

        >>> good, seen = (Outcome.field(path, failed=["no"]) for path in ("good", "seen"))
        >>> both = Outcome.any_of([good, seen]).states({"good": ["yes", "yes", None], "seen": ["no", None, None]})
        >>> both.tolist() == [State.FAILED, State.PASSED, State.UNCHECKED]
        True
        """
        parts = tuple(leaf for outcome in outcomes for leaf in outcome.leaves())
        if not parts:
            raise InputError(f"expected outcomes that {name!r} is made of, got none")
        facts = {f"{at}.{asked}": fact for at, part in enumerate(parts) for asked, fact in part.facts.items()}
        return cls(name, facts, (), parts)

    def leaves(self) -> tuple[Outcome, ...]:
        """Returns the outcomes that it is made of, each with a rule: itself, where it is not made of several."""
        return self.parts or (self,)

    @classmethod
    def review(cls, failure: str) -> Outcome:
        """Returns the outcome that people decided in a review: failed is real, passed is a false alarm.

        Unsure is unknown, and what nobody decided is unchecked: rates are those of the reviewed samples alone.

        Args:
            failure: the failure mode, e.g. ``"blur"``

        >>> Outcome.review("blur").states({"review.blur.label": ["real", "unsure", None]}).tolist()
        [3, 1, 0]
        """
        return cls.field(f"review.{failure}.label", failed=["real"], unknown=["unsure"], name=f"{failure} (reviewed)")

    def states(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """Returns a (N,) int8 array of ``State``.

        Args:
            columns: for the path of each fact N values; a path that is not there holds nothing. At least one is there
        """
        return states_of([self], columns, n=len(next(iter(columns.values()))))[self.name]


def _several(values: Iterable[Any]) -> tuple[Any, ...]:
    # of a text its letters would be taken
    return (values,) if isinstance(values, str) else tuple(values)


def states_of(
    outcomes: Iterable[Outcome],
    columns: Mapping[str, Sequence[Any]],
    n: int,
    known: Mapping[Fact, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Returns for each outcome a (N,) int8 array of ``State``, each column looked through once for all of them.

    Args:
        outcomes: of different names
        columns: N values by path, or a (N,) array of floats with NaN where there is none; a path that is not there
            holds nothing
        n: how many samples there are
        known: (N,) bool arrays: the answers to facts whose columns are not given
    """
    outcomes = list(outcomes)
    answers = {**(known or {})}
    asked = {fact for outcome in outcomes for fact in outcome.facts.values()}
    open_facts = asked - answers.keys()
    answers |= {fact: np.zeros(n, dtype=bool) for fact in open_facts if fact.path not in columns}
    answers |= _answers({fact for fact in open_facts if fact.path in columns}, columns, n)
    states = {}
    for outcome in outcomes:
        states[outcome.name] = any_of(_by_rule(leaf, answers, n) for leaf in outcome.leaves())
    return states


def _by_rule(outcome: Outcome, answers: Mapping[Fact, np.ndarray], n: int) -> np.ndarray:
    state = np.zeros(n, dtype=np.int8)
    for leads_to, needed in outcome.rule:
        holds = np.ones(n, dtype=bool)
        for name, wanted in needed.items():
            holds &= answers[outcome.facts[name]] == wanted
        state[holds] = leads_to
    return state


def _answers(facts: set[Fact], columns: Mapping[str, Sequence[Any]], n: int) -> dict[Fact, np.ndarray]:
    """Returns a (N,) bool array for each fact; the column of each is there."""
    answers = {}
    wanted: dict[str, dict[Any, np.ndarray]] = {}
    for fact in facts:
        column = columns[fact.path]
        if fact.test == "set":
            answers[fact] = np.array([value is not None for value in column], dtype=bool)
        elif fact.test == "number" and isinstance(column, np.ndarray):
            answers[fact] = ~np.isnan(column)
        elif fact.test == "number":
            answers[fact] = np.array([value is not None and value == value for value in column], dtype=bool)
        else:
            wanted.setdefault(fact.path, {}).update({value: np.zeros(n, dtype=bool) for value in fact.values})
    for path, rows in wanted.items():
        for row, value in enumerate(columns[path]):
            for part in _parts(value):
                if part in rows:
                    rows[part][row] = True
    for fact in facts:
        if fact.test in ("any", "key"):
            answers[fact] = np.zeros(n, dtype=bool)
            for value in fact.values:
                answers[fact] |= wanted[fact.path][value]
    return answers


def _parts(value: Any) -> Iterable[Any]:
    """Returns what a field holds: the items of a list, the names in a dict with something under them."""
    if isinstance(value, Mapping):
        return [name for name, kept in value.items() if kept is not None]
    if isinstance(value, (list, tuple)):
        return value
    return () if value is None else (value,)
