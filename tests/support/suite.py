"""Prompts of our own, in the forms of the published suites: what the tests read where the suites are not here.

The metadata have the form of GenEval's (github.com/djghosh13/geneval, MIT), the pairs that of SpatialBench-UC's. Which
things are named, and every sentence, is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loupe.brain.perception.detectors.vocabulary import COCO_80

#: what GenEval calls three of COCO's classes
RENAMED = {"mouse": "computer mouse", "remote": "tv remote", "keyboard": "computer keyboard"}
CLASSES = tuple(RENAMED.get(label, label) for label in COCO_80)
_PLURALS = {
    "bench": "benches", "bus": "buses", "couch": "couches", "knife": "knives", "sandwich": "sandwiches",
    "sheep": "sheep", "skis": "skis", "toothbrush": "toothbrushes", "wine glass": "wine glasses", "person": "people",
    "computer mouse": "computer mice", "scissors": "scissors",
}  # fmt: skip
_NUMBERS = {"two": 2, "three": 3, "four": 4}
_COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
_POSITIONS = ("left of", "right of", "above", "below")
#: the classes that there can be one of
_COUNTABLE = tuple(name for name in CLASSES if name not in ("skis", "scissors", "person"))


def article(noun: str) -> str:
    """Returns the noun with its article.

    >>> article("orange umbrella")
    'an orange umbrella'
    """
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def plural(noun: str) -> str:
    """Returns the plural of one of the classes."""
    return _PLURALS.get(noun, noun + "s")


def metadata() -> list[dict[str, Any]]:
    """Returns what prompts ask for as GenEval's metadata, six kinds of them."""
    return list(_metadata())


