"""A small convolutional network, trained from scratch: it learns from what a frozen encoder does not look at, too.

Four layers on 32 or 64 px and ten passes: it learns texture and shape, and is no state of the art. The same seed gives
the same network on the same device, and a like one on another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from loupe.brain.realism.learners import Block, Learner, Plan

if TYPE_CHECKING:
    from torch import Tensor, nn

#: passes over the training set, and steps of a small one at least
_PASSES, _MIN_STEPS = 10, 200
_BATCH, _AT_ONCE = 64, 512
#: the highest learning rate of the cycle, set on 4,000 pictures of CIFAR-10 that no figure is of
_RATE, _DECAY = 4e-3, 0.05
#: pixels that a batch is moved by, at most
_MOVE = 2
#: the score of a class that was not seen
_NEVER = -50.0


@final
class Cnn(Learner):
    """Learns from pixels: the vectors are pictures, ``side * side * 3`` uint8 numbers each.

    Args:
        side: of the pictures, in pixels
        seed: of the weights and of the order of the pictures
        device: where it is trained
        pause: called before each pass over a training set with the number of networks so far: it may raise
    """

    name: ClassVar[str] = "cnn"
    plan: ClassVar[Plan] = Plan(folds=2, halves=4, steps=(1, 2, 4, 8), draws=2, mixed=2)

    def __init__(
        self, side: int, *, seed: int = 0, device: str = "cpu", pause: Callable[[int], None] = lambda learned: None
    ) -> None:
        self.side, self._seed, self._device, self._pause = side, seed, device, pause
        # most networks are asked of two test sets; the blocks are kept so that their ids stay theirs
        self._trained: dict[tuple[int, ...], tuple[Sequence[Block], nn.Module]] = {}

    def scores(self, blocks: Sequence[Block], vectors: np.ndarray, priors: np.ndarray) -> np.ndarray:
        """See ``Learner.scores``."""
        import torch

        counts = np.sum([np.bincount(block.classes, minlength=len(priors)) for block in blocks], axis=0)
        known = counts > 0
        offsets = np.where(known, np.log(np.maximum(priors, 1e-12)), _NEVER)
        if known.sum() < 2 or not len(vectors):
            return np.broadcast_to(np.where(known, 0.0, _NEVER), (len(vectors), len(priors))).astype(np.float32)
        offsets = offsets - np.where(known, np.log(np.maximum(counts, 1) / counts.sum()), 0)
        key = tuple(sorted(map(id, blocks)))
        if key not in self._trained:
            self._trained[key] = (list(blocks), self._train(blocks, len(priors)))
        network = self._trained[key][1]
        with torch.inference_mode():
            parts = [network(self._pictures(vectors[at : at + _AT_ONCE])) for at in range(0, len(vectors), _AT_ONCE)]
            made = torch.log_softmax(torch.cat(parts).float(), dim=1).cpu().numpy()
        return np.asarray(made + offsets, dtype=np.float32)

    def _pictures(self, vectors: np.ndarray) -> Tensor:
        """Returns (N, 3, side, side) about in [-2, 2]."""
        import torch

        levels = torch.from_numpy(np.ascontiguousarray(vectors)).to(self._device)
        # colors stay last in memory, which a CPU convolves half as fast again
        return levels.reshape(len(vectors), self.side, self.side, 3).permute(0, 3, 1, 2).float() / 63.75 - 2

    def _train(self, blocks: Sequence[Block], n_classes: int) -> nn.Module:
        import torch
        from torch.nn.functional import cross_entropy

        pixels = np.concatenate([block.vectors for block in blocks])
        classes = torch.from_numpy(np.concatenate([block.classes for block in blocks])).to(self._device)
        rng = np.random.default_rng([self._seed, len(pixels)])
        n, batch = len(pixels), min(_BATCH, len(pixels))
        steps = max(_PASSES * n // batch, _MIN_STEPS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            network = _network(n_classes).to(self._device)
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.2)
        order = np.zeros(0, np.int64)
        # a GPU's fastest convolutions sum in any order
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            for _ in range(steps):
                if len(order) < batch:
                    order = np.concatenate([order, rng.permutation(n)])
                    self._pause(len(self._trained))
                chosen, order = order[:batch], order[batch:]
                moved = _moved(self._pictures(pixels[chosen]), rng)
                loss = cross_entropy(network(moved), classes[torch.from_numpy(chosen).to(self._device)])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                cycle.step()
        return network.eval()


def _network(n_classes: int) -> nn.Module:
    from torch import nn

    def layer(width: int, to: int) -> list[nn.Module]:
        return [nn.Conv2d(width, to, 3, padding=1, bias=False), nn.BatchNorm2d(to), nn.ReLU()]

    return nn.Sequential(
        *layer(3, 16), nn.MaxPool2d(2), *layer(16, 32), nn.MaxPool2d(2), *layer(32, 64), nn.MaxPool2d(2),
        *layer(64, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, n_classes),
    )  # fmt: skip


def _moved(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Returns a batch moved by some pixels, all the same way; what comes in is a mirror of what is there."""
    from torch.nn.functional import pad

    x, y = rng.integers(0, 2 * _MOVE + 1, 2).tolist()
    side = pictures.shape[-1]
    return pad(pictures, (_MOVE,) * 4, mode="reflect")[..., y : y + side, x : x + side]
