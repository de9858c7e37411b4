"""How many different pictures a set is worth: the entropies of its similarities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.realism.moments import Moments


@dataclass(frozen=True)
class Diversity:
    """Effective numbers of different vectors, each from 1 (all alike) to n; they grow with n.

    Attributes:
        vendi: exp of the entropy of the eigenvalues of K / n: Friedman & Dieng, The Vendi Score, TMLR 2023
        rke: 1 / |K / n|²: Jalali, Li & Farnia, An Information-Theoretic Evaluation of Generative Models, NeurIPS 2023
    """

    vendi: float
    rke: float


def diversity(vectors: np.ndarray) -> Diversity:
    """Returns the diversity of (N, D) vectors under the cosine kernel K; N at least 1.

    K / n has the same eigenvalues but zeros as the (D, D) second moment of the unit vectors: no N².

    >>> made = diversity(np.eye(4, dtype=np.float32))
    >>> round(made.vendi, 6), round(made.rke, 6)
    (4.0, 4.0)
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    n, size = unit.shape
    products = unit.astype(np.float64) @ unit.T.astype(np.float64) if n < size else Moments.of(unit).scatter
    values = np.linalg.eigvalsh(products / n)
    values = values[values > 1e-12]
    # vectors of zeros have no direction: what is left is a share of the whole
    values = values / values.sum() if len(values) else np.ones(1)
    return Diversity(float(np.exp(-(values * np.log(values)).sum())), float(1 / (values * values).sum()))
