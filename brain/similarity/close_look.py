"""Whether two pictures that look alike on their thumbnails are the same one: every difference has to be explained.

They are laid over each other at up to 512 pixels a side. A copy that was encoded, resized, cropped or brightened
differs nowhere. A logo or a caption is one compact part at a corner or along an edge, and its outline is an edge of
one of the two pictures only: it was put on. Other entries in one form, another number on one page, another thing in
one scene or another color of it are differences that nothing explains: another picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.similarity.thumbnail_similarity import turned

#: below that, a picture shows no more than its thumbnail does
MIN_SIDE = 96
_REGISTERED = 192
#: there is structure where the local deviation is above that, of 255
_STRUCTURE = 8.0
#: the local similarity below which it differs; the deviation of the difference above which it does, of 255: three times
#: what the pair has nearly everywhere, the noise of a copy, within these
_DIFFERS, _DEVIATION, _MAX_DEVIATION, _USUAL = 0.55, 12.0, 24.0, 3.0
#: color differences (Cb, Cr) above that are another color
_OTHER_COLOR = 16.0
#: a spot is at least that share of the picture
_SPOT = 1.5e-4
_COLOR_SPOT = 2e-3
#: at a small size, what differs clearly is at least that share
_CLEAR_SPOT = 6e-4
#: where less than that share of its power is left of half of the structure, that half lies on the other picture's, and
#: no other map would do
_FITS = 0.05
#: a logo: its longest side and area as shares, its distance from the edges of its corner; a caption: its height
_LOGO_SIDE, _LOGO_AREA, _MARGIN, _CAPTION = 0.65, 0.28, 0.1, 0.25
#: a plate that hides letters by letters is no shorter
_PLATE_SIDE = 0.08
#: the share of the step along its outline that one of the two pictures has to have alone
_ONE_SIDED = 0.8


def unexplained(template: np.ndarray, picture: np.ndarray, warp: np.ndarray) -> float:
    """Returns the share of the pair's structure that differs and is neither a logo nor a caption; 0 for one picture.

    Most pairs of a form's copies differ so clearly that they are never looked at in full: what differs at a quarter of
    the size, and has no logo's or caption's place, differs.

    Args:
        template, picture: (h, w, 3) uint8 previews, turned alike
        warp: (2, 3) affine map from the template's to the picture's pixels, in units of their sides
    """
    size = min(template.shape[1], picture.shape[1]), min(template.shape[0], picture.shape[0])
    if min(size) < MIN_SIDE:
        return 0.0
    template, picture = _scaled(template, size), _scaled(picture, size)
    small = min(size[0], _REGISTERED), min(size[1], _REGISTERED)
    small_pair = _scaled(template, small), _scaled(picture, small)
    left = 1.0
    if np.abs(warp - np.eye(2, 3)).max() < 1e-6:
        left, residual = _glance(*small_pair, _in_pixels(warp, small))
        if left and residual < _FITS:
            return left
        left = left or _left_over(template, picture, _in_pixels(warp, size))
        if left == 0:
            return left
    registered = _registered(*small_pair, warp, steps=30)
    if registered is None:
        return left
    differs, _ = _glance(*small_pair, _in_pixels(registered, small))
    if differs:
        return min(left, differs)
    refined = _registered(template, picture, registered, steps=8)
    return left if refined is None else min(left, _left_over(template, picture, _in_pixels(refined, size)))


def _scaled(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    return picture if picture.shape[1::-1] == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _in_pixels(warp: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a map in units of the sides as one of pixels, whose centers are at whole numbers."""
    scale = np.diag([size[0], size[1], 1.0])
    full = scale @ np.vstack([warp, [0, 0, 1]]) @ np.linalg.inv(scale)
    to_centers = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return (np.linalg.inv(to_centers) @ full @ to_centers)[:2].astype(np.float32)


