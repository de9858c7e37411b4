"""Sets of pictures that are altered in a way that is known, and what should be said of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loupe.brain.core import realism as verdicts

#: each original of a collapsed set comes so often
COPIES = 10

#: what may be said of each set, and what must be: one of the names
EXPECTED: dict[str, tuple[str, ...]] = {
    "other real pictures": (),
    "collapse: few originals, jittered": (verdicts.COLLAPSE,),
    "typical: nearest to their class's mean": (verdicts.COLLAPSE,),
    "low-pass of .8 px": (verdicts.SPECTRAL,),
    "low-pass of 2 px": (verdicts.SPECTRAL,),
    "noise of 6 levels": (verdicts.DOMAIN_SHIFT, verdicts.SPECTRAL),
    "a third of the labels wrong": (verdicts.LABEL_MISMATCH,),
}
REAL, COLLAPSE, TYPICAL, LOW, LOWER, NOISE, LABELS = EXPECTED


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures, their vectors and classes.

    Attributes:
        pixels: (N, H, W, 3) uint8
        vectors: (N, D) float32
        classes: (N,) int64
    """

    pixels: np.ndarray
    vectors: np.ndarray
    classes: np.ndarray

    def take(self, index: np.ndarray) -> Pictures:
        """Returns some of them."""
        return Pictures(self.pixels[index], self.vectors[index], self.classes[index])


def low_pass(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """Returns the pictures blurred by a Gaussian of so many px."""
    import cv2

    return np.stack([cv2.GaussianBlur(each, (0, 0), sigma) for each in pixels])


def noisy(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the pictures with Gaussian noise of a standard deviation of 6 levels."""
    return np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).round().astype(np.uint8)


def jittered(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns each picture ``COPIES`` times, moved by up to 2 px, mirrored or not, lighter or darker."""
    import cv2

    made = []
    for each in pixels:
        side = (each.shape[1], each.shape[0])
        for _ in range(COPIES):
            move = np.float32([[1, 0, rng.uniform(-2, 2)], [0, 1, rng.uniform(-2, 2)]])  # type: ignore[arg-type]
            moved = cv2.warpAffine(each, move, side, borderMode=cv2.BORDER_REFLECT)  # type: ignore[call-overload]
            turned = moved[:, ::-1] if rng.random() < 0.5 else moved
            light = turned.astype(float) * rng.uniform(0.85, 1.15) + rng.uniform(-10, 10)
            made.append(np.clip(light, 0, 255).round().astype(np.uint8))
    return np.stack(made)


@dataclass(frozen=True, eq=False)
class Sources:
    """The same pictures altered in every way: the vectors are made once, and drawn from.

    Attributes:
        whole: as they are
        altered: by the names of ``EXPECTED``: the same pictures, one by one
        copies: ``COPIES`` jittered ones of each of the pictures ``originals``
        originals: which pictures those are
    """

    whole: Pictures
    altered: dict[str, Pictures]
    copies: Pictures
    originals: np.ndarray

    @classmethod
    def of(cls, pixels: np.ndarray, classes: np.ndarray, embed: Callable[[np.ndarray], np.ndarray]) -> Sources:
        """Returns the pictures with their altered ones; ``embed`` makes vectors of pixels."""
        rng = np.random.default_rng(0)
        made = {LOW: low_pass(pixels, 0.8), LOWER: low_pass(pixels, 2.0), NOISE: noisy(pixels, rng)}
        originals = np.arange(0, len(pixels), COPIES)
        copies = jittered(pixels[originals], rng)
        return cls(
            Pictures(pixels, embed(pixels), classes),
            {name: Pictures(each, embed(each), classes) for name, each in made.items()},
            Pictures(copies, embed(copies), np.repeat(classes[originals], COPIES)),
            originals,
        )

    def drawn(self, name: str, pool: np.ndarray, n: int, rng: np.random.Generator) -> Pictures:
        """Returns an altered set of n pictures.

        Args:
            name: of ``EXPECTED``
            pool: which pictures it is made of
            n: how many; of ``TYPICAL`` a fifth of the pool at most
            rng: decides which
        """
        if name == COLLAPSE:
            own = np.flatnonzero(np.isin(self.originals, pool))
            chosen = rng.permutation(own)[: max(n // COPIES, 2)]
            return self.copies.take((chosen[:, None] * COPIES + np.arange(COPIES)).ravel()[:n])
        if name == TYPICAL:
            return self.whole.take(self._typical(pool, n))
        chosen = rng.permutation(pool)[:n]
        if name == LABELS:
            made = self.whole.take(chosen)
            other = (made.classes + rng.integers(1, 10, len(chosen))) % 10
            given = np.where(rng.random(len(chosen)) < 0.37, other, made.classes)
            return Pictures(made.pixels, made.vectors, given)
        return (self.altered.get(name) or self.whole).take(chosen)

    def _typical(self, pool: np.ndarray, n: int) -> np.ndarray:
        """Returns the n of the pool that lie nearest to the mean of their class, equally many of each class."""
        made = []
        for each in np.unique(self.whole.classes):
            own = pool[self.whole.classes[pool] == each]
            vectors = self.whole.vectors[own]
            away = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
            made.append(own[np.argsort(away, kind="stable")[: n // 10]])
        return np.concatenate(made)
