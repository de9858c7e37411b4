"""Percent and p are written in one way: no file makes a form of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loupe.brain.core.p_values import p_value

ROOT = Path(__file__).resolve().parents[2]
#: a format of Python's that would write "34.4%", where everything else writes "34.4 %"
_OWN_PERCENT = re.compile(r":[+]?\.\d%\}|:\.\df\}%(?!\")|\.1f\}% ")
#: a p or q with decimals of its own
_OWN_P = re.compile(r"\b(?:p|q)(?:_adjusted)?:\.\d[fge]\}")


def test_percentages_and_p_are_written_by_one_function_each() -> None:
    files = [path for room in ("brain", "operators", "panels") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 300
    wrong = []
    for path in files:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _OWN_PERCENT.search(text) or _OWN_P.search(text):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {text.strip()}")
    assert not wrong, "write shares by core/shares.py, and p by core/p_values.py:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0004, "< .001"),
        (0.0006, ".001"),
        (0.0496, ".050"),
        (0.0996, ".100"),
        (0.2, ".20"),
        (0.994, ".99"),
        (0.996, "1"),
    ],
)
def test_small_ones_have_three_digits_and_none_is_zero(number: float, text: str) -> None:
    assert p_value(number) == text
