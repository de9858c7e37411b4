"""The pictures of docs/checks: only such as may be shown, each with where it is from.

A picture's name begins with its source: ``gpt4o/065``, ``sd15/Grant-Wood/0`` (a quadrant; without a number the whole
grid), ``hands/3``, ``digits/5/IMG_1123``, ``ukbench/09040``, ``tiny/7/a red sign that says "42"`` (a seed and a
prompt), ``drawn/plate`` (a function of pages.drawn).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.engine.reader import read
from loupe.brain.generators.diffusion import Diffusion
from pages import drawn


@dataclass(frozen=True)
class Source:
    """Where pictures come from: ``text`` names the repository, the author where one is given, and the license."""

    title: str
    text: str


SOURCES = {
    "gpt4o": Source(
        "GPT-4o",
        "[awesome-gpt4o-images](https://github.com/jamez-bondos/awesome-gpt4o-images) at 3ed4dbb, "
        "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)",
    ),
    "sd15": Source(
        "Stable Diffusion 1.5",
        "[StableDiffusion-CheatSheet](https://github.com/SupaGruen/StableDiffusion-CheatSheet) at 169c57d, MIT, "
        "Copyright (c) 2023 SupaGruen",
    ),
    "hands": Source(
        "Stable Diffusion",
        "[HandRefiner](https://github.com/wenquanlu/HandRefiner) at f07e196, MIT, Copyright (c) 2023 Wenquan Lu",
    ),
    "digits": Source(
        "a photo",
        "[Sign-Language-Digits-Dataset](https://github.com/ardamavi/Sign-Language-Digits-Dataset) at 4b09433, by the "
        "students of Ankara Ayrancı Anadolu High School (Zeynep Dikle, Arda Mavi), Apache-2.0",
    ),
    "ukbench": Source(
        "a photo",
        "[imagededup](https://github.com/idealo/imagededup) at 57a7e85, by idealo, Apache-2.0; photos of UKBench "
        "(Nistér and Stewénius 2006)",
    ),
    "tiny": Source("tiny-signs", "our own toy model `models/tiny-signs`, Apache-2.0"),
    "drawn": Source("drawn", "drawn by `scripts/pages/drawn.py`, Apache-2.0"),
}


def picture(name: str, folder: Path) -> np.ndarray:
    """Returns a picture by its name: (H, W, 3) uint8 sRGB.

    Args:
        name: see above
        folder: the data folder
    """
    source, rest = name.split("/", 1)
    if source == "drawn":
        return drawn.draw(rest)
    if source == "tiny":
        return _tiny(rest)
    if source == "sd15":
        return _quadrant(rest, folder)
    file = {
        "gpt4o": f"5_generated/gpt4o_cases/{rest}.png",
        "hands": f"4_hands/handrefiner_malformed5/{rest}.jpg",
        "digits": f"4_hands/sign_digits_real/{rest}.JPG",
        "ukbench": f"3_duplicates/imagededup_tests/base_images/ukbench{rest}.jpg",
    }[source]
    return read(folder / file).pixels


def attribution(names: Sequence[str], folder: Path) -> list[str]:
    """Returns a line for each source of these pictures: which it gave, from where, whose, the license."""
    lines = []
    for name, source in SOURCES.items():
        mine = sorted({picture.split("/", 1)[1] for picture in names if picture.startswith(f"{name}/")})
        if not mine:
            continue
        if name in ("tiny", "drawn"):
            lines.append(f"- {source.title[0].upper()}{source.title[1:]}: {source.text}.")
            continue
        if name == "gpt4o":
            facts = _cases(folder / "5_generated" / "gpt4o_cases" / "cases.csv")
            mine = [f"{file} (“{facts[file]['title']}”, by {facts[file]['image_author']})" for file in mine]
        lines.append(f"- {source.text}: {', '.join(mine)}.")
    return lines


@cache
def _cases(file: Path) -> dict[str, dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return {row["file"].removesuffix(".png"): row for row in csv.DictReader(stream)}


def _quadrant(name: str, folder: Path) -> np.ndarray:
    """A whole 2 x 2 grid, or one of its pictures: 0 top left, 1 top right, 2 bottom left, 3 bottom right."""
    artist, _, place = name.partition("/")
    whole = read(folder / "5_generated" / "sd15_2x2_grids" / "img" / f"{artist}.webp").pixels
    if not place:
        return whole
    height, width = (side // 2 for side in whole.shape[:2])
    down, right = divmod(int(place), 2)
    return whole[down * height : (down + 1) * height, right * width : (right + 1) * width]


@cache
def _model() -> GeneratorSession:
    return Diffusion(model="tiny-signs").load("cpu")


def _tiny(name: str) -> np.ndarray:
    seed, _, prompt = name.partition("/")
    return np.asarray(_model().draw([Request(prompt, int(seed))])[0].convert("RGB"))


def with_defect(pixels: np.ndarray, name: str, severity: float, seed: int) -> np.ndarray:
    """Returns a copy with that flaw."""
    return registry.defects()[name]().inject(pixels, severity, np.random.default_rng(seed))


def panel(pixels: np.ndarray, side: int) -> Image.Image:
    """Returns the picture with a long side of at most ``side`` pixels; a small one is enlarged by a whole factor."""
    made = Image.fromarray(pixels)
    if max(made.size) > side:
        made.thumbnail((side, side), Image.Resampling.LANCZOS)
        return made
    times = side // max(made.size)
    return made.resize((made.width * times, made.height * times), Image.Resampling.NEAREST) if times > 1 else made
