"""Which dataset samples belong to, what of a view a verb can work on, and whether the dataset is still there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import fiftyone as fo
import fiftyone.core.odm as odm
from pymongo.errors import ConnectionFailure

from loupe.brain.core.errors import DatabaseGone, InputError, NoSamples
from loupe.brain.store import layout
from loupe.brain.store.connection import database_errors

Samples: TypeAlias = fo.Dataset | fo.DatasetView

#: stages that choose and order samples, and leave what stands on them as it is
_CHOOSING = (
    *(fo.Exclude, fo.ExcludeBy, fo.Exists, fo.GeoNear, fo.GeoWithin, fo.Limit, fo.Match, fo.MatchLabels, fo.MatchTags),
    *(fo.Select, fo.SelectBy, fo.SelectGroups, fo.SelectGroupSlices, fo.Shuffle, fo.Skip, fo.SortBy, fo.Take),
    *(fo.ExcludeGroups, fo.SortBySimilarity),
)
#: stages that leave fields out
_FIELDS = (fo.SelectFields, fo.ExcludeFields)


def root(samples: Samples) -> fo.Dataset:
    """Returns the dataset that the samples belong to."""
    return samples if isinstance(samples, fo.Dataset) else samples._root_dataset


def everything(samples: Samples) -> Samples:
    """Returns all images of the dataset that the samples belong to: of a grouped one, those of all slices."""
    dataset = root(samples)
    return dataset.select_group_slices(media_type="image") if dataset.media_type == "group" else dataset


def documents() -> Any:
    """Returns the collection of FiftyOne's datasets, for updates of single paths."""
    return odm.get_db_conn()["datasets"]


def sample_documents(samples: Samples) -> Any:
    """Returns the collection of the samples of the dataset, of all slices."""
    return root(samples)._sample_collection


def require_collection(samples: Any) -> None:
    """Raises an error unless these are samples of a dataset that is still there.

    Raises:
        InputError: they are not
    """
    if isinstance(samples, str):
        raise InputError(f"expected a FiftyOne dataset or view, got a name: give fo.load_dataset({samples!r})")
    if not isinstance(samples, (fo.Dataset, fo.DatasetView)):
        raise InputError(f"expected a FiftyOne dataset or view, got {type(samples).__name__}")
    with database_errors():
        refresh(root(samples))


def require_living(given: Any) -> None:
    """Raises an error where what is given are samples of a dataset that was deleted; anything else is let through.

    Raises:
        InputError: the dataset is gone
    """
    if isinstance(given, (fo.Dataset, fo.DatasetView)):
        require_collection(given)


def require_stored(samples: Any) -> None:
    """Raises an error unless these are samples of a dataset, with what stands on them.

    Raises:
        InputError: they are no samples of FiftyOne's, or made from something else by the view
    """
    require_collection(samples)
    if samples._is_generated:
        _refuse_generated(samples)


def count(samples: Samples) -> int:
    """Returns how many samples there are, counted.

    FiftyOne's ``len`` and ``count`` of a whole dataset are MongoDB's estimate, which stays wrong after mongod was
    killed: 0, or what there was at its last checkpoint. Those of a view with a stage are counted.
    """
    with database_errors():
        return int(samples.match({}).count())


def require_images(samples: Any) -> None:
    """Raises an error unless the samples are whole images and there is at least one.

    Raises:
        InputError: they are no samples of FiftyOne's, not images, or made from something else by the view
        NoSamples: there is none
    """
    require_stored(samples)
    with database_errors():
        # counted, as ``count`` is
        if not len(samples.limit(1)):
            raise NoSamples("expected at least one sample, got an empty view: clear its filters, or add samples first")
        if samples.media_type == "group":
            raise InputError(
                "expected a dataset of images, got media type 'group': give a slice of images, e.g. "
                f"dataset.select_group_slices({_image_slice(samples)!r}), or the view before group_by"
            )
        if samples.media_type != "image":
            remedy = (
                ". Of videos, judge their frames: dataset.to_frames(sample_frames=True).clone('frames') is a dataset "
                "of images"
                if samples.media_type == "video"
                else ": give a dataset whose filepath leads to pictures"
            )
            raise InputError(f"expected a dataset of images, got media type {samples.media_type!r}{remedy}")


def _image_slice(samples: Samples) -> str:
    media_types = root(samples).group_media_types or {}
    return next((name for name, media_type in media_types.items() if media_type == "image"), "slice")


def _refuse_generated(samples: Samples) -> None:
    """A score has no place on what a view makes of samples: FiftyOne throws it away with the view."""
    if samples._is_patches:
        kind, remedy = "patches", _of_patches(samples)
    elif samples._is_frames:
        kind, remedy = "frames of videos", "make them a dataset: view.clone('frames'), with sample_frames=True"
    else:
        kind, remedy = "clips of videos", "make their frames a dataset: to_frames(sample_frames=True).clone('frames')"
    raise InputError(f"expected samples of a dataset, got a view of {kind}, which cannot keep scores: {remedy}")


