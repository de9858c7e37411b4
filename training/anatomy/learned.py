"""A small network that tells the places of a malformed hand from those of a sound one, by what the embedder sees."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from training.anatomy import redraw

#: a place is malformed if so much of it is
_MALFORMED = 0.3
_WIDTH, _STEPS, _BATCH, _RATE, _DECAY = 64, 1500, 1024, 2e-3, 1e-2
_WORST = 10
_PARTS = 2


def fit(operated: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function that gives the log odds of a malformation at each place, (N, 41), of (N, 41, C) features.

    Args:
        operated: (N, 41, C + 1) the features of hands after surgery, and how malformed each place is
        seed: of the first weights and of the order
    """
    features = operated[..., :-1].reshape(-1, operated.shape[-1] - 1)
    labels = (operated[..., -1].reshape(-1) > _MALFORMED).astype(np.float32)
    mean, spread = features.mean(0), features.std(0) + 1e-6
    x = torch.from_numpy((features - mean) / spread)
    y = torch.from_numpy(labels)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(x.shape[1], _WIDTH), nn.ReLU(), nn.Dropout(0.3), nn.Linear(_WIDTH, 1))
        optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_DECAY)
        for _ in range(_STEPS):
            at = torch.randint(len(x), (_BATCH,), generator=generator)
            loss = nn.functional.binary_cross_entropy_with_logits(network(x[at])[:, 0], y[at])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()

    @torch.inference_mode()
    def odds(seen: np.ndarray) -> np.ndarray:
        scaled = torch.from_numpy(((seen - mean) / spread).astype(np.float32))
        return np.asarray(network(scaled)[..., 0].numpy())

    return odds


def worst(odds: np.ndarray) -> np.ndarray:
    """Returns a score for each hand of (N, 41) log odds: the mean of its ten worst places."""
    return np.asarray(np.sort(odds, 1)[:, -_WORST:].mean(1))


def held_out(operated: np.ndarray, plan: Sequence[tuple[int, str]], work: Path, seed: int) -> None:
    """Writes the AUROC of each method on hands that were left out, with the method known and left out, too.

    Args:
        operated: (N, 41, C + 1), see ``fit``
        plan: of each row its real hand and its method
        work: gets ``injections.csv``
        seed: decides which hands are left out together, and the fits
    """
    numbers, methods = (np.array(column) for column in zip(*plan, strict=True))
    part = np.random.default_rng(seed).permutation(numbers.max() + 1)[numbers] % _PARTS
    good = np.isin(methods, redraw.SOUND)
    known = _by_part(operated, part, np.ones(len(good), bool), seed)
    rows = []
    for method in redraw.METHODS:
        unknown = _by_part(operated, part, methods != method, seed)
        chosen = good | (methods == method)
        truth = ~good[chosen]
        areas = [roc_auc_score(truth, scores[chosen]) if truth.any() else np.nan for scores in (known, unknown)]
        rows.append([method, int(truth.sum()), int((~truth).sum()), *(f"{area:.3f}" for area in areas)])
    with (work / "injections.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["method", "malformed", "sound", "known", "left out"], *rows])


def _by_part(operated: np.ndarray, part: np.ndarray, learned_from: np.ndarray, seed: int) -> np.ndarray:
    """The score of each hand by a fit on the hands of the other parts, and of these on some alone."""
    scores = np.zeros(len(operated))
    for number in range(_PARTS):
        out = part == number
        scores[out] = worst(fit(operated[~out & learned_from], seed)(operated[out][..., :-1]))
    return scores