def _metadata() -> Iterator[dict[str, Any]]:
    other = _COUNTABLE[31:] + _COUNTABLE[:31]
    for place, name in enumerate(_COUNTABLE):
        friend, color, color_of_second = other[place], _COLORS[place % 10], _COLORS[(3 * place + 4) % 10]
        first, second = {"class": name, "count": 1}, {"class": friend, "count": 1}
        if place % 3 == 0:
            yield {"tag": "single_object", "include": [first], "prompt": f"a photo of {article(name)}"}
            both = f"a photo of {article(name)} and {article(friend)}"
            yield {"tag": "two_object", "include": [first, second], "prompt": both}
        if place % 3 == 1:
            word = tuple(_NUMBERS)[place // 3 % 3]
            count = _NUMBERS[word]
            yield {
                "tag": "counting",
                "include": [{"class": name, "count": count}],
                "exclude": [{"class": name, "count": count + 1}],
                "prompt": f"a photo of {word} {plural(name)}",
            }
            colored = {**first, "color": color}
            yield {"tag": "colors", "include": [colored], "prompt": f"a photo of {article(f'{color} {name}')}"}
        if place % 3 == 2:
            position = _POSITIONS[place // 3 % 4]
            placed = [second, {**first, "position": [position, 0]}]
            prompt = f"a photo of {article(name)} {position} {article(friend)}"
            yield {"tag": "position", "include": placed, "prompt": prompt}
            pair = [{**first, "color": color}, {**second, "color": color_of_second}]
            prompt = f"a photo of {article(f'{color} {name}')} and {article(f'{color_of_second} {friend}')}"
            yield {"tag": "color_attr", "include": pair, "prompt": prompt}


def pairs() -> list[dict[str, Any]]:
    """Returns prompts of two things and where they stand, as SpatialBench-UC's rows."""
    words = {"left_of": "to the left of", "right_of": "to the right of", "above": "above", "below": "below"}
    rows = []
    for place, label in enumerate(COCO_80[14:]):
        names = (label, COCO_80[(7 * place + 3) % 80])
        if names[0] == names[1] or {"skis", "scissors"} & set(names):
            continue
        relation = tuple(words)[place % 4]
        first, second = ({"name": name, "coco_label": name} for name in names)
        prompt = f"A photo of {article(names[0])} {words[relation]} {article(names[1])}."
        rows.append({"relation": relation, "object_a": first, "object_b": second, "prompt": prompt})
    return rows


#: a prompt and what it asks to be written, as the suites of short texts have them
TEXTS: tuple[tuple[str, str], ...] = (
    ("A wooden board above a bakery that says 'Anna's Bread & Rolls' in golden letters", "Anna's Bread & Rolls"),
    ("A poster of a space film titled 'RED MOON: THE RETURN' with silver letters, a rover", "RED MOON: THE RETURN"),
    ("Graffiti on a bridge reading 'DREAM ON!' in green spray paint", "DREAM ON!"),
    ('A blue tin with the word "Mints" in white letters on its lid.', "Mints"),
    ('A football with the word "Goal" written on it, on wet grass.', "Goal"),
    ('A round sticker with the text "Smile more" under a yellow sun.', "Smile more"),
    ("A chalkboard in a café: \"Soup of the day: leek\", drawn with a spoon", "Soup of the day: leek"),
    ("a neon sign for 'The Owl's Nest' on a wet street at night", "The Owl's Nest"),
    ('A ticket that says "Row 7, Seat 21" between two fingers', "Row 7, Seat 21"),
    ("A runner's shirt with the number '1984' on its back", "1984"),
    ("A birthday cake with 'Happy 5th, Mia' in pink icing", "Happy 5th, Mia"),
    ("A red road sign says STOP at a crossing in the fog", "STOP"),
    ("A knitted scarf with the letters “LOUPE” in wool", "LOUPE"),
    ("A shop window with „Bitte klingeln“ on a card", "Bitte klingeln"),
    ("Une affiche « Fermé le lundi » sur une porte verte", "Fermé le lundi"),
    ("A mug that says 'Don't Worry' beside a book whose cover reads \"Tides\"", "Don't Worry Tides"),
    ('A street at dusk with a sign "HOTEL" and a smaller sign "No Vacancy"', "HOTEL No Vacancy"),
    ("A postage stamp with the words \"AIR MAIL\" over a swallow", "AIR MAIL"),
    ('A train at platform "9" with "Express" on its side', "9 Express"),
    ("A cereal box named 'Crunch-O's' next to a bowl", "Crunch-O's"),
)  # fmt: skip

#: prompts in Chinese and the texts that they ask for
CHINESE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("傍晚的小巷里，一家面馆的木招牌上写着“手工拉面”，门口挂着红灯笼", ("手工拉面",)),
    ("海边的告示牌清楚地写着“禁止游泳”，下面用小字写着“水深危险”", ("禁止游泳", "水深危险")),
    ("一张旧电影海报，标题是「远山」，副标题是「归来的人」", ("远山", "归来的人")),
    ("图书馆的墙上有一句话：“读书使人明智”，字体优雅", ("读书使人明智",)),
    ("一个孩子举着画，上面写着“我爱妈妈”", ("我爱妈妈",)),
    ("桌上放着一本书《春天的河》，旁边是一杯茶", ("春天的河",)),
    ("地铁站的指示牌标注着“出口 3 号”，灯光明亮", ("出口 3 号",)),
    ("咖啡杯上印着“早安”，杯垫上印着“晚安”", ("早安", "晚安")),
)

#: long and odd prompts, as people and language models write them
PROSE: tuple[str, ...] = (
    "A wide view of a harbor in the early morning: three fishing boats with peeling blue paint rock beside a stone "
    "pier, nets hang over the rail of the nearest one, and a gray cat sits on a barrel to the left of a coil of rope. "
    "Behind the boats, low white houses with red roofs climb a hill. There are no people.",
    "In the foreground, a round wooden table holds a bowl of oranges, two half-empty glasses and an open book whose "
    "pages are lifted by the wind; to its right stands a tall green lamp, and above it hangs a painting of a ship.",
    "An elderly woman in a yellow raincoat, smiling, feeding exactly four ducks from a bench that's much smaller than "
    "the tree behind it -- late autumn, golden light, shot on film, 35mm, f/1.8, --ar 3:2",
    "(masterpiece:1.2), best quality, 1girl, red hair, green eyes, school uniform, holding umbrella, rain, city, "
    "looking at viewer, <lora:ink:0.6>",
    "The number of apples on the left plate is one more than the number on the right plate, which has two.",
    "a robot that isn't a car, but not quite a dog either, made of glass, without wheels or wires, under nothing",
    "Ein Hund neben einer Katze; un perro junto a un gato; 一只狗在猫的旁边; 犬と猫",
    "NO TEXT!!! just a plain   white\tvase\n\non a    black table.....  (very minimal) [studio] {light}",
    "Half a dozen eggs in a carton of twelve, each of a different color: red, orange, yellow, green, blue and purple",
    "a painting of a photo of a drawing of a statue of a horse, in the style of a poster of a film about horses",
)
