"""Objects that are the same, as the App shows them: patches, those of a group side by side."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from fiftyone import ViewField as F

from loupe.brain.core.errors import InputError
from loupe.brain.store import keeping
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_stored, root
from loupe.brain.store.objects import mirror as objects
from loupe.brain.store.objects.prints import GROUP

_NAME = "Duplicate objects"


def duplicate_objects_view(samples: Samples, objects_field: str) -> fo.DatasetView:
    """Returns the patches of the objects that are the same as others, those of a group one after the other.

    It is a rule, not a list: what is found later counts, too, and so it does in a saved view.

    Args:
        samples: a dataset or view
        objects_field: the field of boxes that ``find_duplicates`` was given as ``objects``

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, or nobody has compared its objects

    >>> loupe.duplicate_objects_view(dataset, "ground_truth")  # doctest: +SKIP
    """
    require_stored(samples)
    objects.require(samples, objects_field)
    mirror = objects.mirror_of(objects_field)
    if not samples.has_field(f"{mirror}.detections.{GROUP}"):
        raise InputError(
            f"expected objects of {objects_field!r} that were compared, got none: run "
            f"loupe.find_duplicates(samples, objects={objects_field!r}) first"
        )
    with database_errors():
        grouped = samples.filter_labels(mirror, F(GROUP) != None)  # noqa: E711
        return grouped.to_patches(mirror).sort_by(f"{mirror}.{GROUP}")


def save_view(samples: Samples, path: str) -> str:
    """Saves the view of the objects of a field that are the same, unless there is one; returns its name."""
    whole = root(samples).view() if isinstance(samples, fo.Dataset) else samples
    view = duplicate_objects_view(whole, path)
    wanted, stages = f"{_NAME} of {path}", _stages(view)
    dataset = root(samples)
    with database_errors():
        dataset.reload()
        for name in dataset.list_saved_views():
            if name.startswith(wanted) and _stages(dataset.load_saved_view(name)) == stages:
                return str(name)
    name = keeping.free_name(view, wanted)
    keeping.save(view, name)
    return name


def _stages(view: fo.DatasetView) -> list[dict[str, Any]]:
    """Returns what a view does, without what FiftyOne notes of the patches that it has made for it."""
    return [
        {**stage, "kwargs": [pair for pair in stage["kwargs"] if pair[0] != "_state"]}
        for stage in view._serialize(include_uuids=False)
    ]
