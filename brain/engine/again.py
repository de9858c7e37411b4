"""Checks that stay loaded, for who judges a few pictures at a time, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from loupe.brain.core.specs import Check
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict


class Loaded:
    """Some checks, each loaded when it is first needed, and kept.

    Args:
        checks: the specs
        device: where they run
    """

    def __init__(self, checks: Sequence[Check], device: str) -> None:
        self.checks = tuple(checks)
        self._device = device
        self._kept = [cast(Check, _Kept(check)) for check in checks]

    def verdicts(self, rows: Sequence[Row]) -> list[Verdict]:
        """Returns what the checks say of each row, in order; each is judged by those that its ``pending`` names.

        Rows may be of the same sample: several pictures of it.
        """
        # an engine tells rows apart by their ids
        apart = [replace(row, id=str(at)) for at, row in enumerate(rows)]
        verdicts = [verdict for chunk in runner.run(apart, self._kept, device=self._device) for verdict in chunk]
        return [replace(verdict, row=row) for verdict, row in zip(verdicts, rows, strict=True)]


class _Kept:
    """A check as it is, but for ``load``, which loads once for a device."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._functions: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._check, name)

    def load(self, device: str) -> Callable[..., Any]:
        if device not in self._functions:
            self._functions[device] = self._check.load(device)
        return self._functions[device]
