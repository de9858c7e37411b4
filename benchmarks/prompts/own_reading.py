"""Free prompts against our own reading of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import header, row, share, title
from benchmarks.prompts.scoring import SEEN, free_prompts
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec

#: suite -> line (from 0) -> what the prompt there asks for. "3!" exactly three, "?" several, "~" may be read so too
READ = {
    "drawbench": {
        13: "1 giraffe {yellow}",
        15: "1 car {red}; 1 sheep {white}",
        23: "1 cup {blue}; 1 cell phone {green}",
        25: "1 horse; 1 astronaut",
        39: "5! car; 1 street; 0 on 1",
        46: "1! cat; 2! dog; 1 grass; 0 on 2; 1 on 2",
        48: "2! cat; 1! dog; 1 grass; 0 on 2; 1 on 2",
        55: "1 picture frame {triangular, orange, triangle}",
        101: "1 donkey; 1 octopus; 1 rope; 1 cat",
        126: "1 car; 1 bus; 0 left of 1",
        129: "1 pizza; 1 suitcase; 0 right of 1",
        130: "1 cat; 1 tennis racket; 0 right of 1",
        132: "1 sheep; 1 wine glass; 0 right of 1",
        137: "",
        144: "1 grizzly bear {confused}; ~1 calculus class; ~0 in 1",
        158: "1 cat; ~1 barbershop quartet; ~0 in 1",
        166: "? cat {large}; 1 eifel tower",
        167: "1 lego space station {mega}; 1 bedroom; 0 in 1",
        172: "1 magnifying glass; 1 page; ~1 batman comic {1950s}; 0 above 1",
        176: "1 mouse; 1 mushroom",
    },
    "parti": {
        850: "1 bookshelf; no book",
        851: "1 shoe rack; no shoe",
        892: "1 laptop; ~1 keyboard; ~no letter",
        893: "1 subway train; no cow",
        894: "1 kitchen; no refrigerator",
        895: "? lily pad; no frog",
        978: "3! cube {red}; 1 sphere {blue}; 2! cone {green}; ~1 right of 0; ~2 left of 0",
        980: "1 imari vase {japanese, porcelain}; ~1 ground; 1 chair {wooden}; ~0 on 1; 0 below 2",
        981: "1 sphere; 1 square {dark}; 1 on 0",
        983: "1 pyramid {blue, wooden}; 1 box {red, plastic}; 0 on 1",
        992: "1 sphere {red}; 1 box {yellow}; 0 on 1",
        996: "3! box {small, yellow}; 1 box {large, blue}; 0 on 1; 0 smaller than 1",
        1002: "1 circle {large, blue}; 1 square {small, green}; 0 larger than 1; ~1 background {white}",
        1009: "1 swirl {red}; 1 line {black, dashed}; 0 above 1",
        1013: "10! apple {red}",
        1022: "2! baseball {beat-up}; 1 basketball {yellow}; ~0 next to 1",
        1023: "2! baseball; 3! tennis ball; 0 next to 1",
        1032: "3! cat {black}; 2! cat {orange}; 0 next to 1",
        1056: "2! wine bottle; 3! beer can",
        1062: "5! ball {red}",
        1070: "3! airplane; 1 terminal",
        1077: "2! chemtrail {parallel}; 1 sky {blue}; 0 in 1",
        1091: "? person; ? fireworks",
        1093: "1 family; 1 house; 0 in front of 1",
        1098: "1 jungle gym; 3! kid; 1 on 0",
        1099: "4! person; 1 car {convertible}; 0 in 1",
    },
    "coco": {
        492: "1 livingroom; 1 coffee table; 1 sofa; 1 wingback chair",
        584: "2 lady {pretty, young}; ? kitten",
        974: "? train {big, pretty}; 1 station",
        1029: "1 woman tennis player; 1 court; 0 on 1",
        1597: "? horse; 1 street {shady}; ~0 on 1",
        1929: "6! cinnamon roll; 1 oven; 0 in 1",
        2961: "2! person; 1 hill",
        3116: "1 person; 1 costume; 1 car; ~0 on 2",
        3200: "1 cat; 1 surface; 1 room; 0 on 1; ~1 in 2; ~0 in 2",
        3375: "1 bathroom; 1 toilet {white}; 1 shower; 1 next to 2",
        3962: "1 man; 1 horse {brown}; ~0 on 1",
        5055: "1 man; 1 skis; 1 slope {snow covered}",
        5344: "1 dog; 1 chair; 1 book shelf; 0 in 1; ~0 in front of 2; ~1 in front of 2",
        6101: "1 woman; 1 tattoo; ? train track; 0 on 2",
        7216: "1 cat; 1 table; 1 dog; 0 on 1",
        7600: "1 villain {evil}; 1 laptop computer; 0 in front of 1",
        8133: "1 person; 1 motorcycle; 1 road; 1 hill; ~0 on 2; ~1 on 2",
    },
    "complex": {
        4: "1 vase {red}; 1 shelf {glass}; 0 near 1",
        238: "1 coaster {square}; 1 tablecloth {circular}; 0 on 1",
        300: "1 bark {rough, brown}; 1 tree; ? leaf {smooth, green}",
        371: "1 statue {smooth, white, marble}; ? flower {colorful}; 0 next to 1",
        477: "? cloud {fluffy, white}; ? building {tall, white}; 0 above 1",
        510: "1 zigzag {jagged}; 1 curve {smooth}; 1 line {curved}",
        530: "1 pyramid {pentagonal}; 1 square {rough}; 1 prism {rectangular}",
        545: "1 cylinder {green}; 1 pyramid {orange}; 1 cone {yellow}",
        654: "1 tea {fragrant}; 1 water {hot}; 1 mug {cool}; ~0 in 1; ~0 in 2",
        678: "1 campfire {flickering}; ? shadow; ? rock {smooth}; 1 dirt {textured}; ~1 on 2; ~1 on 3",
        945: "1 lake; ~1 oasis {serene}",
    },
}


@dataclass(frozen=True)
class Truth:
    """What a prompt asks for, by our own reading; ``may`` may be there or not."""

    objects: list[tuple[str, int | None, bool, frozenset[str], bool]]
    relations: set[tuple[int, str, int]]
    may_relate: set[tuple[int, str, int]]
    excluded: set[str]
    may_exclude: set[str]


def truth_of(text: str) -> Truth:
    """Returns the truth that is written as in ``READ``."""
    made = Truth([], set(), set(), set(), set())
    for part in filter(None, (part.strip() for part in text.split(";"))):
        may, part = part.startswith("~"), part.removeprefix("~")
        if part.startswith("no "):
            (made.may_exclude if may else made.excluded).add(part[3:])
        elif match := re.fullmatch(r"(\d+) ([a-z ]+?) (\d+)", part):
            (made.may_relate if may else made.relations).add((int(match[1]), match[2], int(match[3])))
        elif match := re.fullmatch(r"(\d+|\?)(!?) ([^{]+?)(?: \{(.+)\})?", part):
            values = frozenset(value.strip() for value in (match[4] or "").split(",") if value.strip())
            count = None if match[1] == "?" else int(match[1])
            made.objects.append((match[3], count, bool(match[2]), values, may))
        else:
            raise ValueError(f"not read: {part!r}")
    return made


def compare(spec: PromptSpec, truth: Truth) -> dict[str, tuple[int, int, int]]:
    """Returns for each part how much is right, how much was returned, how much was asked for."""
    places: dict[int, int] = {}
    for place, item in enumerate(spec.objects):
        values = {fact.value for fact in item.attributes}
        free = [at for at, wanted in enumerate(truth.objects) if wanted[0] == item.name and at not in places.values()]
        if free:
            places[place] = max(free, key=lambda at: (len(values & truth.objects[at][3]), -at))
    asked = [at for at, wanted in enumerate(truth.objects) if not wanted[4]]
    may = set(range(len(truth.objects))) - set(asked)
    hits = [place for place, at in places.items() if at not in may]
    counts = sum(
        (spec.objects[place].count, spec.objects[place].exact) == truth.objects[places[place]][1:3] for place in hits
    )
    got = sum(len(spec.objects[place].attributes) for place in hits)
    wanted = sum(len(truth.objects[at][3]) for at in asked)
    right = sum(
        fact.value in truth.objects[places[place]][3] for place in hits for fact in spec.objects[place].attributes
    )
    relations = {
        (places.get(item.subject, -1), item.name, places.get(item.object, -1)) for item in spec.relations
    } - truth.may_relate
    excluded = set(spec.excluded) - truth.may_exclude
    return {
        "objects": (len(hits), len(spec.objects) - len(set(places.values()) & may), len(asked)),
        "counts of these": (counts, len(hits), len(hits)),
        "attributes of these": (right, got, wanted),
        "relations": (len(relations & truth.relations), len(relations), len(truth.relations)),
        "excluded": (len(excluded & truth.excluded), len(excluded), len(truth.excluded)),
    }


def own_reading(verbose: bool) -> None:
    """Prints precision and recall against our own reading, for the seen half and the one held out."""
    prompts = free_prompts()
    totals: dict[str, list[list[int]]] = {}
    n = [0, 0]
    for suite, number, text in _read():
        spec, truth = parse(prompts[suite][number].strip()), truth_of(text)
        held_out = number % 2 != SEEN[suite]
        n[held_out] += 1
        for part, (right, got, wanted) in compare(spec, truth).items():
            of = totals.setdefault(part, [[0, 0, 0], [0, 0, 0]])[held_out]
            for at, value in enumerate((right, got, wanted)):
                of[at] += value
            if verbose and (right != got or right != wanted):
                print(f"{suite} {number} {part}: {right} right of {got}, {wanted} asked for: {spec}")
    title(f"Against our own reading: {n[0]} prompts seen, {n[1]} held out")
    header("", "seen: precision", "seen: recall", "held out: precision", "held out: recall")
    for part, halves in totals.items():
        row(part, *(share(right, of) for right, got, wanted in halves for of in (got, wanted)))


def _read() -> Iterator[tuple[str, int, str]]:
    for suite, entries in READ.items():
        for number, text in entries.items():
            yield suite, number, text
