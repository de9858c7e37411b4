r"""Texts that are not ours, shown as they are: names of files, classes, fields and datasets, prompts, notes, answers.

Each place that a text is shown in reads it in its own way, and has one function here: a page of HTML, Markdown, a
Plotly plot, a terminal, a spreadsheet. None of them lets a text be more than letters.
"""

from __future__ import annotations

import html as _html
import re

#: letters of a text that are shown at most; the others are counted
MAX_LETTERS = 4000

# what moves a cursor, rings, turns the direction of what stands around it, or cannot be written as UTF-8
_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
# what the App, and GitHub, make a link of by themselves
_ADDRESS = re.compile(r"(?i)(https?:|www(?=\.)|[-.\w+]@(?=[-\w]+\.))")
_FIRST = re.compile(r"^(\d+)([.)])(?=\s|$)")
_CODE = re.compile(r"(`(?:loupe|pip|hf|python|gcloud|dataset\.)[^`\n]*`)")
_MEANS_SOMETHING = re.compile(r"[\\`*\[\]<>&~|\n]|(?<![^\W_])_|_(?![^\W_])|^\s*(?:[-+#=]|\d+[.)](?:\s|$))")
# with the letters of twice the width, which some spreadsheets take for the same
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")


def plain(text: object) -> str:
    r"""Returns a text for a terminal, a log or the label of a button: characters that give orders are written out.

    Lines and tabs stay. Marks that only help to write a language, as joiners, stay, too.

    >>> plain("a\x1b[2J\u202e\udcff\n")
    'a\\x1b[2J\\u202e\\udcff\n'
    """
    return _ORDERS.sub(lambda order: ascii(order[0])[1:-1], str(text))


def line(text: object, length: int = MAX_LETTERS) -> str:
    r"""Returns a text in one line; of a longer one the beginning, and how long it is.

    >>> line(" a\n b"), line("abcdef", 3)
    ('a b', 'abc… (6 letters)')
    """
    text = str(text)
    short = text if len(text) <= length else f"{text[:length]}… ({len(text):,} letters)"
    return plain(" ".join(short.split()))


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun.

    >>> counted(1, "pair"), counted(2000, "pair")
    ('1 pair', '2,000 pairs')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def field_name(path: str) -> str:
    """Returns how a field is called: its path, without Loupe's own field that it stands in.

    >>> field_name("scenario.time"), field_name("generation.model"), field_name("ground_truth.label")
    ('time', 'model', 'ground_truth.label')
    """
    for own in ("scenario.", "generation.", "quality."):
        if path.startswith(own):
            return path.removeprefix(own)
    return path


def html(text: object) -> str:
    """Returns a text that a page of HTML, or an attribute of it, shows as it is.

    >>> html("<b>'x'</b>")
    '&lt;b&gt;&#x27;x&#x27;&lt;/b&gt;'
    """
    text = str(text)
    short = text if len(text) <= MAX_LETTERS else f"{text[:MAX_LETTERS]}… ({len(text):,} letters)"
    return _html.escape(plain(short), quote=True)


def plotly(text: object) -> str:
    """Returns a text that Plotly shows as it is: it reads tags, but leaves the entity of a quote as letters.

    >>> plotly('<b>"day" & night</b>')
    '&lt;b&gt;"day" &amp; night&lt;/b&gt;'
    """
    return _html.escape(line(text), quote=False)


def markdown(text: object) -> str:
    r"""Returns a text that Markdown shows as it is, in one line; nor is an address made a link of.

    >>> markdown("<b>|x|</b>"), markdown("1. x")
    ('&lt;b&gt;\\|x\\|&lt;/b&gt;', '1\\. x')
    """
    # a joiner of no width: nothing is seen of it
    shown = _ADDRESS.sub("\\1\u2060", line(text))
    shown = _SPECIAL.sub(r"\\\1", shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return _FIRST.sub(r"\1\\\2", shown)


def prose(text: str) -> str:
    r"""Returns a sentence that Markdown shows as it is, but for commands between backticks, which are code.

    >>> prose("no <file> a*b: run `loupe weights get all`")
    'no &lt;file&gt; a\\*b: run `loupe weights get all`'
    """
    parts = _CODE.split(text)
    return "".join(
        plain(part) if at % 2 else re.sub(r"^(\s*)(.*?)(\s*)$", _escaped_within, part, flags=re.DOTALL)
        for at, part in enumerate(parts)
    )


def label(text: str) -> str:
    """Returns a label, which the App reads as Markdown: as it is where nothing in it means anything there.

    >>> label("Samples (all) of ground_truth"), label("__proto__")
    ('Samples (all) of ground_truth', '\\\\_\\\\_proto\\\\_\\\\_')
    """
    return prose(text) if _MEANS_SOMETHING.search(text) or _ADDRESS.search(text) else plain(text)


def cell(value: object) -> object:
    """Returns a value of a .csv file that no spreadsheet takes for a formula: a text that would be begins with a space.

    Whoever reads a prompt leaves out the spaces around it, so that it is read as it was.

    >>> cell("=1+1"), cell("-5"), cell(-5), cell("a=b")
    (' =1+1', ' -5', -5, 'a=b')
    """
    return f" {value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _escaped_within(parts: re.Match[str]) -> str:
    return " " * bool(parts[1]) + markdown(parts[2]) + " " * bool(parts[3]) if parts[2] else " " * bool(parts[0])
