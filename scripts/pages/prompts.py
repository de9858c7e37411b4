"""The pages on what a prompt asks for: text, composition; and on what is laid over the picture, asked for or not."""

from __future__ import annotations

from pages.cases import Case, Group

_HARBOUR = 'a blue plate on a wall that says "HARBOUR"'
_WEATHER = (
    "A bird’s-eye view of an isometric miniature city. Display “Shanghai Cloudy 20°C” and a cloudy weather icon at the "
    "top of the image."
)

_TEXT = Group(
    "Text",
    """
    The picture is read by PP-OCRv6 and compared with what the prompt asks to be written, letter by letter:
    `text_substitution`, `text_omission`, `text_duplication` and `unrequested_text` count characters. How the letters
    are drawn, `text_distortion`, `text_mixed_style` and `text_illegible`, is measured on their ink. Upper and lower
    case, accents, O and 0, l and 1 are not told apart; where likely readings differ, a script is not known, or the
    prompt asks for some lettering without saying which, the answer is unknown.
    """,
    (
        Case("Finds", "text_substitution", "drawn/plate/HARBQUR", "One letter is another one.", prompt=_HARBOUR),
        Case("Finds", "text_omission", "drawn/plate/HARBUR", "One letter is missing.", prompt=_HARBOUR),
        Case("Finds", "text_duplication", "drawn/plate/HARBBOUR", "One letter twice.", prompt=_HARBOUR),
        Case(
            "Finds",
            "text_omission",
            "gpt4o/082",
            "It was made for another city.",
            prompt=_WEATHER,
        ),
        Case(
            "Finds",
            "text_substitution",
            'tiny/0/a blue sign that says "365", night, fog',
            "A real mistake of the toy model.",
            prompt='a blue sign that says "365", night, fog',
        ),
        Case(
            "Finds",
            "unrequested_text",
            "sd15/Wes-Anderson/0",
            "Nobody asked for signs, and they say nothing.",
            prompt="colourful houses under a blue sky",
        ),
        Case("Finds", "text_distortion", "drawn/uneven/HARBOUR", "The letters jump.", prompt=_HARBOUR),
        Case("Finds", "text_mixed_style", "drawn/mixed/HARBOUR", "Two letters are bolder.", prompt=_HARBOUR),
        Case("Finds", "text_illegible", "drawn/broken/HARBOUR", "The letters are in pieces.", prompt=_HARBOUR),
        Case("Misses", "text_substitution", "drawn/plate/HARB0UR", "A zero for an O: not told apart.", prompt=_HARBOUR),
        Case(
            "Misses",
            "unrequested_text",
            "sd15/Utagawa-Kunisada/3",
            "Pretended Japanese lettering along the upper border.",
            prompt="a woman in a kimono by a lake",
        ),
        Case(
            "Abstains",
            "text_substitution",
            'tiny/1/a blue sign that says "365", night, fog',
            "Smeared: two readings are as likely.",
            prompt='a blue sign that says "365", night, fog',
        ),
        Case(
            "Abstains",
            "unrequested_text",
            "gpt4o/091",
            "A map has names, which ones the prompt does not say.",
            prompt="an ancient treasure map with a dotted path and some lettering",
        ),
        Case(
            "Abstains",
            "text_omission",
            "drawn/plate/OPEN",
            "The recognizer does not know Cyrillic letters.",
            prompt='a blue plate that says "ОТКРЫТО"',
        ),
    ),
)

_VASE = "sd15/Alberto-Morrocco/1"

_COMPOSITION = Group(
    "Composition",
    """
    What the prompt asks for is compared with the boxes of a detector: offline YOLOX-nano (or NanoDet, where only that
    is to be had), which knows the 80 classes of COCO, on a GPU one that finds things by their name; or with boxes that
    your samples have. `missing_object`, `wrong_count`, `wrong_attribute` (colors), `wrong_relation`, `wrong_size`,
    `negation_violated` and `extra_object` are likelihoods; what is too close to call, or has no label, is unknown. The
    prompts here are ours, not those that the pictures were made with. The small detector sees less in paintings than
    in photos: what it takes for something else is judged as that.
    """,
    (
        Case("Finds", "missing_object", "gpt4o/094", "There is no bicycle.", prompt="a cat and a bicycle"),
        Case("Finds", "wrong_count", "sd15/Wes-Anderson/3", "There are five.", prompt="three people in a row"),
        Case("Finds", "wrong_attribute", "sd15/William-Eggleston/3", "It is green.", prompt="a red couch"),
        Case("Finds", "wrong_relation", _VASE, "It stands at the right.", prompt="a vase to the left of a person"),
        Case("Finds", "wrong_size", _VASE, "It is smaller.", prompt="a vase bigger than a person"),
        Case("Finds", "negation_violated", "gpt4o/007", "There are several.", prompt="a bedroom without plants"),
        Case("Finds", "extra_object", "hands/3", "Nobody asked for him.", prompt="a chair"),
        Case("Misses", "missing_object", "sd15/Beatrix-Potter/2", "The squirrel counts as a cat.", prompt="a cat"),
        Case("Misses", "missing_object", "sd15/Naoto-Hattori/0", "Eyes that look like rings.", prompt="a donut"),
        Case("Abstains", "missing_object", "ukbench/09012", "COCO has no guitars.", prompt="a guitar"),
        Case("Abstains", "missing_object", "gpt4o/007", "It is there, but hardly seen.", prompt="a bed"),
        Case("Abstains", "wrong_attribute", "ukbench/08976", "Between green and blue.", prompt="a blue cup"),
        Case("Abstains", "wrong_relation", _VASE, "Boxes have no depth.", prompt="a vase in front of a person"),
        Case(
            "Abstains",
            "wrong_count",
            "gpt4o/094",
            "One of them is not seen, and the detector is unsure of the others.",
            prompt="three cats",
        ),
        Case(
            "Flags wrongly",
            "negation_violated",
            "sd15/Beatrix-Potter/2",
            "The squirrel counts as a cat.",
            prompt="a garden without cats",
        ),
    ),
)

_OVERLAY = Group(
    "Watermarks and overlays",
    """
    Lines of lettering are found, in the picture and in a copy with evened contrast, and of each is measured where it
    is, how its ink lies on what is behind it, and what it says: a likelihood of a `watermark` and of an `overlay`
    (captions, bars, dates, buttons). What the prompt asks for does not count. Marks without letters are not found,
    faint ones often not, and lettering that belongs to the scene may be taken for one.
    """,
    (
        Case("Finds", "watermark", "sd15/Lawren-Harris/0", "One large word.", "watermark", 25, 2),
        Case("Finds", "watermark", "sd15/Lawren-Harris/0", "Words in rows.", "watermark", 25, 1),
        Case("Finds", "overlay", "sd15/Makoto-Shinkai/0", "A black bar with a caption.", "overlay", 9, 1),
        Case("Finds", "overlay", "sd15/William-Eggleston/3", "A player's bar and time.", "overlay", 9),
        Case("Misses", "watermark", "sd15/Lawren-Harris/0", "A line across the middle.", "watermark", 40, 0),
        Case("Misses", "watermark", "sd15/William-Eggleston/3", "Faint letters.", "watermark", 15, 2),
        Case(
            "Abstains",
            "overlay",
            "gpt4o/082",
            "Which lettering is asked for is not said.",
            prompt="a city in the snow, with some lettering",
        ),
    ),
)

GROUPS = {"text": _TEXT, "composition": _COMPOSITION, "overlay": _OVERLAY}
