"""Which of a detector's labels shows what a prompt's noun asks for.

A detector of 80 classes knows nothing of a fountain: its silence about one is not evidence. So a noun that no label
stands for is *unknown to the vocabulary*, and whatever is asked of it stays unknown, never missing.

>>> words = Vocabulary(COCO_80)
>>> words.find("sofas")
Match(labels=('couch',), kind='same')
>>> words.find("woman")
Match(labels=('person',), kind='narrower')
>>> words.find("animal").kind
'wider'
>>> words.find("fountain") is None
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from loupe.brain.core.records import Record

Kind: TypeAlias = Literal["same", "narrower", "wider"]


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(word.split()) for word in text.split(","))


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Lines of ``label: noun, noun``; a line that begins with a comma goes on with the one before."""
    lines = re.sub(r"\n\s*,", ",", text.strip()).splitlines()
    return {label.strip(): _list(nouns) for label, _, nouns in (line.partition(":") for line in lines)}


#: the 80 classes of COCO, in their order
COCO_80 = _list("""
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag,
tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard,
tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot,
hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote,
keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair
drier, toothbrush
""")

#: other words for the same object, as detectors and prompts have them
_SAME = _table("""
person: human, human being, someone, pedestrian
bicycle: bike, pushbike
car: automobile, motorcar
motorcycle: motorbike
airplane: aeroplane, plane, aircraft
truck: lorry
boat: ship
traffic light: stoplight, traffic signal
fire hydrant: hydrant
backpack: rucksack
umbrella: parasol
handbag: purse
tie: necktie
skis: ski
sports ball: ball
tennis racket: tennis racquet
wine glass: wineglass
cup: mug
donut: doughnut
hot dog: hotdog
couch: sofa, settee
potted plant: pottedplant, houseplant, house plant, pot plant
dining table: diningtable, table
tv: television, tvmonitor, tv monitor, television set, telly
laptop: laptop computer, notebook computer
mouse: computer mouse
remote: tv remote, remote control
keyboard: computer keyboard
cell phone: cellphone, mobile phone, smartphone, phone, mobile
microwave: microwave oven
oven: stove
refrigerator: fridge
hair drier: hair dryer, hairdryer, blow dryer
teddy bear: teddy, stuffed bear
""")

#: kinds of an object: seeing the object does not say which kind it is
_NARROWER = _table("""
person: man, woman, boy, girl, child, kid, baby, toddler, lady, gentleman, guy, adult, teenager, player, chef, doctor
, nurse, teacher, student, worker, farmer, soldier, policeman, policewoman, police officer, firefighter, astronaut
, dancer, singer, musician, king, queen, prince, princess, bride, groom, surfer, skier, cyclist, rider, runner, swimmer
, artist, businessman, businesswoman, fisherman, cowboy, tourist, driver, mother, father, grandmother, grandfather, son
, daughter, skateboarder, snowboarder, tennis player, baseball player, construction worker
dog: puppy, poodle, corgi, labrador, husky, dachshund, beagle, bulldog, chihuahua, terrier, pug, golden retriever
, german shepherd
cat: kitten, tabby cat, black cat
bird: parrot, pigeon, eagle, owl, seagull, gull, duck, chicken, rooster, hen, penguin, flamingo, swan, sparrow, robin
, crow, goose, hawk, peacock, ostrich
cow: bull, calf, ox
sheep: lamb
horse: pony, foal, stallion, mare
bear: grizzly, grizzly bear, polar bear, panda, panda bear, brown bear, black bear
car: taxi, cab, sedan, convertible, suv, limousine, sports car, race car, police car
truck: pickup, pickup truck, fire truck, dump truck
bus: school bus, double decker bus
boat: sailboat, canoe, kayak, yacht, rowboat, ferry, gondola
airplane: jet, fighter jet
train: steam train, locomotive
chair: armchair, rocking chair
clock: alarm clock, grandfather clock, wall clock
bicycle: mountain bike, tricycle
bottle: wine bottle, water bottle, beer bottle
cake: birthday cake, cupcake, wedding cake
dining table: coffee table, desk
""")

#: what several labels are kinds of; what there is of it beyond these no detector of these labels sees
_WIDER = _table("""
animal: bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe
pet: cat, dog
vehicle: car, motorcycle, bus, train, truck, boat, airplane, bicycle
fruit: banana, apple, orange
vegetable: broccoli, carrot
food: banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake
furniture: chair, couch, bed, dining table
plant: potted plant
glass: wine glass
""")
#: people and animals: what a prompt gives no room for is an extra object where it is one of these
LIVING = ("person", *_WIDER["animal"])

#: plurals that no rule makes, and words that only look like plurals
_ODD = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "geese": "goose",
    "knives": "knife", "calves": "calf", "oxen": "ox", "wolves": "wolf", "leaves": "leaf", "shelves": "shelf",
    "policemen": "policeman", "policewomen": "policewoman", "businessmen": "businessman", "fishermen": "fisherman",
    "tvs": "tv", "buses": "bus", "loaves": "loaf", "feet": "foot", "teeth": "tooth", "glasses": "glass", "lenses":
    "lens",
}  # fmt: skip
_SINGULAR = {"skis", "scissors", "jeans", "shorts", "trousers", "binoculars", "lens", "chess", "tennis"}


