"""``loupe.test_transfer``: is a synthetic set any use as training data?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.realism import Transfer
from loupe.brain.core.records import ProgressCallback
from loupe.brain.engine.reader import Row
from loupe.brain.realism import pictures, pixels, results, transfer, verdicts
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.learners import Learner
from loupe.brain.realism.learners import learner as known_learner
from loupe.brain.similarity.neighbors import nearest, usable
from loupe.brain.store.datasets import Samples, require_images, root, whole
from loupe.brain.store.realism import sides as store
from loupe.brain.store.realism.sides import Side
from loupe.brain.verbs.lifecycle import Lifecycle, running

if TYPE_CHECKING:
    import fiftyone as fo

#: pictures of a side whose sizes are looked at
_LOOKED_AT = 500
#: that are trained of two sets of one size; of others a few more
_NETWORKS = 23


def test_transfer(
    synthetic: fo.Dataset | fo.DatasetView,
    real_train: fo.Dataset | fo.DatasetView,
    real_test: fo.Dataset | fo.DatasetView,
    *,
    label: str,
    embeddings: str = "embeddings",
    pool: fo.Dataset | fo.DatasetView | None = None,
    learner: Literal["discriminant", "logistic", "cnn"] = "discriminant",
    device: str | None = None,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Transfer:
    """Trains on synthetic and on real samples, equally many of each class, and tests on real and on synthetic ones.

    Says how good the synthetic set is in place of real samples (utility), how many real ones train as well
    (equivalent real size), and what it adds to them. Vectors are frozen: texture that an embedder does not look at is
    not missed, unless a network learns from the pictures themselves: ``learner="cnn"``. Writes nothing to the samples;
    what was found last is kept for the panel.

    Args:
        synthetic: a dataset or view of generated images with vectors and classes. On all sides duplicates of each other
            are kept together, where they are known
        real_train: real images to train on
        real_test: real images to test on; it shares no sample with the others
        label: a field of one class a sample, on all sides
        embeddings: the field of vectors; ``"cnn"`` needs it for the pool alone
        pool: real images without labels: the nearest to each synthetic one stands in for it, with its class. That is
            the baseline to beat
        learner: ``"discriminant"``; ``"logistic"``: the reference, slower; or ``"cnn"``: a small convolutional network
            on pictures of 32 px, 64 px where all are that large. It learns some 40 times: minutes for 5,000 pictures
        device: where the network is trained; the best there is by default
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
    require_whole(seed=(seed, 0, 2**63 - 1))
    with running(synthetic, "test_transfer", progress, label="transfer", device=device) as verb:
        others = [real_train, real_test, *([] if pool is None else [pool])]
        for samples in others:
            require_images(samples)
        train, test, *rest = (whole(each) for each in others)
        for first, second in ((verb.samples, train), (verb.samples, test), (train, test)):
            store.require_apart(first, second)
        if rest:
            store.require_apart(test, rest[0])
        named = {"synthetic": verb.samples, "training": train, "test": test}
        (theirs, ours, tested), how = _read(verb, named, embeddings, learner, seed)
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
            r, t, s, len(classes), using=how, seed=seed,
            step=lambda done, total: verb.step(done, total, "training and testing") if not how.side else None,
        )  # fmt: skip
        baseline = None
        if rest:
            verb.step(0, 1, "retrieving")
            place = dict(zip(theirs.ids, _codes(given[0], classes).tolist(), strict=True))
            retrieved = _retrieved(verb, rest[0], embeddings, place, how)
            baseline = transfer.measure(r, t, retrieved, len(classes), using=how, seed=seed)
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


def _read(
    verb: Lifecycle, named: Mapping[str, Samples], embeddings: str, name: str, seed: int
) -> tuple[list[Side], Learner]:
    """Returns what is learned from: vectors, or the pictures themselves; and what learns."""
    if name != "cnn":
        how = known_learner(name)  # an unknown name is refused before anything is read
        verb.step(0, 1, "reading")
        return store.read(embeddings, named), how
    from loupe.brain.realism.cnn import Cnn

    rows = {role: _rows(samples) for role, samples in named.items()}
    some = [row.path for own in rows.values() for row in own[:: max(1, len(own) // _LOOKED_AT)]]
    side = pixels.LARGE if pictures.common_side(some) >= pixels.LARGE else pixels.SMALL
    total, done, sides = sum(map(len, rows.values())), 0, []
    for own in rows.values():
        sides.append(_pixels(verb, own, side, done, total))
        done += len(own)
    return sides, Cnn(side, seed=seed, device=verb.device, pause=lambda learned: _learning(verb, learned))


def _learning(verb: Lifecycle, learned: int) -> None:
    verb.step(learned, max(_NETWORKS, learned + 1), "training networks")


def _rows(samples: Samples) -> list[Row]:
    ids, paths = samples.values(["id", "filepath"])
    return [Row(sample_id, path, {}, frozenset(), {}) for sample_id, path in zip(ids, paths, strict=True)]


def _pixels(verb: Lifecycle, rows: Sequence[Row], side: int, done: int, total: int) -> Side:
    made, reasons = pixels.read(rows, side, verb.report, done, total)
    index = [at for at, row in enumerate(rows) if row.id in made]
    stacked = np.stack([made[rows[at].id] for at in index]) if index else np.zeros((0, side * side * 3), np.uint8)
    return Side([rows[at].id for at in index], stacked, np.array(index, dtype=np.int64), reasons)


def _retrieved(verb: Lifecycle, pool: Samples, embeddings: str, place: Mapping[str, int], how: Learner) -> Labeled:
    """Returns for each synthetic sample of a class the nearest of the pool by cosine, with its class.

    Args:
        verb: of the synthetic samples
        pool: real samples
        embeddings: the field of vectors of both
        place: the class of each synthetic sample, by id; -1 for none
        how: what learns: of the nearest it is given the vectors, or the pictures
    """
    theirs, others = store.read(embeddings, {"synthetic": verb.samples, "pool": pool})
    classes = np.array([place.get(sample_id, -1) for sample_id in theirs.ids], dtype=np.int64)
    chosen = np.flatnonzero(classes >= 0)
    known, wanted = usable(list(others.vectors)), usable(list(theirs.vectors[chosen]))
    if not len(known.unit):
        raise InputError("expected a pool of images with vectors, got none: run loupe.embed on it")
    at, _ = nearest(wanted.unit, 1, known.unit)
    nearby, own = known.index[at[:, 0]], classes[chosen][wanted.index]
    if not how.side:
        return Labeled(others.vectors[nearby], own)
    wished = sorted({others.ids[each] for each in nearby.tolist()})
    rows = {row.id: row for row in _rows(pool)}
    read = _pixels(verb, [rows[sample_id] for sample_id in wished], how.side, 0, len(wished))
    row_of = {sample_id: number for number, sample_id in enumerate(read.ids)}
    kept = np.array([others.ids[each] in row_of for each in nearby.tolist()], dtype=bool)
    index = [row_of[others.ids[each]] for each in nearby[kept].tolist()]
    return Labeled(read.vectors[index], own[kept])
