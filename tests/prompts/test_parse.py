"""From a prompt to what it asks for."""

from __future__ import annotations

import pytest

from loupe.brain.prompts.nouns import singular
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import Attribute, PromptSpec, RequestedObject


def objects_of(spec: PromptSpec) -> list[str]:
    """Each object as ``"3! red cup"``: its count, whether it is exact, its attributes, its name."""
    return [
        " ".join(
            [
                f"{'?' if requested.count is None else requested.count}{'!' * requested.exact}",
                *(attribute.value for attribute in requested.attributes),
                requested.name,
            ]
        )
        for requested in spec.objects
    ]


def relations(spec: PromptSpec) -> list[tuple[int, str, int]]:
    return [(relation.subject, relation.name, relation.object) for relation in spec.relations]


@pytest.mark.parametrize(
    ("prompt", "objects"),
    [
        ("a dog", ["1 dog"]),
        ("the dog", ["1 dog"]),
        ("one dog", ["1! dog"]),
        ("a single dog", ["1! dog"]),
        ("exactly two cats and one dog", ["2! cat", "1! dog"]),
        ("a photo of 5 dogs and 1 cat", ["5! dog", "1! cat"]),
        ("twenty-one birds", ["21! bird"]),
        ("twenty five birds", ["25! bird"]),
        ("a dozen eggs", ["12! egg"]),
        ("two dozen red roses", ["24! red rose"]),
        ("half a dozen eggs", ["6! egg"]),
        ("a hundred balloons", ["100! balloon"]),
        ("a pair of shoes", ["2! shoe"]),
        ("three pairs of shoes", ["6! shoe"]),
        ("a pair of scissors", ["1 scissors"]),
        ("two pairs of sunglasses", ["2! sunglasses"]),
        ("a trio of penguins", ["3! penguin"]),
        ("a couple of dogs", ["2 dog"]),
        ("at least three dogs", ["3 dog"]),
        ("more than three dogs", ["4 dog"]),
        ("several birds", ["? bird"]),
        ("birds", ["? bird"]),
        ("a few birds and many trees", ["? bird", "? tree"]),
        ("a group of people", ["? person"]),
        ("a group of three people", ["3! person"]),
        ("a large flock of birds", ["? bird"]),
        ("a stack of 3 cubes", ["3! cube"]),
        ("both dogs", ["2! dog"]),
        ("1girl, 2boys", ["1! girl", "2! boy"]),
    ],
)
def test_how_many(prompt: str, objects: list[str]) -> None:
    assert objects_of(parse(prompt)) == objects


@pytest.mark.parametrize(
    "prompt", ["about ten people", "up to ten people", "two or three people", "less than 4 people"]
)
def test_a_number_that_cannot_be_checked_is_none(prompt: str) -> None:
    spec = parse(prompt)
    assert objects_of(spec) == ["? person"]
    assert spec.unparsed


@pytest.mark.parametrize(
    ("plural", "noun"),
    [
        ("mice", "mouse"), ("people", "person"), ("knives", "knife"), ("sheep", "sheep"), ("children", "child"),
        ("wolves", "wolf"), ("leaves", "leaf"), ("tomatoes", "tomato"), ("women", "woman"), ("geese", "goose"),
        ("buses", "bus"), ("benches", "bench"), ("boxes", "box"), ("cherries", "cherry"), ("cookies", "cookie"),
        ("shoes", "shoe"), ("horses", "horse"), ("houses", "house"), ("vases", "vase"), ("glasses", "glasses"),
        ("scissors", "scissors"), ("bookshelves", "bookshelf"), ("giraffes", "giraffe"), ("broccolis", "broccoli"),
        ("tvs", "tv"), ("keys", "key"), ("toothbrushes", "toothbrush"), ("lenses", "lens"), ("octopuses", "octopus"),
        ("pies", "pie"), ("puppies", "puppy"), ("scarves", "scarf"), ("cacti", "cactus"), ("volcanoes", "volcano"),
    ],
)  # fmt: skip
def test_plurals(plural: str, noun: str) -> None:
    assert singular(plural) == noun
    assert singular(noun) == noun
    assert objects_of(parse(f"three {plural}")) == [f"3! {'glass' if plural == 'glasses' else noun}"]


