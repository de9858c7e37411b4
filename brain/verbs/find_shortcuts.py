"""``loupe.find_shortcuts``: properties of pictures that give the label or the split away, and labels in an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_numbers, require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.labels.shortcut_records import Shortcuts
from loupe.brain.labels.shortcut_results import Settings, order_of, results, usable
from loupe.brain.slicing.factors import Factor, listed
from loupe.brain.store import rows as store_rows
from loupe.brain.store import shortcuts as store
from loupe.brain.store.drift.batches import ids_and_groups
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

#: the field of vectors that is taken where there is one and none is named
_VECTORS = "embeddings"


def find_shortcuts(
    samples: fo.Dataset | fo.DatasetView,
    label: str | Factor,
    *,
    by: str | Factor | Iterable[str | Factor] = (),
    order: str | None = None,
    embeddings: str | None = None,
    groups: Sequence[str] | None = None,
    min_auroc: float = 0.6,
    min_samples: int = 20,
    fdr: float = 0.05,
    permutations: int = 999,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Shortcuts:
    """Finds properties of the pictures that tell the label, or the split: blur, file size, folder, format, generator.

    What a model can learn in place of the content: a shortcut, or spurious correlation. Each property is tested against
    each class by permuting labels, groups kept together, all corrected together; then a model that sees nothing but
    these properties shows how much of the label they give away. Whether a score is missing is a property, too. Also
    tells whether labels or look-alikes depend on the order of the samples. Nothing is written.

    Args:
        samples: a dataset or view
        label: a field or factor of one class a sample, or a field of splits: splits that differ in blur leak conditions
        by: further fields and factors to look at, beside all raw scores, folder, size, format and what generated it
        order: a field of times or numbers that samples are ordered by; None: as they are stored
        embeddings: a field of vectors, for look-alikes in the order; None: "embeddings", where there is one; an empty
            text: none
        groups: fields; samples that share a value of one move together. None: "prompt" and "duplicate_group", where
            they are; an empty list: none
        min_auroc: properties that tell a class less well are listed, and no findings, in [0.5, 1]
        min_samples: classes of fewer samples are not tested by themselves, at least 5
        fdr: which share of the findings may be false, in (0, 0.5]
        permutations: how many, at least 99
        seed: decides what is drawn and permuted, at least 0
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        findings, each property with its AUROC and interval, what all of them together tell, and the order.
        ``sentences()`` says it in words, ``ids`` are samples to look at

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: numbers or several classes a sample as the label, one class alone, or a number out of its bounds
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        made = loupe.find_shortcuts(dataset, "ground_truth")
        dataset.select(made.ids)
        loupe.find_shortcuts(dataset, "split", by="camera", order="created_at")
    """
    require_numbers(min_auroc=(min_auroc, 0.5, 1), fdr=(fdr, 1e-6, 0.5))
    require_whole(min_samples=(min_samples, 5), permutations=(permutations, 99), seed=(seed, 0))
    more = listed(by, "by")
    wanted = (groups,) if isinstance(groups, str) else groups
    settings = Settings(float(min_auroc), min_samples, float(fdr), permutations, seed)
    with running(samples, "find_shortcuts", progress, label="shortcuts") as verb:
        view = verb.samples
        store_rows.require_samples(view)
        verb.step(0, 4, "reading")
        read = store.read(view, label, more)
        _, own_groups, used = ids_and_groups([view], wanted)
        if len(own_groups) != len(read.ids):
            raise InputError("the samples were changed while they were read: call again")
        position = store.positions(view, order, len(read.ids))
        given = usable(read.codes, read.classes, read.label, settings)
        field = embeddings if embeddings is not None else _VECTORS if view.has_field(_VECTORS) else ""
        # the parts take about as long as each other
        found_order = order_of(
            given,
            position,
            own_groups,
            order or store.STORED,
            settings,
            (lambda ids: store.vectors(view, field, ids)) if field else None,
            field,
            read.ids,
        )
        verb.step(1, 4, "permuting labels")
        made = results(
            read.properties,
            given,
            own_groups,
            read.ids,
            settings,
            step=lambda done, total, message: verb.step(1 + 3 * done, 1 + 3 * total, message),
        )
    params: dict[str, Any] = {"fdr": fdr, "min_auroc": min_auroc, "groups": list(used), "seed": seed}
    return Shortcuts(
        label=read.label,
        is_split=read.is_split,
        findings=made.findings,
        properties=made.properties,
        together=made.together,
        order=found_order,
        n=int((read.codes >= 0).sum()),
        unlabeled=int((read.codes < 0).sum()),
        compared=made.compared,
        groups=made.groups,
        classes=given.sizes(),
        notes=(*read.notes, *given.notes, *made.notes),
        params={**params, "permutations": permutations, "order": order, "min_samples": min_samples},
    )
