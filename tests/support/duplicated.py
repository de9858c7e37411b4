"""A dataset with groups of duplicates whose pictures are drawn, and what find_duplicates and find_leaks would keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter
from reviewable import draw


def draw_groups(folder: Path) -> list[str]:
    """Draws ten pictures in four groups: a leak of three, two labels, a file twice, a group of three; returns paths."""
    paths = [Path(path) for path in draw(folder, 8, seed=3)]
    originals = [Image.open(path).convert("RGB") for path in paths]
    made = []

    def add(picture: int, name: str, **given: Any) -> None:
        image = originals[picture]
        if size := given.pop("size", None):
            image = image.resize(size)
        if given.pop("blur", False):
            image = image.filter(ImageFilter.GaussianBlur(1))
        path = folder / name
        image.save(path, **given)
        made.append(str(path))

    add(0, "a_train.png")
    add(0, "a_train_small.jpg", size=(150, 200), quality=80)
    add(0, "a_test.png")
    add(2, "b_cat.png")
    add(2, "b_dog.jpg", quality=70)
    add(4, "c.png")
    add(4, "c_again.png")
    add(6, "d.png")
    add(6, "d_small.png", size=(150, 200))
    add(6, "d_blurred.png", blur=True)
    add(1, "alone.png")
    add(3, "alone_too.png")
    return made


#: of each picture that ``draw_groups`` draws: its group, its split, its label
GROUPS = (0, 0, 0, 1, 1, 2, 2, 3, 3, 3, None, None)
SPLITS = ("train", "train", "test", *["train"] * 7, "train", "test")
LABELS = ("house", "house", "house", "cat", "dog", "house", "house", "house", "house", "house", "cat", "dog")


def fill(dataset: Any, paths: Sequence[str]) -> list[str]:
    """Adds the pictures with splits and labels, as find_duplicates and find_leaks leave them; returns the ids."""
    import fiftyone as fo

    samples = [
        fo.Sample(filepath=path, split=split, ground_truth=fo.Classification(label=label), tags=["night"] * (at == 4))
        for at, (path, split, label) in enumerate(zip(paths, SPLITS, LABELS, strict=True))
    ]
    dataset.add_samples(samples)
    ids: list[str] = dataset.values("id")
    from loupe.brain.core import registry
    from loupe.brain.store import fields

    fields.declare(dataset, fields.of_scores([registry.failures()["blur"][1]]))
    dataset.set_values("quality.sharpness", [0.3 if path.endswith("blurred.png") else 0.8 for path in paths])
    put_groups(dataset, GROUPS)
    return ids


def put_groups(dataset: Any, groups: Sequence[int | None]) -> None:
    """Writes groups as find_duplicates would: pairs with the first of each, and the group's first as its id."""
    from loupe.brain.core.results import Pair
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import fields, sets

    ids = dataset.values("id")
    fields.declare(dataset, fields.of_groups(Duplicates.outputs))
    first: dict[int, str] = {}
    pairs = []
    for sample_id, group in zip(ids, groups, strict=True):
        if group is None:
            continue
        if group in first:
            kind = "bytes" if _same_bytes(dataset, first[group], sample_id) else "near"
            pairs.append(Pair(first[group], sample_id, kind, 1.0 if kind == "bytes" else 0.96))
        first.setdefault(group, sample_id)
    dataset.set_values("duplicate_group", [None if group is None else first[group] for group in groups])
    sets.save_same(dataset, Duplicates(), ids, pairs)


def _same_bytes(dataset: Any, a: str, b: str) -> bool:
    files = [Path(dataset[sample_id].filepath) for sample_id in (a, b)]
    return all(file.is_file() for file in files) and files[0].read_bytes() == files[1].read_bytes()