@pytest.mark.parametrize(
    "name",
    [
        "traffic light", "hot dog", "teddy bear", "computer keyboard", "dining table", "stop sign", "parking meter",
        "wine glass", "potted plant", "sports ball", "tennis racket", "cell phone", "fire hydrant", "washing machine",
        "ceiling fan", "throw pillow", "cake stand", "ice cream", "polar bear",
    ],
)  # fmt: skip
def test_a_name_of_several_words(name: str) -> None:
    spec = parse(f"a photo of a {name} and a green {name}")
    assert objects_of(spec) == [f"1 {name}", f"1 green {name}"]
    assert spec.unparsed == ()
    assert objects_of(parse(f"four {name}{'es' if name.endswith('ss') else 's'}")) == [f"4! {name}"]


@pytest.mark.parametrize(
    ("prompt", "attributes"),
    [
        ("a red apple", [("color", "red")]),
        ("an orange cat", [("color", "orange")]),
        ("an orange coloured cat", [("color", "orange")]),
        ("a light blue car", [("color", "light blue")]),
        ("an orange potted plant", [("color", "orange")]),
        ("a black and white cat", [("color", "black and white")]),
        ("a wooden table", [("material", "wooden")]),
        ("a glass jar", [("material", "glass")]),
        ("a cube made of denim", [("material", "denim")]),
        ("a fluffy rug", [("texture", "fluffy")]),
        ("a round table", [("shape", "round")]),
        ("a cubic box", [("shape", "cubic")]),
        ("a heart-shaped box", [("shape", "heart-shaped")]),
        ("a box in the shape of a heart", [("shape", "heart")]),
        ("a small elephant", [("size", "small")]),
        ("a sleeping cat", [("other", "sleeping")]),
        ("a soft, warm blanket", [("texture", "soft"), ("other", "warm")]),
        ("a big brown dog", [("size", "big"), ("color", "brown")]),
        ("the car is red", [("color", "red")]),
        ("a car that is small and red", [("size", "small"), ("color", "red")]),
    ],
)
def test_attributes(prompt: str, attributes: list[tuple[str, str]]) -> None:
    spec = parse(prompt)
    assert [(attribute.kind, attribute.value) for attribute in spec.objects[0].attributes] == attributes
    assert len(spec.objects) == 1
    assert spec.unparsed == ()


def test_an_orange_and_a_glass_are_things_too() -> None:
    assert objects_of(parse("an orange, a brown orange and a glass")) == ["1 orange", "1 brown orange", "1 glass"]


