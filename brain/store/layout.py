"""In which layout Loupe's facts stand on a dataset: a number beside its settings. A newer one is left alone.

The number is raised when what stands on a dataset has to be read in another way; ``store.migration`` brings an older
one up to date. What has no number is of layout 1: 0.1.0 gave none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import loupe
from loupe.brain.core.errors import InputError

#: what this version writes
LAYOUT = 2
#: where it stands on the dataset's document: ``{"layout": 2, "loupe": "0.2.0"}``
PLACE = "info.loupe.stored"


def of(document: Mapping[str, Any]) -> int:
    """Returns the layout of a dataset, of whose document at least ``PLACE`` was read.

    Raises:
        InputError: a newer Loupe wrote it, or what stands there is no layout
    """
    info = document.get("info")
    own = info.get("loupe") if isinstance(info, Mapping) else None
    stored = own.get("stored") if isinstance(own, Mapping) else None
    if stored is None:
        return 1
    number = stored.get("layout") if isinstance(stored, Mapping) else stored
    if not isinstance(number, int) or number < 1:
        raise InputError(
            f'expected dataset.info["loupe"]["stored"] to say in which layout Loupe\'s fields are, got {stored!r}: '
            "delete it and call dataset.save(); the next call looks at the fields themselves"
        )
    if number > LAYOUT:
        by = stored.get("loupe") or "a newer version"
        raise InputError(
            f"expected a dataset of layout {LAYOUT} or older, as Loupe {loupe.__version__} reads it, got layout "
            f"{number}, which Loupe {by} wrote: install that version or a newer one, pip install --upgrade "
            "loupe-fiftyone. Nothing was read or written"
        )
    return number


def stamp(layout: int = LAYOUT) -> dict[str, Any]:
    """Returns what stands at ``PLACE`` on a dataset that is in a layout."""
    return {"layout": layout, "loupe": loupe.__version__}
