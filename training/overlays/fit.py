"""Fits the weights of the check "overlay": how likely a line of lettering is a watermark or a caption.

    python -m training.overlays.fit          # prints the weights as they stand in brain/measures/overlays
    python -m training.overlays.fit --check  # exits 1 if those in brain/measures/overlays are others

Each kind (a watermark's name in a corner, words in rows, a word across; an overlay) is a logistic regression over
``measures/overlays/features.py``. Its lines come from the ImageNet photos at even places of the sorted list: what the
defects put into them, their own marks (by eye, ``benchmarks/pixels/cases/watermark.py``), their own lettering, and
that of boards, signs, plates, shirts and screens which are drawn into them; and from the street scenes and the words of
signs at even places. The benchmarks measure on the odd ones, with other words in other fonts. About 5 minutes on one
thread; nothing is written.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import cv2
import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from sklearn.linear_model import LogisticRegression

from benchmarks import data
from benchmarks.pixels.cases.watermark import CAPTIONED, MARKED
from loupe.brain.defects.overlay import Overlay
from loupe.brain.defects.watermark import Watermark
from loupe.brain.engine.reader import read
from loupe.brain.measures.overlays.features import features
from loupe.brain.measures.overlays.finding import lines_of, read_lines
from loupe.brain.measures.overlays.interface import WEIGHTS as OVERLAY
from loupe.brain.measures.overlays.watermark import WEIGHTS as WATERMARK
from loupe.brain.perception.ocr.rapid_ocr import Ocr
from training.overlays.signs import with_signs, words

SEED = 5
#: the inverse strength of scikit-learn's L2 penalty
C = 3.0
LONG_SIDE = 1024
#: how often each defect is put into each photo, at another severity each time
ROUNDS = 2
#: lines that are read of one picture: a word in rows has dozens
MAX_READ = 12
#: a line is a defect's if so much of its box was changed by it
COVERED = 0.04
#: how far a weight may be from the one in the code; with C = 1, leaving out one photo moved one by up to 0.35
TOLERANCE = 0.4
#: the kinds of a watermark, in the order in which the defect draws one
MARKS = ("corner", "rows", "band")
#: those of ``MARKED`` whose mark is repeated over the photo
IN_ROWS = ("n03483316_hand_blower.JPEG", "n03868863_oxygen_mask.JPEG")
#: the features that each kind is told by
USED = {
    "corner": "level upright corner edge_y edge_x legible long owned timed even lively blend misfit strong grey thin "
    "plate bar height width faint",
    "rows": "twins mates level legible long owned blend strong lively plate height faint grey thin",
    "band": "level centred width height long owned timed blend misfit lively even strong grey plate bar faint "
    "printed crisp posted",
    "overlay": "level upright edge_y edge_x corner centred height width sure faint legible long owned timed even "
    "lively blend strong plate bar mates crisp posted",
}
WORDS = (
    "open closed bakery fresh fish market hotel bar exit danger keep out no parking police taxi bus route 42 17 level "
    "museum entrance coffee tea books sale 50% off garage school street avenue king royal lucky star union city "
    "express cargo made in italy cotton size medium hello world racing team"
)


@dataclass(frozen=True)
class Line:
    """Lettering; its kind is of ``MARKS``, "overlay", "scene", "street", "board" or "sign"; real: no defect's."""

    kind: str
    real: bool
    picture: str
    values: Mapping[str, float]


