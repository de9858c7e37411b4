"""Pictures of text with a known flaw in its shape, and pictures of text that only looks unusual.

Letters are drawn one by one, so that each may have a font, a place and a turn of its own; the line is then warped,
turned and put on its background. Fonts come in two halves that share no family: one to tune on, one to measure on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: flaws of shape, each with the failure that has to be found
DISTORTED = ("sine", "jitter", "elastic", "spacing")
MIXED = ("fonts", "one_letter")
ILLEGIBLE = ("shuffled", "pseudo", "erased")
#: designs that are nobody's flaw
HARD = ("arched", "perspective", "italic", "script", "capitals", "mixed_case", "tracked", "two_lines")

#: families by half, as the files' names begin
FAMILIES = {
    "tune": "DejaVuSans DejaVuSerif DejaVuSansMono DejaVuSansCondensed cmss10 cmtt10",
    "measure": "LiberationSans LiberationSerif LiberationMono LiberationSansNarrow STIXGeneral cmr10 cmb10",
}
WORDS = {
    "tune": """COFFEE WELCOME FRESH SUMMER PARKING MUSIC LIBRARY STREET Garden Mountain Birthday Adventure Discover
        Winter Pizza Gallery station ticket school forever sunshine language""",
    "measure": """BAKERY HOTEL MARKET FESTIVAL BREAD THEATRE OPENING Kitchen River Happy Journey Coast Flowers Museum
        Orchard platform doctor kindness together yesterday breakfast window""",
}
_SUFFIXES = ("", "-Regular", "-Bold", "-Italic", "-Oblique", "-BoldItalic", "-BoldOblique", "Bol", "Italic", "BolIta")


@dataclass(frozen=True)
class Drawn:
    """A picture, what it says (or should say), and which flaw or design it has."""

    picture: Image.Image
    text: str
    kind: str


@lru_cache(maxsize=4)
def font_files(half: str, folder: Path | None = None) -> tuple[str, ...]:
    """Returns the fonts of a half that are on this machine, sorted; those of ``folder`` too, if one is given."""
    import matplotlib.font_manager as manager

    known = {Path(path).stem: path for path in sorted(manager.findSystemFonts())}
    data = Path(manager.__file__).parent / "mpl-data" / "fonts" / "ttf"
    known |= {path.stem: str(path) for path in sorted(data.glob("*.ttf"))}
    wanted = {family + suffix for family in FAMILIES[half].split() for suffix in _SUFFIXES}
    found = [known[stem] for stem in sorted(wanted & set(known))]
    if folder is not None:
        # every other file goes to each half
        files = sorted(str(path) for path in folder.iterdir() if path.suffix in {".ttf", ".otf", ".woff"})
        found += files[half == "measure" :: 2]
    return tuple(found)


def style_of(path: str) -> str:
    """Returns what a reader sees of a font at a glance: sans, serif or mono, with bold and italic."""
    name = Path(path).stem
    base = "mono" if "Mono" in name or "tt10" in name else "sans" if "Sans" in name or "cmss" in name else "serif"
    bold = "bold" if "Bol" in name or "cmb10" in name or "Black" in name else ""
    return " ".join(filter(None, (base, bold, "italic" if "Ita" in name or "Oblique" in name else "")))


def line_mask(
    text: str,
    fonts: Sequence[str],
    size: int,
    rng: np.random.Generator,
    *,
    jitter: float = 0.0,
    gaps: float = 0.0,
    tracking: float = 0.0,
) -> np.ndarray:
    """Returns the line as a (h, w) uint8 mask, each letter in its own font.

    Args:
        text: the letters
        fonts: one font file for each letter
        size: of the fonts, in pixels
        rng: decides the jitter
        jitter: standard deviation of the letters' height on the line, over the font's size; they turn and grow, too
        gaps: standard deviation of what is put between the letters, over the font's size
        tracking: what is put between all letters alike, over the font's size
    """
    margin = size
    advances = []
    for at, (character, path) in enumerate(zip(text, fonts, strict=True)):
        font = ImageFont.truetype(path, size)
        pair = text[at : at + 2]
        kerned = len(pair) == 2 and fonts[at + 1] == path
        advances.append(font.getlength(pair) - font.getlength(pair[1]) if kerned else font.getlength(character))
    extra = rng.normal(0, gaps * size, len(text)) if gaps else np.zeros(len(text))
    extra = np.clip(extra, -0.05 * size, None) + tracking * size
    width = int(sum(advances) + np.abs(extra).sum() + 2 * margin)
    canvas = np.zeros((3 * size, width), np.uint8)
    x = float(margin)
    for character, path, advance, more in zip(text, fonts, advances, extra, strict=True):
        layer = Image.new("L", (width, 3 * size), 0)
        ImageDraw.Draw(layer).text((x, 2 * size), character, fill=255, font=ImageFont.truetype(path, size), anchor="ls")
        letter = np.asarray(layer)
        if jitter:
            turn, grow = rng.normal(0, 60 * jitter), 1 + rng.normal(0, 0.8 * jitter)
            matrix = cv2.getRotationMatrix2D((x + advance / 2, 1.65 * size), turn, grow)
            matrix[1, 2] += rng.normal(0, jitter * size)
            letter = cv2.warpAffine(letter, matrix, (width, 3 * size), flags=cv2.INTER_CUBIC)
        canvas = np.maximum(canvas, letter)
        x += advance + more
    return trim(canvas)


def trim(mask: np.ndarray) -> np.ndarray:
    """Returns the mask without its empty borders, but for two pixels."""
    ys, xs = np.nonzero(mask > 32)
    if not len(ys):
        return mask
    return mask[max(0, ys.min() - 2) : ys.max() + 3, max(0, xs.min() - 2) : xs.max() + 3]


def moved(mask: np.ndarray, dx: np.ndarray | float, dy: np.ndarray | float, margin: int) -> np.ndarray:
    """Returns the mask with each pixel taken from (dx, dy) beside it, after adding an empty margin."""
    padded = np.pad(mask, margin)
    y, x = np.mgrid[: padded.shape[0], : padded.shape[1]].astype(np.float32)
    maps = [np.asarray(base + shift, np.float32) for base, shift in ((x, dx), (y, dy))]
    return trim(cv2.remap(padded, *maps, cv2.INTER_CUBIC, borderValue=0))


def sine(mask: np.ndarray, amplitude: float, waves: float, phase: float) -> np.ndarray:
    """Returns the line on a wave: its amplitude over the line's height, and how many waves the line has."""
    height, width = mask.shape
    margin = int(1 + amplitude * height)
    x = np.arange(width + 2 * margin, dtype=np.float32)[None, :] - margin
    shift = amplitude * height * np.sin(2 * np.pi * waves * x / width + phase)
    return moved(mask, 0.0, np.broadcast_to(shift, (height + 2 * margin, width + 2 * margin)), margin)


