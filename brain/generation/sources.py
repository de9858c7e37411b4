"""What an image is drawn from beside its prompt: a picture, what of it is drawn anew, a control, a reference.

Pictures are read as a person sees them (``loupe.brain.imaging.decode``), whatever the file's mode, and scaled to what
the model draws. Where a part is drawn anew, all else is the picture's own to the last bit, at its own size.
"""

from __future__ import annotations

import functools
import io
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from loupe.brain.controls.make import maker, of_map, of_points
from loupe.brain.core.errors import InputError, ReadError
from loupe.brain.core.hashes import hex_hash, json_hash, stream_hash
from loupe.brain.core.records import Points
from loupe.brain.generation.region import Frame, of_boxes
from loupe.brain.imaging.augmentation import resized_mask, whole_mask
from loupe.brain.imaging.decode import decode
from loupe.brain.imaging.files import opened, printable

if TYPE_CHECKING:
    from PIL.Image import Image

#: x, y, width and height in shares of the picture, from its top left corner
Bounds = tuple[float, float, float, float]
#: a file, or what FiftyOne stores of an array: a zlib-compressed .npy
Stored = str | bytes

#: the shapes of a picture and of what is laid over it may differ by this share
_SHAPE = 0.02


@dataclass(frozen=True, eq=False)
class Region:
    """Where a picture is drawn anew, as labels of it mark it.

    Attributes:
        boxes: each whole
        polygons: of (x, y) in shares of the picture
        masks: each with the box that it lies over, None for the whole picture
    """

    boxes: tuple[Bounds, ...] = ()
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    masks: tuple[tuple[Bounds | None, Stored], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.boxes or self.polygons or self.masks)

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """Returns the (H, W) bool mask over a picture of that (width, height); what lies outside of it is cut off.

        Raises:
            ReadError: the file of a mask cannot be read

        >>> Region(boxes=((0.5, 0, 0.5, 1),)).mask((4, 1)).astype(int).tolist()
        [[0, 0, 1, 1]]
        """
        width, height = size
        made = of_boxes(self.boxes, size, grow=0)
        for points in self.polygons:
            made |= _filled(points, size)
        for box, stored in self.masks:
            values = array_of(stored)
            marked = np.asarray(values > 0 if values.ndim == 2 else (values[..., :3] > 0).any(-1))
            if box is None:
                made |= resized_mask(marked, (height, width))
            elif of_boxes([box], size, grow=0).any():
                made |= whole_mask(marked, np.array(box, np.float64), (height, width))
        return made

    def digest(self) -> str:
        """Returns a hash of what is marked; that of a file by its bytes.

        Raises:
            ReadError: the file of a mask cannot be read
        """
        masks = [[box, file_digest(own) if isinstance(own, str) else hex_hash(own)] for box, own in self.masks]
        return json_hash([self.boxes, self.polygons, masks])


@dataclass(frozen=True, eq=False)
class Control:
    """Where the picture comes from whose layout is kept: one of a file, a map, points.

    Attributes:
        path: of the file
        kind: what is made of that picture, "edges", "pose" or "depth:MODEL"; empty: it is the control as it stands
        map: larger is whiter, as of a depth that is near
        points: of bodies, hands, faces, see ``controls.make.of_points``
    """

    path: str = ""
    kind: str = ""
    map: Stored = ""
    points: tuple[Points, ...] = ()

    def digest(self) -> str:
        """Returns a hash of what it is made from.

        Raises:
            ReadError: its file is missing, or no file
        """
        if self.points:
            return json_hash([each.to_dict() for each in self.points])
        stored = self.map or self.path
        return file_digest(stored) if isinstance(stored, str) else hex_hash(stored)

    @property
    def what(self) -> str:
        """What it shows, in a word; empty of a file, of which nobody knows."""
        return self.kind.partition(":")[0] or ("points" if self.points else "map" if self.map else "")

    def laid_over(self, whole: tuple[int, int], where: Frame, device: str) -> Image:
        """Returns the control of a crop of a picture, of the size that the crop is drawn at.

        Args:
            whole: (width, height) of the picture
            where: the crop
            device: where a model of depth runs

        Raises:
            ReadError: its file cannot be read
            InputError: it is of another shape than the picture, or shows nothing
        """
        from PIL.Image import Resampling, fromarray

        size = where.width, where.height
        if self.points:
            return of_points([_cropped(each, whole, where) for each in self.points], size)
        if self.map:
            values = array_of(self.map)
            values = values if values.ndim == 2 else values[..., 0]
            picture = of_map(values, whole)
        else:
            picture = _of_shape(fromarray(pixels_of(self.path)), whole)
        if picture.size != whole:
            picture = picture.resize(whole, Resampling.LANCZOS)
        part = picture.crop(where.box)
        if self.kind:
            return maker_of(self.kind, device)(np.asarray(part), size)
        return part.resize(size, Resampling.LANCZOS)

    def size(self) -> tuple[int, int] | None:
        """Returns (width, height) of what it is made from; None of points, which have none.

        Raises:
            ReadError: its file cannot be read
        """
        if self.points:
            return None
        pixels = array_of(self.map) if self.map else pixels_of(self.path)
        return pixels.shape[1], pixels.shape[0]


