"""The network that is trained from scratch: it learns what pictures show, and the same each time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from loupe.brain.realism import transfer
from loupe.brain.realism.blocks import BLOCKS, Labeled, cut
from loupe.brain.realism.cnn import Cnn

K, SIDE = 3, 16


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loupe.brain.realism.cnn._MIN_STEPS", 60)


def _textures(seed: int, n: int, blur: float = 0.0) -> Labeled:
    """Three classes that differ by texture alone: grain, stripes of two px, and a smooth ramp."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % K
    made = np.empty((n, SIDE, SIDE, 3), np.uint8)
    for at, own in enumerate(classes.tolist()):
        base = rng.uniform(90, 160, 3) + np.linspace(-20, 20, SIDE)[:, None, None] * rng.normal()
        fine = (rng.normal(0, 25, (SIDE, SIDE, 1)), 25 * (-1.0) ** np.arange(SIDE)[None, :, None], 0.0)[own]
        picture = np.clip(base + fine + np.zeros((SIDE, SIDE, 3)), 0, 255)
        made[at] = cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture
    return Labeled(made.reshape(n, -1), classes)


def _scores(network: Cnn, known: Labeled, asked: Labeled, priors: np.ndarray | None = None) -> np.ndarray:
    blocks = cut(known, K, np.random.default_rng(0))
    return network.scores(blocks, asked.vectors, np.ones(K) if priors is None else priors)


def test_it_tells_textures_apart_and_the_same_each_time() -> None:
    known, asked = _textures(0, 90), _textures(1, 90)
    once, again = (_scores(Cnn(SIDE, seed=3), known, asked) for _ in range(2))
    assert (once.argmax(axis=1) == asked.classes).mean() > 0.9
    assert np.array_equal(once, again)
    assert not np.array_equal(once, _scores(Cnn(SIDE, seed=4), known, asked))
    assert once.shape == (90, K)
    assert once.dtype == np.float32


def test_the_global_seed_decides_nothing_and_is_left_alone() -> None:
    import torch

    known, asked = _textures(0, 24), _textures(1, 12)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = _scores(Cnn(SIDE), known, asked)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    assert np.array_equal(first, _scores(Cnn(SIDE), known, asked))


def test_a_set_of_blocks_is_learned_once_however_often_it_is_asked() -> None:
    known, asked = _textures(0, 24), _textures(1, 12)
    blocks = cut(known, K, np.random.default_rng(0))
    passes: list[int] = []
    network = Cnn(SIDE, pause=passes.append)
    first = network.scores(blocks, asked.vectors, np.ones(K))
    again = network.scores(blocks[::-1], asked.vectors, np.ones(K))
    assert np.array_equal(first, again)
    assert set(passes) == {0}, "one network"
    network.scores(blocks[:4], asked.vectors, np.ones(K))
    assert set(passes) == {0, 1}


def test_stopping_between_passes_leaves_at_once() -> None:
    def stop(learned: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _scores(Cnn(SIDE, pause=stop), _textures(0, 24), _textures(1, 12))


def test_priors_shift_the_scores_and_a_class_that_was_not_seen_is_never_likely() -> None:
    known, asked = _textures(0, 45), _textures(1, 30)
    plain = _scores(Cnn(SIDE), known, asked, np.array([1.0, 1, 1]) / 3)
    shifted = _scores(Cnn(SIDE), known, asked, np.array([2.0, 1, 1]) / 4)
    assert shifted - plain == pytest.approx(np.log([[1.5, 0.75, 0.75]] * 30), abs=1e-5)
    two = known.take(np.flatnonzero(known.classes < 2))
    assert (_scores(Cnn(SIDE), two, asked)[:, 2] < -30).all()
    alone = known.take(np.flatnonzero(known.classes == 1))
    assert (_scores(Cnn(SIDE), alone, asked).argmax(axis=1) == 1).all()


def test_a_smoothed_set_trains_worse_and_the_arms_are_those_of_its_plan() -> None:
    counts: list[int] = []
    network = Cnn(SIDE, pause=counts.append)
    made = transfer.measure(_textures(0, 96), _textures(1, 90), _textures(2, 96, blur=2.5), K, using=network)
    assert made.arms["R→R"].accuracy.value > 0.9
    assert made.utility.high < 0.85
    assert made.gap.low > 0.1
    assert made.arms["R→R held out"].n_train == 48
    assert made.arms["R→R"].halves.shape == (network.plan.halves, 90)
    assert [round(n) for n, _ in made.curve.rows()] == [12, 24, 48, 96]
    # of each set once, of both, their halves, and the parts of the curve and the mixed sets that are new
    assert max(counts) + 1 <= 23
    assert BLOCKS == 8
