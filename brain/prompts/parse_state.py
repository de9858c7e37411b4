"""What was found in a prompt so far: things, how they stand to each other, and what must not be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loupe.brain.prompts import words as lexicon
from loupe.brain.prompts.noun_phrase import NounPhrase
from loupe.brain.prompts.spec import Attribute, Relation, RequestedObject

#: how many things back "the dog" may speak of one
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

    def asked(self) -> RequestedObject:
        """Returns the record of it."""
        return RequestedObject(self.name, self.count, self.exact, tuple(self.attributes))


@dataclass
class ParseState:
    """What was found so far, over all sentences."""

    things: list[ParsedObject] = field(default_factory=list)
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

    def describe(self, places: Sequence[int], facts: Sequence[Attribute]) -> None:
        """Notes the attributes of each of the things, none twice."""
        for place in places:
            own = self.things[place].attributes
            own += [fact for fact in facts if fact not in own]

    def add(self, phrase: NounPhrase, sentence: int, *, begins: bool) -> int:
        """Returns the place of the thing: a new one, or the one that "the dog" spoke of before.

        Args:
            sentence: the number of the sentence that names it
            begins: whether it is the sentence's first thing
        """
        same = self._named_before(phrase, sentence, begins)
        if same is not None:
            self.describe([same], phrase.attributes)
            return same
        self.things.append(
            ParsedObject(phrase.name, phrase.count, phrase.exact, list(phrase.attributes), phrase.plural, sentence)
        )
        return len(self.things) - 1

    def _named_before(self, phrase: NounPhrase, sentence: int, begins: bool) -> int | None:
        things = self.things
        restated = (
            phrase.determiner in ("a", "an")
            and len(things) == 1
            and things[0].sentence < sentence
            and begins
            and things[0].name == phrase.name
            and things[0].count == 1
        )
        if restated:
            return 0
        if phrase.determiner not in ("the", "this", "that", "these", "those", "both"):
            return None
        for place in range(len(things) - 1, max(-1, len(things) - 1 - _MAX_BACK), -1):
            thing = things[place]
            if thing.name != phrase.name and not thing.name.endswith(" " + phrase.name):
                continue
            kinds = {fact.kind: fact.value for fact in thing.attributes}
            fits = all(
                fact in thing.attributes or (fact.kind not in kinds and thing.sentence < sentence and not kinds)
                for fact in phrase.attributes
            )
            same_number = not phrase.exact or phrase.count == thing.count or phrase.determiner == "both"
            if fits and same_number and thing.plural == phrase.plural:
                return place
        return None

    def compare_sizes(self) -> None:
        """Two things of opposite sizes in one sentence: notes which is asked to be the larger."""
        sized = []
        for place, thing in enumerate(self.things):
            values = {fact.value for fact in thing.attributes if fact.kind == "size"}
            if values & lexicon.LARGE or values & lexicon.SMALL:
                sized.append((place, bool(values & lexicon.LARGE), thing.sentence))
        if len(sized) == 2 and sized[0][1] != sized[1][1] and sized[0][2] == sized[1][2]:
            (first, large, _), (second, _, _) = sized
            told = {(r.subject, r.object) for r in self.relations if r.name in ("larger than", "smaller than")}
            if not told & {(first, second), (second, first)}:
                self.relate([first], "larger than" if large else "smaller than", [second])
