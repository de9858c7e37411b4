"""Pairs that others labeled: near duplicates of CIFAR-10 that people judged, and the test pictures of imagededup."""

from __future__ import annotations

import csv

from benchmarks import data
from benchmarks.figures import share
from benchmarks.similarity.methods import METHODS, print_row
from loupe.brain.core.errors import ReadError
from loupe.brain.engine.reader import read
from loupe.brain.similarity import matching


def cifair() -> None:
    """Prints what is found of the pairs that people called near duplicates, and what of those they called similar."""
    folder = data.required("3_duplicates/cifair_pairs")
    with (folder / "pairs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    files = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")
    place = {path.name: index for index, path in enumerate(files)}
    labeled: dict[str, set[tuple[int, int]]] = {kind: set() for kind in ("near", "similar")}
    for row in rows:
        a, b = sorted((place[row["a"]], place[row["b"]]))
        labeled[row["kind"]].add((a, b))
    known = set().union(*labeled.values())
    family = {member: group[0] for group in matching.connected(len(files), sorted(known)) for member in group}
    pictures = [read(path).pixels for path in files]
    print(f"\nCIFAR-10 (32 x 32 px): pairs that people judged; {len(files)} pictures")
    for method, find in METHODS.items():
        flagged = find(pictures)
        for name, kind in (("near duplicates (recall)", "near"), ("similar, not the same photo", "similar")):
            print_row(name, method, share(len(flagged & labeled[kind]), len(labeled[kind])))
        rest = {pair for pair in flagged - known if family.get(pair[0], -1) != family.get(pair[1], -2)}
        print_row("pairs that nobody judged", method, f"{len(rest):4d}  (a person has to look: many are real)")


def imagededup() -> None:
    """Prints how many pairs of one scene are found, and how many wrong ones."""
    folder = data.required("3_duplicates/imagededup_tests")
    files = sorted((folder / "mixed_images").glob("*.jpg")) + [folder / "ukbench00120_gray.jpg"]
    files += sorted((folder / "base_images").glob("*.jpg"))
    names, pictures = [], []
    for path in files:
        try:
            pictures.append(read(path).pixels)
            names.append(path.stem.split("_")[0])
        except ReadError as error:
            print(f"  {path.name}: unreadable, left out ({error})"[:110])
    print(f"\nimagededup's own test pictures: {len(pictures)}")
    right = {(a, b) for a in range(len(names)) for b in range(a + 1, len(names)) if names[a] == names[b]}
    for method, find in METHODS.items():
        flagged = find(pictures)
        text = f"{share(len(flagged & right), len(right))}  wrong {len(flagged - right)}"
        print_row("pairs of one scene (recall)", method, text)
