"""Strings with an edit of a known kind, drawn in many fonts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from loupe.brain.core.strings import comparable
from loupe.brain.measures.text.alignment import align

KINDS = ("text_substitution", "text_omission", "text_duplication", "unrequested_text")
FONTS = """
DejaVuSans DejaVuSans-Bold DejaVuSans-Oblique DejaVuSerif DejaVuSerif-Bold DejaVuSerif-Italic DejaVuSansMono
DejaVuSansMono-Bold STIXGeneral STIXGeneralBol STIXGeneralItalic cmr10 cmss10 cmtt10 cmb10
"""

WORDS = """
COFFEE SHOP OPEN DAILY WELCOME BAKERY FRESH BREAD SUMMER SALE EXIT PARKING HOTEL MUSIC FESTIVAL LIBRARY MARKET STREET
Garden Kitchen Mountain River Happy Birthday Adventure Journey Discover Coast Winter Flowers Pizza Museum Gallery
station platform ticket doctor school kindness forever together sunshine yesterday language breakfast 24 1998 427 50 365
"""


def fonts() -> list[str]:
    """Returns the text fonts in matplotlib's wheel: DejaVu, STIX and Computer Modern."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [str(folder / f"{name}.ttf") for name in FONTS.split() if (folder / f"{name}.ttf").is_file()]


def inject(text: str, kind: str, rng: np.random.Generator) -> str:
    """Returns the text with one edit of that kind; what is compared differs by just that kind."""
    for _ in range(200):
        words = text.split()
        at = int(rng.integers(len(words)))
        word = words[at]
        place = int(rng.integers(len(word)))
        if kind == "text_substitution":
            pool = "0123456789" if word[place].isdigit() else "abcdefghijklmnopqrstuvwxyz"
            new = str(rng.choice(list(pool)))
            words[at] = word[:place] + (new.upper() if word[place].isupper() else new) + word[place + 1 :]
        elif kind == "text_omission":
            words[at] = word[:place] + word[place + 1 :]
        elif rng.random() < 0.5 and len(words) < 4:
            words.insert(at, word)
        else:
            words[at] = word[:place] + word[place] + word[place:]
        made = " ".join(word for word in words if word)
        edits = align([*map(comparable, text.split())], [*map(comparable, made.split())]).edits
        # an l for an I is no substitution that anybody could see
        same = comparable(made.replace("I", "l")) == comparable(text.replace("I", "l"))
        if made and not same and {edit.kind for edit in edits} == {kind.removeprefix("text_")}:
            return made
    raise ValueError(f"no {kind} fits into {text!r}")


def draw(text: str, rng: np.random.Generator) -> Image.Image:
    """Returns the text on a picture: font, size, place, colors, background and rotation by chance."""
    width, height = int(rng.integers(320, 769)), int(rng.integers(256, 641))
    dark = rng.random() < 0.5
    ink = tuple(int(v) for v in (rng.integers(0, 70, 3) if dark else rng.integers(190, 256, 3)))
    paper = rng.integers(150, 256, 3) if dark else rng.integers(0, 110, 3)
    ramp = np.linspace(-1, 1, width)[None, :, None] * rng.uniform(0, 20)
    noise = rng.normal(0, rng.choice([0, 4, 10]), (height, width, 1))
    base = np.clip(np.asarray(paper, float) + ramp + noise, 0, 255).astype(np.uint8)
    path = str(rng.choice(fonts()))
    for size in range(int(rng.integers(20, 97)), 11, -2):
        font = ImageFont.truetype(path, size)
        left, top, right, bottom = font.getbbox(text)
        if right - left < 0.8 * width:
            break
    layer = Image.new("L", (width, height), 0)
    x = rng.uniform(0.1 * width, max(0.1 * width + 1, 0.9 * width - (right - left)))
    y = rng.uniform(0.3, 0.7) * height - (bottom - top) / 2
    ImageDraw.Draw(layer).text((x - left, y - top), text, fill=255, font=font)
    layer = layer.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BICUBIC, center=(x + (right - left) / 2, y))
    return Image.composite(Image.new("RGB", (width, height), ink), Image.fromarray(base), layer)
