"""How many duplicates are found, and how many pairs are wrongly called duplicates; plain pHash beside it.

    .venv/bin/python -m benchmarks.duplicates ../shared/data

The folder holds ``1_real_photos`` and ``3_duplicates``; every second photo is taken. The method was built with all of
these pictures in sight, so the figures on them are not blind; the drawn hard negatives are new draws. Without the
folder only those are measured.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.figures import machine, share
from loupe.brain.core.errors import ReadError
from loupe.brain.engine.reader import read
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.similarity import matching, thumbnail_similarity

LINE = Duplicates.outputs[1].default_threshold
PHASH_RADIUS = 10
Change = Callable[[np.ndarray], np.ndarray]


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def scaled(picture: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def cropped(picture: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    height, width = picture.shape[:2]
    return picture[round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)]


def stamped(picture: np.ndarray, left: float, share: float) -> np.ndarray:
    """A white plate with a word on it, near the lower edge; left and its width as shares of the picture's."""
    height, width = picture.shape[:2]
    made = picture.copy()
    x, y, wide, high = (
        int(left * width),
        int((0.97 - 0.75 * share) * height),
        int(share * width),
        int(0.75 * share * height),
    )
    made[y : y + high, x : x + wide] = 250
    scale = wide / 130
    place = (x + int(0.08 * wide), y + int(0.65 * high))
    cv2.putText(
        made, "LOGO", place, cv2.FONT_HERSHEY_DUPLEX, scale, (200, 30, 30), max(1, round(2 * scale)), cv2.LINE_AA
    )
    return made


def brightened(picture: np.ndarray, gain: float, offset: float) -> np.ndarray:
    return np.clip(picture * gain + offset, 0, 255).astype(np.uint8)


CHANGES: dict[str, tuple[Change, ...]] = {
    "re-encoded (JPEG 30 to 90)": tuple(lambda x, q=q: jpeg(x, q) for q in (30, 60, 90)),
    "resized (to 1/3, 1/2, 1.5)": tuple(lambda x, f=f: scaled(x, f) for f in (1 / 3, 0.5, 1.5)),
    "10 % cropped": (
        lambda x: cropped(x, 0.05, 0.05, 0.05, 0.05),
        lambda x: cropped(x, 0.1, 0, 0, 0),
        lambda x: cropped(x, 0, 0, 0.1, 0.1),
    ),
    "brightness (x 0.6 to x 1.3 + 10)": (
        lambda x: brightened(x, 0.6, 0),
        lambda x: brightened(x, 1.0, 25),
        lambda x: brightened(x, 1.3, 10),
    ),
    "flipped or turned": (lambda x: x[:, ::-1], lambda x: x[::-1], lambda x: np.rot90(x)),
    "a logo of 6 % of the picture": (lambda x: stamped(x, 0.02, 0.28), lambda x: stamped(x, 0.7, 0.28)),
    "a logo of 2 % of the picture": (lambda x: stamped(x, 0.02, 0.16), lambda x: stamped(x, 0.82, 0.16)),
    "grey": (lambda x: np.repeat(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None], 3, 2),),
}


def thumbs(pictures: Sequence[np.ndarray]) -> thumbnail_similarity.Thumbnails:
    parts = [
        thumbnail_similarity.thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
        for picture in pictures
    ]
    return thumbnail_similarity.Thumbnails.join(parts)


def found_by_loupe(pictures: Sequence[np.ndarray], groups: np.ndarray | None = None) -> set[tuple[int, int]]:
    """Returns the pairs of indices that the measure calls near duplicates, across two groups only: as the verbs do."""
    made = thumbs(pictures)
    clear = np.flatnonzero(thumbnail_similarity.has_detail(made.luma))
    pairs = matching.candidates(made.luma[clear], groups=None if groups is None else groups[clear])
    alike = LINE.violates(matching.similarities(made[clear], pairs))
    return {(min(a, b), max(a, b)) for a, b in zip(clear[pairs.a[alike]], clear[pairs.b[alike]], strict=True)}


def phash(picture: np.ndarray) -> np.ndarray:
    """Returns the 64 bits of imagehash's phash: 8 x 8 low frequencies of 32 x 32 grey pixels against their median."""
    gray = np.asarray(Image.fromarray(picture).convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    low = cv2.dct(gray)[:8, :8]
    return (low > np.median(low)).ravel()


def found_by_phash(pictures: Sequence[np.ndarray]) -> set[tuple[int, int]]:
    bits = np.stack([phash(np.ascontiguousarray(picture)) for picture in pictures]).astype(np.float32) * 2 - 1
    apart = (64 - bits @ bits.T) / 2
    return {(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(apart <= PHASH_RADIUS, 1)), strict=True)}


