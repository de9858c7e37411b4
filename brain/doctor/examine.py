"""Looks at everything that Loupe needs, and at what it can use."""

from __future__ import annotations

from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import LoupeError
from loupe.brain.doctor import packages, surroundings
from loupe.brain.doctor.records import Examination, Finding


def examine() -> Examination:
    """Returns what is here, what is missing, and how to get it. Nothing is downloaded, and nothing is sent anywhere.

    >>> examine().works  # doctest: +SKIP
    True
    """
    findings = [*surroundings.machine(), *packages.examined()]
    # with a package that is lacking, what follows would break on its import
    if any(finding.status == "broken" and finding.detail.startswith("not installed") for finding in findings):
        return Examination(tuple(findings))
    findings += [*surroundings.fiftyone(), *_models()]
    return Examination(tuple(findings))


def _models() -> list[Finding]:
    from loupe.brain.doctor import models

    try:
        device = resolve_device()
    except LoupeError:
        device = "cpu"
    return list(models.examined(device))
