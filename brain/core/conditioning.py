"""What a request brings beside texts: which of it goes together, and which a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from loupe.brain.core.records import Request

#: what a request may bring, and what kind of model takes it
KINDS = {
    "image": "for image-to-image",
    "mask": "for inpainting",
    "control": "with a ControlNet",
    "reference": "with an IP-Adapter",
}
# how a model of one's own comes to take it
_SETTINGS = {
    "control": ", or give it one: controlnet= of the generator diffusion",
    "reference": ", or give it one: ip_adapter= of the generator diffusion",
}


def require(
    requests: Sequence[Request],
    model: str,
    takes: Sequence[str],
    needs: Sequence[str],
) -> None:
    """Raises an error unless a model can draw requests by what they bring.

    Args:
        requests: what it is asked for
        model: its name
        takes: of ``KINDS``, what a request may bring; ``"image"`` stands for one without a mask, ``"mask"`` for both
        needs: what it has to bring

    Raises:
        InputError: a request brings what the model does not take, or lacks what it needs
    """
    for request in requests:
        brings = [name for name in KINDS if getattr(request, name) is not None]
        allowed = {*takes, "image"} if "mask" in takes and "mask" in brings else set(takes)
        if more := [name for name in brings if name not in allowed]:
            raise InputError(
                f"expected a model {KINDS[more[-1]]}, but {model} takes no {' and no '.join(more)}: name another model"
                f"{_SETTINGS.get(more[-1], '')}"
            )
        if lost := [name for name in KINDS if name in needs and name not in brings]:
            raise InputError(
                f"expected {' and '.join(lost)} beside the prompt, got none: {model} is a model {KINDS[lost[-1]]}, "
                "which draws nothing without"
            )


def require_agreement(request: Request) -> None:
    """Raises an InputError where a request's pictures, its strength and its size do not go together.

    Args:
        request: what a generator is asked for

    Raises:
        InputError: it says which does not fit
    """
    _require_begun(request.image, request.mask, request.strength)
    for name in KINDS:
        picture = getattr(request, name)
        if picture is not None and not all(picture.size):
            raise InputError(f"expected a picture with pixels as {name}, got {_times(picture.size)}")
    control = request.control
    for name, picture in (("control", control), ("reference", request.reference)):
        if picture is not None and picture.mode != "RGB":
            raise InputError(f"expected an RGB picture as {name}, got mode {picture.mode!r}: convert it")
    if control is None:
        return
    size = request.size if request.image is None else request.image.size
    if size is not None and tuple(size) != control.size:
        whose = "the image's size" if request.image is None else "the size of the picture to begin with"
        raise InputError(f"expected a control of {whose}, {_times(size)}, got {_times(control.size)}: scale it")


def _times(size: tuple[float, float]) -> str:
    return f"{size[0]:g} x {size[1]:g}"


def _require_begun(image: Image | None, mask: Image | None, strength: float | None) -> None:
    """Raises an InputError where a picture to begin with, its mask and its strength do not go together."""
    if image is None:
        if mask is not None or strength is not None:
            raise InputError("expected a mask and a strength beside an image only, got them without one")
        return
    if image.mode != "RGB":
        raise InputError(f"expected an RGB image to begin with, got mode {image.mode!r}")
    if mask is not None and (mask.mode != "L" or mask.size != image.size):
        raise InputError(
            f"expected a mask of mode 'L' and of the image's size {image.size}, got {mask.mode!r} and {mask.size}"
        )
    if mask is not None and not mask.point(lambda value: value >= 128).getbbox():
        raise InputError("expected a mask with something to draw, got an empty one")
    if strength is not None and not (0 < strength <= 1):
        raise InputError(f"expected a strength in (0, 1], got {strength!r}")
