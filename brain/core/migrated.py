"""What ``loupe.migrate`` did."""

from __future__ import annotations

from dataclasses import dataclass

from loupe.brain.core.records import Record


@dataclass(frozen=True)
class Migrated(Record):
    """From which layout to which a dataset's fields were brought.

    Attributes:
        before: the layout that it was in
        layout: the layout that it is in now
        steps: what was done, in words; empty where nothing had to be
    """

    before: int
    layout: int
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.steps:
            return f"in layout {self.layout}, nothing to do"
        return f"layout {self.before} → {self.layout}: {'; '.join(self.steps)}"
