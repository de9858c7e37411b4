"""Shares in percent."""

from __future__ import annotations

from loupe.brain.core.shares import percent, tenths


def test_percent_says_neither_never_nor_always_of_what_is_rare() -> None:
    shares = (0, 0.0004, 0.034, 0.09949, 0.0996, 0.234, 0.5, 0.994, 0.995, 0.9999, 1, float("nan"))
    texts = ["0 %", "< 0.1 %", "3.4 %", "9.9 %", "10 %", "23 %", "50 %", "99 %", "> 99 %", "> 99 %", "100 %", "–"]
    assert [percent(share) for share in shares] == texts


def test_where_a_decimal_begins_can_be_told() -> None:
    shares = (0, 0.0004, 0.004, 0.0094, 0.0097, 0.234, 1)
    assert [percent(share, 0.01) for share in shares] == ["0 %", "< 0.1 %", "0.4 %", "0.9 %", "1 %", "23 %", "100 %"]


def test_tenths_have_a_decimal_each() -> None:
    shares = (0, 0.0004, 0.0345, 0.5, 0.9994, 0.9996, 1, float("nan"))
    assert [tenths(share) for share in shares] == [
        "0.0 %", "< 0.1 %", "3.5 %", "50.0 %", "99.9 %", "> 99.9 %", "100.0 %", "–",
    ]  # fmt: skip