def in_sides(warp: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a map of pixels, whose centers are at whole numbers, as one in units of the sides."""
    to_centers = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    full = to_centers @ np.vstack([warp, [0, 0, 1]]) @ np.linalg.inv(to_centers)
    scale = np.diag([1 / size[0], 1 / size[1], 1.0])
    return (scale @ full @ np.linalg.inv(scale))[:2]


def _registered(template: np.ndarray, picture: np.ndarray, warp: np.ndarray, *, steps: int) -> np.ndarray | None:
    """Returns the map in units of the sides, registered anew on two pictures of one size; None where it fails."""
    import cv2

    first, second = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (template, picture))
    size = first.shape[1], first.shape[0]
    stop = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT
    try:
        start = _in_pixels(warp, size)
        _, made = cv2.findTransformECC(first, second, start, cv2.MOTION_AFFINE, (stop, steps, 1e-4), None, 3)
    except cv2.error:
        return None
    return in_sides(made, size)


@dataclass(frozen=True, eq=False)
class _Overlay:
    """Two pictures laid over each other: (h, w) arrays.

    Attributes:
        x, y: their luma, in one light and as sharp as each other
        inside: where both are
        spots: where they differ
        structure: where one of them has any
        residual: of the structure, the median share of its power that one picture has and the other has not
    """

    x: np.ndarray
    y: np.ndarray
    inside: np.ndarray
    spots: np.ndarray
    structure: np.ndarray
    residual: float

    def share(self) -> float:
        """Returns the share of the structure that differs."""
        return float(self.spots.sum() / max((self.structure | self.spots).sum(), 1))


def _left_over(template: np.ndarray, picture: np.ndarray, warp: np.ndarray) -> float:
    """Returns the share of the structure that differs and that no logo explains, one laid over the other."""
    made = _laid_over(template, picture, warp, _SPOT)
    if made is None:
        return 1.0
    return 0.0 if not made.spots.any() or _is_put_on(made) else made.share()


def _glance(template: np.ndarray, picture: np.ndarray, warp: np.ndarray) -> tuple[float, float]:
    """Returns the share that differs clearly at a small size, and the residual.

    What could be a logo or a caption by its place does not differ clearly, whatever it looks like.
    """
    made = _laid_over(template, picture, warp, _CLEAR_SPOT)
    if made is None:
        return 0.0, 1.0
    return 0.0 if not made.spots.any() or _is_put_on(made, place_only=True) else made.share(), made.residual


def _laid_over(template: np.ndarray, picture: np.ndarray, warp: np.ndarray, spot: float) -> _Overlay | None:
    """Returns one laid over the other, with the spots of at least that share; None where they hardly overlap."""
    import cv2

    height, width = template.shape[:2]
    flags = cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(np.ones((height, width), np.uint8), warp, (width, height), flags=flags | cv2.INTER_NEAREST)
    inside = cv2.erode(inside, np.ones((9, 9), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    if inside.mean() < 0.5:
        return None
    moved = cv2.warpAffine(
        picture, warp, (width, height), flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    x, y = _same_light(template.astype(np.float32), moved.astype(np.float32), inside)
    light_x, light_y = _same_sharpness(*(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (x, y)))
    spots, structure, residual = _structure(light_x, light_y, inside)
    spots |= _colors(x, y, inside)
    return _Overlay(light_x, light_y, inside, _large(spots, spot), structure, residual)


def _same_light(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both in one light: one is given the other's, and clipped where a file is; what differs has no say."""
    some = np.flatnonzero(inside)[::7]
    some_x, some_y = x.reshape(-1, 3)[some], y.reshape(-1, 3)[some]
    both = np.concatenate([some_x, some_y], axis=1)
    free = (both.min(1) > 4) & (both.max(1) < 251)
    if free.sum() < 100:
        return x, y
    light_x, light_y = (each[free] @ np.array([0.299, 0.587, 0.114], np.float32) for each in (some_x, some_y))
    gain, offset = _line(light_x, light_y)
    back, back_offset = _line(light_y, light_x)
    # what one of them clips is known from the other only
    forward = float(np.abs(np.clip(gain * some_x + offset, 0, 255) - some_y).mean())
    if forward <= float(np.abs(np.clip(back * some_y + back_offset, 0, 255) - some_x).mean() * max(gain, 1.0)):
        return np.clip(gain * x + offset, 0, 255), y
    return x, np.clip(back * y + back_offset, 0, 255)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Returns the gain, 0.3 to 3, and the offset by which most of y follow from x."""
    gain = float(np.clip(y.std() / max(float(x.std()), 1e-3), 0.3, 3.0))
    offset = float(np.median(y - gain * x))
    for _ in range(12):
        weight = 1 / (1 + ((y - gain * x - offset) / 8) ** 2)
        total = weight.sum()
        mean_x, mean_y = (weight * x).sum() / total, (weight * y).sum() / total
        spread = (weight * (x - mean_x) ** 2).sum()
        if spread < 25 * total:  # of one brightness: its gain is not known
            return 1.0, float(np.median(y - x))
        gain = float(np.clip((weight * (x - mean_x) * (y - mean_y)).sum() / spread, 0.3, 3.0))
        offset = float(mean_y - gain * mean_x)
    return gain, offset


def _same_sharpness(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both as sharp as the less sharp one: what a small or soft file never had is no difference."""
    import cv2

    x, y = cv2.GaussianBlur(x, (0, 0), 0.8), cv2.GaussianBlur(y, (0, 0), 0.8)
    sharp_x, sharp_y = (float(np.abs(cv2.Laplacian(each, cv2.CV_32F)).mean()) for each in (x, y))
    if sharp_x < sharp_y:
        y, x = _same_sharpness_of(y, x, sharp_x)
        return x, y
    return _same_sharpness_of(x, y, sharp_y)


def _same_sharpness_of(sharp: np.ndarray, soft: np.ndarray, wanted: float) -> tuple[np.ndarray, np.ndarray]:
    import cv2

    for sigma in (0.0, 0.6, 0.9, 1.3, 1.8):
        blurred = cv2.GaussianBlur(sharp, (0, 0), sigma) if sigma else sharp
        if float(np.abs(cv2.Laplacian(blurred, cv2.CV_32F)).mean()) <= 1.1 * wanted:
            break
    return blurred, soft


def _structure(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns where the structure of the two differs, and where one of them has any: (h, w) bool each; the residual."""
    import cv2

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (0, 0), 2.0)

    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    both = mean(x * y) - mean_x * mean_y
    total = var_x + var_y
    structure = inside & (total > 2 * _STRUCTURE**2)
    left = np.maximum(total - 2 * both, 0)
    usual = _USUAL * float(np.sqrt(np.quantile(left[structure], 0.25))) if structure.any() else 0.0
    deviation = min(max(usual, _DEVIATION), _MAX_DEVIATION)
    differs = structure & (2 * both < _DIFFERS * total) & (left > deviation**2)
    residual = float(np.median(left[structure] / total[structure])) if structure.any() else 0.0
    return differs, structure, residual


def _colors(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Returns where the two have another color: (h, w) bool; nowhere where one of them is gray."""
    import cv2

    height, width = inside.shape
    size = max(width // 8, 8), max(height // 8, 8)
    planes = []
    for each in (x, y):
        small = cv2.resize(each, size, interpolation=cv2.INTER_AREA)
        light = small @ np.array([0.299, 0.587, 0.114], np.float32)
        planes.append(np.stack([(small[..., 2] - light) * 0.564, (small[..., 0] - light) * 0.713]))
    kept = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    first, second = (plane[:, kept] for plane in planes)
    if min((first**2).mean(), (second**2).mean()) < 9:  # a gray copy is the same picture
        return np.zeros(inside.shape, bool)
    off = np.median(second - first, axis=1).clip(-12, 12)[:, None]
    gain = 1.0
    for _ in range(6):
        apart = ((second - gain * first - off) ** 2).sum(0)
        weight = 1 / (1 + apart / 36)
        gain = float((weight * first * (second - off)).sum() / max((weight * first * first).sum(), 1e-3))
        gain = min(max(gain, 0.5), 2.0)
    other = np.zeros((size[1], size[0]), np.uint8)
    other[kept] = np.sqrt(((second - gain * first - off) ** 2).sum(0)) > _OTHER_COLOR
    return _large(cv2.resize(other, (width, height), interpolation=cv2.INTER_NEAREST) > 0, _COLOR_SPOT)


def _large(spots: np.ndarray, share: float) -> np.ndarray:
    """Returns the spots that are at least that share of the picture, those near each other taken as one."""
    import cv2

    joined = cv2.morphologyEx(spots.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= share * spots.size
    large[0] = False
    return large[labels]


def _is_put_on(made: _Overlay, *, place_only: bool = False) -> bool:
    """Returns whether what differs is a logo or a caption, or one of them in each of two places.

    Args:
        made: one picture laid over the other
        place_only: whether it is enough that it has about the place of one
    """
    spots = made.spots
    rows, columns = np.mgrid[: spots.shape[0], : spots.shape[1]]
    low, right = rows >= spots.shape[0] / 2, columns >= spots.shape[1] / 2
    groupings = [[spots], [spots & low, spots & ~low], [spots & right, spots & ~right]]
    return any(
        all(_is_mark(group, made, place_only) for group in grouping if group.any())
        for grouping in groupings
        if len(grouping) == 1 or all(group.any() for group in grouping)
    )


def _is_mark(spots: np.ndarray, made: _Overlay, place_only: bool) -> bool:
    """Returns whether these spots are one logo in a corner or one caption along an edge, put on one of the two."""
    x, y, inside = made.x, made.y, made.inside
    rows, columns = np.flatnonzero(spots.any(1)), np.flatnonzero(spots.any(0))
    shown_rows, shown_columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    height, width = spots.shape
    high, wide = (rows[-1] + 1 - rows[0]) / height, (columns[-1] + 1 - columns[0]) / width
    from_row = min(rows[0] - shown_rows[0], shown_rows[-1] - rows[-1]) / height
    from_column = min(columns[0] - shown_columns[0], shown_columns[-1] - columns[-1]) / width
    # at a small size the edges of a spot are those of a blur
    slack, beside = (1.15, 0.04) if place_only else (1.0, 0.0)
    logo = max(high, wide) <= _LOGO_SIDE * slack and high * wide <= _LOGO_AREA * slack**2
    logo = logo and max(from_row, from_column) <= _MARGIN + beside
    caption = (high <= _CAPTION * slack and from_row <= _MARGIN + beside) or (
        wide <= _CAPTION * slack and from_column <= _MARGIN + beside
    )
    if place_only or not (logo or caption):
        return logo or caption
    part = slice(max(rows[0] - 6, 0), rows[-1] + 7), slice(max(columns[0] - 6, 0), columns[-1] + 7)
    if _one_sided(x[part], y[part]):
        return True
    if not logo or min(high, wide) < _PLATE_SIDE:
        return False
    turn = (1 if columns[0] - shown_columns[0] > shown_columns[-1] - columns[-1] else 0) + (
        2 if rows[0] - shown_rows[0] > shown_rows[-1] - rows[-1] else 0
    )
    return _is_plate(turned(x[part], turn), turned(y[part], turn))


def _is_plate(x: np.ndarray, y: np.ndarray) -> bool:
    """Returns whether one of two parts, of a top left corner, is plain along its inner edges, and the other is not.

    A plate on a page may hide letters by letters; but it cuts through what the page has there.
    """
    # a plate keeps some distance from the corner
    top, left = (round(0.35 * side) for side in x.shape)
    for inset in range(4, 14):
        edges = [np.concatenate([each[-inset, left:-inset], each[top:-inset, -inset]]) for each in (x, y)]
        if not len(edges[0]):  # a small part of a small picture: nothing of it lies so far within
            return False
        plain, cut = sorted(float(np.abs(edge - np.median(edge)).max()) for edge in edges)
        if plain < 12 and cut > 40:
            return True
    return False


def _one_sided(x: np.ndarray, y: np.ndarray) -> bool:
    """Returns whether the outline of what differs is an edge of one of the two only.

    Asked of the outline itself, e.g. of letters, and of the one around all of it: a plate may be as bright as what it
    hides here and there.
    """
    import cv2

    differs = (np.abs(x - y) > 20).astype(np.uint8)
    contours, _ = cv2.findContours(
        cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)),
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_SIMPLE,
    )
    whole = np.zeros_like(differs)
    if contours:
        cv2.fillConvexPoly(whole, cv2.convexHull(np.concatenate(contours)), 1)
    steep = [
        np.hypot(cv2.Sobel(each, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(each, cv2.CV_32F, 0, 1, scale=0.25))
        for each in (x, y)
    ]
    kernel = np.ones((3, 3), np.uint8)
    for mask in (differs, whole):
        outline = (cv2.dilate(mask, kernel) - cv2.erode(mask, kernel, borderValue=0)) > 0
        if not outline.any():
            continue
        more = steep[0][outline] - steep[1][outline]
        of_x, of_y = float(np.maximum(more, 0).mean()), float(np.maximum(-more, 0).mean())
        if max(of_x, of_y) >= 4 and max(of_x, of_y) >= _ONE_SIDED * (of_x + of_y):
            return True
    return False
