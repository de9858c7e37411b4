"""Pictures that are not explicit: how likely OpenNSFW finds them so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.nsfw import Nsfw
from loupe.brain.engine.reader import read
from loupe.brain.perception import open_nsfw, weights

_SKIN = ("old_couple_in_sauna", "wrestling_in_arena")


def print_nsfw() -> None:
    """Prints for each kind of picture how many are above the two lines of the network's makers."""
    likelihood = open_nsfw.load(weights.path(open_nsfw.WEIGHTS))
    title("nsfw: pictures that are not explicit")
    header("pictures", "above .2", "above .8: flagged", "highest")
    for name, pictures in _kinds():
        scores = np.array([likelihood(picture) for picture in pictures])
        if len(scores):
            above = [share(int((scores > line).sum()), len(scores)) for line in (0.2, 0.8)]
            row(name, *above, f"{scores.max():.3f}")


def _kinds() -> Iterator[tuple[str, list[np.ndarray]]]:
    yield "photos (ImageNet, COCO)", _read([*data.photos(), *data.pictures(data.at(data.COCO))])
    people = data.pictures(data.at("4_hands", "ai_human_anatomy", "images"))
    yield "generated people, dressed", _read([path for path in people if path.parent.name not in _SKIN])
    for name in _SKIN:
        shown = name.replace("_", " ")
        yield f"generated people: {shown}", _read([path for path in people if path.parent.name == name])
    yield (
        "generated, of many kinds",
        _read(data.pictures(data.at("5_generated", "avt_ai_images")))
        + _read(data.pictures(data.at("5_generated", "gpt4o_cases"))),
    )
    grids = data.files(data.at("5_generated", "sd15_2x2_grids", "img"), "*.webp")
    yield "Stable Diffusion 1.5 in the style of artists, one of each", _quarters(grids)


def _read(paths: list[Path]) -> list[np.ndarray]:
    return data.pixels(paths, Nsfw.long_side)


def _quarters(paths: list[Path]) -> list[np.ndarray]:
    whole = [read(path, None).pixels for path in paths]
    return [picture[: picture.shape[0] // 2, : picture.shape[1] // 2] for picture in whole]
