"""Keeps a view that somebody looks at: as a saved view of the dataset, or as a tag on its samples."""

from __future__ import annotations

import fiftyone as fo

from loupe.brain.core.errors import InputError
from loupe.brain.store.connection import database_errors
from loupe.brain.store.runs import root

#: FiftyOne makes an address of a view's name
_MAX_NAME = 90
_NAMELESS = "slice"


def free_name(view: fo.DatasetView, wanted: str) -> str:
    """Returns a name that no saved view of the dataset has yet: the wanted one, or that with a number.

    >>> free_name(dataset.view(), "Blur · night")  # doctest: +SKIP
    'Blur · night 2'
    """
    with database_errors():
        known = {_address(name) for name in root(view).list_saved_views()}
    # a number may come behind it, and a word before it
    name = wanted.strip()[: _MAX_NAME - 2 * len(_NAMELESS)].strip() or _NAMELESS
    name = name if _address(name) else f"{_NAMELESS} {name}"
    number, free = 2, name
    while _address(free) in known:
        free, number = f"{name} {number}", number + 1
    return free


def save(view: fo.DatasetView, name: str, description: str | None = None) -> None:
    """Saves a view under a name, with what it is where that is given: both at once, or neither.

    Raises:
        InputError: another saved view is called so, or nothing can be called so
    """
    name = name.strip()
    if not _address(name) or len(name) > _MAX_NAME:
        raise InputError(f"expected a name of 1 to {_MAX_NAME} characters with a letter or digit in it, got {name!r}")
    if free_name(view, name) != name:
        raise InputError(f"there is a saved view called {name!r} already: give this one another name")
    with database_errors():
        root(view).save_view(name, view, description=description)


def save_once(view: fo.DatasetView, name: str, description: str | None = None) -> str:
    """Saves a view, unless the same is saved already under that name or a number behind it; returns its name.

    A call that is repeated because the first ended half-way then makes no second view.

    Args:
        view: the same has the same stages
        name: of the saved view
        description: what it is; a view with another one is not the same
    """
    dataset, stages = root(view), view._serialize(include_uuids=False)
    with database_errors():
        dataset.reload()
        for known in dataset.list_saved_views():
            if not known.startswith(name) or dataset.load_saved_view(known)._serialize(include_uuids=False) != stages:
                continue
            if description is None or dataset.get_saved_view_info(known).get("description") == description:
                return str(known)
    free = free_name(view, name)
    save(view, free, description)
    return free


def tag(view: fo.DatasetView, name: str) -> int:
    """Puts a tag on the samples of a view; returns how many there are.

    Raises:
        InputError: no name
    """
    name = name.strip()
    if not name:
        raise InputError("expected a name for the tag, got none")
    with database_errors():
        view.tag_samples(name)
        return len(view)


def _address(name: str) -> str:
    """Returns what FiftyOne tells saved views apart by."""
    try:
        return str(fo.core.utils.to_slug(name))
    except ValueError:
        return ""
