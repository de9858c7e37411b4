"""What is done to planes of floats: by OpenCV where they are arrays on the CPU, by torch where they are tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

#: (H, W) floats: an array on the CPU, a tensor on a device
Plane = Any


def cells(values: Plane, rows: int, columns: int) -> Plane:
    """Returns the means of cells of so many rows and columns of an (H, W) plane, whole ones only."""
    if not is_array(values):
        from torch.nn.functional import avg_pool2d

        return avg_pool2d(values[None, None], (rows, columns))[0, 0]
    import cv2

    height, width = values.shape[0] // rows, values.shape[1] // columns
    whole = values[: height * rows, : width * columns]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def is_array(values: Plane) -> bool:
    """Returns whether it is on the CPU, where OpenCV does the work: in a third of torch's time."""
    import numpy as np

    return isinstance(values, np.ndarray)


def array(values: Plane) -> np.ndarray:
    """Returns it on the CPU."""
    return values if is_array(values) else values.cpu().numpy()


def product(first: Plane, second: Plane) -> Plane:
    """Returns the product of two (H, W) parts of planes."""
    if not is_array(first):
        return first * second
    import cv2

    return cv2.multiply(first, second)
