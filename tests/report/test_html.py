"""The page needs nothing else, and shows whatever a dataset holds as it is."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from loupe.brain.core.results import Rate, Slice
from loupe.brain.core.tables import Table
from loupe.brain.report import html, markdown
from loupe.brain.report.blocks import (
    Bar,
    Bars,
    Block,
    Chart,
    Curve,
    Heat,
    Numbers,
    Page,
    Pictures,
    Section,
    Text,
    Thumbnail,
    top_of,
)
from loupe.brain.report.words import interval

HOSTILE = "<script>alert('x')</script>\"' onload=y &amp; | ` $x$ \ud800 🦊"
NONE = Rate(Slice({"time": HOSTILE}), "blur", 0, 0, 3, 4, math.nan, math.nan, math.nan)
SURE = Rate(Slice({"time": "day"}), "blur", 400, 100, 0, 0, 0.25, 0.21, 0.295)
UNSURE = Rate(Slice({"time": "night"}), "blur", 4, 2, 0, 0, 0.5, 0.15, 0.85)


def drawn_with(block: Block) -> str:
    """Returns a page with one block."""
    return html.draw(Page("t", "s", (Section("w", (block,)),), ""))


def page_of(text: str) -> Page:
    """Returns a page with every kind of block, each with that text wherever it takes one."""
    picture = Thumbnail(text, text, b"\xff\xd8not really", text)
    return Page(
        title=text,
        subtitle=text,
        sections=(
            Section(text, (Text(text), Text(text, small=True), Numbers(((text, text),)))),
            Section(text, (Bars((Bar(text, text, 0.2, 0.1, 0.3, text, (picture,), 0.05),), 0.5),)),
            Section(text, (Heat(text, (text, text, text), (text,), ((SURE,), (UNSURE,), (NONE,))),)),
            Section(text, (Table.of(text, (text, text), [(text, 3)]), Pictures((picture, Thumbnail(text, text, b""))))),
            Section(text, (Chart(text, text, text, (Curve(text, ((0.0, 0.0), (1.0, 1.0))),), diagonal=True),)),
            Section("left out", ()),
        ),
        made_by=text,
    )


class _Read(HTMLParser):
    """Notes the tags and attributes that a browser sees."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_what_a_dataset_holds_is_shown_and_never_run() -> None:
    plain, hostile = _Read(), _Read()
    plain.feed(html.draw(page_of("plain")))
    hostile.feed(html.draw(page_of(HOSTILE)))
    # the same tags and attributes: nothing of a text has become one
    assert hostile.tags == plain.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in plain.attributes]
    assert "script" not in hostile.tags
    assert not [name for name, _ in hostile.attributes if name.startswith("on")]


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    read = _Read()
    read.feed(html.draw(page_of("plain")))
    addresses = [value for name, value in read.attributes if name in ("src", "href", "data", "action")]
    assert addresses
    assert all(address.startswith(("data:image/jpeg;base64,", "#s")) for address in addresses)
    assert "url(" not in html.draw(page_of("plain"))
    policy = dict(read.attributes)["http-equiv"], [value for name, value in read.attributes if name == "content"]
    assert policy[0] == "Content-Security-Policy"
    assert any("default-src 'none'" in value for value in policy[1])


def test_sections_without_blocks_are_left_out() -> None:
    assert "left out" not in html.draw(page_of("plain"))
    assert "left out" not in markdown.draw(page_of("plain"))


def test_a_cell_says_how_many_were_judged_and_what_was_not() -> None:
    drawn = html.draw(
        Page("t", "s", (Section("w", (Heat("f", ("a", "b", "c"), ("Blur",), ((SURE,), (UNSURE,), (NONE,))),)),), "")
    )
    cells = re.findall(r"<td.*?</td>", drawn)
    assert len(cells) == 3
    assert "<b>25 %</b><span>400</span>" in cells[0]
    assert "100 of 400 judged" in cells[0]
    assert "unsure" in cells[1]
    assert "unsure" not in cells[0]
    assert ">–<" in cells[2]
    assert "3 unknown, 4 not checked" in cells[2]


def test_colors_go_with_the_rates() -> None:
    low = Rate(Slice({}), "blur", 400, 40, 0, 0, 0.1, 0.07, 0.13)
    drawn = drawn_with(Heat("f", ("a", "b"), ("Blur",), ((SURE,), (low,))))
    strengths = [float(value) for value in re.findall(r"--much:([\d.]+)", drawn)]
    assert strengths == [pytest.approx(0.85), pytest.approx(0.34)]


def test_the_bar_of_an_interval_is_where_its_numbers_are() -> None:
    drawn = drawn_with(Bars((Bar("l", "h", 0.2, 0.1, 0.4, "n", (), 0.05),), 0.5))
    band = re.search(r'class="band" x="([\d.]+)" y="4" width="([\d.]+)"', drawn)
    dot, mark = re.search(r'class="dot" cx="([\d.]+)"', drawn), re.search(r'class="mark" x="([\d.]+)"', drawn)
    assert band
    assert dot
    assert mark
    assert [float(band[1]), float(band[2]), float(dot[1]), float(mark[1])] == [44.0, 132.0, 88.0, 22.0]
    nothing = html.draw(
        Page("t", "s", (Section("w", (Bars((Bar("l", "h", math.nan, math.nan, math.nan, "n"),), 0.5),)),), "")
    )
    assert "<svg" not in nothing
    assert "nan" not in nothing.lower().replace("dominant", "")


def test_markdown_has_the_numbers_and_escapes_the_rest() -> None:
    text = markdown.draw(page_of(HOSTILE))
    assert "<script" not in text
    assert "25 % of 400" in text
    assert "20 %" in text
    assert text.encode("utf-8")


def test_intervals_in_words() -> None:
    assert interval(0.031, 0.12) == "3.1 to 12 %"
    assert interval(math.nan, 0.2) == ""
    assert [top_of([share]) for share in (0.1, 0.11, 0.6, 1.0)] == [0.1, 0.25, 0.75, 1.0]
