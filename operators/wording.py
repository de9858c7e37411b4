"""Messages as a person at the App can follow them: a call in Python becomes the operator's name there, an argument
becomes the input of the form.

An error is written once, for the notebook: ``run loupe.embed(samples) first, or give embeddings=``. In the App nobody
writes Python: ``Run 'Loupe: embed images' first, or give 'Embeddings'.``
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

from loupe.operators.signature import title_of

#: an argument's value, as far as messages have them; what else stands behind "=" is no call's, e.g. a slice time=night
_VALUE = r"\[[^\]]*\]|\{[^}]*\}|\"[^\"]*\"|'[^']*'|None|True|False|\.\.\.|…"
_ARGUMENT = re.compile(rf"(?<![\w.'\"/?&])([a-z][a-z_]*)=({_VALUE})?(?=[\s,.;:)]|$)")
_VERB = re.compile(r"(?<![\w.'\"/])(?:loupe\.([a-z_]+)(\((?:[^()]|\([^()]*\))*\))?|([a-z]+_[a-z_]+)(?![\w.(=]))")
_RENAME = re.compile(r"dataset\.rename_sample_field\(\"[^\"]*\", \"([^\"]*)\"\)")
_METADATA = "dataset.compute_metadata()"
#: arguments that say nothing at a form: it has the samples that the App shows
_SAMPLES = re.compile(r"^(?:samples|dataset|view|…|\.\.\.)(?:, *|$)")
_FIRST_WORD = re.compile(r"[a-z]+(?=[\s,']|: |$)")


def in_app(message: str) -> str:
    r"""Returns a message with the App's words for what it says of Python, as a sentence.

    >>> in_app("expected scores of 'blur', got none: run loupe.check(samples, ['blur']) first, or give field=")
    "Expected scores of 'blur', got none: run 'Loupe: check images' (['blur']) first, or give 'Field'."
    >>> in_app('rename yours with dataset.rename_sample_field("checked", "my_checked")')
    "Rename yours with 'Rename sample field', to 'my_checked'."
    >>> in_app("look at the pairs: find_memorized")
    "Look at the pairs: 'Loupe: find memorized images'."
    """
    text = _RENAME.sub(r"'Rename sample field', to '\1'", message.strip())
    text = text.replace(_METADATA, "'Compute metadata'")
    text = _ARGUMENT.sub(_argument, _VERB.sub(_verb, text))
    first = _FIRST_WORD.match(text)
    if first:
        text = text[:1].upper() + text[1:]
    return f"{text}." if text and (text[-1].isalnum() or text[-1] in ")]}'\"`%") else text


def _verb(call: re.Match[str]) -> str:
    label = _labels().get(call[1] or call[3])
    if label is None:
        return call[0]
    arguments = _SAMPLES.sub("", (call[2] or "()")[1:-1].strip())
    return f"'{label}' ({arguments})" if arguments else f"'{label}'"


def _argument(given: re.Match[str]) -> str:
    label, value = title_of(given[1]), given[2]
    if value in (None, "...", "…"):
        return f"'{label}'"
    words = {"None": "left empty", "True": "switched on", "False": "switched off"}
    return f"'{label}' {words[value]}" if value in words else f"'{label}' = {value}"


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
