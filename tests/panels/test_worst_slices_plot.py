"""The two bars of a card: as long as the rates, at any width, and a picture whatever the numbers are."""

from __future__ import annotations

import base64
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from loupe.brain.core.results import Rate, Slice
from loupe.panels.worst_slices import plot

_SVG = "{http://www.w3.org/2000/svg}"


def rate(failures: int, n: int, low: float, high: float) -> Rate:
    return Rate(Slice({}), "blur", n, failures, 0, 0, failures / n if n else math.nan, low, high)


def drawn(own: Rate, rest: Rate) -> ElementTree.Element:
    kind, _, text = plot.bars(own, rest).partition(",")
    assert kind == "data:image/svg+xml;base64"
    return ElementTree.fromstring(base64.b64decode(text))


def share(value: str | None) -> float:
    assert value is not None
    return float(re.sub("%$", "", value))


def test_the_bars_are_as_long_as_the_rates_and_the_whiskers_as_the_intervals() -> None:
    picture = drawn(rate(30, 100, 0.22, 0.4), rate(10, 100, 0.05, 0.18))
    slice_bar, rest_bar = picture.iter(f"{_SVG}rect")
    assert share(slice_bar.get("width")) == pytest.approx(3 * share(rest_bar.get("width")), rel=0.02)
    ends = [(share(line.get("x1")), share(line.get("x2"))) for line in picture.iter(f"{_SVG}line")]
    assert ends[0] == (pytest.approx(99 * 0.22 / 0.4, abs=0.1), 99)
    assert ends[3] == (pytest.approx(99 * 0.05 / 0.4, abs=0.1), pytest.approx(99 * 0.18 / 0.4, abs=0.1))
    assert [text.text for text in picture.iter(f"{_SVG}text")] == ["slice", "30.0 %", "the rest", "10.0 %"]


def test_what_was_not_judged_has_no_bar() -> None:
    picture = drawn(rate(3, 9, 0.1, 0.6), rate(0, 0, math.nan, math.nan))
    assert len(list(picture.iter(f"{_SVG}rect"))) == 1
    assert "not judged" in [text.text for text in picture.iter(f"{_SVG}text")]
    assert "nan" not in ElementTree.tostring(drawn(rate(0, 0, math.nan, math.nan), rate(0, 5, 0, 0.4)), "unicode")
