"""What a prompt asks for, as plain records: what the prompt-aware checks judge by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from loupe.brain.core.errors import PromptError
from loupe.brain.core.records import Record
from loupe.brain.core.relations import RelationName

AttributeKind: TypeAlias = Literal["color", "shape", "texture", "material", "size", "other"]
Source: TypeAlias = Literal["rules", "geneval", "t2i_compbench", "field", "llm"]


@dataclass(frozen=True)
class Attribute(Record):
    """A property that an object is asked to have, e.g. ``Attribute("color", "red")``."""

    kind: AttributeKind
    value: str


@dataclass(frozen=True)
class RequestedObject(Record):
    """An object that is asked for.

    Attributes:
        name: a singular noun, lower case, as the prompt has it: ``"dining table"``
        count: how many; None where the prompt gives no number ("birds"), which asks for at least two
        exact: whether the prompt gives the number ("one dog", "three dogs"); "a dog" asks for at least one
        attributes: what each of them is asked to be like
    """

    name: str
    count: int | None = 1
    exact: bool = False
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Relation(Record):
    """How one object is asked to stand to another, e.g. ``Relation(0, "left of", 1)``.

    Attributes:
        subject: the place of the first object in ``PromptSpec.objects``
        name: the value of a ``RelationName``
        object: the place of the other one
    """

    subject: int
    name: str
    object: int


@dataclass(frozen=True)
class PromptSpec(Record):
    """What a prompt asks for.

    Attributes:
        prompt: the text
        objects: what is asked for
        relations: how the objects stand to each other, and which is larger
        excluded: singular nouns of what must not be there ("no dogs": ``("dog",)``)
        texts: what is to be written, in the order of the prompt
        text_free: whether the prompt asks for a picture without text
        unparsed: the parts of the prompt that were not understood; empty when all of it was
        source: where this comes from: rules over the prompt, a benchmark's own metadata, a ``spec`` field, a language
            model
    """

    prompt: str
    objects: tuple[RequestedObject, ...] = ()
    relations: tuple[Relation, ...] = ()
    excluded: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    text_free: bool = False
    unparsed: tuple[str, ...] = ()
    source: Source = "rules"

    def __post_init__(self) -> None:
        for relation in self.relations:
            if relation.name not in tuple(RelationName):
                raise PromptError(f"expected a relation of {', '.join(RelationName)}, got {relation.name!r}")
            if not (0 <= relation.subject < len(self.objects) and 0 <= relation.object < len(self.objects)):
                raise PromptError(f"a relation names object {relation.subject} or {relation.object}: no such object")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PromptSpec:
        """Returns the spec that ``to_dict`` gave, or that a sample's ``spec`` field holds.

        Raises:
            PromptError: a key is unknown, missing or of the wrong type

        >>> facts = {"prompt": "two cats", "objects": [{"name": "cat", "count": 2, "exact": True}]}
        >>> PromptSpec.from_dict(facts).objects
        (RequestedObject(name='cat', count=2, exact=True, attributes=()),)
        """
        try:
            facts = dict(values)
            objects = tuple(
                RequestedObject(
                    **{**entry, "attributes": tuple(Attribute(**pair) for pair in entry.get("attributes", ()))}
                )
                for entry in facts.pop("objects", ())
            )
            relations = tuple(Relation(**entry) for entry in facts.pop("relations", ()))
            lists: dict[str, Any] = {name: tuple(facts.pop(name, ())) for name in ("excluded", "texts", "unparsed")}
            return cls(objects=objects, relations=relations, **lists, **facts)
        except (TypeError, AttributeError, KeyError) as error:
            raise PromptError(f"expected a spec as PromptSpec.to_dict gives it, got {values!r}: {error}") from None
