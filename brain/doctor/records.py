"""What an examination of the installation says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from loupe.brain.core.records import Record

#: ok: it is there; absent: something is left out without it; broken: Loupe does not work without it
Status: TypeAlias = Literal["ok", "absent", "broken"]
_MARKS: dict[Status, str] = {"ok": "ok", "absent": "--", "broken": "!!"}


@dataclass(frozen=True)
class Finding(Record):
    """What is known of one thing.

    Attributes:
        area: what it belongs to, such as "packages"
        name: of the thing
        status: whether it is there
        detail: what is known of it
        remedy: what to do; empty where nothing has to be done
    """

    area: str
    name: str
    status: Status
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Examination(Record):
    """All that was looked at.

    Attributes:
        findings: by area
    """

    findings: tuple[Finding, ...]

    @property
    def works(self) -> bool:
        """Whether nothing is broken: what is absent only leaves something out."""
        return all(finding.status != "broken" for finding in self.findings)

    def text(self) -> str:
        """Returns a table for the terminal, a line a finding, each remedy below what it is for."""
        width = max((len(finding.name) for finding in self.findings), default=0)
        lines: list[str] = []
        area = ""
        for finding in self.findings:
            if finding.area != area:
                lines += [*([""] if lines else []), finding.area]
                area = finding.area
            lines.append(f"  {_MARKS[finding.status]}  {finding.name:{width}}  {finding.detail}".rstrip())
            if finding.remedy:
                lines.append(f"      {'':{width}}  -> {finding.remedy}")
        broken = sum(finding.status == "broken" for finding in self.findings)
        absent = sum(finding.status == "absent" for finding in self.findings)
        lines += ["", f"{broken} broken, {absent} absent (Loupe works without), of {len(self.findings)}"]
        return "\n".join(lines)
