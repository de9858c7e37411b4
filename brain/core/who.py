"""Who does something, and when, as it is kept beside what they did."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime


def user() -> str:
    """Returns the user of the operating system; empty where they have no name."""
    # a container may run as a user id that has no name
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def now(timespec: str = "seconds") -> str:
    """Returns this moment: ISO 8601 in UTC, e.g. ``"2026-11-24T20:31:05+00:00"``."""
    return datetime.now(UTC).isoformat(timespec=timespec)