def test_attributes_stay_with_their_object() -> None:
    assert objects_of(parse("a red apple and a green apple")) == ["1 red apple", "1 green apple"]
    assert objects_of(parse("metallic spoon and fluffy rug")) == ["1 metallic spoon", "1 fluffy rug"]
    assert objects_of(parse("the car is red and the truck is blue")) == ["1 red car", "1 blue truck"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("to the left of", "left of"), ("on the left of", "left of"), ("left of", "left of"),
        ("on the left side of", "left of"), ("is to the left of", "left of"), ("to the right of", "right of"),
        ("on the right of", "right of"), ("above", "above"), ("over", "above"), ("below", "below"),
        ("on the bottom of", "below"), ("beneath", "under"), ("underneath", "under"), ("under", "under"),
        ("on top of", "on"), ("sits on top of", "on"), ("sitting on", "on"), ("on", "on"), ("next to", "next to"),
        ("beside", "next to"), ("by", "next to"), ("near", "near"), ("close to", "near"),
        ("in front of", "in front of"),
        ("behind", "behind"), ("hidden by", "behind"), ("inside", "in"), ("in", "in"), ("directly above", "above"),
        ("that is bigger than", "larger than"), ("larger than", "larger than"), ("is smaller than", "smaller than"),
        ("as big as", "same size as"), ("the same size as", "same size as"),
    ],
)  # fmt: skip
def test_relations(words: str, name: str) -> None:
    spec = parse(f"a cat {words} the box")
    assert objects_of(spec) == ["1 cat", "1 box"]
    assert relations(spec) == [(0, name, 1)]
    assert spec.unparsed == ()


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("three green cups to the left of two wooden benches", [(0, "left of", 1)]),
        ("a cat and a dog sitting on a sofa", [(0, "on", 2), (1, "on", 2)]),
        ("a cat next to a dog and a bird", [(0, "next to", 1), (0, "next to", 2)]),
        ("a cat next to a dog, and a bird", [(0, "next to", 1)]),
        ("a cat on a table and a dog", [(0, "on", 1)]),
        ("a plate on a table and a cup on a shelf", [(0, "on", 1), (2, "on", 3)]),
        ("a cat next to a dog and a bird on a box", [(0, "next to", 1), (2, "on", 3)]),
        ("a cat left of a dog, right of a bird", [(0, "left of", 1), (0, "right of", 2)]),
        ("a lamp over a desk and under a shelf", [(0, "above", 1), (0, "under", 2)]),
        ("a cup to the right of and above a bowl", [(0, "right of", 1), (0, "above", 1)]),
        ("a bench with a cat on it", [(1, "on", 0)]),
        ("On a table sits a cat", [(1, "on", 0)]),
        ("In a kitchen, a cat is sleeping on a chair", [(1, "in", 0), (1, "on", 2)]),
        ("a bowl of apples", [(1, "in", 0)]),
        ("a woman wearing a red hat next to a car", [(0, "next to", 2)]),
        ("a cat with blue eyes on a sofa", [(0, "on", 1)]),
        ("a dog. the dog is on a sofa", [(0, "on", 1)]),
    ],
)
def test_what_a_relation_belongs_to(prompt: str, expected: list[tuple[int, str, int]]) -> None:
    assert relations(parse(prompt)) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "a dog jumping over a fence",
        "a cat under a table with a ball next to it",
        "a cat in a red coat",
        "a cat on the left",
        "a cat at night",
        "He sits on a box",
    ],
)
def test_no_relation_where_it_is_not_clear(prompt: str) -> None:
    spec = parse(prompt)
    assert [relation for relation in relations(spec) if relation != (0, "under", 1)] == []
    assert spec.unparsed


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a small elephant next to a large mouse", [(0, "next to", 1), (0, "smaller than", 1)]),
        ("a giant ant and a tiny house", [(0, "larger than", 1)]),
        ("a large box with three small balls in it", [(1, "in", 0), (0, "larger than", 1)]),
        ("a big dog and a huge cat", []),
        ("a big dog. A small cat", []),
    ],
)
def test_opposite_sizes_ask_for_the_larger_one(prompt: str, expected: list[tuple[int, str, int]]) -> None:
    assert relations(parse(prompt)) == expected


@pytest.mark.parametrize(
    ("prompt", "objects", "excluded"),
    [
        ("a photo with no dogs", [], ("dog",)),
        ("a street without any cars", ["1 street"], ("car",)),
        ("a street without cars, people or trees", ["1 street"], ("car", "person", "tree")),
        ("no people, no cars, no buildings", [], ("person", "car", "building")),
        ("a bench without any cats on it", ["1 bench"], ("cat",)),
        ("a house with no windows and a red door", ["1 house", "1 red door"], ("window",)),
        ("a bathroom with two sinks and no mirror", ["1 bathroom", "2! sink"], ("mirror",)),
        ("a house, but no trees", ["1 house"], ("tree",)),
        ("a park with no one in it", ["1 park"], ("person",)),
        ("nobody in the street", ["1 street"], ("person",)),
        ("there is no dog in the picture", [], ("dog",)),
        ("a cat, not a dog", ["1 cat"], ("dog",)),
        ("a beach free of people", ["1 beach"], ("person",)),
        ("a man not wearing a hat", ["1 man"], ()),
        ("a cat not on a table", ["1 cat"], ()),
        ("a cat instead of a dog", ["1 cat"], ()),
        ("a cake shaped like a dog", ["1 cake"], ()),
        ("a statue of a horse", ["1 statue"], ()),
        ("a zebra, no other animals", ["1 zebra"], ()),
        ("a man taller than a woman", ["1 man", "1 woman"], ()),
    ],
)
def test_what_must_not_be_there(prompt: str, objects: list[str], excluded: tuple[str, ...]) -> None:
    spec = parse(prompt)
    assert objects_of(spec) == objects
    assert spec.excluded == excluded


