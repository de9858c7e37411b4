"""Prompts whose truth stands in the suite itself: its metadata, or a structure that all of its prompts have."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable

from benchmarks.prompts.scoring import SEEN, Tally, lines, print_table, suite
from loupe.brain.prompts.nouns import singular
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec

#: (prompt, whether the spec is right; None: the truth is not known)
PromptTest = Callable[[str], "bool | None"]
_NUMBERS = "one two three four five six seven eight nine ten"
NUMBERS = {word: value for value, word in enumerate(_NUMBERS.split(), 1)}
PHRASES = {
    "on the left of": "left of",
    "on the right of": "right of",
    "on the top of": "on",
    "on the bottom of": "below",
    "next to": "next to",
    "on side of": "next to",
    "near": "near",
    "in front of": "in front of",
    "behind": "behind",
    "hidden by": "behind",
}
ADJECTIVES = {
    "color": "red green blue yellow black white brown pink purple gold gray grey orange",
    "shape": "big small tall short long round circular oval rectangular square triangular cubic spherical cylindrical "
    "conical pyramidal pentagonal diamond teardrop crescent oblong",
    "texture": "rubber plastic metallic wooden fabric fluffy leather glass",
}
NOT_OF_THE_PATTERN = re.compile(r"\b(?:rubber band|blue whale|diamond (?:\w+ )?(?:ring|necklace)|of)\b", re.IGNORECASE)


def named(spec: PromptSpec) -> Counter[tuple[str, str, str]]:
    """Returns the relations by the names of the objects."""
    names = [item.name for item in spec.objects]
    return Counter((names[item.subject], item.name, names[item.object]) for item in spec.relations)


def geneval() -> None:
    """Prints how often the reading is what the metadata says, by part and by tag."""
    parts = {name: Tally() for name in ("objects", "counts", "colours", "relations", "all of it")}
    tags: dict[str, Tally] = {}
    for number, line in enumerate(lines(suite("geneval", "evaluation_metadata.jsonl"))):
        row = json.loads(line)
        spec, include = parse(row["prompt"]), row["include"]
        colors = {item.name: [fact.value for fact in item.attributes if fact.kind == "color"] for item in spec.objects}
        colored = [item for item in include if "color" in item]
        wanted = Counter(
            (item["class"], item["position"][0], include[item["position"][1]]["class"])
            for item in include
            if "position" in item
        )
        exact = {(item["class"], item["count"] - 1) for item in row.get("exclude", [])}
        right = {
            "objects": Counter(item.name for item in spec.objects) == Counter(item["class"] for item in include),
            "counts": sorted((item.name, item.count, item.exact) for item in spec.objects)
            == sorted((item["class"], item["count"], (item["class"], item["count"]) in exact) for item in include),
            "colours": all(colors.get(item["class"]) == [item["color"]] for item in colored)
            and sum(map(len, colors.values())) == len(colored),
            "relations": named(spec) == wanted,
        }
        right["all of it"] = all(right.values()) and not spec.unparsed and not spec.excluded
        held_out = number % 2 != SEEN["geneval"]
        for name, ok in right.items():
            parts[name].add(ok, held_out)
        tags.setdefault(row["tag"], Tally()).add(right["all of it"], held_out)
    print_table(
        "GenEval: exactly what its metadata says", {**parts, **{f"all of it, {name}": t for name, t in tags.items()}}
    )


def spatialbench() -> Tally:
    """Returns how often two objects and their relation are read."""
    made = Tally()
    for number, line in enumerate(lines(suite("spatialbench_uc", "prompts.jsonl"))):
        row = json.loads(line)
        wanted = Counter([(row["object_a"]["name"], row["relation"].replace("_", " "), row["object_b"]["name"])])
        spec = parse(row["prompt"])
        made.add(named(spec) == wanted and len(spec.objects) == 2, number % 2 != SEEN["spatialbench_uc"])
    return made


def numeracy() -> PromptTest:
    """Returns the test of T2I-CompBench's counts."""
    pairs = [line.strip().split(" - ") for line in lines(suite("t2i_compbench", "new_objects.txt")) if " - " in line]
    forms = {form: pair[0] for pair in pairs for form in pair}
    nouns = "|".join(sorted(map(re.escape, forms), key=len, reverse=True))
    counted = re.compile(rf"\b(a|an|{'|'.join(NUMBERS)}) ({nouns})\b", re.IGNORECASE)
    number = re.compile(rf"\b(?:a|an|{'|'.join(NUMBERS)})\b", re.IGNORECASE)

    def test(prompt: str) -> bool | None:
        matches = counted.findall(prompt)
        if len(matches) != len(number.findall(prompt)):
            return None
        wanted = Counter((forms[noun.lower()], NUMBERS.get(word.lower(), 1)) for word, noun in matches)
        objects = parse(prompt).objects
        counts = Counter((item.name, item.count) for item in objects)
        exact = {(item.name, item.count) for item in objects if item.exact}
        return not wanted - counts and not exact & (counts - wanted).keys()

    return test


def spatial(prompt: str) -> bool | None:
    """Tests "a X RELATION a Y"."""
    match = re.fullmatch(rf"an? ([\w ]+?) ({'|'.join(PHRASES)}) an? ([\w ]+)\.?", prompt)
    if not match:
        return None
    spec = parse(prompt)
    relations = [(item.subject, item.name, item.object) for item in spec.relations]
    return [item.name for item in spec.objects] == [match[1], match[3]] and relations == [(0, PHRASES[match[2]], 1)]


def attribute(adjectives: str) -> PromptTest:
    """Returns the test of "a ADJECTIVE X and a ADJECTIVE Y"."""
    words = "|".join(adjectives.split())
    pattern = re.compile(rf"(an? )?({words}) ([\w ]+?) and (an? )?({words}) ([\w ]+)\.?")

    def test(prompt: str) -> bool | None:
        match = pattern.fullmatch(prompt)
        if not match or NOT_OF_THE_PATTERN.search(prompt):
            return None
        wanted = [_bound(*match.group(1, 2, 3)), _bound(*match.group(4, 5, 6))]
        objects = parse(prompt).objects
        return [(item.name, [fact.value for fact in item.attributes]) for item in objects] == wanted

    return test


def _bound(article: str | None, adjective: str, noun: str) -> tuple[str, list[str]]:
    first, _, last = noun.lower().rpartition(" ")
    return (noun.lower() if article else f"{first} {singular(last)}".strip()), [adjective]


def suites() -> None:
    """Prints the suites with a structure of their own."""
    rows = {"SpatialBench-UC: objects and relation": spatialbench()}
    tests: dict[str, PromptTest] = {"numeracy": numeracy(), "spatial": spatial, "3d_spatial": spatial}
    tests |= {category: attribute(words) for category, words in ADJECTIVES.items()}
    for category, test in tests.items():
        made, left_out = Tally(), 0
        for number, prompt in enumerate(lines(suite("t2i_compbench", f"{category}.txt"))):
            right = test(prompt.strip())
            if right is None:
                left_out += 1
            else:
                made.add(right, number % 2 != SEEN["t2i_compbench"])
        rows[f"T2I-CompBench {category} ({left_out} left out)"] = made
    print_table("Suites with a structure of their own", rows)