@dataclass(frozen=True)
class Match(Record):
    """What of a detector's vocabulary stands for a noun.

    Attributes:
        labels: the detector's labels
        kind: ``"same"``: the label says just that; ``"narrower"``: the noun is a kind of the label (a woman, of
            person): without the label there is none, with it there may be; ``"wider"``: the labels are kinds of the
            noun (of animal): with one of them there is one, without them there still may be
    """

    labels: tuple[str, ...]
    kind: Kind


def normal(noun: str) -> str:
    """Returns a noun in lower case, without articles, its last word in the singular.

    >>> [normal(noun) for noun in ("The Wine  Glasses", "buses", "skis", "cherries", "tomatoes", "犬", "")]
    ['wine glass', 'bus', 'skis', 'cherry', 'tomato', '犬', '']
    """
    words = re.sub(r"[\s_\-]+", " ", noun).strip().lower().split()
    while len(words) > 1 and words[0] in ("a", "an", "the", "some"):
        words.pop(0)
    return " ".join([*words[:-1], _singular(words[-1])]) if words else ""


def _singular(word: str) -> str:
    if word in _ODD:
        return _ODD[word]
    if word in _SINGULAR or len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "sses", "xes", "zzes", "oes")) else word[:-1]


_HEAD = {normal(noun): normal(label) for label, nouns in _SAME.items() for noun in (label, *nouns)}
_BROADER = {normal(noun): normal(label) for label, nouns in _NARROWER.items() for noun in nouns}


def _head(noun: str) -> str:
    """The one word that stands for all that mean the same."""
    word = normal(noun)
    return _HEAD.get(word, word)


class Vocabulary:
    """The labels that a detector can give.

    Args:
        labels: its labels, in any spelling: "tvmonitor", "dining_table", "Person"; None for a detector that is asked
            for nouns: every noun is its own label
    """

    def __init__(self, labels: Iterable[str] | None) -> None:
        self.labels = None if labels is None else tuple(dict.fromkeys(labels))
        self._by_head: dict[str, list[str]] = {}
        for label in self.labels or ():
            self._by_head.setdefault(_head(label), []).append(label)

    def find(self, noun: str) -> Match | None:
        """Returns what stands for a noun, or None where the vocabulary has nothing for it.

        Args:
            noun: as a prompt has it, singular or plural, e.g. ``"wine glasses"``
        """
        head = _head(noun)
        if not head:
            return None
        if self.labels is None:
            return Match((head,), "same")
        if head in self._by_head:
            return Match(tuple(self._by_head[head]), "same")
        broader = _BROADER.get(head)
        if broader in self._by_head:
            return Match(tuple(self._by_head[broader]), "narrower")
        kinds = [label for kind in _WIDER.get(head, ()) for label in self._by_head.get(kind, ())]
        return Match(tuple(kinds), "wider") if kinds else None

    def means(self, label: str) -> str:
        """Returns the plain word for one of its labels: ``"couch"`` for "Sofas".

        >>> Vocabulary(["tvmonitor"]).means("tvmonitor")
        'tv'
        """
        return _head(label)


def gives_room(noun: str, label: str) -> bool:
    """Returns whether an object that a prompt names may bring what a label shows: a group, a crowd, a farm, a street.

    Such nouns make any number of people or animals likely, without asking for them.

    >>> gives_room("crowd", "person"), gives_room("dog", "person"), gives_room("street", "person")
    (True, False, True)
    """
    words = normal(noun).split()
    own = {"person": _PEOPLED, "bird": _PEOPLED | {"tree", "sky", "beach"}}.get(_head(label), _WITH_ANIMALS)
    return bool(set(words) & own)


_PEOPLED = set(_list("""
crowd, group, family, couple, team, party, street, city, town, market, beach, park, stadium, restaurant, station, road
, festival, parade, concert, classroom, school, office, shop, store, mall, game, match, race, wedding, audience, scene
, village, plaza, square, airport, subway, playground, pool, gym, bar, cafe, kitchen, museum, painting, poster, portrait
, band, orchestra, army, queue, people, squad, crew, class, motorcycle, bicycle, surfboard, skateboard, snowboard, skis
, horse, boat, bus, train, car, kite, umbrella, frisbee, tie, hand, selfie, statue, mannequin, bench, tv, laptop, book
, baseball, tennis, ball
""".replace("\n", "")))  # fmt: skip
_WITH_ANIMALS = set(_list("""
farm, zoo, herd, flock, pack, safari, field, meadow, pasture, savanna, stable, barn, jungle, forest, circus, animal, pet
, nature, wildlife, aquarium, ranch, countryside, painting, poster, scene, litter, toy, statue, tv, book, carriage, sled
""".replace("\n", "")))  # fmt: skip
