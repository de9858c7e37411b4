"""Which embedder "auto" is, and the map of vectors: what ``embed`` does of pictures and of objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.specs import Embedder
from loupe.brain.similarity.gathered import scaled
from loupe.brain.similarity.neighbors import nearest

MAPS = ("umap", "pca")
#: vectors that a map needs at least
MIN_VECTORS = {"umap": 5, "pca": 2}
AUTO = "auto"
#: what "auto" takes, the best first; the last one needs nothing
_BY_QUALITY = ("open_clip", "efficientnet_lite", "hog")
_OFFLINE = _BY_QUALITY[-1]


@dataclass(frozen=True)
class Drawing:
    """What is made of vectors beside them: a map of a kind, an index, and the seed of the map."""

    visualize: str | None
    similarity: bool
    seed: int


def too_few(kind: str, field: str, n: int) -> str:
    """Returns why there is no map of n vectors."""
    return f"no map was drawn: {kind.upper()} needs at least {MIN_VECTORS[kind]} vectors, {field!r} has {n}"


def pick_embedder(
    embedder: str | Embedder, before: Mapping[str, Any] | None, is_part: bool, field: str
) -> tuple[Embedder, str]:
    """Returns the embedder, and what has to be said of it.

    Args:
        embedder: as it was given
        before: the name and the parameters of the embedder that the field's vectors are of already
        is_part: whether there are further vectors in the field, beside those that are made
        field: its name

    Raises:
        UnknownName: no embedder of that name
        MissingWeights: "auto" would have to go on with one that is not here
    """
    known = registry.embedders()
    if embedder != AUTO:
        return registry.pick("embedder", known, embedder), ""
    # vectors of two embedders cannot be compared: a part of a dataset goes on with what the rest of the field is of
    if before is not None and (before["name"] != _OFFLINE or is_part):
        made = type(registry.pick("embedder", known, before["name"]))
        own = {parameter.name for parameter in dataclasses.fields(made)}
        spec = made(**{name: value for name, value in before.items() if name in own})
        if absent := spec.absent():
            raise MissingWeights(
                f"{field!r} holds vectors of {spec.name}, and embedder='auto' goes on with it: {absent}. Or name "
                "another field=, or another embedder=, which embeds all anew"
            )
        return spec, _WARNING if spec.name == _OFFLINE else ""
    candidates = [registry.pick("embedder", known, name) for name in _BY_QUALITY]
    absences = [spec.absent() for spec in candidates]
    spec = candidates[absences.index("")]
    if spec.name != _OFFLINE:
        return spec, ""
    return spec, f"{_WARNING}. " + "; or: ".join(dict.fromkeys(reversed([text for text in absences if text])))


#: vectors that UMAP maps at most; the others are put amid these
DRAWN_FROM = 50_000
#: the nearest that a vector is put amid, and one more
_AMID = 6
#: vectors that are worked on at once
_PART = 65_536
_WARNING = (
    f"embedding with {_OFFLINE!r}, which sees shapes and colors but no meaning: "
    "no basis for label issues, outliers or realism"
)


@leavable
def project(vectors: np.ndarray, kind: str = "umap", seed: int = 0) -> np.ndarray:
    """Returns (N, 2) float32 coordinates of (N, D) vectors, the same for the same seed.

    ``"umap"``: umap-learn with cosine distance (McInnes et al. 2018, arXiv:1802.03426), N at least 5. ``"pca"``: the
    two main axes, N at least 2.

    >>> project(np.eye(3, dtype=np.float32), "pca").shape
    (3, 2)
    """
    n = len(vectors)
    if kind == "umap" and n > DRAWN_FROM:
        chosen = np.sort(np.random.default_rng(seed).choice(n, DRAWN_FROM, replace=False))
        return _placed(vectors, chosen, project(vectors[chosen], kind, seed))
    if kind == "umap":
        from umap import UMAP

        # the spectral start needs a graph that is larger than its own few axes
        reducer = UMAP(
            n_components=2,
            n_neighbors=min(15, n - 1),
            metric="cosine",
            init="spectral" if n > 20 else "random",
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)
    mean = vectors.mean(axis=0)
    if n < vectors.shape[1]:  # the small one of the two square matrices has the same axes in it
        centered = vectors - mean
        strength, axes = np.linalg.eigh(centered @ centered.T)
        points = axes[:, ::-1][:, :2] * np.sqrt(np.maximum(strength[::-1][:2], 0))
    else:
        scatter = np.zeros((vectors.shape[1],) * 2, np.float32)
        for start in range(0, n, _PART):  # a million vectors are not held twice
            part = vectors[start : start + _PART] - mean
            scatter += part.T @ part
        _, axes = np.linalg.eigh(scatter)
        points = np.concatenate(
            [(vectors[start : start + _PART] - mean) @ axes[:, ::-1][:, :2] for start in range(0, n, _PART)]
        )
    # the sign of an axis is arbitrary: what lies farthest out is put on its positive side
    points = points * np.sign(points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])])
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1]))).astype(np.float32)


def _placed(vectors: np.ndarray, chosen: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns the (N, 2) places on a map of some vectors: the others lie amid the nearest of these.

    Args:
        vectors: (N, D)
        chosen: (M,) those that were mapped
        points: (M, 2) where they lie
    """
    made = np.empty((len(vectors), 2), np.float32)
    known = scaled(vectors[chosen])
    # what has no direction lies in the middle
    made[:] = points.mean(axis=0)
    for start in range(0, len(vectors), _PART):
        own = scaled(vectors[start : start + _PART])
        indices, cosines = nearest(own.unit, _AMID, known.unit)
        # by how much nearer than the first that does not count
        weights = np.maximum(cosines[:, :-1] - cosines[:, -1:], 0) + 1e-6
        weights /= weights.sum(axis=1, keepdims=True)
        made[start + own.index] = np.einsum("nk,nkd->nd", weights, points[known.index[indices[:, :-1]]])
    made[chosen] = points
    return made


def drawn_message(kind: str | None, n: int) -> str:
    """Returns what is to be known of a map of n vectors; empty where all were mapped.

    >>> drawn_message("umap", 1_000_000)[:49]
    'the map is of 50,000 of the 1,000,000 vectors, dr'
    """
    if kind != "umap" or n <= DRAWN_FROM:
        return ""
    return (
        f"the map is of {DRAWN_FROM:,} of the {n:,} vectors, drawn by the seed; each of the others lies amid the "
        f"{_AMID - 1} of these that are nearest to it"
    )
