"""What the App is sent, in letters: nothing of a dataset is more than a text there.

The App reads the label, the description and the caption of nearly everything as Markdown: a field ``__x__`` would be
bold, and a class ``![](http://…)`` would fetch a picture from a server. They are our words with names of the user's in
them, so all of them are escaped here, once, whoever wrote them, and a call in Python becomes the operator's name; what
is written as Markdown on purpose stands in a ``MarkdownView``, and its writer escapes each name
(``loupe.brain.core.shown.markdown``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import shown
from loupe.operators.wording import shown_in_app

#: whose words the App shows as they are
_AS_THEY_ARE = (types.Button, types.ProgressView, types.PillBadgeView, types.Choice)
_WORDS = ("label", "description", "caption")
_PLAIN = ("placeholder", "alt", "text", "title")


def written(made: types.Object) -> types.Object:
    """Returns what the App is sent, with each of its words escaped; to be called once."""
    for each in _properties(made):
        if each.view is not None:
            _write(each.view)
        if each.error_message:
            each.error_message = shown.plain(each.error_message)
        if isinstance(each.view, types.MarkdownView) and isinstance(each.default, str):
            each.default = shown.plain(shown_in_app(each.default))
    return made


def _properties(made: types.Object) -> Iterator[types.Property]:
    for each in made.properties.values():
        yield each
        if isinstance(each.type, types.Object):
            yield from _properties(each.type)


def _write(view: Any) -> None:
    means = shown.plain if isinstance(view, _AS_THEY_ARE) else shown.label
    for name in _WORDS:
        _set(view, name, means)
    for name in _PLAIN:
        _set(view, name, shown.plain)
    for choice in getattr(view, "choices", ()):
        for name in _WORDS:
            _set(choice, name, shown.line)


def _set(view: Any, name: str, means: Any) -> None:
    """FiftyOne keeps what a view was made with beside its attributes, and sends both."""
    given = view._kwargs.get(name, getattr(view, name, None))
    if isinstance(given, str):
        text = means(shown_in_app(given))
        setattr(view, name, text)
        view._kwargs[name] = text