METHODS = {"Loupe": found_by_loupe, f"pHash <= {PHASH_RADIUS}": found_by_phash}


def line(name: str, method: str, text: str) -> None:
    print(f"{name:36s} {method:12s} {text}", flush=True)


def photos(folder: Path) -> list[np.ndarray]:
    return [read(path).pixels for path in sorted(folder.glob("*/*")) if path.suffix.lower() in (".jpg", ".jpeg")]


def changed_copies(originals: list[np.ndarray]) -> None:
    print(f"\nrecall: {len(originals)} photos among each other's copies; wrong: pairs of different photos")
    for name, changes in CHANGES.items():
        found_of, wrong_of, pairs = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0), 0
        for change in changes:
            pictures = [*originals, *(np.ascontiguousarray(change(picture)) for picture in originals)]
            n = len(originals)
            right = {(index, index + n) for index in range(n)}
            pairs += n
            for method, find in METHODS.items():
                found = find(pictures)
                found_of[method] += len(found & right)
                wrong_of[method] += len(found - right)
        for method in METHODS:
            line(name, method, f"{share(found_of[method], pairs)}  wrong pairs {wrong_of[method]}")


def across_splits(originals: list[np.ndarray], copies: int = 10) -> None:
    """Prints how many pairs across two splits are found where each split holds several copies of the same photos."""
    rng = np.random.default_rng(11)
    changes = [change for some in CHANGES.values() for change in some]
    train = [(photo, index) for index, photo in enumerate(originals)]
    for index, photo in enumerate(originals):
        for _ in range(copies):
            train.append((np.ascontiguousarray(changes[rng.integers(len(changes))](photo)), index))
    test = [
        (np.ascontiguousarray(changes[rng.integers(len(changes))](photo)), index)
        for index, photo in enumerate(originals)
        if index % 2
    ]
    pictures, of = zip(*train, *test, strict=True)
    groups = np.array([0] * len(train) + [1] * len(test))
    right = {(a, b) for a in range(len(train)) for b in range(len(train), len(of)) if of[a] == of[b]}
    print(f"\nleaks: {len(train)} pictures in one split, {len(test)} in the other, {len(right)} pairs across them")
    for name, kept in (("Loupe, across splits", groups), ("the same, one pool", None)):
        found = {(a, b) for a, b in found_by_loupe(pictures, kept) if groups[a] != groups[b]}
        line(
            "pairs across splits (recall)", name, f"{share(len(found & right), len(right))}  wrong {len(found - right)}"
        )