def test_what_is_written_is_no_object() -> None:
    spec = parse('a red sign that says "two dogs on a car" above a door')
    assert (objects_of(spec), spec.texts, spec.unparsed) == (["1 red sign", "1 door"], ("two dogs on a car",), ())
    assert relations(spec) == [(0, "above", 1)]
    spec = parse("a red sign that says STOP at night")
    assert (objects_of(spec), spec.texts, spec.unparsed) == (["1 red sign"], ("STOP",), ("at night",))
    spec = parse('a mug with "no cats" written on it')
    assert (objects_of(spec), spec.texts, spec.excluded) == (["1 mug"], ("no cats",), ())


@pytest.mark.parametrize("prompt", ["a street, no text", "a street without text", "a street with no people or text"])
def test_no_text(prompt: str) -> None:
    spec = parse(prompt)
    assert spec.text_free
    assert objects_of(spec) == ["1 street"]
    assert "text" not in spec.excluded
    assert not parse('a sign that says "OPEN", no other text').text_free


@pytest.mark.parametrize(
    "prompt",
    [
        "a photo of a fox",
        "A high-quality black and white photo of a fox",
        "an oil painting of a fox in the style of Van Gogh",
        "Create an image showing a fox",
        "draw me a picture of a fox",
        "a fox, masterpiece, best quality, 8k, highly detailed, trending on artstation",
        "a close-up photo of a drawing of a fox, digital art",
        "(fox:1.3), ((8k)), <lora:detail:0.8>",
        "<p>a <b class='x'>fox</b></p>",
        "a fox --ar 16:9 --v 5",
    ],
)
def test_how_it_is_drawn_is_no_object(prompt: str) -> None:
    spec = parse(prompt)
    assert objects_of(spec) == ["1 fox"]
    assert (spec.unparsed, spec.excluded, spec.texts, spec.text_free) == ((), (), spec.texts, False)


@pytest.mark.parametrize(
    "prompt",
    [
        "赤い車と犬が二匹", "一只红色的猫在桌子上", "كلب أحمر وقطة", "빨간 자동차", "красная машина",
        "un chien rouge et un chat",
        "ein roter Hund auf dem Tisch", "el perro y el gato", "happiness", "🐶🐱", "supercalifragilistic",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_told(prompt: str) -> None:
    spec = parse(prompt)
    assert spec.objects == ()
    assert "".join("".join(spec.unparsed).split()) == "".join(prompt.split())


def test_flowery_prose_gives_no_made_up_object() -> None:
    spec = parse(
        "The intricate, winding whispers of longing shimmered through the reverie, a testament to the power of "
        "dreams, as the silence sang its symphony of hope."
    )
    assert spec.objects == ()
    assert spec.unparsed
    spec = parse("The zingy punch of the pickles delighted the senses.")
    assert {requested.name for requested in spec.objects} <= {"pickle"}


def test_a_noun_that_is_not_known_is_a_thing_with_an_article() -> None:
    assert objects_of(parse("a flibber on a red wumple")) == ["1 flibber", "1 red wumple"]
    assert objects_of(parse("three zorgs next to a dog")) == ["3! zorg", "1 dog"]


def test_forty_texts() -> None:
    prompt = "a poster with " + ", ".join(f'"text {number}"' for number in range(40))
    spec = parse(prompt)
    assert len(spec.texts) == 40
    assert objects_of(spec) == ["1 poster"]


def test_the_same_thing_is_named_once() -> None:
    spec = parse("A red cube is on a table. The cube is next to a ball.")
    assert objects_of(spec) == ["1 red cube", "1 table", "1 ball"]
    assert relations(spec) == [(0, "on", 1), (0, "next to", 2)]
    assert objects_of(parse("A purple pot. A purple pot in the shape of a heart.")) == ["1 purple heart pot"]


def test_the_records() -> None:
    spec = parse("two red cups")
    assert spec.objects == (RequestedObject("cup", 2, True, (Attribute("color", "red"),)),)
    assert spec.source == "rules"
