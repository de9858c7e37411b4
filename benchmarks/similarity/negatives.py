"""Pictures that look alike and are not the same; drawn anew for this."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.figures import share
from benchmarks.similarity import held_out, templates
from benchmarks.similarity.changes import CHANGES, jpeg
from benchmarks.similarity.methods import METHODS, pairs_by_loupe, print_row


def hard_negatives() -> None:
    """Prints how many pairs of different pictures are called duplicates."""
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
        "plain colors": (plain, 20),
        "color ramps": (ramp, 20),
        "one lamp at night": (lamp, 30),
        "one page layout": (page, 30),
    }
    for name, (draw, count) in sets.items():
        pictures = [draw() for _ in range(count)]
        for method, find in METHODS.items():
            print_row(name, method, share(len(find(pictures)), count * (count - 1) // 2))

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
        print_row("signs that differ in one digit", method, share(wrong[method], pairs))
    for method in METHODS:
        print_row("  recall: the same sign as JPEG 75", method, share(copies[method], pairs))


def shared_templates(seeds: int = 5, alike: int = 6) -> None:
    """Prints how many pairs of pictures that share a template are called duplicates, and what copies are found."""
    for name, kinds in (("tuned with", templates.KINDS), ("held out", held_out.KINDS)):
        print(f"\nkinds {name}: {alike} pictures of one template, {seeds} templates each; every pair is wrong")
        total = dict.fromkeys(METHODS, 0)
        pairs = seeds * alike * (alike - 1) // 2
        for kind, draw in kinds.items():
            pools = [templates.templates(draw, alike, 300 + seed) for seed in range(seeds)]
            for method, find in METHODS.items():
                wrong = sum(len(find(pool)) for pool in pools)
                total[method] += wrong
                print_row(kind, method, share(wrong, pairs))
        for method in METHODS:
            print_row("all", method, share(total[method], pairs * len(kinds)))
        hits = n = 0
        for draw in kinds.values():
            picture = templates.templates(draw, 1, 400)[0]
            for change in (change for some in CHANGES.values() for change in some):
                hits += bool(pairs_by_loupe([picture, np.ascontiguousarray(change(picture))]))
                n += 1
        print_row("  recall: changed copies of one each", "Loupe", share(hits, n))
