"""What was read in a prompt so far: objects, how they stand to each other, and what must not be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loupe.brain.core.relations import RelationName
from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.noun_phrase import NounPhrase
from loupe.brain.prompts.spec import Attribute, Relation, RequestedObject

#: how many objects back "the dog" may speak of one
_MAX_BACK = 50


@dataclass
class ParsedObject:
    """An object as it is being read; ``sentence`` is the number of the one that names it first."""

    name: str
    count: int | None
    exact: bool
    attributes: list[Attribute]
    plural: bool
    sentence: int

    def requested(self) -> RequestedObject:
        """Returns the record of it."""
        return RequestedObject(self.name, self.count, self.exact, tuple(self.attributes))


@dataclass
class ParseState:
    """What was read so far, over all sentences."""

    objects: list[ParsedObject] = field(default_factory=list)
    relations: dict[Relation, None] = field(default_factory=dict)  # in order, each once
    excluded: list[str] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    text_free: bool = False

    def relate(self, subjects: Sequence[int], name: str, others: Sequence[int]) -> None:
        """Notes the relation for each pair."""
        for subject in subjects:
            for other in others:
                if subject != other:
                    self.relations[Relation(subject, name, other)] = None

    def describe(self, places: Sequence[int], attributes: Sequence[Attribute]) -> None:
        """Notes the attributes of each of the objects, none twice."""
        for place in places:
            own = self.objects[place].attributes
            own += [attribute for attribute in attributes if attribute not in own]

    def add(self, phrase: NounPhrase, sentence: int, *, begins: bool) -> int:
        """Returns the place of the object: a new one, or the one that "the dog" spoke of before.

        Args:
            sentence: the number of the sentence that names it
            begins: whether it is the sentence's first object
        """
        same = self._named_before(phrase, sentence, begins)
        if same is not None:
            self.describe([same], phrase.attributes)
            return same
        self.objects.append(
            ParsedObject(phrase.name, phrase.count, phrase.exact, list(phrase.attributes), phrase.plural, sentence)
        )
        return len(self.objects) - 1

    def _named_before(self, phrase: NounPhrase, sentence: int, begins: bool) -> int | None:
        objects = self.objects
        restated = (
            phrase.determiner in ("a", "an")
            and len(objects) == 1
            and objects[0].sentence < sentence
            and begins
            and objects[0].name == phrase.name
            and objects[0].count == 1
        )
        if restated:
            return 0
        if phrase.determiner not in ("the", "this", "that", "these", "those", "both"):
            return None
        for place in range(len(objects) - 1, max(-1, len(objects) - 1 - _MAX_BACK), -1):
            earlier = objects[place]
            if earlier.name != phrase.name and not earlier.name.endswith(" " + phrase.name):
                continue
            fits = all(
                attribute in earlier.attributes or (earlier.sentence < sentence and not earlier.attributes)
                for attribute in phrase.attributes
            )
            same_number = not phrase.exact or phrase.count == earlier.count or phrase.determiner == "both"
            if fits and same_number and earlier.plural == phrase.plural:
                return place
        return None

    def compare_sizes(self) -> None:
        """Two objects of opposite sizes in one sentence: notes which is asked to be the larger."""
        sized = []
        for place, parsed_object in enumerate(self.objects):
            values = {attribute.value for attribute in parsed_object.attributes if attribute.kind == "size"}
            if values & lexicon.LARGE or values & lexicon.SMALL:
                sized.append((place, bool(values & lexicon.LARGE), parsed_object.sentence))
        if len(sized) == 2 and sized[0][1] != sized[1][1] and sized[0][2] == sized[1][2]:
            (first, large, _), (second, _, _) = sized
            larger, smaller = RelationName.LARGER_THAN.value, RelationName.SMALLER_THAN.value
            compared = {(r.subject, r.object) for r in self.relations if r.name in (larger, smaller)}
            if not compared & {(first, second), (second, first)}:
                self.relate([first], larger if large else smaller, [second])