@functools.lru_cache(maxsize=4)
def maker_of(kind: str, device: str) -> Callable[[np.ndarray, tuple[int, int]], Image]:
    """Returns what makes controls of pictures, loaded once.

    Args:
        kind: "edges", "pose" or "depth:MODEL"
        device: where a model of depth runs

    Raises:
        InputError: no such kind, or a depth without a model
        ModelError, MissingWeights, MissingDependency: its model cannot be loaded
    """
    name, _, model = kind.partition(":")
    return maker(name, device, model.strip() or None)


def _of_shape(control: Image, whole: tuple[int, int]) -> Image:
    if abs((control.width / control.height) / (whole[0] / whole[1]) - 1) > _SHAPE:
        raise InputError(
            f"expected a control of the picture's shape, {whole[0]} x {whole[1]}, got {control.width} x "
            f"{control.height}"
        )
    return control


def _cropped(figure: Points, whole: tuple[int, int], where: Frame) -> Points:
    wide, tall = where.right - where.left, where.bottom - where.top
    moved = tuple(((x * whole[0] - where.left) / wide, (y * whole[1] - where.top) / tall) for x, y in figure.points)
    return replace(figure, points=moved)


@dataclass(frozen=True, eq=False)
class Source:
    """What an image is drawn from.

    Attributes:
        name: the sample's id, or the file's name
        image: the file of the picture to begin with; None: with noise
        mask: what of it is drawn anew: as labels mark it, or a file, white; None: all of it
        strength: how much of what stands there is given up, in (0, 1]; None: the generator's own number
        control: whose layout is kept
        reference: the file of the picture whose look is taken over
        inputs: hashes of all that, JSON-able
    """

    #: of how an image comes of it: another one is another image
    VERSION: ClassVar[int] = 1

    name: str
    image: str | None = None
    mask: Region | str | None = None
    strength: float | None = None
    control: Control | None = None
    reference: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def brings(self) -> tuple[str, ...]:
        """What a request that is drawn from it brings."""
        return tuple(name for name in ("image", "mask", "control", "reference") if getattr(self, name) is not None)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it is read from."""
        control = () if self.control is None else (self.control.path, self.control.map)
        masks = [stored for _, stored in self.mask.masks] if isinstance(self.mask, Region) else [self.mask]
        return tuple(each for each in (self.image, self.reference, *control, *masks) if isinstance(each, str) and each)

    @property
    def conditioning(self) -> str:
        """What it brings, in words.

        >>> Source("a", image="a.png", control=Control("a.png", "edges")).conditioning
        'image, control (edges)'
        """
        made = f" ({self.control.what})" if self.control is not None and self.control.what else ""
        return ", ".join(f"{name}{made}" if name == "control" else name for name in self.brings)

    def facts(self) -> dict[str, Any]:
        """Returns what is kept of it as ``generation.*``."""
        made: dict[str, Any] = {"source": self.name, "conditioning": self.conditioning}
        made |= {"inputs": json.dumps(dict(self.inputs)), "strength": self.strength}
        if self.mask is not None:
            # the IPTC's word for a picture of which a model drew a part
            made["digital_source_type"] = "compositeWithTrainedAlgorithmicMedia"
        return made

    def hashed(self) -> dict[str, Any]:
        """Returns a hash of each file and region by what it is for, with the kind of control and the strength.

        Raises:
            ReadError: a file is missing, or no file
        """
        made: dict[str, Any] = {}
        if self.image is not None:
            made |= {"image": file_digest(self.image), "strength": self.strength}
        if self.mask is not None:
            made["mask"] = file_digest(self.mask) if isinstance(self.mask, str) else self.mask.digest()
        if self.control is not None:
            made["control"] = self.control.digest()
            # a map's file as it stands, and stretched, are two controls
            if kind := self.control.kind or self.control.what:
                made["control_kind"] = kind
        if self.reference is not None:
            made["reference"] = file_digest(self.reference)
        return made


def pixels_of(path: str) -> np.ndarray:
    """Returns the (H, W, 3) uint8 pixels of a file, as a person sees it.

    Raises:
        ReadError: it cannot be read
    """
    pixels, _ = decode(path)
    assert isinstance(pixels, np.ndarray), "only a device is given files"
    return pixels


def mask_of(mask: Region | str, size: tuple[int, int]) -> np.ndarray:
    """Returns the (H, W) bool mask over a picture of that (width, height), with something in it.

    Args:
        mask: as labels mark it, or a file: from 128 on it is drawn anew
        size: of the picture

    Raises:
        ReadError: its file cannot be read
        InputError: it is empty, or a file of another shape than the picture
    """
    if isinstance(mask, Region):
        made = mask.mask(size)
        if not made.any():
            raise InputError("the mask is empty, or lies outside of the picture")
        return made
    values = pixels_of(mask).mean(-1) >= 128
    tall, wide = values.shape
    if abs((wide / tall) / (size[0] / size[1]) - 1) > _SHAPE:
        raise InputError(
            f"expected a mask of the picture's shape, {size[0]} x {size[1]}, got {wide} x {tall} in {printable(mask)}"
        )
    made = resized_mask(values, (size[1], size[0]))
    if not made.any():
        raise InputError(f"the mask is empty: no pixel of {printable(mask)} is white")
    return made


def array_of(stored: Stored) -> np.ndarray:
    """Returns an array as it is stored: a picture file's values, or those of a zlib-compressed .npy.

    Raises:
        ReadError: it cannot be read
    """
    if isinstance(stored, bytes):
        try:
            return np.asarray(np.load(io.BytesIO(zlib.decompress(stored)), allow_pickle=False))
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise ReadError(f"expected a stored mask or map, got something else: {error}") from error
    from PIL import Image, UnidentifiedImageError

    try:
        with opened(stored) as file, Image.open(file) as image:
            image.load()
            return np.asarray(image)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ReadError(f"cannot read the mask {printable(stored)}: {error}") from error


def file_digest(path: str) -> str:
    """Returns a hash of a file's bytes: 32 hexadecimal digits.

    Raises:
        ReadError: there is no such file
    """
    try:
        with opened(path) as file:
            return stream_hash(file)
    except OSError as error:
        raise ReadError(f"cannot read {printable(path)}: {error}") from error


def _filled(points: tuple[tuple[float, float], ...], size: tuple[int, int]) -> np.ndarray:
    import cv2

    corners = np.array(points, np.float64).reshape(-1, 2)
    corners = corners[np.isfinite(corners).all(1)]
    drawn = np.zeros((size[1], size[0]), np.uint8)
    if len(corners) >= 3:
        cv2.fillPoly(drawn, [np.rint(corners * np.array(size)).clip(-(2**15), 2**15).astype(np.int32)], 1)
    return drawn.astype(bool)


def stems(folder: Path) -> dict[str, str]:
    """Returns the picture files of a folder by their names without ending, in the order of their names.

    Raises:
        InputError: two files have one name but for the ending
    """
    made: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in ENDINGS or not path.is_file():
            continue
        if path.stem in made:
            raise InputError(
                f"expected one picture of each name in {folder}, got {Path(made[path.stem]).name} and {path.name}"
            )
        made[path.stem] = str(path)
    return made


#: of files that are taken for pictures
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"})
