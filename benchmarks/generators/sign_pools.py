"""Signs that are to be repaired, and the truth about them: two readers that no check of the gate knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.generators.sign_reader import Reading, SignReader, load_reader
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.core.strings import distance
from loupe.brain.engine.reader import Row
from loupe.brain.generators.diffusion import Diffusion
from loupe.brain.verbs.steps.repair_jobs import Job
from training.tiny_signs.evaluate import measured_signs
from training.tiny_signs.signs import Sign, prompt_of

#: ``usual``: as the model draws by default, all of them; ``hasty``: drawn without guidance, more of them wrong, those
#: that the readers are sure of; ``changed``: of the hasty ones those that are right, and one digit of what was asked
#: for is another one since: wrong for sure, and no harder to draw than any
Kind: TypeAlias = Literal["usual", "hasty", "changed"]
#: 8, 12 and 20 steps are read alike: of 96 signs .73, .70 and .69 are right
STEPS = 8
_GUIDANCE = {"usual": 2.0, "hasty": 1.0, "changed": 1.0}


@dataclass(frozen=True)
class Readers:
    """Two readers, trained apart on real digits.

    Each alone is sure of a wrong reading now and then, and among signs that are mostly right those are as many as the
    wrong signs. Together they are sure where both are, and read the same.
    """

    both: tuple[SignReader, SignReader]

    @classmethod
    def load(cls, cache: Path | None) -> Readers:
        """Returns them, trained and stored there if need be: a minute of a CPU each."""
        return cls((load_reader(cache), load_reader(cache, seed=1)))

    def read(self, pixels: NDArray[np.uint8]) -> list[Reading]:
        """Returns a reading for each picture of an (N, H, W, 3) stack: not sure where they differ."""
        return [
            Reading(a.text, min(a.confidence, b.confidence) if a.text == b.text else 0.0)
            for a, b in zip(*(reader.read(pixels) for reader in self.both), strict=True)
        ]


@dataclass(frozen=True)
class Pool:
    """Signs with what is known of them.

    Attributes:
        signs: what was asked for
        rows: the pictures, as checks read them
        readings: by the independent readers
        jobs: of those that the check flags or cannot read
    """

    signs: Sequence[Sign]
    rows: Sequence[Row]
    readings: Sequence[Reading]
    jobs: Sequence[Job] = ()


def is_right(sign: Sign, reading: Reading) -> bool:
    """Returns whether the readers read what was asked, and stand by it."""
    return reading.sure and reading.text == sign.text


def errors(sign: Sign, reading: Reading) -> int:
    """Returns how many digits differ from those asked for."""
    return distance(sign.text, reading.text)


def generator(guidance: float = _GUIDANCE["usual"]) -> GeneratorSession:
    """Returns tiny-signs, loaded; by default as it repairs, whatever drew the original."""
    return Diffusion("tiny-signs", guidance=guidance, steps=STEPS).load("cpu")


def make_pool(kind: Kind, readers: Readers, count: int, seed: int, to: Path) -> Pool:
    """Returns signs, ``count`` a scenario, drawn and read; of hasty ones those that the readers are sure of."""
    signs = measured_signs(count, seed)
    pictures = _drawn(_GUIDANCE[kind], count, seed)
    readings = readers.read(np.stack(pictures))
    kept = [at for at, reading in enumerate(readings) if kind == "usual" or reading.sure]
    if kind == "changed":
        kept = [at for at in kept if is_right(signs[at], readings[at])]
        kept = kept[:: max(1, len(kept) // count)]
        signs = _changed(signs, seed)
    rows = [_row(number, pictures[at], signs[at], to) for number, at in enumerate(kept)]
    return Pool([signs[at] for at in kept], rows, [readings[at] for at in kept])


@lru_cache(maxsize=1)
def _drawn(guidance: float, count: int, seed: int) -> list[np.ndarray]:
    requests = [Request(prompt_of(sign), seed * 100_000 + at) for at, sign in enumerate(measured_signs(count, seed))]
    return [np.asarray(picture) for picture in generator(guidance).draw(requests)]


def _changed(signs: Sequence[Sign], seed: int) -> list[Sign]:
    """Returns signs that ask for one other digit each."""
    rng = np.random.default_rng((seed, 6))
    made = []
    for sign in signs:
        at = int(rng.integers(len(sign.text)))
        digit = (int(sign.text[at]) + int(rng.integers(1, 10))) % 10
        made.append(replace(sign, text=f"{sign.text[:at]}{digit}{sign.text[at + 1 :]}"))
    return made


def _row(number: int, picture: np.ndarray, sign: Sign, to: Path) -> Row:
    from PIL import Image

    path = to / f"{number}.png"
    Image.fromarray(picture).save(path, compress_level=1)
    return Row(f"{number:024d}", str(path), {"prompt": prompt_of(sign), "spec": None}, frozenset(), {})
