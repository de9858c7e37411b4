"""Messages as a person at the App can follow them: a call in Python becomes the operator's name there, an argument
becomes the input of the form.

An error is written once, for the notebook: ``run loupe.embed(samples) first, or give embeddings=``. In the App nobody
writes Python: ``Run 'Loupe: embed images' first, or give 'Field of vectors'.``
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from loupe.brain.core.shown import markdown
from loupe.operators import signature
from loupe.operators.labels import label_of

#: an argument's value, as far as messages have them; what else stands behind "=" is no call's, e.g. a slice time=night
_VALUE = r"\[[^\]]*\]|\{[^}]*\}|\"[^\"]*\"|'[^']*'|None|True|False|\.\.\.|…"
_ARGUMENT = re.compile(rf"(?<![\w.'\"/?&])([a-z][a-z_]*)=({_VALUE})?(?=[\s,.;:)]|$)")
_VERB = re.compile(r"(?<![\w.'\"/])(?:loupe\.([a-z_]+)(\((?:[^()]|\([^()]*\))*\))?|([a-z]+_[a-z_]+)(?![\w.(=]))")
_RENAME = re.compile(r"dataset\.rename_sample_field\(\"[^\"]*\", \"([^\"]*)\"\)")
_METADATA = "dataset.compute_metadata()"
#: arguments that say nothing at a form: it has the samples that the App shows
_SAMPLES = re.compile(r"^(?:samples|dataset|view|…|\.\.\.)(?:, *|$)")
_FIRST_WORD = re.compile(r"[a-z]+(?=[\s,']|: |$)")
#: what of a text the App is about to show is Python; Markdown may have put a backslash before each sign
_NAME = r"[a-z]+(?:\\?_[a-z]+)*"
_CALL = r"\\?\((?:[^()]|\([^()]*\))*\)"
_GIVEN = rf"(?:(?<=give )|(?<=with )|(?<=hout )|(?<= by )){_NAME}=(?:{_VALUE})?(?=[\s,.;:)]|$)"
_PYTHON = re.compile(rf"(?<![\w.'\"/])loupe\.{_NAME}(?:{_CALL})?|dataset\.compute\\?_metadata\\?\(\\?\)|{_GIVEN}")
#: whose inputs are meant
_verb_in_use: ContextVar[str] = ContextVar("verb_in_use", default="")


@contextmanager
def inputs_of(verb: str) -> Iterator[None]:
    """Inside of it an argument is called as the form of that verb calls it."""
    before = _verb_in_use.set(verb)
    try:
        yield
    finally:
        _verb_in_use.reset(before)


def in_app(message: str) -> str:
    r"""Returns a message with the App's words for what it says of Python, as a sentence.

    >>> in_app("expected scores of 'blur', got none: run loupe.check(samples, ['blur']) first, or give field=")
    "Expected scores of 'blur', got none: run 'Loupe: check images' (['blur']) first, or give 'Field to use'."
    >>> in_app('rename yours with dataset.rename_sample_field("checked", "my_checked")')
    "Rename yours with 'Rename sample field', to 'my_checked'."
    >>> in_app("look at the pairs: find_memorized")
    "Look at the pairs: 'Loupe: find memorized images'."
    """
    text = words_in_app(message.strip())
    first = _FIRST_WORD.match(text)
    if first:
        text = text[:1].upper() + text[1:]
    return f"{text}." if text and (text[-1].isalnum() or text[-1] in ")]}'\"`%") else text


def shown_in_app(text: str) -> str:
    r"""Returns what the App is about to show, maybe in Markdown, with its own words for each call of Loupe's in it.

    Every text goes through it (``letters``): what a result says of itself is written for the notebook, too. Names that
    may be somebody's own stay: a verb counts with "loupe." before it, an argument behind a word such as "give".

    >>> shown_in_app(r"Shuffle, or loupe.split\(samples, stratify=…\). A slice: split=None")
    "Shuffle, or 'Loupe: split the dataset' \\('Fields to keep in balance'\\). A slice: split=None"
    >>> shown_in_app("known with label=, or loupe.find_words")
    "known with 'Field of labels', or 'Loupe: find words'"
    """
    return _PYTHON.sub(_shown, text)


def _shown(part: re.Match[str]) -> str:
    plain_part = part[0].replace("\\", "")
    made = words_in_app(plain_part)
    return part[0] if made == plain_part else markdown(made) if "\\" in part[0] else made


def words_in_app(text: str) -> str:
    """Returns a text of several sentences with the App's words for what it says of Python.

    >>> words_in_app("Shuffle, or loupe.split(samples, stratify=…). A slice: wet=True")
    "Shuffle, or 'Loupe: split the dataset' ('Fields to keep in balance'). A slice: wet=True"
    """
    text = _RENAME.sub(r"'Rename sample field', to '\1'", text)
    text = text.replace(_METADATA, "'Compute metadata'")
    return _ARGUMENT.sub(_argument, _VERB.sub(_verb, text))


def _verb(call: re.Match[str]) -> str:
    label = _labels().get(call[1] or call[3])
    if label is None:
        return call[0]
    arguments = _SAMPLES.sub("", (call[2] or "()")[1:-1].strip())
    return f"'{label}' ({arguments})" if arguments else f"'{label}'"


def _argument(given: re.Match[str]) -> str:
    if given[1] not in _arguments():
        return given[0]
    label, value = label_of(given[1], _verb_in_use.get()), given[2]
    if value in (None, "...", "…"):
        return f"'{label}'"
    words = {"None": "left empty", "True": "switched on", "False": "switched off"}
    return f"'{label}' {words[value]}" if value in words else f"'{label}' = {value}"


@cache
def _arguments() -> frozenset[str]:
    """Returns the names of all arguments of verbs: what else stands before "=" is somebody's own, as in wet=True."""
    from loupe.brain import api

    verbs = (getattr(api, name) for name in _labels() if name in api.PUBLIC)
    return frozenset(name for verb in verbs for name in signature.of_verb(verb))


@cache
def _labels() -> dict[str, str]:
    """Returns how the App calls each verb's operator."""
    from loupe import operators
    from loupe.operators.base import LoupeOperator

    labels = {}
    for info in pkgutil.iter_modules(operators.__path__):
        module = importlib.import_module(f"{operators.__name__}.{info.name}")
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, LoupeOperator) and hasattr(each, "label"):
                labels[each.verb] = f"Loupe: {each.label}"
    return labels
