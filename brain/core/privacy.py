"""Loupe never phones home, and what it starts does not either."""

from __future__ import annotations

import os

#: what keeps the libraries that Loupe imports from reporting their use; each reads its own as it is imported
_QUIET = {
    "FIFTYONE_DO_NOT_TRACK": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def keep_quiet() -> None:
    """Turns the telemetry of libraries off that are imported from now on, here and in child processes.

    Who has set one of these variables keeps what was set. A library that somebody else imported before, as FiftyOne in
    the App's own server, stays as it is.
    """
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
