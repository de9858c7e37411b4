"""``loupe.test_transfer``: is a synthetic set any use as training data?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.realism import Transfer
from loupe.brain.core.records import ProgressCallback
from loupe.brain.realism import results, transfer, verdicts
from loupe.brain.realism.blocks import Labeled
from loupe.brain.similarity.neighbors import nearest, usable
from loupe.brain.store import realism as store
from loupe.brain.store.datasets import require_images, root, whole
from loupe.brain.store.realism import Side
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def test_transfer(
    synthetic: fo.Dataset | fo.DatasetView,
    real_train: fo.Dataset | fo.DatasetView,
    real_test: fo.Dataset | fo.DatasetView,
    *,
    label: str,
    embeddings: str = "embeddings",
    pool: fo.Dataset | fo.DatasetView | None = None,
    learner: Literal["discriminant", "logistic"] = "discriminant",
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Transfer:
    """Trains on synthetic and on real samples, equally many of each class, and tests on real and on synthetic ones.

    Says how good the synthetic set is in place of real samples (utility), how many real ones train as well
    (equivalent real size), and what it adds to them. Vectors are frozen: texture that an embedder does not see is not
    missed. Writes nothing to the samples; what was found last is kept for the panel.

    Args:
        synthetic: a dataset or view of generated images with vectors and classes. On all sides duplicates of each other
            are kept together, where they are known
        real_train: real images to train on
        real_test: real images to test on; it shares no sample with the others
        label: a field of one class a sample, on all sides
        embeddings: the field of vectors
        pool: real images without labels: the nearest to each synthetic one stands in for it, with its class. That is
            the baseline to beat
        learner: ``"discriminant"``, or ``"logistic"``: the reference, slower
        seed: decides all draws
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the accuracy of each training and test set, the learning curve, and what follows

    Raises:
        UnknownName: no such field or learner; the nearest name is suggested
        InputError: two of them share a sample, fewer than two classes on all sides, fewer than 50 samples to test on,
            or fewer than 5 a class to train on; they are no images of a dataset
        NoSamples: one of them is empty
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.test_transfer(generated, train, test, label="ground_truth")  # doctest: +SKIP
    utility 0.92 [0.88, 0.96], worth 640 real samples (480 to 900) …
    """
    with running(synthetic, "test_transfer", progress, label="transfer") as verb:
        others = [real_train, real_test, *([] if pool is None else [pool])]
        for samples in others:
            require_images(samples)
        train, test, *rest = (whole(each) for each in others)
        for first, second in ((verb.samples, train), (verb.samples, test), (train, test)):
            store.require_apart(first, second)
        verb.step(0, 1, "reading")
        named = {"synthetic": verb.samples, "training": train, "test": test, **({"pool": rest[0]} if rest else {})}
        if rest:
            store.require_apart(test, rest[0])
        theirs, ours, tested, *pooled = store.read(embeddings, named)
        given = [
            store.classes(samples, label, side)
            for samples, side in ((verb.samples, theirs), (train, ours), (test, tested))
        ]
        classes, left_out = _shared(given)
        s, r, t = (
            store.labeled(samples, side, _codes(own, classes))
            for samples, side, own in zip((verb.samples, train, test), (theirs, ours, tested), given, strict=True)
        )
        measured = transfer.measure(
            r, t, s, len(classes), learner_name=learner, seed=seed,
            step=lambda done, total: verb.step(done, total, "training and testing"),
        )  # fmt: skip
        baseline = None
        if pooled:
            verb.step(0, 1, "retrieving")
            retrieved = _retrieved(s, pooled[0])
            baseline = transfer.measure(r, t, retrieved, len(classes), learner_name=learner, seed=seed)
        made = results.transfer(
            measured, label, classes, verdicts.of_transfer(measured),
            retrieved=baseline, left_out=left_out, learner=learner, seed=seed,
        )  # fmt: skip
        params = {
            "real_train": root(train).name, "real_test": root(test).name, "label": label, "embeddings": embeddings,
            "learner": learner, "seed": seed,
        }  # fmt: skip
        store.keep(verb.samples, "transfer", params, made.to_dict())
        verb.finish(len(theirs.ids), unknown={"transfer": len(theirs.reasons)}, params=params)
    return made


#: pytest takes what is named so for a test
test_transfer.__test__ = False  # type: ignore[attr-defined]


def _shared(given: Sequence[Sequence[str | None]]) -> tuple[list[str], dict[str, int]]:
    """Returns the classes that all sides have, sorted, and of the others how many samples have them.

    Raises:
        InputError: fewer than two
    """
    counts = [Counter(name for name in own if name is not None) for own in given]
    classes = sorted(set.intersection(*map(set, counts)))
    left_out = {name: sum(own[name] for own in counts) for name in sorted(set().union(*counts) - set(classes))}
    if len(classes) < 2:
        hint = ""
        if len({name.casefold() for own in counts for name in own}) < len(set().union(*counts)):
            hint = "; some differ by case only"
        listed = ["; ".join(sorted(own)[:5]) or "none" for own in counts]
        raise InputError(
            f"expected at least two classes that all sides have, got {len(classes)}: synthetic {listed[0]}, train "
            f"{listed[1]}, test {listed[2]}{hint}"
        )
    return classes, left_out


def _codes(given: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    place = {name: at for at, name in enumerate(classes)}
    return np.array([-1 if name is None else place.get(name, -1) for name in given], dtype=np.int64)


def _retrieved(synthetic: Labeled, pool: Side) -> Labeled:
    """Returns for each synthetic sample the nearest of the pool by cosine, with its class."""
    known, wanted = usable(list(pool.vectors)), usable(list(synthetic.vectors))
    if not len(known.unit):
        raise InputError("expected a pool of images with vectors, got none: run loupe.embed on it")
    at, _ = nearest(wanted.unit, 1, known.unit)
    return Labeled(pool.vectors[known.index[at[:, 0]]], synthetic.classes[wanted.index])
