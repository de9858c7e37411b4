"""How well the pixel checks find defects of known severity, and how often they cry wolf.

    python -m benchmarks.pixel_checks                 # the table, half a minute of one core
    python -m benchmarks.pixel_checks --calibrate     # the quantiles that the default thresholds were taken from
    python -m benchmarks.pixel_checks --markdown      # the table for the docs

The pictures are real photos (ImageNet and COCO) with one injected defect each. Default thresholds were set on the clean
ImageNet photos at even places of the sorted list; all that is printed here is measured on the other half and on COCO,
which no threshold has seen. The formulas were chosen with both halves in sight. Intervals are Wilson's, at 95 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from benchmarks.figures import machine, share
from loupe.brain import registry
from loupe.brain.reader import read
from loupe.brain.records import ImageBatch

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PHOTOS = DATA / "1_real_photos"
CHECKS = ("exposure", "geometry", "grayscale", "information", "motion_blur", "sharpness")
LONG_SIDE = 512

Picture = np.ndarray
Defect = Callable[[Picture], Picture]


def blur(percent: float) -> Defect:
    """Gaussian blur; sigma in % of the long side."""
    return lambda pixels: cv2.GaussianBlur(pixels, (0, 0), percent / 100 * max(pixels.shape[:2]))


def motion(percent: float, degrees: float = 0) -> Defect:
    """Motion blur along a straight line; its length in % of the long side, counterclockwise from horizontal."""

    def apply(pixels: Picture) -> Picture:
        length = percent / 100 * max(pixels.shape[:2])
        side = 2 * int(length / 2 + 2) + 1
        # points along the line, each shared out among the four pixels around it
        step = np.linspace(-length / 2, length / 2, max(3, int(length * 8)))
        x = side // 2 + step * np.cos(np.deg2rad(degrees))
        y = side // 2 - step * np.sin(np.deg2rad(degrees))
        kernel = np.zeros((side, side), np.float32)
        for right in (0, 1):
            for below in (0, 1):
                weight = np.abs(1 - right - x % 1) * np.abs(1 - below - y % 1)
                np.add.at(kernel, (y.astype(int) + below, x.astype(int) + right), weight)
        return cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)

    return apply


def tone(curve: Callable[[np.ndarray], np.ndarray]) -> Defect:
    """Any curve over the sRGB values in [0, 1]."""
    table = (curve(np.arange(256) / 255).clip(0, 1) * 255).round().astype(np.uint8)
    return lambda pixels: table[pixels]


def gain(factor: float) -> Defect:
    return tone(lambda value: value * factor)


def gamma(exponent: float) -> Defect:
    return tone(lambda value: value**exponent)


def haze(transmission: float) -> Defect:
    """Koschmieder's law with an even depth and a light grey air."""
    return tone(lambda value: value * transmission + 0.9 * (1 - transmission))


def noise(levels: float) -> Defect:
    """Gaussian noise; its standard deviation in grey levels."""

    def apply(pixels: Picture) -> Picture:
        rng = np.random.default_rng(pixels.size)
        grain = rng.standard_normal(pixels.shape, dtype=np.float32) * levels
        return (pixels + grain).clip(0, 255).round().astype(np.uint8)

    return apply


def flattest(part: int) -> Defect:
    """The flattest of part x part crops, scaled up to the picture's size."""

    def apply(pixels: Picture) -> Picture:
        height, width = pixels.shape[0] // part, pixels.shape[1] // part
        crops = [
            pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
            for row in range(part)
            for column in range(part)
        ]
        flat = min(crops, key=lambda crop: float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).std()))
        return cv2.resize(flat, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)

    return apply


def even(pixels: Picture) -> Picture:
    """Nothing but the picture's mean colour."""
    return np.broadcast_to(pixels.mean((0, 1)).round().astype(np.uint8), pixels.shape).copy()


def squeeze(ratio: float) -> Defect:
    """A strip across the middle, so that short side / long side is as given."""

    def apply(pixels: Picture) -> Picture:
        height = max(1, round(pixels.shape[1] * ratio))
        return cv2.resize(pixels, (pixels.shape[1], height), interpolation=cv2.INTER_AREA)

    return apply


def chain(*defects: Defect) -> Defect:
    def apply(pixels: Picture) -> Picture:
        for defect in defects:
            pixels = defect(pixels)
        return pixels

    return apply


