"""Asks the tests about one mutant after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants import forks, tree
from mutants.belonging import Belonging, Tests
from mutants.results import BROKEN, EQUIVALENT, KILLED, SURVIVED, TIMED_OUT, Kept, Result, contents, key, result
from mutants.sample import Mutant, Name

#: a run that takes this many times as long as without a mutant, and the seconds of ``patience`` more, hangs
_TIMES_AS_LONG = 4.0
#: for the first run of a file's tests, of which nothing is known yet
_FIRST_LIMIT = 900.0
_PASSED, _NO_TESTS = 0, 5


@dataclass(frozen=True)
class _Tests:
    """The tests of one file.

    Attributes:
        files: in the order of their runs
        slow: the slow tests that run after all others
        seconds: what they take together
        broken: they fail without a mutant
    """

    files: tuple[str, ...]
    slow: tuple[str, ...]
    seconds: float
    broken: bool


@dataclass(frozen=True)
class Seconds:
    """How long tests may take for one file: the rest of its room's, those of other rooms, and the slow ones of its own.

    ``patience``: what a run may take of the processor even if its tests take nothing without a mutant.
    """

    room: float
    elsewhere: float
    slow: float
    patience: float


class Asking:
    """Runs the tests that belong to a mutant's file.

    Args:
        project: the copy of the project
        folder: for the files of a run
        kept: what is known already
        equivalent: the mutants that are no faults
        allowed: how long tests may take
    """

    def __init__(
        self, project: Path, folder: Path, kept: Kept, equivalent: Mapping[Name, str], allowed: Seconds
    ) -> None:
        self._project, self._folder, self._kept, self._equivalent = project, folder, kept, equivalent
        self._allowed = allowed
        self._belonging = Belonging(project)
        self._tests: dict[str, _Tests] = {}
        self._seconds: dict[str, float] = {}
        self._failing: set[str] = set()

    def ask(self, room: str, mutant: Mutant) -> Result:
        """Returns what became of a mutant: as it is known, or by running its tests."""
        if mutant.name in self._equivalent:
            return result(mutant, "", EQUIVALENT, self._equivalent[mutant.name])
        belonging = self._belonging.of(room, mutant.path)
        known_by = key(self._project, mutant, belonging.own)
        others = contents(self._project, [*belonging.room, *belonging.others])
        if known := self._kept.get(known_by, others):
            return known
        if mutant.path not in self._tests:
            self._tests[mutant.path] = self._without_a_mutant(belonging)
        tests = self._tests[mutant.path]
        if tests.broken:
            return result(mutant, known_by, BROKEN)
        if not tests.files:
            return result(mutant, known_by, SURVIVED)
        began = time.monotonic()
        with tree.mutated(self._project / mutant.path, mutant.change.text):
            limit = _TIMES_AS_LONG * tests.seconds + self._allowed.patience
            outcome = forks.run(self._project, tests.files, self._folder, limit=limit, slow=forks.Slow(tests.slow))
        names = {None: TIMED_OUT, _PASSED: SURVIVED, _NO_TESTS: SURVIVED}
        by = next(iter(outcome.failed), "")
        asked = result(mutant, known_by, names.get(outcome.code, KILLED), by, time.monotonic() - began, others)
        self._kept.add(asked)
        return asked

    def _without_a_mutant(self, belonging: Tests) -> _Tests:
        room, elsewhere = self._within_the_time(belonging.room, belonging.others)
        new = [test for test in (*belonging.own, *room, *elsewhere) if test not in self._seconds]
        if new:
            outcome = forks.run(self._project, new, self._folder, limit=_FIRST_LIMIT, first_only=False)
            self._seconds |= {test: outcome.seconds.get(test, 0.0) for test in new}
            if outcome.code not in (_PASSED, _NO_TESTS):
                named = {test.partition("::")[0] for test in outcome.failed}
                self._failing |= named or set(new)
                print(outcome.output, file=sys.stderr)
        room, elsewhere = self._within_the_time(room, elsewhere)  # now that it is known how long they take
        slow = self._slow(belonging)
        of_slow = {test.partition("::")[0] for test in slow}
        files = [*sorted(belonging.own, key=self._seconds.__getitem__), *room, *elsewhere]
        return _Tests(
            files=tuple(test for test in files if self._seconds[test] > 0 or test in of_slow),
            slow=tuple(slow),
            seconds=sum(self._seconds[test] for test in files) + sum(slow.values()),
            broken=not self._failing.isdisjoint(belonging.own),
        )

    def _slow(self, belonging: Tests) -> dict[str, float]:
        if not belonging.slow or not self._allowed.slow:
            return {}
        alone = forks.Slow(seconds=self._allowed.slow)
        first = forks.run(self._project, belonging.slow, self._folder, limit=_FIRST_LIMIT, first_only=False, slow=alone)
        return first.passed

    def _within_the_time(self, room: Sequence[str], elsewhere: Sequence[str]) -> tuple[list[str], list[str]]:
        """Takes the fastest of each first; one that has not run yet is taken for a fast one."""
        chosen: tuple[list[str], list[str]] = [], []
        pairs = ((room, self._allowed.room), (elsewhere, self._allowed.elsewhere))
        for (tests, left), taken in zip(pairs, chosen, strict=True):
            for test in sorted(set(tests) - self._failing, key=lambda test: (self._seconds.get(test, 1.0), test)):
                left -= self._seconds.get(test, 1.0)
                if left < 0:
                    break
                taken.append(test)
        return chosen
