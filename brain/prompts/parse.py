"""From a prompt to what it asks for, by rules.

The grammar, sentence by sentence (``[x]`` may be missing, ``x*`` may repeat)::

    sentence  = [medium] clause ("," clause | "and" clause)*
    medium    = "a photo of" | "an oil painting of" | "create an image showing" | ...   asks for no object
    clause    = objects [verb] [relation objects]* | relation objects [","] objects | without | tags
    objects   = object (("," | "and" | "with") object)*
    object    = [how many] adjective* noun+ ["of" object] ["made of" material] ["is" adjective]
    how many  = "a" | "the" | "three" | "exactly two" | "at least two" | "a pair of" | "several" | "a group of" | ...
    relation  = "to the left of" | "on top of" | "next to" | "bigger than" | ...        see ``RelationName``
    without   = ("no" | "without any" | "free of" | ...) noun (("," | "or" | "and") noun)*
    tags      = "masterpiece" | "8k" | "in the style of ..." | "digital art" | ...      ask for no object

- A relation belongs to all of the objects that stand before it ("a cat and a dog on a sofa"), and to the nearest one in
  a chain ("a cup on a table next to a window": the table). After a comma or a finite verb, or what somebody wears, it
  belongs to the sentence's first object.
- Objects after it that are joined by "and" share a relation such as "next to", but not "on", "in" or "under": an object
  stands on one object. After a comma they are objects of their own.
- A relation after a verb other than of being or resting ("jumping over") is no place that could be checked: not read.
- "the dog" is the dog that was named before, if one was. "a small elephant and a large mouse" asks for which is larger.
- A noun that is not in the word list is an object only with an article, a number or a plural, and never in a sentence
  with a verb that is not understood. What cannot be seen ("night", "style", "background") is none.
- What is written is left to ``requested_text``; nothing in it is an object.
- Flags, settings, weights and negative prompts are taken out before (``cleaned``); what they exclude is excluded.

All that was not understood is in ``PromptSpec.unparsed``. The time is linear in the length of the prompt.
"""

from __future__ import annotations

from functools import lru_cache

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts import nouns
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.cleaned import cleaned
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.parse_state import ParseState
from loupe.brain.prompts.sentence import read_sentence
from loupe.brain.prompts.spec import PromptSpec
from loupe.brain.prompts.tokens import sentences, texts_in

#: a negative prompt names flaws more often than things: "extra fingers" forbids no finger
_FLAWS = word_set(
    """
    lowres worst bad blurry blurred blur cropped extra fewer missing deformed deformity disfigured mutated mutation
    ugly poorly username error errors artifact artifacts artefacts nsfw sfw anatomy duplicate duplicated cloned gross
    morbid mutilated fused malformed distorted distortion oversaturated undersaturated saturated overexposed
    underexposed grainy grain jpeg unrealistic amateur low normal dehydrated disproportioned proportions proportion
    many too long disconnected floating watermarked incorrect wrong weird odd imperfect unnatural messy sketchy
    censored censor noisy noise
    """
)


def parse(prompt: str) -> PromptSpec:
    """Returns what the prompt asks for, read by the grammar above; never a guess from the words around.

    Raises:
        PromptError: it is no string

    >>> spec = parse("two red cups to the left of a wooden box, no people")
    >>> [(requested.name, requested.count) for requested in spec.objects], spec.excluded, spec.unparsed
    ([('cup', 2), ('box', 1)], ('person',), ())
    >>> spec.relations
    (Relation(subject=0, name='left of', object=1),)
    """
    if not isinstance(prompt, str):
        raise PromptError(f"expected a prompt, got {type(prompt).__name__}")
    return _parsed(prompt)


# a check asks whether it can judge before the picture is read, and what is asked for once it is there
@lru_cache(maxsize=4096)
def _parsed(prompt: str) -> PromptSpec:
    plain, text = texts_in(prompt)
    parsed = ParseState(text_free=text.excluded and not text.texts)
    for number, tokens in enumerate(sentences(plain)):
        read_sentence(tokens, number, parsed)
    parsed.compare_sizes()
    for name in cleaned(prompt).excluded:
        _read_excluded(name, parsed)
    return PromptSpec(
        prompt=prompt,
        objects=tuple(parsed_object.requested() for parsed_object in parsed.objects),
        relations=tuple(parsed.relations),
        excluded=tuple(dict.fromkeys(parsed.excluded)),
        texts=text.texts,
        text_free=parsed.text_free and not text.texts,
        unparsed=tuple(parsed.unparsed),
    )


def _read_excluded(name: str, parsed: ParseState) -> None:
    """Reads an entry of a negative prompt: a thing that must not be there, or a flaw, which is no thing."""
    words = name.lower().replace("-", " ").split()
    if not _FLAWS.isdisjoint(words) or all(word in lexicon.QUALITY for word in words):
        return
    apart = ParseState()
    for tokens in sentences(f"no {name}"):
        read_sentence(tokens, 0, apart)
    if apart.objects or (apart.unparsed and not apart.text_free):
        if any(nouns.is_noun(word) for word in words):
            parsed.unparsed.append(f"no {name}")
        return
    parsed.excluded += apart.excluded
    parsed.text_free |= apart.text_free
