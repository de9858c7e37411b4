"""What the App, a page or a terminal makes of a text: whether hostile names are letters there, all of them.

Each hostile name holds ``MARK`` and a number. Where it comes up, what is read around it has to be the name itself: had
a reader of Markdown taken a part of it for an order, that part would be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from benchmarks.fuzz.changes import MARK
from loupe.brain.core.shown import line, plain

# words of clusters have no capitals: they are no names
_MARKED = re.compile(rf"{MARK}(\d+)q")
#: what the App makes a link of by itself (micromark's autolink literals)
_LINK = re.compile(r"(?i)(?:https?://|www\.)[-.\w]|[-.\w+]@[-\w]+\.[-\w]")
#: letters beside a mark that have to be the name's
_NEAR = 24
#: views whose label and description are no Markdown
_PLAIN = frozenset(("Button", "ProgressView", "PillBadgeView", "Choice"))
#: what is sent with a view and not drawn
_NOT_DRAWN = frozenset(
    ("value", "params", "operator", "on_click", "on_change", "on_selected", "ids", "customdata", "componentsProps")
)
_TAGS = frozenset(("b", "i", "br", "sub", "sup", "span", "em", "extra"))


class Names:
    """Hostile names, known by their numbers."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def add(self, before: str, after: str, made: Callable[[str], str] = str) -> str:
        """Returns a new name; ``made`` makes of it what may be a name there."""
        self.all.append(made(f"{before}{MARK}{len(self.all)}q{after}"))
        return self.all[-1]

    def wrong(self, text: str) -> str:
        """Returns what is not as it should be in a text that was read; empty: nothing."""
        text = " ".join(text.replace("\u2060", "").split())
        for match in _MARKED.finditer(text):
            if int(match[1]) >= len(self.all):
                continue
            name = self.all[int(match[1])]
            # as it is, or as an error quotes it
            if not any(_stands(text, match, line(each)) for each in (name, repr(name)[1:-1], ascii(name)[1:-1])):
                return f"expected {line(name)[:90]!a}, got {text[max(0, match.start() - 30) :][:90]!a}"
        return ""


def _stands(text: str, match: re.Match[str], name: str) -> bool:
    """Whether what stands around a mark is a name, as far as it is shown."""
    before, _, after = _compared(name).partition(_compared(match[0]))
    shown = _compared(text[match.end() : match.end() + _NEAR])
    cut = re.split("…|[.]{3}", shown)[0]
    whole = shown.startswith(after[:_NEAR].rstrip()) or (cut != shown and after.startswith(cut))
    return whole and _compared(text[: match.start()]).rstrip().endswith(before[-_NEAR:].strip())


def _compared(text: str) -> str:
    # an underscore of a name may be shown as a space
    return text.lower().replace("_", " ")


def markdown(text: str, names: Names) -> str:
    """Returns what is wrong with a text that is read as Markdown."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for token in reader.parse(text):
        if token.type in ("html_block", "code_block"):
            return f"{token.type}: {token.content[:80]!a}"
        if token.type == "fence" and MARK in token.info:
            return f"fence: {token.info[:80]!a}"
        letters = ""
        for part in token.children or ():
            if part.type in ("html_inline", "image") or (part.type == "link_open" and MARK in str(part.attrs)):
                return f"{part.type}: {text[:120]!a}"
            if part.type == "code_inline" and MARK in part.content:
                return f"code: {part.content[:80]!a}"
            letters += " " if part.type in ("softbreak", "hardbreak") else part.content
        if MARK in letters and _LINK.search(letters):
            return f"a link: {letters[:120]!a}"
        problem = names.wrong(letters) or unprintable(letters)
        if problem:
            return problem
    return ""


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Is told of a tag."""
        self.tags.append(tag)
        # what is read of an attribute has to be the name's, too
        self.text += [f"\n{value}\n" for _, value in attrs if value and MARK in value]
        self.tags += [name for name, _ in attrs if name.startswith("on") or MARK.lower() in name]

    def handle_comment(self, data: str) -> None:
        """Is told of a comment."""
        self.tags.append(f"!{data}")

    def handle_data(self, data: str) -> None:
        """Is told of letters."""
        self.text.append(data)


def html(text: str, names: Names, allowed: frozenset[str] = _TAGS) -> str:
    """Returns what is wrong with a text that is read as HTML, or as Plotly reads its own tags."""
    read = _Html()
    read.feed(text)
    read.close()
    odd = sorted(set(read.tags) - allowed)
    return f"tags {odd}: {text[:120]!a}" if odd else names.wrong("".join(read.text)) or unprintable(text)


def unprintable(text: str) -> str:
    """Returns what is wrong with a text for a terminal, or as a label."""
    return "" if plain(text) == text else f"not printable: {text[:120]!a}"


def app(sent: Any, names: Names) -> Iterator[str]:
    """Yields what is wrong with what the App is sent to draw, with the place where it stands."""
    json.dumps(sent).encode()
    yield from _drawn(sent, names, "")


def _drawn(node: Any, names: Names, place: str) -> Iterator[str]:
    if isinstance(node, list):
        for at, each in enumerate(node):
            yield from _drawn(each, names, f"{place}[{at}]")
    if not isinstance(node, Mapping):
        return
    yield from _default(node, names, place)
    kind = node.get("name") if "componentsProps" in node or "label" in node else None
    for name, value in node.items():
        here = f"{place}.{name}"
        if name in _NOT_DRAWN:
            continue
        if kind == "PlotlyView" and name in ("data", "layout"):
            for text in _texts(value):
                yield from _at(here, html(text, names))
        elif isinstance(value, str):
            yield from _at(here, _of_word(name, value, names, kind is not None and "value" not in node, str(kind)))
        else:
            yield from _drawn(value, names, here)


def _default(node: Mapping[str, Any], names: Names, place: str) -> Iterator[str]:
    view, default = node.get("view"), node.get("default")
    if isinstance(view, Mapping) and isinstance(default, str):
        if view.get("name") == "MarkdownView":
            yield from _at(place, markdown(default, names))
        if view.get("name") == "ImageView" and not _is_own(default):
            yield f"{place}: a picture from {default[:80]!a}"


def _of_word(name: str, text: str, names: Names, of_view: bool, kind: str) -> str:
    if name in ("label", "description", "caption"):
        return markdown(text, names) if of_view and kind not in _PLAIN else unprintable(text)
    return unprintable(text) if name in ("error_message", "alt", "placeholder", "text", "title") else ""


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, Mapping):
        for name, value in node.items():
            if name not in _NOT_DRAWN:
                yield from _texts(value)


def _at(place: str, problem: str) -> Iterator[str]:
    if problem:
        yield f"{place}: {problem}"


def _is_own(address: str) -> bool:
    return not address or address.startswith(("/media?", "/loupe", "data:image/")) or "://" not in address[:12]
