"""Which blocks of a picture are there again at a shift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loupe.brain.measures.repetition.planes import Plane, array, cells, is_array, product

if TYPE_CHECKING:
    import numpy as np

#: pixels of a block whose detail is compared with that one period on, and between two blocks
BLOCK, STRIDE = 24, 12
#: correlation of two blocks that are the same, and how much less it has to be four pixels beside
_SAME, _DROP = 0.8, 0.4
#: rows apart of those that are looked at first, and the correlation there below which no block can be the same
_EVERY, _FIRST_LOOK = 3, 0.7
#: the least root of the product of two mean squares: plain blocks are like nothing
_LEAST_POWER = 1e-6
#: where to look for that: stripes and straight edges correlate there as well
_RING = ((4, 0), (-4, 0), (0, 4), (0, -4), (3, 3), (-3, 3), (3, -3), (-3, -3))
#: root mean square of the detail below which a block is plain: three gray levels, so that JPEG's patterns are plain
MIN_DETAIL = 3 / 255


def pool(values: Plane, rows: int = STRIDE, columns: int = STRIDE) -> np.ndarray:
    """Returns the means of blocks of 24 x 24 pixels, 12 apart: (H, W) to (H // 12 - 1, W // 12 - 1).

    Args:
        rows, columns: so many of ``values`` are 12 pixels
    """
    small = array(cells(values, rows, columns))
    pairs = small[1:] + small[:-1]
    return (pairs[:, 1:] + pairs[:, :-1]) / 4


def mean_squares(detail: Plane) -> Plane:
    """Returns the mean square of the 24 x 24 pixels from every other one on: (H, W) to (H // 2 - 11, W // 2 - 11)."""
    side, halves = BLOCK // 2, cells(product(detail, detail), 2, 2)
    if not is_array(halves):
        from torch.nn.functional import avg_pool2d

        return avg_pool2d(halves[None, None], side, 1)[0, 0]
    import cv2

    height, width = halves.shape
    boxes = cv2.boxFilter(halves, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return boxes[: height - side + 1, : width - side + 1]


@dataclass(frozen=True)
class _Part:
    """A part of a picture, and the same part of the picture that is moved: bounds and shift in pixels."""

    top: int
    bottom: int
    left: int
    end: int
    down: int
    right: int

    @classmethod
    def whole(cls, shape: tuple[int, ...], down: int, right: int) -> _Part:
        """Returns all that is there at the shift and four pixels around it, in whole steps of blocks."""
        top, left = max(0, 4 - down), max(0, 4 - right)
        tall, wide = shape[0] - max(0, down + 4) - top, shape[1] - max(0, right + 4) - left
        return cls(top, top + tall // STRIDE * STRIDE, left, left + wide // STRIDE * STRIDE, down, right)

    def __bool__(self) -> bool:
        return self.bottom - self.top >= BLOCK and self.end - self.left >= BLOCK

    def moved_by(self, y: int, x: int) -> _Part:
        """Returns the same part, with another shift."""
        return replace(self, down=self.down + y, right=self.right + x)

    def here(self, plane: Plane) -> Plane:
        return plane[self.top : self.bottom, self.left : self.end]

    def moved(self, plane: Plane) -> Plane:
        y, x = self.down, self.right
        return plane[self.top + y : self.bottom + y, self.left + x : self.end + x]

    def energies(self, squares: Plane) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ``mean_squares`` of its blocks, and of those at the shift, to a pixel: (h, w) each."""
        step, size = STRIDE // 2, (self.bottom - self.top, self.end - self.left)
        rows, columns = (side // STRIDE - 1 for side in size)
        corners = (self.top, self.left), (self.top + self.down, self.left + self.right)
        here, moved = (squares[y // 2 :: step, x // 2 :: step][:rows, :columns] for y, x in corners)
        return array(here), array(moved)

    def middles(self, plane: Plane) -> tuple[np.ndarray, np.ndarray]:
        """Returns what is in the middle of its blocks, and of those at the shift: (h, w) each."""
        here, moved = (part(plane)[STRIDE::STRIDE, STRIDE::STRIDE] for part in (self.here, self.moved))
        return array(here), array(moved)

    def around(self, blocks: np.ndarray) -> tuple[_Part, np.ndarray]:
        """Returns the part that holds the blocks that are true, at least one, and those blocks of it."""
        import numpy as np

        rows, columns = (np.flatnonzero(blocks.any(axis)).tolist() for axis in (1, 0))
        (first, last), (leftmost, rightmost) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
        top, left = self.top + first * STRIDE, self.left + leftmost * STRIDE
        bottom, end = self.top + (last + 1) * STRIDE, self.left + (rightmost + 1) * STRIDE
        return replace(self, top=top, bottom=bottom, left=left, end=end), blocks[first:last, leftmost:rightmost]


def _alike_at(part: _Part, detail: Plane, squares: Plane, every: int = 1) -> np.ndarray:
    """Returns the correlation of each block of a part with that at the shift, by every n-th row: (h, w)."""
    import numpy as np

    # of three rows the middle one
    here, copy = (plane[every // 2 :: every] for plane in (part.here(detail), part.moved(detail)))
    own, other = part.energies(squares)
    together = pool(product(here, copy), STRIDE // every)
    # running sums of what is plain may end a little below 0
    return together / np.maximum(np.sqrt(np.maximum(own * other, 0)), _LEAST_POWER)


def repeated_blocks(
    detail: Plane, contrast: Plane, down: int, right: int, squares: Plane | None = None, minimum: int = 1
) -> tuple[np.ndarray, tuple[int, int]] | None:
    """Returns which blocks are there again at a shift, pixel for pixel; None where fewer than the least are.

    A block of 24 x 24 pixels is, if its detail correlates with that at the shift by more than 0.8, and by at least 0.4
    less with that at each of eight places four pixels around it. What is only alike, as bricks, windows and threads
    are, differs in its fine detail, and what is straight is alike at the places around, too.

    Args:
        detail, contrast: (H, W), see ``fine_detail``
        down, right: the shift in pixels
        squares: ``mean_squares`` of the detail, where they are at hand
        minimum: how many blocks there have to be

    Returns:
        blocks: (h, w) bool, 12 pixels apart
        corner: y, x of the first one in pixels
    """
    import numpy as np

    part = _Part.whole(detail.shape, down, right)
    if not part:
        return None
    squares = mean_squares(detail) if squares is None else squares
    # nearly every shift is told by every third row
    same = _alike_at(part, detail, squares, _EVERY) > _FIRST_LOOK
    if same.sum() < minimum:
        return None
    # only where there is something left
    part, same = part.around(same)
    same = same & (np.minimum(*part.middles(contrast)) > MIN_DETAIL)
    if same.sum() < minimum:
        return None
    alike = _alike_at(part, detail, squares)
    same &= alike > _SAME
    if same.sum() < minimum:
        return None
    for y, x in _RING:
        same &= alike - _alike_at(part.moved_by(y, x), detail, squares) > _DROP
        if same.sum() < minimum:
            return None
    return same, (part.top, part.left)
