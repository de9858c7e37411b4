"""Reads labels of several classes a sample: as the user has given them, or as the prompts ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

from loupe.brain.prompts.cleaned import prompt_text
from loupe.brain.prompts.parse import parse
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import GROUP, PROMPT
from loupe.brain.store.labels import given as store_labels


@dataclass(frozen=True, eq=False)
class SeveralLabels:
    """The labels of N samples, of which each may have several classes, or none.

    Attributes:
        ids: the samples
        given: (N, L) of 0 and 1: which classes each sample is given
        known: (N,) bool: whether the sample is labeled; one that is, with no class, has none of them
        classes: the names of the L classes that occur, sorted
        declared: those that the dataset names for the field; empty where it names none
        groups: the group of duplicates of each sample, None where it is in none
    """

    ids: list[str]
    given: sparse.csr_matrix
    known: np.ndarray
    classes: list[str]
    declared: list[str]
    groups: list[str | None]

    def names(self, at: int) -> tuple[str, ...]:
        """Returns the classes of a sample."""
        ends = self.given.indptr
        return tuple(self.classes[column] for column in self.given.indices[ends[at] : ends[at + 1]].tolist())


def read(samples: Samples, path: str) -> SeveralLabels:
    """Returns the labels of a field of several classes a sample.

    Raises:
        InputError: more classes than can be told apart
    """
    ids, listed, groups = _columns(samples, f"{path}.classifications.label")
    return _made(samples, path, ids, listed, groups)


def read_prompted(samples: Samples) -> SeveralLabels:
    """Returns as classes what the prompts ask for: the things that ``PromptSpec.objects`` names.

    A sample without a prompt is not labeled, and neither is one whose prompt names nothing that is known.

    Raises:
        InputError: more classes than can be told apart
    """
    ids, prompts, groups = _columns(samples, PROMPT.path)
    return _made(samples, PROMPT.path, ids, [_requested(prompt_text(prompt)) or None for prompt in prompts], groups)


@lru_cache(maxsize=65536)
def _requested(prompt: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(requested.name for requested in parse(prompt).objects)) if prompt else ()


def _columns(samples: Samples, path: str) -> tuple[list[str], list[Any], list[str | None]]:
    paths = ["id", path, *([GROUP] if samples.has_field(GROUP) else [])]
    with database_errors():
        ids, values, *groups = samples.values(paths)
    return ids, values, groups[0] if groups else [None] * len(ids)


def _made(
    samples: Samples,
    path: str,
    ids: list[str],
    listed: Sequence[Sequence[str | None] | None],
    groups: list[str | None],
) -> SeveralLabels:
    own = [() if names is None else [name for name in names if name is not None] for names in listed]
    classes = store_labels.require_few(path, {name for names in own for name in names})
    place = {name: at for at, name in enumerate(classes)}
    columns = np.array([place[name] for names in own for name in names], dtype=np.int64)
    rows = np.repeat(np.arange(len(ids)), [len(names) for names in own])
    given = sparse.csr_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(ids), len(classes)))
    # a class that is given twice is given
    given.sum_duplicates()
    given.data[:] = 1
    known = np.array([names is not None for names in listed], dtype=bool)
    return SeveralLabels(ids, given, known, classes, store_labels.declared(samples, path), groups)