def faces() -> list[str]:
    """The fonts that matplotlib carries, which FiftyOne needs anyway: the same ones on every machine."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    files = [*folder.glob("DejaVu*.ttf"), *folder.glob("STIXGeneral*.ttf")]
    return [str(path) for path in sorted(files) if "Display" not in path.name]


def jpeg(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    _, coded = cv2.imencode(".jpg", pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 96))))
    return np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])


def photo_of(path: Path) -> np.ndarray:
    """The photo at the resolution that the check judges at."""
    pixels = read(path, LONG_SIDE).pixels
    by = LONG_SIDE / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=by, fy=by, interpolation=cv2.INTER_AREA) if by < 1 else pixels


def with_boards(photo: np.ndarray, fonts: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """The photo with up to three boards in perspective, or words painted on what is there, in an uneven light."""
    height, width = photo.shape[:2]
    made = photo.astype(np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        rows = [" ".join(rng.choice(WORDS.split(), rng.integers(1, 3))) for _ in range(rng.integers(1, 4))]
        way = rng.integers(4)
        rows = [row.upper() if way == 0 else row if way == 1 else row.title() for row in rows]
        font = ImageFont.truetype(fonts[int(rng.integers(len(fonts)))], 48)
        wide, high = int(max(map(font.getlength, rows))) + 60, 58 * len(rows) + 40
        image = Image.new("L", (wide, high))
        for at, row in enumerate(rows):
            ImageDraw.Draw(image).text((wide / 2, 20 + 58 * at), row, fill=255, font=font, anchor="ma")
        size = min(width * rng.uniform(0.12, 0.5), 0.6 * height * wide / high)
        tall, angle = size * high / wide, np.radians(rng.normal(0, 14))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        middle = [rng.uniform(0.45 * size, width - 0.45 * size), rng.uniform(0.45 * tall, height - 0.45 * tall)]
        corners = np.array([[-size, -tall], [size, -tall], [size, tall], [-size, tall]]) / 2 @ turn + middle
        corners += rng.uniform(-0.15, 0.15, (4, 2)) * tall
        source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
        soft = rng.uniform(0.4, 1.4)
        ink, plate = (
            cv2.GaussianBlur(cv2.warpPerspective(part, matrix, (width, height)), (0, 0), soft)[..., None]
            for part in (np.asarray(image, np.float32) / 255, np.ones((high, wide), np.float32))
        )
        wave = np.sin(x / width * rng.uniform(2, 8) + rng.uniform(0, 6)) * np.cos(y / height * rng.uniform(2, 8))
        light = 1 + 0.25 * wave[..., None]
        if rng.random() < 0.65:
            color = rng.uniform(10, 245, 3)
            ground = color * light + rng.normal(0, rng.uniform(1, 6), made.shape)
            made = made * (1 - plate) + ground * plate
            letters = (rng.uniform(0, 70, 3) if color.mean() > 120 else rng.uniform(170, 255, 3)) * light
        else:
            shade = cv2.GaussianBlur(made, (0, 0), 2).mean(2, keepdims=True)
            dark = float((shade * ink).sum() / (ink.sum() + 1e-3)) < 120
            letters = 0.55 * shade + rng.uniform(100, 140) if dark else 0.4 * shade
            letters = letters * light * rng.uniform(0.85, 1.1, 3)
        made = made * (1 - ink) + (letters + rng.normal(0, 3, made.shape)) * ink
    return jpeg(made.clip(0, 255).astype(np.uint8), rng)


def injected(photo: np.ndarray, at: int, turn: int, name: str, fonts: Sequence[str], ocr: Ocr) -> Iterator[Line]:
    """The lines that a defect puts into a photo, in Pillow's font or another, every other time or so through JPEG."""
    rng = np.random.default_rng((SEED, at, turn, len(name)))
    defect = Watermark() if name == "watermark" else Overlay()
    seed = int(rng.integers(1 << 30))
    kind = MARKS[np.random.default_rng(seed).integers(3)] if name == "watermark" else name  # the defect draws it first
    font, own = fonts[int(rng.integers(len(fonts)))], ImageFont.load_default
    with patch.object(ImageFont, "load_default", own if rng.random() < 0.5 else lambda s: ImageFont.truetype(font, s)):
        made = defect.inject(photo, defect.severities[(at + 3 * turn) % 5], np.random.default_rng(seed))
    changed = (made != photo).any(2)
    made = jpeg(made, rng) if rng.random() < 0.4 else made

    def covered(corners: np.ndarray) -> bool:
        left, top = np.maximum(corners.min(0).astype(int), 0)
        right, bottom = corners.max(0).astype(int) + 1
        part = changed[top:bottom, left:right]
        return bool(part.size and part.mean() > COVERED)

    lines = [line for line in lines_of(made, ocr) if covered(line.region.corners)][:MAX_READ]
    for line in read_lines(made, ocr, lines):
        yield Line(kind, False, f"{at}, {name} {turn}", features(line, photo.shape[:2], True))


def own_lines(picture: np.ndarray, name: str, kind: str, ocr: Ocr) -> Iterator[Line]:
    """The lines that a picture has: of ``MARKED`` the marks and nothing else, of others all, of one kind."""
    for line in read_lines(picture, ocr, lines_of(picture, ocr)[:MAX_READ]):
        values = features(line, picture.shape[:2], True)
        if name not in MARKED:
            yield Line(kind, False, name, values)
        elif name in IN_ROWS and values["twins"] > 0:
            yield Line("rows", True, name, values)
        elif values["corner"] > 0.15 or values["owned"]:
            yield Line("corner", True, name, values)


