"""The pictures that contracts are held on: files beside this one, flaws put into them, and what is expected of them.

What stands where and where it comes from: ``pictures/README.md``. The table itself: ``cases.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe.brain.core.errors import InputError
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    import numpy as np

FOLDER = Path(__file__).parent / "pictures"


@dataclass(frozen=True, eq=False)
class Case:
    """One picture, what a check reads beside it, and which failure modes it has and has not.

    Attributes:
        name: the sample's id
        picture: the name of a file in ``testing/pictures`` without ".jpg", or (H, W, 3) uint8 pixels
        fails: the failure modes that it has to be flagged for by the default threshold
        passes: those that it has to be known for and must not be flagged for
        fields: the sample fields that a check reads, e.g. ``{"prompt": "a dog"}``
        unknown: the failure modes that it has to be unknown for, with a reason
        defect: the name of a registered defect that is put into the picture
        severity: of the defect; None for its strongest
        seed: of the defect
        size: width and height of the file before the reader scaled it; None for the picture's own
    """

    name: str
    picture: str | np.ndarray
    fails: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    defect: str | None = None
    severity: float | None = None
    seed: int = 0
    size: tuple[int, int] | None = None

    @property
    def modes(self) -> frozenset[str]:
        """The failure modes that something is expected of."""
        return frozenset((*self.fails, *self.passes, *self.unknown))

    @property
    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8, not to be written to."""
        return _pixels(self)


@cache
def _file(name: str) -> np.ndarray:
    import numpy as np
    from PIL import Image

    path = FOLDER / f"{name}.jpg"
    if not path.exists():
        raise InputError(f"expected a picture in {FOLDER}, got {name!r}; there are: {', '.join(names())}")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@cache
def _pixels(case: Case) -> np.ndarray:
    import numpy as np

    pixels = _file(case.picture) if isinstance(case.picture, str) else case.picture.copy()
    if case.defect is not None:
        from loupe.brain.core import registry

        defect = registry.pick("defect", registry.defects(), case.defect)
        severity = defect.severities[-1] if case.severity is None else case.severity
        pixels = defect.inject(pixels, severity, np.random.default_rng(case.seed))
    pixels.flags.writeable = False
    return pixels


def names() -> list[str]:
    """Returns the names of the committed pictures."""
    return sorted(path.stem for path in FOLDER.glob("*.jpg"))


def batch(
    cases: Sequence[Case], fields: Sequence[str] | None = None, *, ids: Sequence[str] | None = None
) -> ImageBatch:
    """Returns cases of one shape as a batch, in the reader's own memory layout, with pixels of its own.

    Args:
        cases: at least one
        fields: the sample fields to give; all that a case has by default
        ids: the sample ids; the cases' names by default
    """
    import numpy as np
    import torch

    wanted = sorted({name for case in cases for name in case.fields}) if fields is None else fields
    pixels = np.stack([case.pixels for case in cases])
    height, width = pixels.shape[1:3]
    return ImageBatch(
        ids=tuple(case.name for case in cases) if ids is None else tuple(ids),
        pixels=torch.from_numpy(pixels).permute(0, 3, 1, 2),
        sizes=tuple(case.size or (width, height) for case in cases),
        fields={name: tuple(case.fields.get(name) for case in cases) for name in wanted},
    )


def by_shape(cases: Sequence[Case]) -> list[list[Case]]:
    """Returns the cases in groups of one shape, the largest group first."""
    groups: dict[tuple[int, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(case.pixels.shape, []).append(case)
    return sorted(groups.values(), key=len, reverse=True)


def pictures() -> tuple[ImageBatch, ...]:
    """Returns the committed pictures with the flaws that are put into them, as one batch for each shape.

    >>> [len(batch) > 1 for batch in pictures()][:2]
    [True, True]
    """
    from loupe.testing.cases import CASES

    return tuple(batch(group) for group in by_shape(CASES))
