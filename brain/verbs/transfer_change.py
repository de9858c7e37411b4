"""What further samples of a synthetic set are worth: trained on all before, and on all after, tested on the same."""

from __future__ import annotations

import numpy as np

from loupe.brain.core.realism import Estimate
from loupe.brain.realism import transfer
from loupe.brain.realism.estimates import difference
from loupe.brain.store import realism as store
from loupe.brain.store.datasets import Samples

#: trained on all samples, not on equally many of each class
_ALL = "all S→R"


def transfer_change(
    before: Samples,
    after: Samples,
    real_train: Samples,
    real_test: Samples,
    *,
    label: str,
    embeddings: str = "embeddings",
    seed: int = 0,
) -> tuple[float, float, Estimate]:
    """Returns the accuracy on real samples after training on all of a set before and after, and the paired difference.

    The interval varies the test samples, paired, and the draw of both training sets as if they shared no sample: they
    do, so that it is rather too wide.

    Args:
        before, after: synthetic samples with vectors and classes
        real_train, real_test: as for ``loupe.test_transfer``; the former are only to set the axes and blocks
        label: a field of one class a sample
        embeddings: the field of vectors
        seed: of the draws

    Raises:
        InputError: too few samples or classes
    """
    arms, clusters = [], np.zeros(0, np.int64)
    for synthetic in (before, after):
        named = {"synthetic": synthetic, "training": real_train, "test": real_test}
        sides = store.read(embeddings, named)
        given = [store.classes(samples, label, side) for samples, side in zip(named.values(), sides, strict=True)]
        classes = sorted(set.intersection(*({name for name in own if name is not None} for own in given)))
        at = {name: code for code, name in enumerate(classes)}
        codes = [np.array([at.get(name, -1) if name is not None else -1 for name in own], np.int64) for own in given]
        s, r, t = (
            store.labeled(samples, side, own) for samples, side, own in zip(named.values(), sides, codes, strict=True)
        )
        arms.append(transfer.measure(r, t, s, len(classes), seed=seed).arms[_ALL])
        clusters = t.clusters()
    old, new = arms
    change = difference(new.correct.astype(float) - old.correct, clusters, [new.halves, old.halves])
    return float(old.correct.mean()), float(new.correct.mean()), change