def elastic(mask: np.ndarray, amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the line as if drawn on rubber: smooth shifts of that standard deviation over the line's height."""
    height, width = mask.shape
    margin = int(1 + 3 * amplitude * height)
    shape = (height + 2 * margin, width + 2 * margin)
    shifts = []
    for _ in range(2):
        field = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 0.25 * height)
        shifts.append(field * (amplitude * height / max(1e-6, float(field.std()))))
    return moved(mask, shifts[0], shifts[1], margin)


def arched(mask: np.ndarray, sagitta: float, turned: bool) -> np.ndarray:
    """Returns the line on an arc.

    Args:
        mask: the line
        sagitta: the arc's rise over the line's width, negative for a valley
        turned: whether the letters turn with the arc, as around a badge, or stay upright
    """
    height, width = mask.shape
    margin = int(height + abs(sagitta) * width)
    if not turned:
        x = (np.arange(width + 2 * margin, dtype=np.float32)[None, :] - margin) / width * 2 - 1
        shift = -sagitta * width * (x**2 - 0.5)
        return moved(mask, 0.0, np.broadcast_to(shift, (height + 2 * margin, width + 2 * margin)), margin)
    if sagitta < 0:
        return arched(mask[::-1, ::-1], -sagitta, True)[::-1, ::-1]
    radius = width * (0.25 + sagitta**2) / (2 * sagitta)
    y, x = np.mgrid[: height + 2 * margin, : width + 2 * margin].astype(np.float32)
    x, y = x - margin - width / 2, radius + height / 2 - (y - margin)
    across, up = radius * np.arctan2(x, y) + width / 2, radius - np.hypot(x, y) + height / 2
    return trim(cv2.remap(mask, across.astype(np.float32), up.astype(np.float32), cv2.INTER_CUBIC, borderValue=0))