def collected() -> list[Line]:
    """Returns the lines of all pictures.

    Raises:
        MissingData: the pictures are not there
    """
    photos = data.photos(0)
    streets = sorted(data.required("2_blur/icdar15_test_motionblurred").rglob("*.jpg"))[::2]
    ocr, fonts, lines = Ocr("cpu", 1), faces(), list[Line]()
    for at, path in enumerate(photos):
        photo = photo_of(path)
        for name in ("watermark", "overlay"):
            for turn in range(ROUNDS):
                lines += injected(photo, at, turn, name, fonts, ocr)
        if path.name not in CAPTIONED:
            lines += own_lines(photo, path.name, "scene", ocr)
        if path.name not in CAPTIONED + MARKED:
            lines += own_lines(with_boards(photo, fonts, np.random.default_rng((SEED, at))), path.name, "board", ocr)
            rng = np.random.default_rng((SEED, at, 1))
            for made in with_signs(photo, at, fonts, SEED):
                lines += own_lines(jpeg(made, rng), path.name, "sign", ocr)
    for path in streets:
        lines += own_lines(photo_of(path), path.name, "street", ocr)
    for at, word in enumerate(words()):
        lines += own_lines(word, f"word {at}", "sign", ocr)
    return lines


def importance(line: Line, kind: str, of: int) -> float:
    """Returns how much a line counts in the fit of a kind, where its picture has so many like it."""
    if line.kind == kind:
        return (2 if line.real else 1) / of
    if line.kind == "sign":  # many and clear: with more of a say they cost captions and bars on plates
        return 0.25 if kind == "overlay" else 0.75
    if line.kind in ("scene", "street", "board"):
        return 2 if line.kind == "scene" else 1
    if kind != "overlay" and line.kind in MARKS:
        return 0  # one watermark may well look like another
    return 3 if line.real else 0.4 / of


def fitted(lines: Sequence[Line], kind: str) -> dict[str, float]:
    """Returns the weights of a kind, and prints how many lines they were fitted to."""
    names = USED[kind].split()
    alike = Counter((line.kind, line.real, line.picture) for line in lines)
    counts = np.array([importance(line, kind, alike[line.kind, line.real, line.picture]) for line in lines])
    ours = np.array([line.kind == kind for line in lines])
    numbers = np.array([[line.values[name] for name in names] for line in lines])
    print(f"# {kind}: {(ours & (counts > 0)).sum()} lines against {(~ours & (counts > 0)).sum()}")
    model = LogisticRegression(C=C, max_iter=3000).fit(numbers, ours, sample_weight=counts)
    values = zip(["", *names], [model.intercept_[0], *model.coef_[0]], strict=True)
    return {name: round(float(value), 2) + 0.0 for name, value in values}


def printed(weights: Mapping[str, float], indent: str) -> str:
    """The weights as ruff formats them."""
    return "{\n" + "".join(f'{indent}    "{name}": {value},\n' for name, value in weights.items()) + indent + "}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the data; else $LOUPE_DATA, else ../shared/data")
    parser.add_argument("--check", action="store_true", help=f"exit 1 if a weight is more than {TOLERANCE} off")
    chosen = parser.parse_args()
    if chosen.data:
        data.use(chosen.data)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    started = time.monotonic()
    lines = collected()
    print(f"# {len(lines)} lines, {time.monotonic() - started:.0f} s")
    made = {kind: fitted(lines, kind) for kind in USED}
    print("\n# brain/measures/overlays/watermark.py\nWEIGHTS: dict[str, dict[str, float]] = {")
    print("".join(f'    "{kind}": {printed(made[kind], "    ")},\n' for kind in MARKS) + "}")
    print(f"\n# brain/measures/overlays/interface.py\nWEIGHTS: dict[str, float] = {printed(made['overlay'], '')}")
    code = {**WATERMARK, "overlay": OVERLAY}
    off = {k: max(abs(w.get(n, 0) - code[k].get(n, 0)) for n in {*w, *code[k]}) for k, w in made.items()}
    print(f"\n# farthest from the code: {', '.join(f'{kind} {value:.2f}' for kind, value in off.items())}")
    return int(chosen.check and max(off.values()) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
