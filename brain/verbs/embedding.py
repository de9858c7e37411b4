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
    centered = vectors - vectors.mean(axis=0)
    if n < vectors.shape[1]:  # the small one of the two square matrices has the same axes in it
        strength, axes = np.linalg.eigh(centered @ centered.T)
        points = axes[:, ::-1][:, :2] * np.sqrt(np.maximum(strength[::-1][:2], 0))
    else:
        _, axes = np.linalg.eigh(centered.T @ centered)
        points = centered @ axes[:, ::-1][:, :2]
    # the sign of an axis is arbitrary: what lies farthest out is put on its positive side
    points = points * np.sign(points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])])
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1]))).astype(np.float32)