def hard_negatives() -> None:
    from training.tiny_signs.signs import Sign, random_sign, render

    rng = np.random.default_rng(7)

    def plain() -> np.ndarray:
        return np.clip(rng.integers(0, 256, 3) + rng.normal(0, 2, (200, 200, 3)), 0, 255).astype(np.uint8)

    def ramp() -> np.ndarray:
        first, last = rng.integers(0, 256, (2, 3))
        position = np.linspace(0, 1, 200)[:, None, None]
        return np.broadcast_to(first * (1 - position) + last * position, (200, 260, 3)).astype(np.uint8)

    def lamp() -> np.ndarray:
        y, x = np.mgrid[:240, :320]
        distance = (x - rng.uniform(40, 280)) ** 2 + (y - rng.uniform(30, 210)) ** 2
        glow = 10 + 240 * np.exp(-distance / (2 * rng.uniform(6, 30) ** 2))
        return np.clip(glow[..., None] * (1, 0.95, 0.8) + rng.normal(0, 3, (240, 320, 3)), 0, 255).astype(np.uint8)

    def page() -> np.ndarray:
        picture = np.full((300, 400, 3), 250, np.uint8)
        picture[:50] = (20, 60, 140)
        cv2.putText(picture, "WEEKLY REPORT", (10, 35), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
        for row in range(6):
            words = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz     "), rng.integers(15, 24)))
            cv2.putText(
                picture, words, (15, 90 + 35 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 1, cv2.LINE_AA
            )
        return picture

    print("\nhard negatives: different pictures, every pair of which is wrong")
    sets = {
        "plain colours": (plain, 20),
        "colour ramps": (ramp, 20),
        "one lamp at night": (lamp, 30),
        "one page layout": (page, 30),
    }
    for name, (draw, count) in sets.items():
        pictures = [draw() for _ in range(count)]
        for method, find in METHODS.items():
            line(name, method, share(len(find(pictures)), count * (count - 1) // 2))

    wrong, copies, pairs = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0), 150
    for _ in range(pairs):
        sign = random_sign(rng)
        place = int(rng.integers(len(sign.text)))
        digit = str((int(sign.text[place]) + int(rng.integers(1, 10))) % 10)
        other = Sign(sign.color, sign.text[:place] + digit + sign.text[place + 1 :], sign.time, sign.weather)
        picture = render(sign, rng)
        for method, find in METHODS.items():
            wrong[method] += bool(find([picture, render(other, rng)]))
            copies[method] += bool(find([picture, jpeg(picture, 75)]))
    for method in METHODS:
        line("signs that differ in one digit", method, share(wrong[method], pairs))
    for method in METHODS:
        line("  recall: the same sign as JPEG 75", method, share(copies[method], pairs))


def cifair(folder: Path) -> None:
    rows = list(csv.DictReader((folder / "pairs.csv").open(encoding="utf-8")))
    files = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")
    place = {path.name: index for index, path in enumerate(files)}
    labeled = {kind: set() for kind in ("near", "similar")}
    for row in rows:
        a, b = sorted((place[row["a"]], place[row["b"]]))
        labeled[row["kind"]].add((a, b))
    known = set().union(*labeled.values())
    family = {member: group[0] for group in matching.connected(len(files), sorted(known)) for member in group}
    pictures = [read(path).pixels for path in files]
    print(f"\nCIFAR-10 (32 x 32 px): pairs that people judged; {len(files)} pictures")
    for method, find in METHODS.items():
        found = find(pictures)
        line("near duplicates (recall)", method, share(len(found & labeled["near"]), len(labeled["near"])))
        line("similar, not the same photo", method, share(len(found & labeled["similar"]), len(labeled["similar"])))
        rest = {pair for pair in found - known if family.get(pair[0], -1) != family.get(pair[1], -2)}
        line("pairs that nobody judged", method, f"{len(rest):4d}  (a person has to look: many are real)")


def imagededup(folder: Path) -> None:
    files = sorted((folder / "mixed_images").glob("*.jpg")) + [folder / "ukbench00120_gray.jpg"]
    files += sorted((folder / "base_images").glob("*.jpg"))
    names, pictures = [], []
    for path in files:
        try:
            pictures.append(read(path).pixels)
            names.append(path.stem.split("_")[0])
        except ReadError as error:
            print(f"  {path.name}: unreadable, left out ({error})"[:110])
    print(f"\nimagededup's own test pictures: {len(pictures)}")
    right = {(a, b) for a in range(len(names)) for b in range(a + 1, len(names)) if names[a] == names[b]}
    for method, find in METHODS.items():
        found = find(pictures)
        line(
            "pairs of one scene (recall)",
            method,
            f"{share(len(found & right), len(right))}  wrong {len(found - right)}",
        )


def speed() -> None:
    rng = np.random.default_rng(0)
    n = 2000
    coarse = rng.integers(0, 256, (n, 12, 12), dtype=np.uint8)
    luma = np.stack([cv2.resize(grid, (64, 64), interpolation=cv2.INTER_CUBIC) for grid in coarse])
    made = thumbnail_similarity.Thumbnails(luma, np.zeros((n, 2, 16, 16), np.int8))
    started = time.perf_counter()
    pairs = matching.candidates(made.luma)
    middle = time.perf_counter()
    matching.similarities(made, pairs)
    ended = time.perf_counter()
    print(f"\n{n} pictures: candidates {middle - started:.1f} s, {len(pairs)} pairs compared in {ended - middle:.1f} s")


def main(arguments: Sequence[str]) -> None:
    torch.set_num_threads(2)
    started = time.perf_counter()
    print(f"near duplicates: similarity > {LINE.value}; share, 95 % interval (Wilson)")
    if arguments:
        data = Path(arguments[0])
        chosen = photos(data / "1_real_photos")[1::2]
        changed_copies(chosen)
        across_splits(chosen[:40])
        cifair(data / "3_duplicates" / "cifair_pairs")
        imagededup(data / "3_duplicates" / "imagededup_tests")
    hard_negatives()
    speed()
    print(f"\n{machine()}; {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
