"""The measures of two sets against independent code on the same vectors, and closed forms against simulation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
from scipy.spatial.distance import cdist

from benchmarks.figures import header, row, title
from loupe.brain.realism import manifold
from loupe.brain.realism.compare import compare
from loupe.brain.stats import ball_coverage

K = manifold.K
Values = dict[str, float]


def print_agreement(size: int) -> None:
    """Prints each measure beside that of others, and how far they are apart."""
    for name, (real, synthetic) in _sets(size).items():
        title(f"{name}: {len(real):,} real and {len(synthetic):,} synthetic vectors of {real.shape[1]} numbers")
        header("measure", "by whom", "theirs", "ours", "relative difference")
        made = compare(real, synthetic, splits=2, permutations=1)
        for who, peer in PEERS.items():
            try:
                theirs = peer(real, synthetic)
            except ImportError as error:
                row("–", who, f"not here: {error.name}", "–", "–")
                continue
            for measure, value in theirs.items():
                own = made.metrics[measure].value
                row(measure, who, f"{value:.6g}", f"{own:.6g}", f"{abs(own - value) / max(abs(value), 1e-12):.1e}")
    _print_expectations()


def _sets(n: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Normal ones, and vectors like an embedder's: not negative, on few axes, not centered."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(24, 768))

    def like_embeddings(count: int, spread: float) -> np.ndarray:
        hidden = spread * rng.normal(size=(count, 24)) @ mixing / 5 + 0.3 * rng.normal(size=(count, 768))
        return np.maximum(hidden, 0).astype(np.float32)

    return {
        "normal, moved by .3": (_normal(rng, n, 64), _normal(rng, n * 3 // 4, 64) + np.float32(0.3)),
        "like an embedder's, narrower": (like_embeddings(n, 1.0), like_embeddings(n, 0.7)),
    }


def _normal(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    return rng.normal(size=(n, size)).astype(np.float32)


def _by_definition(real: np.ndarray, synthetic: np.ndarray) -> Values:
    """Written out from the papers, in float64 with every distance at once."""
    x, y = real.astype(np.float64), synthetic.astype(np.float64)
    across, own, theirs = cdist(x, y), cdist(x, x), cdist(y, y)
    radius, other = (np.sort(each, axis=1)[:, K] for each in (own, theirs))
    inside = across <= radius[:, None]
    np.fill_diagonal(own, np.inf)
    nearest = across.argmin(axis=0)
    values = {
        "precision": inside.any(axis=0).mean(),
        "recall": (across <= other[None]).any(axis=1).mean(),
        "density": inside.sum() / (K * len(y)),
        "coverage": inside.any(axis=1).mean(),
        "authenticity": (across.min(axis=0) > own.min(axis=1)[nearest]).mean(),
    }
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (x, y)]
    values["cmmd"] = _mmd2(*units, lambda a, b: np.exp(-cdist(a, b, "sqeuclidean") / 200))
    values["kid"] = _mmd2(x, y, lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3)
    eigenvalues = np.linalg.eigvalsh(units[1] @ units[1].T / len(y))
    eigenvalues = eigenvalues[eigenvalues > 1e-14]
    values["vendi"] = np.exp(-(eigenvalues * np.log(eigenvalues)).sum())
    values["rke"] = 1 / ((units[1] @ units[1].T / len(y)) ** 2).sum()
    return {name: float(value) for name, value in values.items()}


def _mmd2(a: np.ndarray, b: np.ndarray, kernel: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
    n, m = len(a), len(b)
    aa, bb = kernel(a, a), kernel(b, b)
    within = (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1))
    return float(within - 2 * kernel(a, b).mean())


def _by_root(real: np.ndarray, synthetic: np.ndarray) -> Values:
    from scipy.linalg import sqrtm

    a, b = (np.cov(each.astype(np.float64), rowvar=False) for each in (real, synthetic))
    gap = real.mean(axis=0, dtype=np.float64) - synthetic.mean(axis=0, dtype=np.float64)
    return {"frechet": float(gap @ gap + np.trace(a + b - 2 * np.real(sqrtm(a @ b))))}


def _prdc(real: np.ndarray, synthetic: np.ndarray) -> Values:
    from prdc import compute_prdc  # type: ignore[import-not-found]

    with redirect_stdout(StringIO()):  # it prints how many there are
        made = compute_prdc(real.astype(np.float64), synthetic.astype(np.float64), nearest_k=K)
    return {name: float(value) for name, value in made.items()}


def _torch_fidelity(real: np.ndarray, synthetic: np.ndarray) -> Values:
    import torch
    from torch_fidelity import metric_fid, metric_kid, metric_prc  # type: ignore[import-not-found]

    x, y = (torch.from_numpy(each.astype(np.float64)) for each in (real, synthetic))
    shares = metric_prc.prc_features_to_metric(y, x, prc_neighborhood=K, verbose=False)
    n = min(len(x), len(y))
    made = {
        "precision": float(shares["precision"]),
        "recall": float(shares["recall"]),
        "frechet": float(
            metric_fid.fid_statistics_to_metric(
                *(metric_fid.fid_features_to_statistics(each) for each in (x, y)), False
            )["frechet_inception_distance"]
        ),
    }
    if len(x) == len(y):  # it compares equally many
        kid = metric_kid.kid_features_to_metric(x, y, kid_subsets=1, kid_subset_size=n, verbose=False)
        made["kid"] = float(kid["kernel_inception_distance_mean"])
    return made


def _torchmetrics(real: np.ndarray, synthetic: np.ndarray) -> Values:
    import torch
    from torchmetrics.image.fid import _compute_fid  # type: ignore[import-not-found]
    from torchmetrics.image.kid import poly_mmd  # type: ignore[import-not-found]

    x, y = (torch.from_numpy(each.astype(np.float64)) for each in (real, synthetic))
    made = {"frechet": float(_compute_fid(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T)))}
    if len(x) == len(y):
        made["kid"] = float(poly_mmd(x, y))
    return made


def _clean_fid(real: np.ndarray, synthetic: np.ndarray) -> Values:
    from cleanfid.fid import fid_from_feats  # type: ignore[import-not-found]

    return {"frechet": float(fid_from_feats(real.astype(np.float64), synthetic.astype(np.float64)))}


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], Values]] = {
    "the definition, float64": _by_definition,
    "scipy's matrix root": _by_root,
    "prdc": _prdc,
    "torch-fidelity": _torch_fidelity,
    "torchmetrics": _torchmetrics,
    "clean-fid": _clean_fid,
}


def _print_expectations() -> None:
    title("Coverage of two draws of one distribution: the closed form and 20 simulated pairs")
    header("real", "synthetic", "closed form", "simulated", "clipped: closed form", "simulated")
    for n, m in ((500, 500), (2000, 500), (500, 2000), (1000, 1000)):
        shares = []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            x, y = _normal(rng, n, 16), _normal(rng, m, 16)
            held = (cdist(x, y) <= np.sort(cdist(x, x), axis=1)[:, K, None]).sum(axis=1)
            shares.append(((held > 0).mean(), np.minimum(held / K, 1).mean()))
        whole, clipped = np.mean(shares, axis=0)
        closed = ball_coverage.coverage(n, m, K), ball_coverage.clipped_coverage(n, m, K)
        row(n, m, f"{closed[0]:.4f}", f"{whole:.4f}", f"{closed[1]:.4f}", f"{clipped:.4f}")