def perspective(mask: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the line as if seen from the side: one end is smaller by up to that share."""
    margin = int(0.2 * len(mask)) + 2
    padded = np.pad(mask, margin)
    h, w = padded.shape
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    shrink = strength * h / 2
    target = corners.copy()
    side = (0, 3) if rng.random() < 0.5 else (1, 2)
    target[side[0], 1] += shrink
    target[side[1], 1] -= shrink
    target[1:3, 0] *= rng.uniform(0.75, 1.0)
    return trim(
        cv2.warpPerspective(padded, cv2.getPerspectiveTransform(corners, target), (w, h), flags=cv2.INTER_CUBIC)
    )


def shuffled(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the line cut into squares of a third of its height that have changed places and sides."""
    side = max(4, mask.shape[0] // 3)
    rows, columns = 3, mask.shape[1] // side
    tiles = [mask[r * side : (r + 1) * side, c * side : (c + 1) * side] for r in range(rows) for c in range(columns)]
    tiles = [np.rot90(tile, int(rng.integers(4))) for tile in tiles if tile.shape == (side, side)]
    order = rng.permutation(len(tiles))
    rows = len(tiles) // columns
    return np.vstack([np.hstack([tiles[order[r * columns + c]] for c in range(columns)]) for r in range(rows)])


def pseudo(letters: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns so many signs of random strokes that look like letters from afar."""
    canvas = np.zeros((3 * size, (letters + 2) * size), np.uint8)
    thick = max(2, round(size * rng.uniform(0.07, 0.13)))
    for at in range(letters):
        left = size + at * 0.72 * size
        spots = np.array([[x, y] for x in (0.08, 0.32, 0.58) for y in (1.3, 1.65, 2.0)]) * size + (left, 0)
        for _ in range(int(rng.integers(3, 6))):
            a, b, c = spots[rng.choice(9, 3, replace=False)]
            t = np.linspace(0, 1, 16)[:, None]
            bend = c if rng.random() < 0.6 else (a + b) / 2
            curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * bend + t**2 * b
            cv2.polylines(canvas, [(curve * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    return trim(canvas)


def erased(mask: np.ndarray, bands: int, share: float) -> np.ndarray:
    """Returns the line without that many level bands, which together take that share of its height."""
    out, height = mask.copy(), mask.shape[0]
    for band in range(bands):
        middle = (band + 0.5) / bands * height
        half = share * height / bands / 2
        out[max(0, round(middle - half)) : round(middle + half)] = 0
    return out


def script_mask(text: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the line in a joined script: Hershey's, which OpenCV carries."""
    face = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX if rng.random() < 0.5 else cv2.FONT_HERSHEY_SCRIPT_COMPLEX
    scale = cv2.getFontScaleFromHeight(face, max(8, round(0.7 * size)), 1)
    thick = max(1, round(0.07 * size))
    (width, height), below = cv2.getTextSize(text, face, scale, thick)
    canvas = np.zeros((3 * height + below, width + 2 * height), np.uint8)
    cv2.putText(canvas, text, (height, 2 * height), face, scale, 255, thick, cv2.LINE_AA)
    return trim(canvas)


def placed(mask: np.ndarray, rng: np.random.Generator, photo: np.ndarray | None, turn: float = 10.0) -> Image.Image:
    """Returns the line on a background of its own size and colours, turned by up to ``turn`` degrees."""
    ink, paper = _colors(rng)
    side = int(np.hypot(*mask.shape)) + 8
    canvas = np.zeros((side, side), np.float32)
    top, left = (side - mask.shape[0]) // 2, (side - mask.shape[1]) // 2
    canvas[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-turn, turn), 1.0)
    line = trim(np.clip(cv2.warpAffine(canvas, matrix, (side, side), flags=cv2.INTER_CUBIC), 0, 255).astype(np.uint8))
    height = max(240, line.shape[0] + int(rng.integers(40, 200)))
    width = max(320, line.shape[1] + int(rng.integers(40, 240)))
    base = _background(paper, height, width, rng, photo)
    y, x = int(rng.integers(8, height - line.shape[0] - 7)), int(rng.integers(8, width - line.shape[1] - 7))
    alpha = np.zeros((height, width, 1), np.float32)
    alpha[y : y + line.shape[0], x : x + line.shape[1], 0] = line / 255
    out = base * (1 - alpha) + np.asarray(ink, np.float32) * alpha + rng.normal(0, rng.choice([0, 2, 5]), base.shape)
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _colors(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    dark = rng.random() < 0.5
    ink = rng.integers(0, 70, 3) if dark else rng.integers(190, 256, 3)
    return ink, rng.integers(150, 256, 3) if dark else rng.integers(0, 110, 3)


def _background(
    paper: np.ndarray, height: int, width: int, rng: np.random.Generator, photo: np.ndarray | None
) -> np.ndarray:
    """A ramp of the paper's colour, or a photo that is washed out towards it so that the text can be seen."""
    ramp = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * rng.uniform(0, 25)
    plain = np.broadcast_to(np.asarray(paper, np.float32) + ramp, (height, width, 3))
    if photo is None:
        return plain
    return 0.65 * plain + 0.35 * cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def _fonts_that_differ(files: Sequence[str], n: int, rng: np.random.Generator, one: bool) -> list[str]:
    """Fonts for n letters: two or three styles in turn by chance, or one strange letter in the middle."""
    by_style: dict[str, list[str]] = {}
    for path in files:
        by_style.setdefault(style_of(path), []).append(path)
    styles = list(rng.permutation(sorted(by_style)))[: 2 if one else int(rng.integers(2, 4))]
    chosen = [str(rng.choice(by_style[style])) for style in styles]
    if one:
        out = [chosen[0]] * n
        out[int(rng.integers(1, n - 1))] = chosen[1]
        return out
    while True:
        picks = [int(k) for k in rng.integers(0, len(chosen), n)]
        if min(picks.count(0), n - picks.count(0)) >= 2:
            return [chosen[k] for k in picks]


def make(
    kind: str, half: str, rng: np.random.Generator, photos: Sequence[np.ndarray] = (), folder: Path | None = None
) -> Drawn:
    """Returns one picture of that kind (``"clean"``, or a name of the tuples above) of that half."""
    files = font_files(half, folder)
    word = str(rng.choice(WORDS[half].split()))
    size = int(np.exp(rng.uniform(np.log(20), np.log(120))))
    size = min(size, 1100 // len(word))
    italic = [path for path in files if "italic" in style_of(path)]
    path = str(rng.choice(italic if kind == "italic" else files))
    if kind == "capitals":
        word = word.upper()
    elif kind == "mixed_case":
        word = "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in word)
    elif kind == "two_lines":
        word = f"{word} {rng.choice(WORDS[half].split())}"
    fonts = [path] * len(word)
    if kind in MIXED:
        fonts = _fonts_that_differ(files, len(word), rng, kind == "one_letter")
    draw: dict[str, Callable[[], np.ndarray]] = {
        "script": lambda: script_mask(word, size, rng),
        "jitter": lambda: line_mask(word, fonts, size, rng, jitter=rng.uniform(0.06, 0.14)),
        "spacing": lambda: line_mask(word, fonts, size, rng, gaps=rng.uniform(0.15, 0.3)),
        "tracked": lambda: line_mask(word, fonts, size, rng, tracking=rng.uniform(0.1, 0.35)),
        "pseudo": lambda: pseudo(len(word), size, rng),
    }
    mask = draw.get(kind, lambda: line_mask(word, fonts, size, rng))()
    warp: dict[str, Callable[[], np.ndarray]] = {
        "sine": lambda: sine(mask, rng.uniform(0.08, 0.2), rng.uniform(1.0, 2.5), rng.uniform(0, 2 * np.pi)),
        "elastic": lambda: elastic(mask, rng.uniform(0.04, 0.08), rng),
        "arched": lambda: arched(mask, rng.uniform(0.05, 0.15) * rng.choice([-1, 1]), rng.random() < 0.5),
        "perspective": lambda: perspective(mask, rng.uniform(0.2, 0.5), rng),
        "shuffled": lambda: shuffled(mask, rng),
        "erased": lambda: erased(mask, int(rng.integers(2, 5)), rng.uniform(0.45, 0.65)),
    }
    mask = warp.get(kind, lambda: mask)()
    photo = photos[int(rng.integers(len(photos)))] if photos and rng.random() < 0.5 else None
    return Drawn(placed(mask, rng, photo), word, kind)
