"""Names of datasets, fields, classes and files in reports and tables: letters, whatever stands in them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

from benchmarks.fuzz import changes, moment
from benchmarks.fuzz.changes import MARK, Rng, pick
from loupe.brain.core import markdown
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.tables import Table
from loupe.brain.imaging.files import printable
from loupe.brain.report import blocks, html
from loupe.brain.report import files as report_files
from loupe.brain.report import markdown as report_markdown

_Tried = tuple[str, Literal["ok", "refused"], int]
TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "p",
        "nav",
        "a",
        "main",
        "footer",
        "section",
        "div",
        "b",
        "span",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "img",
        "svg",
        "text",
        "i",
        "line",
        "path",
        "polyline",
        "circle",
        "rect",
        "g",
    ]
)


class _Tags(HTMLParser):
    """Collects what a browser would take for tags, attributes and addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Is told of a tag."""
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or MARK.lower() in name:
                self.wrong.append(f"{tag} {name}")
            if name in ("href", "src") and not str(value).startswith(("#s", "data:image/jpeg;base64,")):
                self.wrong.append(f"{name}={value}")

    def handle_comment(self, data: str) -> None:
        """Is told of a comment."""
        self.wrong.append(f"<!--{data}")

    def handle_pi(self, data: str) -> None:
        """Is told of an instruction."""
        self.wrong.append(f"<?{data}")


def names(rng: Rng, folder: Path) -> _Tried:
    """Draws a report and a table of hostile names."""
    some = [changes.text(rng, 5) for _ in range(24)]
    (folder / "input.txt").write_bytes("\n---\n".join(some).encode("utf-8", "surrogatepass"))
    page = _page(some)
    moment.begins()
    for drawn in (html.draw(page), f"<html>{page.sections[0].blocks[2].html()}</html>"):  # type: ignore[union-attr]
        tags = _Tags()
        tags.feed(drawn)
        tags.close()
        assert not tags.wrong, tags.wrong[:5]
    html.draw(page).encode("utf-8", "replace")
    as_text = report_markdown.draw(page)
    as_text.encode("utf-8", "replace")
    _no_markdown(some)
    shown = printable(some[0])
    shown.encode()
    assert shown.isprintable() or not shown, shown
    try:
        place = report_files.place(str(folder / "made") + pick(rng, ("", "/")) + some[1], ".html")
    except LoupeError as error:
        str(error).encode()
        return "names", "refused", 0
    assert place.suffix == ".html", place
    return "names", "ok", 0


def _page(some: list[str]) -> blocks.Page:
    picture = blocks.Thumbnail(some[0], some[1], b"jpeg", some[2])
    gone = blocks.Thumbnail(some[3], some[4], b"", some[5])
    bar = blocks.Bar(some[6], some[7], 0.5, 0.2, 0.8, some[8], (picture, gone), 0.4)
    table = Table.of(some[9], (some[10], some[11]), [(some[12], 3), (some[13], 4)], some[14])
    curves = (blocks.Curve(some[15], ((0.1, 0.2), (0.5, 0.9))), blocks.Curve(some[16], ((0.3, 0.3),)))
    chart = blocks.Chart(some[17], some[18], some[19], curves, True)
    numbers = blocks.Numbers(((some[20], some[21]),))
    drawn = (blocks.Text(some[22]), numbers, table, blocks.Bars((bar,), 1.0), blocks.Pictures((picture, gone)), chart)
    return blocks.Page(some[0], some[1], (blocks.Section(some[23], drawn), blocks.Section(some[2], drawn)), some[3])


def _no_markdown(some: list[str]) -> None:
    """A text that was escaped is one paragraph of letters to a reader of Markdown."""
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        return
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for text in some:
        if len(text) > 5000:
            continue
        tokens = reader.parse(f"Name: {markdown.escape(text)}")
        inner = [child.type for token in tokens for child in token.children or ()]
        assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], text
        assert set(inner) <= {"text", "text_special"}, (text, inner)
