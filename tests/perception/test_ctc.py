"""Likelihoods of texts, against the sum over all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from loupe.brain.perception.ocr.ctc import Alphabet, log_likelihoods, mean_log_likelihoods, script_of


def _by_all_paths(frames: np.ndarray, text: list[int]) -> float:
    total = 0.0
    for path in itertools.product(range(frames.shape[1]), repeat=len(frames)):
        if [key for key, _ in itertools.groupby(path) if key] == text:
            total += float(np.prod([frames[t, k] for t, k in enumerate(path)]))
    return total


def test_likelihoods_are_sums_over_paths() -> None:
    frames = np.random.default_rng(0).dirichlet(np.ones(3), 6)
    texts = [[], [1], [1, 1], [1, 2], [2, 1, 2], [1, 1, 1], [2, 2, 1, 1]]
    got = np.exp(log_likelihoods(np.log(frames), texts))
    np.testing.assert_allclose(got, [_by_all_paths(frames, text) for text in texts], rtol=1e-9)


def test_all_texts_together_are_certain() -> None:
    frames = np.random.default_rng(1).dirichlet(np.ones(3), 4)
    texts = [list(text) for size in range(5) for text in itertools.product((1, 2), repeat=size)]
    assert np.exp(log_likelihoods(np.log(frames), texts)).sum() == pytest.approx(1.0)


def test_a_text_longer_than_the_frames_is_impossible() -> None:
    assert log_likelihoods(np.log(np.full((2, 3), 1 / 3)), [[1, 2, 1]])[0] < -1e20


def test_alphabet_folds_case_and_leaves_out_punctuation() -> None:
    alphabet = Alphabet(["", "a", "A", "é", "e", ",", "7", "中", " "], "latin")
    assert list(alphabet.columns) == ["", "a", "e", "7"]
    posterior = np.array([[0.1, 0.3, 0.3, 0.1, 0.1, 0.05, 0.05, 0.0, 0.0], [0.0, 0, 0, 0, 0, 0.9, 0, 0, 0.1]])
    folded = np.exp(alphabet.log_probabilities(posterior, smoothing=0.0))
    np.testing.assert_allclose(folded, [[0.15, 0.6, 0.2, 0.05], [1, 0, 0, 0]], atol=1e-4)
    assert list(Alphabet(["", "a", "7", "中"], "digits").columns) == ["", "7"]
    assert list(Alphabet(["", "a", "7", "中"], "any").columns) == ["", "a", "7", "中"]


def test_greedy_reads_as_written() -> None:
    alphabet = Alphabet(["", "A", "b", "中"], "latin")
    frames = np.array([[0, 0.9, 0.1, 0], [0, 0.9, 0.1, 0], [1, 0, 0, 0], [0, 0.8, 0.2, 0], [0, 0.1, 0.2, 0.7]])
    text, confidence = alphabet.greedy(frames)
    assert text == "AAb"
    assert confidence == pytest.approx((0.9 + 0.8 + 0.2) / 3)
    assert alphabet.greedy(np.array([[1.0, 0, 0, 0]])) == ("", 0.0)


def test_script() -> None:
    assert [script_of(words) for words in (["427"], ["427", "a"], [], ["営業中"])] == [
        "digits",
        "latin",
        "latin",
        "any",
    ]


def test_views_are_averaged() -> None:
    frames = [np.log(np.random.default_rng(seed).dirichlet(np.ones(3), 4)) for seed in (0, 1)]
    columns = {"": 0, "a": 1, "b": 2}
    want = (log_likelihoods(frames[0], [[1, 2]]) + log_likelihoods(frames[1], [[1, 2]])) / 2
    np.testing.assert_allclose(mean_log_likelihoods(frames, ["ab"], columns), want)
