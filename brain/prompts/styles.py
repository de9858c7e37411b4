"""Styles of prompts: how a class is asked for. By its name, by captions of real pictures, by templates.

That the style matters as much as the model is a finding of "When Pretty Isn't Useful" (arXiv:2602.19946), which draws
each class by its bare name and by captions.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from loupe.brain.core.errors import InputError, PromptError, UnknownName
from loupe.brain.core.hashes import number_of
from loupe.brain.prompts import files

#: what stands in each template
CLASS = "{class}"
CAPTION = "caption"
#: factors that each prompt has by itself
TAKEN = ("class", "style", "arm")
_VARIED = {
    "view": ("close up", "from a distance", "from the side", "from above", "half hidden"),
    "light": ("in bright daylight", "in the evening", "at night", "in soft light", "in fog"),
    "place": ("indoors", "in the street", "in nature", "before a plain wall", "among other things"),
}


@dataclass(frozen=True)
class Style:
    """A way to ask for a class.

    Attributes:
        name: how it is called
        templates: each with ``{class}`` in it; none where captions are the prompts
        factors: of the templates' other placeholders the values
    """

    name: str
    templates: tuple[str, ...] = ()
    factors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


#: the styles that come with Loupe
KNOWN = {
    "class": Style("class", (f"a photo of a {CLASS}",)),
    CAPTION: Style(CAPTION),
    "varied": Style("varied", (f"a photo of a {CLASS}, {{view}}, {{light}}, {{place}}",), _VARIED),
}

Styles: TypeAlias = str | Sequence[str] | Mapping[str, Any]


def read(styles: Styles) -> tuple[Style, ...]:
    """Returns the styles, in order.

    Args:
        styles: names out of ``KNOWN`` and templates with ``{class}``; or a mapping of names of one's own to such, to
            lists of templates, or to ``{"template": ..., "factors": {...}}``

    Raises:
        UnknownName: no style of that name
        PromptError: a template without ``{class}``, or with a placeholder that has no values
        InputError: none, the same twice, or something else

    >>> [style.templates for style in read(["class", "a sketch of a {class}"])]
    [('a photo of a {class}',), ('a sketch of a {class}',)]
    """
    if isinstance(styles, str):
        styles = [styles]
    if isinstance(styles, Mapping):
        made = [_own(str(name), given) for name, given in styles.items()]
    elif isinstance(styles, Sequence) and all(isinstance(each, str) for each in styles):
        made = [_named(each) for each in styles]
    else:
        raise InputError(f"expected styles to be names, templates with {CLASS}, or a mapping, got {str(styles)[:80]!r}")
    if not made:
        raise InputError(f"expected at least one style, got none. There are: {', '.join(KNOWN)}")
    names = [style.name for style in made]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"expected each style once, got {twice[0]!r} twice")
    return tuple(made)


def _named(given: str) -> Style:
    if given in KNOWN:
        return KNOWN[given]
    if "{" in given:
        return _checked(Style(given, (given,)))
    raise UnknownName(f"prompt style (a template has {CLASS} in it)", given, KNOWN)


def _own(name: str, given: Any) -> Style:
    factors: Any = {}
    if isinstance(given, Mapping):
        others = sorted(map(str, given.keys() - {"template", "factors"}))
        if others:
            raise UnknownName(f"key of the style {name!r}", others[0], ("template", "factors"))
        given, factors = given.get("template", ()), given.get("factors", {})
    templates = [given] if isinstance(given, str) else given
    if not isinstance(templates, Sequence) or not templates or not all(isinstance(each, str) for each in templates):
        raise InputError(f"style {name!r}: expected a template with {CLASS}, or some, got {str(given)[:80]!r}")
    if len(templates) == 1 and templates[0] in KNOWN:
        return Style(name, KNOWN[templates[0]].templates, KNOWN[templates[0]].factors)
    if not isinstance(factors, Mapping):
        raise InputError(f"style {name!r}: expected factors to map names to values, got {type(factors).__name__}")
    values = {str(key): _values(name, str(key), own) for key, own in factors.items()}
    return _checked(Style(name, tuple(templates), values))


def _values(style: str, name: str, given: Any) -> tuple[str, ...]:
    if name in TAKEN:
        raise PromptError(f"style {style!r}: the factor name {name!r} is taken: choose another")
    if isinstance(given, (str, int, float)):
        given = [given]
    if not isinstance(given, Sequence) or not given:
        raise PromptError(f"style {style!r}: expected values for the factor {name!r}, got {str(given)[:80]!r}")
    return tuple(str(each) for each in given)


def _checked(style: Style) -> Style:
    if not style.name.strip() or len(style.name) > 200:
        raise InputError(f"expected a name of a style, of at most 200 characters, got {style.name[:80]!r}")
    used: set[str] = set()
    for template in style.templates:
        if CLASS not in template:
            raise PromptError(f"style {style.name!r}: expected a template with {CLASS} in it, got {template[:80]!r}")
        # what is no template is refused here, and not as the first image is to be drawn
        names = _placeholders(template)
        for name in names:
            if name not in style.factors:
                raise PromptError(f"style {style.name!r}: expected factors with values for {{{name}}}, got none")
        files.read(template, factors={"class": ["x"], **{name: style.factors[name] for name in names}}, sample=1)
        used |= set(names)
    unused = [name for name in style.factors if name not in used]
    if unused:
        raise PromptError(f"style {style.name!r}: expected the placeholder {{{unused[0]}}} in a template, got none")
    return style


def _placeholders(template: str) -> list[str]:
    """Returns the placeholders beside the class.

    Raises:
        PromptError: one has no values
    """
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    except ValueError as error:
        raise PromptError(f"expected {{name}} placeholders in {template[:80]!r}: {error}") from error
    return [name for name in dict.fromkeys(names) if name != "class"]


def prompts(
    style: Style, label: str, words: str, n: int, *, seed: int = 0, captions: Sequence[str] = ()
) -> list[files.Prompt]:
    """Returns n prompts for a class; more begin with the fewer, and no combination comes again before all have come.

    Args:
        style: how to ask
        label: the class
        words: what it is called in a prompt
        n: how many
        seed: decides the order
        captions: of real pictures of the class, where the style takes captions

    Raises:
        PromptError: no captions, or a prompt that is too long

    >>> [each.prompt for each in prompts(KNOWN["class"], "n02", "cat", 2)]
    ['a photo of a cat', 'a photo of a cat']
    """
    if not style.templates:
        if not captions:
            raise PromptError(f"style {style.name!r}: expected captions of real pictures of {label!r}, got none")
        own = files.read(
            [{"prompt": text} for text in captions], sample=min(n, len(captions)), seed=number_of([seed, label])
        )
        return [own[at % len(own)] for at in range(n)]
    made = []
    for at, template in enumerate(style.templates):
        share = len(range(at, n, len(style.templates)))
        made.append(_filled(style, template, words, share, number_of([seed, label, style.name, at])))
    return [made[at % len(made)][at // len(made)] for at in range(n)]


def _filled(style: Style, template: str, words: str, n: int, seed: int) -> list[files.Prompt]:
    names = _placeholders(template)
    values = {name: style.factors[name] for name in names}
    total = 1
    for own in values.values():
        total *= len(own)
    sample = max(1, min(n, total))
    every = files.read(template, factors={"class": [words], **values}, sample=sample, seed=seed)
    return [every[at % len(every)] for at in range(n)]


def seed_of(seed: int, style: str, label: str, prompt: str, at: int) -> int:
    """Returns the seed of an image: the same for every model and guidance, so that these see the same noise."""
    # the App's JavaScript shows larger integers rounded
    return number_of([seed, style, label, prompt, at]) % 2**53
