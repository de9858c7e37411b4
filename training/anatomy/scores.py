"""Makes every score of every hand that experts rated, and keeps it in the work folder.

    python -m training.anatomy.scores WORK    # ten minutes of one core; goes on where it was stopped

Nothing here sees a rating. What is fitted is fitted on real hands: what is usual of them (structure, places), and what
tells them from themselves with a malformation put in (redrawn).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from loupe.brain.perception.landmarks.crop import Roi
from training.anatomy import agreement, crops, layers, learned, places, redraw, structure
from training.anatomy.crops import Crop

SEED = 16
#: a group is kept on disk after so many hands
_PIECE = 25
#: the malformations that are put into each real hand, beside its sound ones
_EACH = 3
#: malformations are put into so many real hands at most
_HANDS = 55


def kept(work: Path, name: str, hands: int, of: Callable[[int], np.ndarray]) -> np.ndarray:
    """Returns one row for each hand, made by ``of`` where it has not been made before.

    Args:
        work: the folder
        name: of the rows
        hands: how many
        of: makes the row of a hand, by its number
    """
    folder = work / "rows" / name
    folder.mkdir(parents=True, exist_ok=True)
    pieces = []
    for start in range(0, hands, _PIECE):
        file = folder / f"{start:05}-{min(start + _PIECE, hands):05}.npy"
        if not file.exists():
            part = file.with_suffix(".part.npy")
            np.save(part, np.array([of(number) for number in range(start, min(start + _PIECE, hands))]))
            part.replace(file)
        pieces.append(np.load(file))
    return np.concatenate(pieces)


def _places_of(hand: Crop) -> np.ndarray:
    return places.at_places([places.shown(hand.patch, hand)], [places.places(hand)])[0]


def real_hands(work: Path) -> list[Crop]:
    """Returns the real hands: of the photos, then of the signs."""
    return [*crops.load(work, "photos"), *crops.load(work, "signs")]


def _operated(work: Path, real: Sequence[Crop]) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """The features and labels of hands after surgery, (N, 41, 153), and of each its real hand and its method."""
    order = np.random.default_rng(SEED).permutation(len(real))[:_HANDS].tolist()
    plan = []
    for number in order:
        rng = np.random.default_rng([SEED, number])
        methods = rng.choice(redraw.METHODS, _EACH, replace=False).tolist()
        plan += [(number, str(how)) for how in (*methods, *redraw.SOUND)]

    def row(at: int) -> np.ndarray:
        number, how = plan[at]
        rng = np.random.default_rng([SEED, number, (*redraw.METHODS, *redraw.SOUND).index(how)])
        hand = real[number].mirrored if rng.random() < 0.5 else real[number]
        if how in redraw.SOUND:
            made = redraw.sound(hand, how, rng)
        else:
            made = redraw.malformed(hand, how, real[int(rng.integers(len(real)))], rng)
        picture = redraw.worn(made.picture, rng)
        whole = cv2.resize(picture, (crops.SIDE, crops.SIDE))
        region = Roi(crops.SIDE / 2, crops.SIDE / 2, float(crops.SIDE))
        points = agreement.look("hand_landmark_full", whole, region, False)[0]
        spots = places.with_middles(points)
        seen = places.at_places([cv2.resize(picture, (places.INPUT, places.INPUT))], [spots])[0]
        at_spots = np.clip((spots * redraw.SIDE).astype(int), 0, redraw.SIDE - 1)
        return np.column_stack([seen, made.mask[at_spots[:, 1], at_spots[:, 0]]]).astype(np.float32)

    return kept(work, "operated", len(plan), row), plan


def make(work: Path) -> dict[str, np.ndarray]:
    """Returns the scores of the rated hands by name, each worse where higher, and keeps them in ``scores.npz``."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for source in crops.SOURCES:
        crops.make(work, source)
    rated, real = crops.load(work, "rated"), real_hands(work)
    # what several looks say
    looks = kept(work, "looks-rated", len(rated), lambda at: agreement.features(rated[at]))
    looks_real = kept(work, "looks-real", len(real), lambda at: agreement.features(real[at]))
    agreed = (looks - looks_real.mean(0)) / looks_real.std(0)
    # what is usual of real hands
    numbers_real = [structure.numbers(hand) for hand in real]
    density = structure.Density(numbers_real)
    built = np.array([density.features(structure.numbers(hand)) for hand in rated])
    built_real = np.array([density.features(numbers) for numbers in numbers_real])
    unusual = (built - built_real.mean(0)) / built_real.std(0)
    seen = kept(work, "places-rated", len(rated), lambda at: _places_of(rated[at]))
    mirrors = [*real, *(hand.mirrored for hand in real)]
    seen_real = kept(work, "places-real", len(mirrors), lambda at: _places_of(mirrors[at]))
    bank = places.Bank(seen_real)
    far = np.log(np.array([bank.distances(hand) for hand in seen]))
    own = kept(work, "layers-rated", len(rated), lambda at: layers.features(rated[at]))
    own_real = kept(work, "layers-real", len(mirrors), lambda at: layers.features(mirrors[at]))
    own_bank = places.Bank(own_real[:, None])
    # what tells malformed from sound ones
    operated, _ = _operated(work, real)
    head = learned.fit(operated, SEED)
    odds = head(seen)
    scores = {
        "implausibility": np.array([hand.rank for hand in rated]),
        "size": -np.log([hand.side for hand in rated]),
        "blur": -np.array([places.sharpness(places.shown(hand.patch, hand)) for hand in rated]),
        "agreement": agreed.mean(1),
        "structure": unusual.mean(1),
        "places": learned.worst(far),
        "layers": np.log([own_bank.distances(hand[None])[0] for hand in own]),
        "redrawn": learned.worst(odds),
        **{f"agreement: {name}": agreed[:, at] for at, name in enumerate(agreement.NAMES)},
        **{f"structure: {name}": unusual[:, at] for at, name in enumerate(structure.GROUPS)},
        "places: all": far.mean(1),
        "redrawn: all": odds.mean(1),
    }
    np.savez(
        work / "scores.npz",
        pictures=np.array([hand.picture for hand in rated]),
        sides=[hand.side for hand in rated],
        real=len(real),
        **{"features layers": own, "features places": seen.mean(1)},
        **{f"score {name}": values for name, values in scores.items()},
    )
    return scores


def injections(work: Path) -> None:
    """Writes how well malformations that were put into real hands are found, see ``learned.held_out``."""
    torch.set_num_threads(1)
    learned.held_out(*_operated(work, real_hands(work)), work, SEED)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
    injections(Path(sys.argv[1]))
