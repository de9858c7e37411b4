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
from PIL import Image

from benchmarks.text import masks

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
    chosen = [known[stem] for stem in sorted(wanted & set(known))]
    if folder is not None:
        # every other file goes to each half
        files = sorted(str(path) for path in folder.iterdir() if path.suffix in {".ttf", ".otf", ".woff"})
        chosen += files[half == "measure" :: 2]
    return tuple(chosen)


def style_of(path: str) -> str:
    """Returns what a reader sees of a font at a glance: sans, serif or mono, with bold and italic."""
    name = Path(path).stem
    base = "mono" if "Mono" in name or "tt10" in name else "sans" if "Sans" in name or "cmss" in name else "serif"
    bold = "bold" if "Bol" in name or "cmb10" in name or "Black" in name else ""
    return " ".join(filter(None, (base, bold, "italic" if "Ita" in name or "Oblique" in name else "")))


def placed(mask: np.ndarray, rng: np.random.Generator, photo: np.ndarray | None, turn: float = 10.0) -> Image.Image:
    """Returns the line on a background of its own size and colors, turned by up to ``turn`` degrees."""
    ink, paper = _colors(rng)
    side = int(np.hypot(*mask.shape)) + 8
    canvas = np.zeros((side, side), np.float32)
    top, left = (side - mask.shape[0]) // 2, (side - mask.shape[1]) // 2
    canvas[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-turn, turn), 1.0)
    turned = cv2.warpAffine(canvas, matrix, (side, side), flags=cv2.INTER_CUBIC)
    line = masks.trim(np.clip(turned, 0, 255).astype(np.uint8))
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
    """A ramp of the paper's color, or a photo that is washed out toward it so that the text can be seen."""
    ramp = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * rng.uniform(0, 25)
    plain = np.broadcast_to(np.asarray(paper, np.float32) + ramp, (height, width, 3))
    if photo is None:
        return plain
    return 0.65 * plain + 0.35 * cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def _fonts_that_differ(files: Sequence[str], n: int, rng: np.random.Generator, single: bool) -> list[str]:
    """Fonts for n letters: two or three styles in turn by chance, or one strange letter in the middle."""
    by_style: dict[str, list[str]] = {}
    for path in files:
        by_style.setdefault(style_of(path), []).append(path)
    styles = list(rng.permutation(sorted(by_style)))[: 2 if single else int(rng.integers(2, 4))]
    chosen = [str(rng.choice(by_style[style])) for style in styles]
    if single:
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
        "script": lambda: masks.script_mask(word, size, rng),
        "jitter": lambda: masks.line_mask(word, fonts, size, rng, jitter=rng.uniform(0.06, 0.14)),
        "spacing": lambda: masks.line_mask(word, fonts, size, rng, gaps=rng.uniform(0.15, 0.3)),
        "tracked": lambda: masks.line_mask(word, fonts, size, rng, tracking=rng.uniform(0.1, 0.35)),
        "pseudo": lambda: masks.pseudo(len(word), size, rng),
    }
    mask = draw.get(kind, lambda: masks.line_mask(word, fonts, size, rng))()
    warp: dict[str, Callable[[], np.ndarray]] = {
        "sine": lambda: masks.sine(mask, rng.uniform(0.08, 0.2), rng.uniform(1.0, 2.5), rng.uniform(0, 2 * np.pi)),
        "elastic": lambda: masks.elastic(mask, rng.uniform(0.04, 0.08), rng),
        "arched": lambda: masks.arched(mask, rng.uniform(0.05, 0.15) * rng.choice([-1, 1]), rng.random() < 0.5),
        "perspective": lambda: masks.perspective(mask, rng.uniform(0.2, 0.5), rng),
        "shuffled": lambda: masks.shuffled(mask, rng),
        "erased": lambda: masks.erased(mask, int(rng.integers(2, 5)), rng.uniform(0.45, 0.65)),
    }
    mask = warp.get(kind, lambda: mask)()
    photo = photos[int(rng.integers(len(photos)))] if photos and rng.random() < 0.5 else None
    return Drawn(placed(mask, rng, photo), word, kind)
