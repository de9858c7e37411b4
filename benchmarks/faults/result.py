"""What came of one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.faults.world import Child


@dataclass
class Result:
    """What is wrong after a case; nothing, where all numbers are 0.

    Attributes:
        what: the situation
        lost, doubled, half: samples, labels, runs or prompts that are missing, there twice, or half there
        dead: processes that hung, or that ended by anything but success or one clear error
        note: the first thing that is wrong
    """

    what: str
    lost: int = 0
    doubled: int = 0
    half: int = 0
    dead: int = 0
    note: str = ""

    @property
    def wrong(self) -> bool:
        """Whether anything is."""
        return bool(self.lost or self.doubled or self.half or self.dead)

    def say(self, note: str) -> None:
        """Keeps the first note."""
        self.note = self.note or note[:500]

    def missing(self, files: list[str]) -> None:
        """Counts samples that are not as they should be."""
        self.lost += len(files)
        if files:
            self.say(f"not as undisturbed: {'; '.join(files[:3])}")

    def ended(self, child: Child, killed: bool = False, must: bool = False) -> dict[str, Any] | None:
        """Waits for a process, and counts how it ended.

        Args:
            child: the process
            killed: it was, so that it need not say anything
            must: it has to succeed

        Returns:
            what came of it
        """
        made = child.wait()
        if child.hung:
            self.dead += 1
            self.say("hung")
        elif made is None and not killed:
            self.dead += 1
            self.say(f"ended without a word: {child.log()[-300:]}")
        elif made is not None and not made["ok"] and (must or not made["clear"]):
            self.dead += 1
            self.say(made["error"])
        return made
