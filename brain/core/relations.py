"""Relations between two objects: their names, the phrases that ask for them, and what they mean in a picture.

This is their only home: the grammar of prompts, the rules over boxes and the questions for vision-language models
derive theirs from it.

>>> RelationName("left of").inverse
<RelationName.RIGHT_OF: 'right of'>
>>> [str(relation) for relation in RelationName.of_kind("distance", "size")]
['next to', 'near', 'larger than', 'smaller than', 'same size as']
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self, TypeAlias

#: side: on which side in the plane of the picture. depth: in front or behind. contact: on, in or under. distance: close
#: by, on any side. size: which of both is larger in the picture
RelationKind: TypeAlias = Literal["side", "depth", "contact", "distance", "size"]


def _side_aliases(side: str) -> tuple[str, ...]:
    return (f"{side} of",) + tuple(
        f"{start} {the}{side}{tail} {end}"
        for start in ("to", "on", "at")
        for the in ("the ", "")
        for tail in ("", " side", " hand side", "-hand side")
        for end in ("of", "from")
    )


class RelationName(StrEnum):
    """How one object, the subject, stands to another one. The value is the name that a prompt spec stores.

    Attributes:
        kind: what it is about
        question: what stands between subject and object in a question for a vision-language model; empty where there is
            no question for it
        aliases: the phrases with which prompts ask for it, its own name among them
        axis: of a side: 0 for x, 1 for y; else None
        sign: of a side: that of the offset on the axis from the object to the subject, y downwards; else 0
    """

    kind: RelationKind
    question: str
    aliases: tuple[str, ...]
    axis: int | None
    sign: int

    LEFT_OF = "left of", "side", "to the left of", _side_aliases("left"), 0, -1
    RIGHT_OF = "right of", "side", "to the right of", _side_aliases("right"), 0, 1
    ABOVE = "above", "side", "above", ("above", "over", "up above", "over the top of"), 1, -1
    BELOW = "below", "side", "below", ("below", "on the bottom of", "on bottom of"), 1, 1
    IN_FRONT_OF = (
        "in front of", "depth", "in front of", ("in front of", "in the front of", "at the front of"),
    )  # fmt: skip
    BEHIND = (
        "behind", "depth", "behind",
        ("behind", "hidden by", "hidden behind", "in back of", "at the back of", "obscured by", "occluded by"),
    )  # fmt: skip
    ON = (
        "on", "contact", "on top of",
        ("on", "upon", "onto", "atop", "on top of", "on the top of", "at the top of", "on the surface of"),
    )  # fmt: skip
    IN = "in", "contact", "inside", ("in", "inside", "inside of", "within", "in the inside of")
    UNDER = "under", "contact", "underneath", ("under", "underneath", "beneath", "at the foot of")
    NEXT_TO = (
        "next to", "distance", "beside",
        (
            "next to", "beside", "besides", "alongside", "adjacent to", "side by side with", "on side of",
            "by the side of", "at the side of", "right beside", "right by", "to the side of",
        ),
    )  # fmt: skip
    NEAR = (
        "near", "distance", "beside", ("near", "near to", "close to", "nearby", "not far from", "in the vicinity of"),
    )  # fmt: skip
    LARGER_THAN = (
        "larger than", "size", "larger than", ("larger than", "bigger than", "huger than", "greater in size than"),
    )  # fmt: skip
    SMALLER_THAN = "smaller than", "size", "smaller than", ("smaller than", "tinier than", "littler than")
    SAME_SIZE_AS = (
        "same size as", "size", "",
        ("same size as", "the same size as", "as big as", "as large as", "as small as", "equal in size to"),
    )  # fmt: skip

    def __new__(
        cls,
        value: str,
        kind: RelationKind,
        question: str,
        aliases: tuple[str, ...],
        axis: int | None = None,
        sign: int = 0,
    ) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.kind, member.question, member.aliases, member.axis, member.sign = kind, question, aliases, axis, sign
        return member

    @property
    def inverse(self) -> RelationName | None:
        """The relation of the object to the subject that says the same; None for "in", which has none here."""
        return _INVERSES.get(self)

    @classmethod
    def of_kind(cls, *kinds: RelationKind) -> tuple[RelationName, ...]:
        """Returns the relations of these kinds, in their order."""
        return tuple(relation for relation in cls if relation.kind in kinds)


_PAIRS = (
    (RelationName.LEFT_OF, RelationName.RIGHT_OF),
    (RelationName.ABOVE, RelationName.BELOW),
    (RelationName.IN_FRONT_OF, RelationName.BEHIND),
    (RelationName.ON, RelationName.UNDER),
    (RelationName.NEXT_TO, RelationName.NEXT_TO),
    (RelationName.NEAR, RelationName.NEAR),
    (RelationName.LARGER_THAN, RelationName.SMALLER_THAN),
    (RelationName.SAME_SIZE_AS, RelationName.SAME_SIZE_AS),
)
_INVERSES = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}

#: where one object is, seen from another one
SPATIAL_RELATIONS = RelationName.of_kind("side", "depth", "contact", "distance")
#: which of two objects is larger in the picture
SIZE_RELATIONS = RelationName.of_kind("size")