def _of_patches(samples: Samples) -> str:
    """Returns what to do instead: the objects of the same samples, which are judged in their pictures."""
    field = getattr(getattr(samples, "_patches_stage", None), "field", None)
    named = repr(field) if isinstance(field, str) else "the field of their boxes"
    return (
        f"give the dataset, or the view before to_patches, with objects={named}: check, flag, slice and embed then "
        "judge each object in its picture, and keep its scores"
    )


def require_image_dataset(dataset: Any) -> None:
    """Raises an error unless it is a dataset that images can be added to.

    Raises:
        InputError: it is none
    """
    if isinstance(dataset, fo.DatasetView):
        raise InputError(
            f"expected a FiftyOne dataset to add images to, got {type(dataset).__name__}: give the dataset itself"
        )
    require_collection(dataset)
    if dataset.media_type not in (None, "image"):
        raise InputError(
            f"expected an empty dataset or one of images, got media type {dataset.media_type!r}: give a new one, "
            "fo.Dataset(name)"
        )


def whole(samples: Samples) -> Samples:
    """Returns the same samples, each once, with all of their fields as they are stored.

    A view may leave out fields or labels, change values, or hold a sample twice: what is read from it and written back
    would be lost on the sample.
    """
    if isinstance(samples, fo.Dataset):
        return samples
    stages = samples._stages
    if all(isinstance(stage, _CHOOSING) for stage in stages):
        return samples
    dataset = root(samples)
    whole_view = dataset.view()
    if all(isinstance(stage, (*_CHOOSING, *_FIELDS)) for stage in stages):
        for stage in stages:
            if not isinstance(stage, _FIELDS):
                whole_view = whole_view.add_stage(stage)
        return whole_view
    if dataset.media_type == "group":
        whole_view = dataset.select_group_slices(media_type="image")
    with database_errors():
        return whole_view.select(list(dict.fromkeys(samples.values("id"))))


def refresh(dataset: fo.Dataset) -> list[dict[str, Any]]:
    """Takes over what another process has changed meanwhile: the dataset's name and fields; returns those as stored.

    Raises:
        InputError: the dataset was deleted, or a newer Loupe wrote it
    """
    stored = documents().find_one({"_id": dataset._doc.id}, ["name", "media_type", "sample_fields", layout.PLACE])
    if stored is None:
        raise _deleted(dataset)
    layout.of(stored)
    if stored["name"] != dataset._doc.name:
        dataset._doc.reload("name")
    fields = dataset._doc.sample_fields
    if stored.get("media_type") != dataset._doc.media_type or paths(stored["sample_fields"]) != paths(fields):
        dataset.reload()
    return list(stored["sample_fields"])


def paths(fields: Any, prefix: str = "") -> set[str]:
    """Returns the paths of a schema, as FiftyOne holds it or as it is stored."""
    listed: set[str] = set()
    for field in fields or ():
        path = prefix + field["name"]
        listed |= {path} | paths(field["fields"], f"{path}.")
    return listed


def is_deleted(dataset: fo.Dataset) -> bool:
    """Returns whether the dataset is gone, whoever deleted it."""
    return documents().find_one({"_id": dataset._doc.id}, ["_id"]) is None


def _is_going(dataset: fo.Dataset) -> bool:
    """Whether it is being deleted: FiftyOne drops the samples first, and what reads them then breaks in other words."""
    name = dataset._doc.sample_collection_name
    return not odm.get_db_conn().list_collection_names(filter={"name": name})


@contextmanager
def while_it_lives(dataset: fo.Dataset) -> Iterator[None]:
    """Turns whatever breaks because the dataset was deleted meanwhile into one clear error, and leaves nothing of it.

    Raises:
        InputError: the dataset was deleted
    """
    try:
        yield
    except (ConnectionFailure, DatabaseGone):
        raise
    except Exception as error:
        if not (is_deleted(dataset) or _is_going(dataset)):
            raise
        _sweep(dataset)
        raise _deleted(dataset) from error
    # updates of samples that are no more are no error to MongoDB
    if is_deleted(dataset):
        _sweep(dataset)
        raise _deleted(dataset)


def _deleted(dataset: fo.Dataset) -> InputError:
    return InputError(
        f"the dataset {dataset._doc.name!r} was deleted, so there is nothing to write to. "
        "Files that were written stay; load or make a dataset, and call again"
    )


def _sweep(dataset: fo.Dataset) -> None:
    """Samples that were added after the deletion began stand in a collection that nobody would ever find."""
    odm.get_db_conn().drop_collection(dataset._doc.sample_collection_name)
