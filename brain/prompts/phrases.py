"""The phrases between nouns: where one object is seen from another, which is larger, and what only links them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from loupe.brain.core.relations import RelationName
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.tokens import Token

#: relation: a RelationName. link: the noun after it is there, how it is linked is not read. aside: the noun after it is
#: no object in the picture ("like a dog"). style: how it is drawn, up to the next comma.
#: without: what follows must not be there. made: what follows is a material.
PhraseKind: TypeAlias = Literal["relation", "link", "aside", "style", "without", "made"]


class Phrase(NamedTuple):
    """A phrase in the tokens: what it does, the name of its relation, how many tokens it has."""

    kind: PhraseKind
    name: str
    length: int


def _phrases(text: str) -> list[str]:
    """Phrases with "_" for their spaces."""
    return [phrase.replace("_", " ") for phrase in text.split()]


_LINKS = _phrases(
    """
    at around round through across along toward towards into to against between among amongst amid amidst past off
    down up out beyond opposite facing via using together together_with throughout outside of_all in_between
    in_the_middle_of in_the_center_of in_the_centre_of at_the_edge_of on_the_edge_of on_the_side_of in_the_corner_of
    at_the_end_of on_the_back_of on_either_side_of on_both_sides_of on_each_side_of surrounded_by covered_in
    covered_with covered_by filled_with full_of out_of followed_by along_with accompanied_by as_well_as
    on_one_side_of at_the_center_of at_the_bottom_of away_from next because_of dressed_in taller_than shorter_than
    longer_than faster_than heavier_than wider_than older_than higher_than
    """
)
_ASIDES = _phrases(
    """
    like as for from about during than instead_of rather_than other_than except except_for missing lacking
    resembling inspired_by such_as shaped_like dressed_as dressed_up_as disguised_as in_the_shape_of in_the_form_of
    called named titled entitled based_on looks_like look_like looking_like with_the_texture_of with_the_shape_of
    in_terms_of transformed_into turned_into nothing_but similar_to instead not_only but_not_limited_to more_than
    less_than fewer_than pretending_to_be symbolizing symbolising representing reminiscent_of forming until after
    before since where
    """
)
_STYLES = _phrases(
    """
    in_the_style_of in_style_of the_style_of in_a_style_of drawn_in rendered_in painted_in shot_on shot_with
    taken_with taken_by artwork_by art_by painting_by illustration_by photographed_by trending_on
    """
)
_WITHOUT = _phrases(
    """
    no without without_any with_no but_no free_of devoid_of absent_of void_of empty_of not_a not_an not_any
    not_have_any not_have_a not_contain_any not_have does_not_have not_include_any and_no without_a without_an
    no_visible but_without there_is_no there_are_no has_no have_no with_zero zero with_0 0 with_not_a don't_have_any
    doesn't_have_any doesn't_have_a isn't_any aren't_any don't_include_any there_isn't_any there_aren't_any
    not_a_single without_a_single not_one nobody no-one
    """
)
_MADE = _phrases(
    """
    made_of made_from made_out_of made_up_of built_from built_of carved_from carved_out_of crafted_from
    constructed_of
    """
)


def _table() -> dict[tuple[str, ...], Phrase]:
    table: dict[tuple[str, ...], Phrase] = {}

    def add(kind: PhraseKind, name: str, text: str) -> None:
        words = tuple(text.split())
        table[words] = Phrase(kind, name, len(words))

    for relation in RelationName:
        for text in relation.aliases:
            add("relation", relation.value, text)
    kinds: tuple[tuple[PhraseKind, Sequence[str]], ...] = (
        ("link", _LINKS), ("aside", _ASIDES), ("style", _STYLES), ("without", _WITHOUT), ("made", _MADE),
    )  # fmt: skip
    for kind, phrases in kinds:
        for text in phrases:
            add(kind, "", text)
    return table


_TABLE = _table()
_LONGEST = max(map(len, _TABLE))
_FIRST = frozenset(words[0] for words in _TABLE)
#: says how near, and changes nothing about the relation after it
_DEGREES = word_set(
    """
    directly immediately just slightly right much far way significantly partially standing
    """
)
_ARTICLES = word_set(
    """
    a an the his her its their my our your one two three four five six seven eight nine ten this that these those
    both another some several
    """
)


def phrase_at(tokens: Sequence[Token], at: int) -> Phrase | None:
    """Returns the longest phrase that begins there, or None.

    >>> from loupe.brain.prompts.tokens import sentences
    >>> phrase_at(sentences("a cat directly to the left of a dog")[0], 2)
    Phrase(kind='relation', name='left of', length=5)
    """
    low = tokens[at].low
    if low in _DEGREES and at + 1 < len(tokens) and (after := _exact(tokens, at + 1)) and after.kind == "relation":
        # "right of" is itself a relation: looked for first
        if own := _exact(tokens, at):
            return own
        return after._replace(length=after.length + 1)
    if low == "0" and at + 1 < len(tokens) and tokens[at + 1].low in _ARTICLES:
        # a number of a line, as tables have it: "no" has no article after it
        return None
    if low == "by" and _exact(tokens, at) is None:
        # "by a tree" is beside it; "by Rembrandt" is not
        next_word = tokens[at + 1].low if at + 1 < len(tokens) else ""
        return Phrase("relation", RelationName.NEXT_TO.value, 1) if next_word in _ARTICLES else Phrase("style", "", 1)
    return _exact(tokens, at)


def _exact(tokens: Sequence[Token], at: int) -> Phrase | None:
    if tokens[at].low not in _FIRST:
        return None
    words = tuple(token.low for token in tokens[at : at + _LONGEST])
    for length in range(len(words), 0, -1):
        if phrase := _TABLE.get(words[:length]):
            return phrase
    return None
