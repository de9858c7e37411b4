"""``loupe.compare_to_real``: is a synthetic set like a real one, and in what is it not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.cloud import Cloud
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.realism import Realism, RealismMetric
from loupe.brain.core.records import ProgressCallback
from loupe.brain.engine.reader import Row
from loupe.brain.realism import alignment, conditions, manifold, pictures, results, texture, transfer, verdicts
from loupe.brain.realism.angles import Angles
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.cloud import plane
from loupe.brain.realism.compare import Compared, compare
from loupe.brain.realism.spectra import BandGap, band_gap
from loupe.brain.slicing.factors import Factor
from loupe.brain.stats.two_sample import folds_of
from loupe.brain.store import fields as store_fields
from loupe.brain.store.datasets import Samples, require_images, root, whole
from loupe.brain.store.realism import reference as store_holes
from loupe.brain.store.realism import sides as store
from loupe.brain.store.realism.sides import Side
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps import realism_holes as holes
from loupe.brain.verbs.steps.realism_parts import by_value

if TYPE_CHECKING:
    import fiftyone as fo

#: vectors of a side that are compared: of 1,024 numbers some 15 minutes on one thread, in 4 GB
MAX_VECTORS = 100_000


def compare_to_real(
    synthetic: fo.Dataset | fo.DatasetView,
    real: fo.Dataset | fo.DatasetView,
    *,
    embeddings: str | Sequence[str] = "embeddings",
    label: str | None = None,
    by: str | Factor | None = None,
    released: Mapping[str, str] | str | None = None,
    groups: str | Sequence[str] | None = None,
    captions: str | None = None,
    spectra: bool = True,
    k: int = manifold.K,
    seed: int = 0,
    device: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Realism:
    """Compares a synthetic set with a real one: every measure beside what a second real set gives, and named findings.

    Precision, recall, density, coverage and their clipped variants, Fréchet distance, KID, CMMD, Vendi and RKE,
    a classifier that tells the sides apart, authenticity, and the spectra of the pictures. What counts as far is what
    two halves of the real set are apart. Writes ``realism.*`` to the samples of both sides, to slice by. Of more than
    100,000 vectors of a side so many are compared, drawn by the seed, and ``warnings`` says so.

    Args:
        synthetic: a dataset or view of generated images with vectors
        real: another one, of real images; it may be of the same dataset, but share no sample with the first
        embeddings: one field of vectors or several, as the embedder decides much; findings are of the first
        label: a field of one class a sample that both sides have: with it collapse, a shift and wrong labels are told
            apart by what trains what, and how well pictures show what their labels say is told by class and by sample
        by: a field or factor of both sides: each of its values is compared by itself. One that no real sample has, such
            as ``generation.model`` or a prompt's style, puts its values side by side, each against all real samples
        released: when each generator of ``by`` came out, by its name, or a field of the synthetic samples that says so,
            such as ``"2024-06"``; beside it a few well-known ones are known by their names on the hub
        groups: fields of samples that belong together; by default ``prompt`` and ``duplicate_group``
        captions: a field of the real samples with a sentence on each picture: what ``loupe.suggest_prompts`` makes
            prompts of; None: ``caption`` or ``prompt``, where they have one
        spectra: whether up to 2,000 files of each side are read for their spectra
        k: the nearest neighbor that a ball of precision and recall reaches to, 1 to 20
        seed: decides all draws
        device: where distances are made; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the measures, the findings, and what differs that should not

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: the sides share a sample, have vectors of two embedders, or fewer than 2 (k + 1) of them, which is
            12; ``k`` outside 1 to 20; a seed below 0; a date of another form; they are no images of a dataset; or a
            field of the user's own is named ``realism``
        NoSamples: one of them is empty
        Stopped: ``progress`` asked to stop; nothing is written
        DatabaseGone: the database stopped answering

    >>> loupe.compare_to_real(generated, photos, label="ground_truth")  # doctest: +SKIP
    1,000 synthetic against 2,000 real samples. COLLAPSE: The set is narrower than the real one …
    """
    require_whole(k=(k, 1, 20))
    require_whole(seed=(seed, 0, 2**63 - 1))
    names = (embeddings,) if isinstance(embeddings, str) else tuple(embeddings)
    if not names:
        raise InputError("expected at least one field of vectors in embeddings, got none")
    with running(synthetic, "compare_to_real", progress, label="realism", device=device) as verb:
        require_images(real)
        sides: tuple[Samples, Samples] = (verb.samples, whole(real))
        store.require_apart(*sides)
        for samples, is_synthetic in zip(sides, (True, False), strict=True):
            store_fields.require(samples, store.own_fields(synthetic=is_synthetic))
        together = store.GROUPS if groups is None else (groups,) if isinstance(groups, str) else tuple(groups)
        named = dict(zip(("synthetic", "real"), sides, strict=True))
        read = {name: store.read(name, named) for name in names}
        store_holes.texts_of(sides[1], captions, [])
        alone = store.COPIES if groups is None else together
        store.require_enough(read, 2 * (k + 1))
        few = [_few(name, len(side.ids)) for name, side in zip(named, read[names[0]], strict=True)]
        read = {name: [store.drawn(side, MAX_VECTORS, seed) for side in held] for name, held in read.items()}
        theirs, ours = read[names[0]]
        looked = holes.look(sides, theirs, ours, alone, seed)
        compared = {
            name: _compared(
                verb, sides, read[name], name, together, k, seed, looked.angles if looked and name == names[0] else None
            )
            for name in names
        }
        first = compared[names[0]]
        rows = [_rows(samples, side) for samples, side in zip(sides, (theirs, ours), strict=True)]
        pictured = _pictures(verb, rows) if spectra else ({}, {})
        gap = _gap(pictured[0], pictured[1], seed)
        known = _Labels.nothing() if label is None else _labels(sides, label, theirs, ours, alone, seed)
        evidence = verdicts.Evidence(
            manifold=first.manifold,
            diversity=first.diversity,
            apart=first.apart,
            spectra=gap,
            transfer=known.trained,
            alike=first.alike,
        )
        parts = by_value(verb, sides, by, released, theirs, ours, k, seed)
        of_holes = None if looked is None else holes.of_looked(verb, sides, ours, looked, captions, label, seed)
        verb.step(1, 1, "writing")
        _write(sides, (theirs, ours), first, pictured, known.given)
        made = Realism(
            n_real=len(ours.ids),
            n_synthetic=len(theirs.ids),
            unknown=len(ours.reasons) + len(theirs.reasons),
            metrics={
                name: (*results.metrics(each), *(known.fit if name == names[0] else ()))
                for name, each in compared.items()
            },
            findings=verdicts.verdicts(evidence),
            by=parts.metrics,
            left_out=parts.left_out,
            alone=parts.alone,
            released=parts.released,
            alignment=known.by,
            bands=() if gap is None else tuple(gap.bands.tolist()),
            bands_chance=() if gap is None else results.bands_chance(gap),
            texture=_textures(pictured[0], pictured[1], seed),
            pairs=results.pairs(first.manifold, ours.ids, theirs.ids),
            holes=of_holes,
            warnings=(*filter(None, few), *_warnings(rows, compared), *known.messages),
            seed=seed,
        )
        params = {
            "real": root(real).name, "embeddings": list(names), "label": label,
            "by": None if parts.factor is None else parts.factor.name, "k": k, "seed": seed,
        }  # fmt: skip
        beside = {
            "cloud": _cloud(first, theirs, ours, seed).to_dict(),
            "factor": None if parts.factor is None else parts.factor.to_dict(),
        }
        store.keep(verb.samples, "realism", params, {**made.to_dict(), **beside})
        verb.finish(len(theirs.ids), unknown={"realism": made.unknown}, params=params)
    return made


def _few(name: str, n: int) -> str:
    """Returns what is to be known where only some vectors of a side are compared; empty where all are."""
    if n <= MAX_VECTORS:
        return ""
    return (
        f"{MAX_VECTORS:,} of the {n:,} {name} vectors were compared, drawn by the seed: every one with every other "
        "takes time with their square. The others keep what is known of them"
    )


def _cloud(compared: Compared, theirs: Side, ours: Side, seed: int) -> Cloud:
    made = plane(ours.vectors, theirs.vectors, seed)
    return Cloud(
        synthetic=tuple(theirs.ids[at] for at in made.synthetic.tolist()),
        synthetic_at=tuple((x, y) for x, y in made.synthetic_at.tolist()),
        real=tuple(ours.ids[at] for at in made.real.tolist()),
        real_at=tuple((x, y) for x, y in made.real_at.tolist()),
        covered=tuple(compared.manifold.covered[made.real].tolist()),
        share=made.share,
    )


def _compared(
    verb: Lifecycle, sides: tuple[Samples, Samples], read: Sequence[Side], name: str, together: Sequence[str],
    k: int, seed: int, angles: Angles | None,
) -> Compared:  # fmt: skip
    theirs, ours = read
    own, others = (store.groups(samples, together, side) for samples, side in zip(sides, (theirs, ours), strict=True))
    return compare(
        ours.vectors,
        theirs.vectors,
        groups=np.concatenate([others, own + (int(others.max(initial=-1)) + 1)]),
        k=k,
        seed=seed,
        device=verb.device,
        angles=angles,
        step=lambda done, total: verb.step(done, total, f"comparing by {name}"),
    )


def _pictures(verb: Lifecycle, rows: Sequence[Sequence[Row]]) -> tuple[dict[str, pictures.Pictured], ...]:
    """Returns the spectra of the pictures of either side."""
    side = pictures.common_side([row.path for part in rows for row in part])
    total, done, made = sum(map(len, rows)), 0, []
    for part in rows:
        made.append(pictures.read(part, side, verb.report, done, total)[0])
        done += len(part)
    return tuple(made)


def _rows(samples: Samples, side: Side) -> list[Row]:
    """Returns up to so many pictures of a side, evenly spread over it."""
    path_of = dict(zip(*samples.values(["id", "filepath"]), strict=True))
    n = len(side.ids)
    chosen = np.unique(np.linspace(0, n - 1, min(n, pictures.MAX_PICTURES)).astype(int)) if n else np.zeros(0, int)
    return [Row(side.ids[at], path_of[side.ids[at]], {}, frozenset(), {}) for at in chosen.tolist()]


def _gap(theirs: dict[str, pictures.Pictured], ours: dict[str, pictures.Pictured], seed: int) -> BandGap | None:
    real, synthetic = (
        [each.spectrum for each in side.values() if each.spectrum is not None] for side in (ours, theirs)
    )
    if min(len(real), len(synthetic)) < verdicts.MIN_SAMPLES:
        return None
    return band_gap(real, synthetic, manifold.SPLITS, np.random.default_rng(seed))


def _textures(
    theirs: dict[str, pictures.Pictured], ours: dict[str, pictures.Pictured], seed: int
) -> dict[str, tuple[float, float, float, float]]:
    real, synthetic = ([each.texture for each in side.values()] for side in (ours, theirs))
    if min(len(real), len(synthetic)) < verdicts.MIN_SAMPLES:
        return {}
    made = texture.gaps(real, synthetic, manifold.SPLITS, np.random.default_rng(seed))
    return {name: (gap.real, gap.synthetic, gap.distance, gap.null_high) for name, gap in made.items()}


@dataclass(frozen=True, eq=False)
class _Labels:
    """What the labels tell: what trains what, how well they fit, and what is to be said of those that do not take part.

    Attributes:
        trained: None where there are too few
        fit: the measure of all classes, or none
        by: the same of each class
        given: of each side, how probable the labels of its samples are; NaN of those without
        messages: what is to be said
    """

    trained: transfer.Measured | None
    fit: tuple[RealismMetric, ...]
    by: dict[str, RealismMetric]
    given: tuple[np.ndarray, np.ndarray] | None
    messages: tuple[str, ...]

    @classmethod
    def nothing(cls, *messages: str) -> _Labels:
        return cls(None, (), {}, None, messages)


def _labels(
    sides: tuple[Samples, Samples], label: str, theirs: Side, ours: Side, together: Sequence[str], seed: int
) -> _Labels:
    """Returns what trains what, of classes that both sides have, and how well their labels fit.

    Half of the real set is tested on.
    """
    given = [store.classes(samples, label, side) for samples, side in zip(sides, (theirs, ours), strict=True)]
    shared = sorted({*filter(None, given[0])} & {*filter(None, given[1])})
    place = {name: at for at, name in enumerate(shared)}
    codes = [np.array([place.get(name, -1) if name else -1 for name in own], dtype=np.int64) for own in given]
    synthetic, real = (
        store.labeled(samples, side, own, together)
        for samples, side, own in zip(sides, (theirs, ours), codes, strict=True)
    )
    # whole groups: a duplicate of a test picture is no training picture
    half = folds_of(real.clusters(), 2, np.random.default_rng(seed))
    train, test = np.flatnonzero(half == 0), np.flatnonzero(half == 1)
    messages = _alone(given, shared, label)
    try:
        measured = transfer.measure(real.take(train), real.take(test), synthetic, len(shared), seed=seed)
    except InputError as error:
        # too few samples or classes: what needs no labels is said all the same
        return _Labels.nothing(*messages, f"nothing is trained by {label!r}: {error}")
    return _fitting(measured, real, synthetic, codes, shared, seed, messages)


def _fitting(
    measured: transfer.Measured, real: Labeled, synthetic: Labeled, codes: Sequence[np.ndarray], shared: Sequence[str],
    seed: int, messages: tuple[str, ...],
) -> _Labels:  # fmt: skip
    made = alignment.aligned(real, synthetic, len(shared), seed)
    columns = []
    for own, values in zip(codes, (made.synthetic, made.real), strict=True):
        column = np.full(len(own), np.nan)
        column[own >= 0] = values
        columns.append(column)
    by = {name: results.alignment(each) for name, each in zip(shared, made.by, strict=True)}
    return _Labels(measured, (results.alignment(made.all),), by, (columns[0], columns[1]), messages)


def _alone(given: Sequence[Sequence[str | None]], shared: Sequence[str], label: str) -> tuple[str, ...]:
    """Returns which classes only one side has."""
    alone = sorted({*filter(None, given[0]), *filter(None, given[1])} - set(shared))
    if not alone:
        return ()
    names = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
    both = {name.casefold() for name in filter(None, given[0])} & {name.casefold() for name in filter(None, given[1])}
    by_case = "; some differ by case only" if both & {name.casefold() for name in alone} else ""
    return (f"classes of {label!r} on one side only are not trained on: {names}{by_case}",)


def _write(
    sides: tuple[Samples, Samples], read: Sequence[Side], compared: Compared,
    pictured: tuple[dict[str, pictures.Pictured], ...], fitting: tuple[np.ndarray, np.ndarray] | None,
) -> None:  # fmt: skip
    theirs, ours = read
    made, n = compared.manifold, len(ours.ids)
    known: tuple[dict[str, Sequence[Any] | np.ndarray], ...] = (
        {
            "among_real": made.inside,
            "nearest_real": [ours.ids[at] for at in made.nearest_real.tolist()],
            "real_distance": made.real_distance.astype(float),
            "authentic": made.authentic,
            "domain_probability": compared.apart.probability[n:],
        },
        {
            "covered": made.covered,
            "nearest_synthetic": [theirs.ids[at] for at in made.nearest_synthetic.tolist()],
            "synthetic_distance": made.synthetic_distance.astype(float),
            "domain_probability": compared.apart.probability[:n],
        },
    )
    # without labels it is empty: what an earlier comparison left would be of another real set
    fits: Sequence[Any] = fitting or [[None] * len(side.ids) for side in read]
    known = tuple({**parts, "alignment": own} for parts, own in zip(known, fits, strict=True))
    for samples, side, parts, spectra, is_synthetic in zip(sides, read, known, pictured, (True, False), strict=True):
        high = [_high(spectra.get(sample_id)) for sample_id in side.ids]
        store.write(
            samples, side.ids, parts if not spectra else {**parts, "high_frequency": high}, synthetic=is_synthetic
        )


def _high(pictured: pictures.Pictured | None) -> float | None:
    return None if pictured is None or pictured.spectrum is None else pictured.spectrum.high_frequency


def _warnings(rows: Sequence[Sequence[Row]], compared: dict[str, Compared]) -> tuple[str, ...]:
    looked_at = []
    for side in rows:
        some = side[:: max(1, len(side) // conditions.LOOKED_AT)]
        looked_at.append([made for row in some if (made := conditions.condition(row.path)) is not None])
    messages = list(conditions.differences(looked_at[1], looked_at[0]))
    for name, each in compared.items():
        if each.unit_length:
            messages.append(f"the vectors in {name!r} have one length: frechet and kid are near 0 whatever they say")
        copies = int((each.manifold.real_distance == 0).sum())
        if copies:
            messages.append(f"{copies:,} synthetic samples have the very vector of a real one in {name!r}")
        if each.alike:
            messages.append(f"all real vectors in {name!r} are alike: nothing can be told from them")
    return tuple(messages)
