"""What a repair's attempts keep to: the control picture of a crop, for a model with a ControlNet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from loupe.brain.controls import make, pose, skeleton
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Points
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.core.taxonomy import failure_mode
from loupe.brain.generation.region import Frame, frame

if TYPE_CHECKING:
    from PIL.Image import Image

Control = Literal["pose", "edges"]


def require(control: str | None, takes: Sequence[str], model: str) -> None:
    """Raises an InputError where a control is no kind, or where the model takes none."""
    if control is None:
        return
    if control not in get_args(Control):
        raise InputError(f"expected a control out of {', '.join(get_args(Control))}, got {control!r}")
    if "control" not in takes:
        raise InputError(
            f"expected a model with a ControlNet beside control={control!r}, got {model}: leave control out, or give "
            "model=loupe.Diffusion(model, controlnet='…')"
        )


def kind_for(control: Control | None, failure: str, takes: Sequence[str]) -> Control | None:
    """Returns what the attempts at a failure keep to: a pose where hands, faces or bodies are malformed.

    Args:
        control: what was asked for
        failure: the failure mode
        takes: what a request to the model may bring

    Raises:
        InputError: the model needs a control, and it is not known which

    >>> kind_for(None, "hand_malformed", ("mask", "control"))
    'pose'
    """
    if "control" not in takes:
        return None
    if control is None and failure_mode(failure).group != "anatomy":
        raise InputError("the model has a ControlNet: say what it keeps to, control='pose' or control='edges'")
    return control or "pose"


class Guide:
    """Makes what attempts look at beside the crop; what finds people is loaded once.

    Args:
        control: what was asked for; None: a pose where that fits the failure
        device: where what makes it runs
    """

    def __init__(self, control: Control | None, device: str) -> None:
        self._control = control
        self._device = device
        self._find: Callable[[np.ndarray], list[Points]] | None = None

    def beside(
        self, session: GeneratorSession, failure: str, picture: np.ndarray, crop: Frame | None
    ) -> dict[str, Image]:
        """Returns by name what each request brings: a control, and the original for a model that needs a reference.

        Args:
            session: the model
            failure: the failure mode
            picture: (H, W, 3) uint8, the original
            crop: what is drawn; None: an image as large as the model draws one of this shape

        Raises:
            InputError: nobody is seen in the crop, or it is not known what the model keeps to
            MissingWeights, MissingDependency: what finds people is not here
        """
        from PIL import Image

        made = {}
        kind = kind_for(self._control, failure, session.takes)
        if kind is not None:
            whole = np.ones(picture.shape[:2], dtype=bool)
            made["control"] = self.control(kind, picture, crop or frame(whole, session.size, session.multiple))
        if "reference" in session.needs:
            made["reference"] = Image.fromarray(picture)
        return made

    def control(self, kind: Control, picture: np.ndarray, crop: Frame) -> Image:
        """Returns the control picture of a crop, of the size that it is drawn at.

        People are looked for in the whole picture: a hand alone is hard to see.

        Args:
            kind: what it shows
            picture: (H, W, 3) uint8, the original
            crop: the part of it that is drawn
        """
        from PIL import Image

        size = crop.width, crop.height
        if kind == "edges":
            part = picture[crop.top : crop.bottom, crop.left : crop.right]
            return make.maker(kind, self._device)(part, size)
        if self._find is None:
            self._find = pose.finder()
        height, width = picture.shape[:2]
        window = crop.left / width, crop.top / height, crop.right / width, crop.bottom / height
        return Image.fromarray(skeleton.draw(self._find(picture), size, window))