def oval(share: float, *, back: int | None = None, blur_back: float = 0.0) -> Defect:
    """The middle of the picture in an oval that covers that share of it, before a plain or a blurred background."""

    def apply(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        behind = np.full_like(pixels, back) if back is not None else blur(blur_back)(pixels)
        y, x = np.mgrid[:height, :width]
        inside = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * np.pi < share
        return np.where(inside[..., None], pixels, behind)

    return apply


def lamp(pixels: Picture) -> Picture:
    """A night with one lamp: the picture at 8 % of its brightness, with a glow that covers about 1 % of it."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x - width * 0.7, y - height * 0.3) / max(height, width)
    glow = 255 * np.exp(-((distance / 0.06) ** 2))
    return (pixels * 0.08 + glow[..., None]).clip(0, 255).astype(np.uint8)


def grey(pixels: Picture) -> Picture:
    return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def jpeg(quality: int) -> Defect:
    def apply(pixels: Picture) -> Picture:
        _, encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])

    return apply


def on_grey(share: float) -> Defect:
    """The picture in grey, with a red square that covers that share of it."""

    def apply(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        side = round((share * height * width) ** 0.5)
        marked = grey(pixels)
        marked[height // 3 : height // 3 + side, width // 3 : width // 3 + side] = (200, 30, 40)
        return marked

    return apply


#: by failure mode: what must be found, and what looks like it and must not be
CASES: dict[str, tuple[dict[str, Defect], dict[str, Defect]]] = {
    "blur": (
        {
            **{f"Gaussian, σ {sigma:g} %": blur(sigma) for sigma in (0.25, 0.5, 1, 2, 4)},
            "σ 1 %, then noise of 2 levels": chain(blur(1), noise(2)),
        },
        {
            "dark (gain 0.25)": gain(0.25),
            "haze 0.4": haze(0.4),
            "sharp on plain, 10 %": oval(0.1, back=200),
            "bokeh, sharp 20 %": oval(0.2, blur_back=3),
            "grey": grey,
        },
    ),
    "motion_blur": (
        {
            **{f"{length:g} % along {angle}°": motion(length, angle) for length in (1, 2, 4, 8) for angle in (0, 70)},
            "4 % along 120°": motion(4, 120),
            "4 %, then noise of 2 levels": chain(motion(4), noise(2)),
            "4 %, dark (gain 0.25)": chain(motion(4), gain(0.25)),
        },
        {
            **{f"Gaussian, σ {sigma:g} %": blur(sigma) for sigma in (0.5, 1, 4)},
            "dark (gain 0.25)": gain(0.25),
            "haze 0.4": haze(0.4),
            "sharp on plain, 10 %": oval(0.1, back=200),
            "bokeh, sharp 20 %": oval(0.2, blur_back=3),
            "noise of 10 levels": noise(10),
        },
    ),
    "dark": (
        {**{f"gain {factor:g}": gain(factor) for factor in (0.5, 0.35, 0.25, 0.15)}, "gamma 3": gamma(3), "lamp": lamp},
        {"low key, object 20 %": oval(0.2, back=0), "haze 0.5": haze(0.5)},
    ),
    "bright": (
        {
            **{f"gain {factor:g}": gain(factor) for factor in (2, 3, 4)},
            "gamma 0.33": gamma(0.33),
            "gamma 0.2": gamma(0.2),
        },
        {
            "object on white, 50 %": oval(0.5, back=255),
            "object on white, 20 %": oval(0.2, back=255),
            "haze 0.5": haze(0.5),
        },
    ),
    "low_contrast": (
        {f"haze {share:g}": haze(share) for share in (0.7, 0.5, 0.35, 0.2)},
        {"dark (gain 0.25)": gain(0.25), "sharp on plain, 10 %": oval(0.1, back=200), "blur, σ 2 %": blur(2)},
    ),
    "low_information": (
        {"one colour": even, "and noise of 3 levels": chain(even, noise(3)), "flattest 1/8": flattest(8)},
        {
            "object on plain, 10 %": oval(0.1, back=200),
            "object on plain, 1 %": oval(0.01, back=200),
            "dark (gain 0.25)": gain(0.25),
            "haze 0.35": haze(0.35),
            "blur, σ 4 %": blur(4),
        },
    ),
    "grayscale": (
        {
            "grey stored as RGB": grey,
            "and as JPEG, quality 50": chain(grey, jpeg(50)),
            "grey, dark (gain 0.25)": chain(grey, gain(0.25)),
        },
        {"haze 0.4": haze(0.4), "dark (gain 0.25)": gain(0.25), "colour on 2 % of it": on_grey(0.02)},
    ),
    "odd_aspect": ({"1:4": squeeze(0.25), "1:6": squeeze(1 / 6)}, {"1:3": squeeze(1 / 3)}),
}


class Judge:
    """All pixel checks at once, over lists of pictures of any shape."""

    def __init__(self) -> None:
        known = registry.checks()
        self.loaded = {name: known[name]().load("cpu") for name in CHECKS}
        self.line = {failure: (check, output) for failure, (check, output) in registry.failures().items()}

    def scores(self, pictures: list[Picture], failure: str) -> np.ndarray:
        """Returns (N,) scores; NaN where unknown."""
        check, output = self.line[failure]
        batches = (
            ImageBatch(("",), torch.from_numpy(picture[None].transpose(0, 3, 1, 2)), (picture.shape[1::-1],))
            for picture in pictures
        )
        return np.array([float(self.loaded[check](batch)[output.name][0]) for batch in batches])

    def fails(self, scores: np.ndarray, failure: str) -> np.ndarray:
        threshold = self.line[failure][1].fails
        assert threshold is not None
        return threshold.fails(scores)


def load(part: int) -> list[Picture]:
    """Returns the photos at even (0) or odd (1) places; COCO goes with the odd ones."""
    paths = sorted((PHOTOS / "imagenet_sample_1000").iterdir())[part::2]
    if part:
        paths += sorted((PHOTOS / "coco_val2017_100").iterdir())
    return [read(path, LONG_SIDE).pixels for path in paths]


def rows(judge: Judge, photos: list[Picture]) -> list[tuple[str, ...]]:
    """Returns (failure, kind, case, found with interval, unknown of n, AUROC against the clean photos)."""
    table = []
    for failure, (defects, negatives) in CASES.items():
        output = judge.line[failure][1]
        clean = judge.scores(photos, failure)
        cases = [("clean", "as they are", None)]
        cases += [("defect", name, defect) for name, defect in defects.items()]
        cases += [("hard negative", name, negative) for name, negative in negatives.items()]
        for kind, name, change in cases:
            found = clean if change is None else judge.scores([change(photo) for photo in photos], failure)
            known = ~np.isnan(found)
            area = ""
            if kind == "defect" and known.any():
                both = np.concatenate([clean[~np.isnan(clean)], found[known]])
                truth = np.arange(len(both)) >= (~np.isnan(clean)).sum()
                area = f"{roc_auc_score(truth, -both if output.higher_is_better else both):.3f}"
            flagged = int(judge.fails(found, failure).sum())
            unknown = f"{len(found) - int(known.sum())} of {len(found)}"
            table.append((failure, kind, name, share(flagged, int(known.sum())), unknown, area))
    return table


def calibrate(judge: Judge) -> None:
    photos = load(0)
    print(f"{len(photos)} ImageNet photos at even places; the score's failing end\n")
    for failure in CASES:
        check, output = judge.line[failure]
        threshold = output.fails
        assert threshold is not None
        scores = judge.scores(photos, failure)
        scores = scores[~np.isnan(scores)]
        places = (0.0, 0.005, 0.01, 0.02, 0.05)
        ends = [np.quantile(scores, place if threshold.op == "<" else 1 - place) for place in places]
        figures = "  ".join(f"{place:.1%}: {end:.3f}" for place, end in zip(places, ends, strict=True))
        flagged = int(threshold.fails(scores).sum())
        print(
            f"{failure:16} {check + '.' + output.name:28} {threshold.op} {threshold.value:<5g} "
            f"flags {flagged} of {len(scores)};  {figures}"
        )


def speed(judge: Judge) -> str:
    """Returns the cost of each check beside that of decoding, in ms per image, in batches of 16 on one thread."""
    torch.set_num_threads(1)
    paths = sorted((PHOTOS / "imagenet_sample_1000").iterdir())
    paths = [path for path in paths if read(path).pixels.shape == (375, 500, 3)][:16]

    def best(work: Callable[[], object]) -> float:
        times = []
        for _ in range(8):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return min(times) / len(paths) * 1000

    stack = torch.from_numpy(np.stack([read(path).pixels for path in paths]).transpose(0, 3, 1, 2))

    def fresh() -> ImageBatch:
        return ImageBatch(("",) * len(paths), stack, ((500, 375),) * len(paths))

    def all_checks() -> None:
        batch = fresh()
        for check in judge.loaded.values():
            check(batch)

    costs = {"decoding": best(lambda: [read(path) for path in paths]), "all pixel checks": best(all_checks)}
    costs |= {name: best(lambda check=check: check(fresh())) for name, check in judge.loaded.items()}
    parts = ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items())
    return f"ms per image of 500 x 375 ({len(paths)} in a batch, one thread, best of 8): {parts}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibrate", action="store_true", help="print the quantiles behind the default thresholds")
    parser.add_argument("--markdown", action="store_true", help="print the table as markdown")
    chosen = parser.parse_args()
    if not PHOTOS.is_dir():
        print("SKIPPED: the real photos are not here (../shared/data/1_real_photos)")
        return 0
    # pictures go one by one: threads would only wait for each other
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    judge = Judge()
    if chosen.calibrate:
        calibrate(judge)
        return 0
    started = time.monotonic()
    photos = load(1)
    print(f"{len(photos)} photos that no threshold has seen; 'flagged' at the default threshold, of those judged\n")
    header = ("failure", "kind", "case", "flagged [95 %]", "unknown", "AUROC")
    table = rows(judge, photos)
    if chosen.markdown:
        print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
        print("\n".join("| " + " | ".join(row) + " |" for row in table))
    else:
        widths = [max(len(row[column]) for row in [header, *table]) for column in range(len(header))]
        for row in [header, *table]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"\n{speed(judge)}")
    print(f"{machine()}; {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
