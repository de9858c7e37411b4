"""scikit-learn's digits with some wrong labels, found as anybody would find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

#: of each digit the one that it is taken for
TAKEN_FOR = (6, 7, 3, 8, 9, 6, 0, 1, 3, 4)
#: so many of a hundred labels are wrong
WRONG = 0.06


def draw(folder: Path, n: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Draws the first n digits, 128 x 128; returns their paths, their vectors (n, 64), and what they are (n,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    paths = []
    for at in range(n):
        pixels = np.uint8(digits.images[at] / 16 * 255)
        path = folder / f"{at:04}.png"
        Image.fromarray(pixels).resize((128, 128), Image.Resampling.BICUBIC).save(path)
        paths.append(str(path))
    return paths, digits.data[:n].astype(np.float32), digits.target[:n].astype(int)


def fill(dataset: Any, folder: Path, n: int = 400, *, seed: int = 0) -> dict[str, str]:
    """Adds the digits, of which some have a wrong label, and finds the issues; returns what is right, by sample id.

    FiftyOne's random numbers are set, so that every order is the same each time.
    """
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(seed)
    paths, vectors, true = draw(folder, n)
    given = np.where(rng.random(n) < WRONG, np.array(TAKEN_FOR)[true], true)
    dataset.add_samples(
        [
            fo.Sample(filepath=path, ground_truth=fo.Classification(label=str(label)), embeddings=vector)
            for path, label, vector in zip(paths, given.tolist(), vectors, strict=True)
        ],
        progress=False,
    )
    for sample_id, rank in zip(dataset.values("_id"), rng.random(n).tolist(), strict=True):
        dataset._sample_collection.update_one({"_id": sample_id}, {"$set": {"_rand": rank}})
    loupe.find_label_issues(dataset, "ground_truth")
    return dict(zip(dataset.values("id"), map(str, true.tolist()), strict=True))


def issues(dataset: Any) -> list[str]:
    """Returns the ids of the issues, the worst first."""
    documents = dataset._sample_collection.find({"label_issues.label": {"$ne": None}}, ["quality", "_rand"])
    rows = sorted(documents, key=lambda each: (-each["quality"]["label_issue"], each["_rand"]))
    return [str(each["_id"]) for each in rows]
