"""Changed copies of photos: among each other, and across two splits."""

from __future__ import annotations

import numpy as np

from benchmarks import data
from benchmarks.figures import share
from benchmarks.similarity.changes import CHANGES
from benchmarks.similarity.methods import METHODS, pairs_by_loupe, print_row


def photos(maximum: int | None = None) -> list[np.ndarray]:
    """Returns every second photo.

    Raises:
        MissingData: they are not there
    """
    return data.pixels(data.pictures(data.required(data.PHOTOS))[1::2][:maximum], None)


def changed_copies() -> None:
    """Prints how many photos are found again after each change, among all photos, and how many pairs are wrong."""
    originals = photos()
    print(f"\nrecall: {len(originals)} photos among each other's copies; wrong: pairs of different photos")
    for name, changes in CHANGES.items():
        hits, wrong, pairs = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0), 0
        for change in changes:
            pictures = [*originals, *(np.ascontiguousarray(change(picture)) for picture in originals)]
            n = len(originals)
            right = {(index, index + n) for index in range(n)}
            pairs += n
            for method, find in METHODS.items():
                flagged = find(pictures)
                hits[method] += len(flagged & right)
                wrong[method] += len(flagged - right)
        for method in METHODS:
            print_row(name, method, f"{share(hits[method], pairs)}  wrong pairs {wrong[method]}")


def across_splits(copies: int = 10) -> None:
    """Prints how many pairs across two splits are found where each split holds several copies of the same photos."""
    originals = photos(40)
    rng = np.random.default_rng(11)
    changes = [change for some in CHANGES.values() for change in some]
    train = [(photo, index) for index, photo in enumerate(originals)]
    for index, photo in enumerate(originals):
        for _ in range(copies):
            train.append((np.ascontiguousarray(changes[rng.integers(len(changes))](photo)), index))
    test = [
        (np.ascontiguousarray(changes[rng.integers(len(changes))](photo)), index)
        for index, photo in enumerate(originals)
        if index % 2
    ]
    pictures, of = zip(*train, *test, strict=True)
    groups = np.array([0] * len(train) + [1] * len(test))
    right = {(a, b) for a in range(len(train)) for b in range(len(train), len(of)) if of[a] == of[b]}
    print(f"\nleaks: {len(train)} pictures in one split, {len(test)} in the other, {len(right)} pairs across them")
    for name, kept in (("Loupe, across splits", groups), ("the same, one pool", None)):
        flagged = {(a, b) for a, b in pairs_by_loupe(pictures, kept) if groups[a] != groups[b]}
        text = f"{share(len(flagged & right), len(right))}  wrong {len(flagged - right)}"
        print_row("pairs across splits (recall)", name, text)
