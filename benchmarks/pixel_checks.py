"""How well the pixel checks find defects of known severity, and how often they cry wolf.

    python -m benchmarks.pixel_checks                     # the table, with 200 photos
    python -m benchmarks.pixel_checks blur seam -n 600    # of these failure modes, with all photos that were kept back
    python -m benchmarks.pixel_checks watermark overlay   # those with a model run when they are named only
    python -m benchmarks.pixel_checks --thresholds        # the quantiles that the default thresholds were taken from
    python -m benchmarks.pixel_checks --modes             # whether a picture is judged alike in every mode and format
    python -m benchmarks.pixel_checks --markdown          # the table for the docs

The defects are those of ``brain/defects``, put into real photos (ImageNet and COCO); ``benchmarks/cases`` has further
ones, hard negatives, and real sets. Default thresholds were set on the clean ImageNet photos at even places of the
sorted list; all that is printed here is measured on the others and on COCO, which no threshold has seen. "At 1 %" is
the recall at the threshold that flags 1 % of the clean photos of this very table. Intervals are Wilson's, at 95 %.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.figures import machine, share
from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.core.specs import Check
from loupe.brain.engine.reader import read
from loupe.brain.stats.calibration import auroc, injected, score, threshold_for

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PHOTOS = DATA / "1_real_photos"
LONG_SIDE = 1024

Picture = np.ndarray


def failures() -> dict[str, tuple[type[Check], Output]]:
    """Returns the check and the output of each failure mode that there are defects of."""
    checks = registry.checks()
    return {
        failure: (checks[check], output)
        for failure, (check, output) in registry.failures().items()
        if check in checks and failure in registry.defects()
    }


def load(part: int, maximum: int) -> list[Picture]:
    """Returns the photos at even (0) or odd (1) places, evenly picked; COCO goes with the odd ones."""
    paths = sorted((PHOTOS / "imagenet_sample_1000").iterdir())[part::2]
    if part:
        paths += sorted((PHOTOS / "coco_val2017_100").iterdir())
    step = max(1, len(paths) / maximum) if maximum else 1
    return [read(paths[int(at * step)], LONG_SIDE).pixels for at in range(int(len(paths) / step))]


def extra_of(failure: str) -> ModuleType | None:
    """Returns the module of a failure mode's further cases, where there is one."""
    try:
        return importlib.import_module(f"benchmarks.cases.{failure}")
    except ModuleNotFoundError:
        return None


def cases(failure: str, photos: list[Picture]) -> Iterator[tuple[str, str, list[Picture]]]:
    """Yields (kind, name, pictures) of a failure mode."""
    defect = registry.defects()[failure]()
    for severity in defect.severities:
        seeds = ((zlib.crc32(failure.encode()), index) for index in range(len(photos)))
        found = [injected(defect, photo, seed, [severity])[0] for photo, seed in zip(photos, seeds, strict=True)]
        yield "defect", f"{severity:g} ({defect.unit})", found
    extra = extra_of(failure)
    if extra is None:
        return
    for kind, changes in (("defect", extra.DEFECTS), ("hard negative", extra.NEGATIVES)):
        for name, change in changes.items():
            yield kind, name, [change(photo) for photo in photos]
    if "real" in vars(extra):
        for name, (kind, pictures) in extra.real().items():
            yield kind, f"real: {name}", pictures


def rows(failure: str, photos: list[Picture]) -> Iterator[tuple[str, ...]]:
    """Yields (failure, kind, case, flagged, recall at 1 % of the clean photos flagged, AUROC, unknown)."""
    check, output = failures()[failure]
    threshold = output.default_threshold
    assert threshold is not None
    judge = check().load("cpu")
    # some photos have the flaw: a grey one is no clean picture for the check of grey
    is_clean = vars(extra_of(failure) or sys).get("is_clean", lambda _: True)
    photos = [photo for photo in photos if is_clean(photo)]
    worse = -1 if output.higher_is_better else 1

    def scores(pictures: list[Picture]) -> np.ndarray:
        return np.array([score(judge, output, picture) for picture in pictures])

    clean = scores(photos)
    line = threshold_for(clean, threshold.op, 0.01)

    def row(kind: str, name: str, found: np.ndarray) -> tuple[str, ...]:
        known = found[~np.isnan(found)]
        beyond = known < line if threshold.op == "<" else known > line
        ranked = auroc(worse * clean, worse * known) if kind == "defect" and len(known) else float("nan")
        return (
            failure,
            kind,
            name,
            share(int(threshold.violates(known).sum()), len(known)),
            f"{beyond.mean():.3f}" if kind == "defect" and len(known) else "",
            "" if np.isnan(ranked) else f"{ranked:.3f}",
            f"{len(found) - len(known)}",
        )

    yield row("clean", "as they are", clean)
    for kind, name, pictures in cases(failure, photos):
        yield row(kind, name, scores(pictures))


def thresholds(names: list[str], maximum: int) -> None:
    """Prints where the failing end of the clean photos' scores lies, beside the default threshold."""
    photos = load(0, maximum)
    print(f"{len(photos)} ImageNet photos at even places; the score's failing end\n")
    for failure in names:
        check, output = failures()[failure]
        threshold = output.default_threshold
        assert threshold is not None
        judge = check().load("cpu")
        scores = np.array([score(judge, output, photo) for photo in photos])
        scores = scores[~np.isnan(scores)]
        places = (0.0, 0.005, 0.01, 0.02, 0.05)
        ends = [threshold_for(scores, threshold.op, place) for place in places]
        figures = "  ".join(f"{place:.1%}: {end:.3f}" for place, end in zip(places, ends, strict=True))
        print(
            f"{failure:16} {check.name + '.' + output.name:28} {threshold.op} {threshold.value:<5g} "
            f"flags {int(threshold.violates(scores).sum())} of {len(scores)}, "
            f"{len(photos) - len(scores)} unknown;  {figures}"
        )


def in_modes(photo: Picture, folder: Path) -> dict[str, Path]:
    """Writes a picture in modes and formats that ought to make no difference; returns the files by name."""
    rgb = Image.fromarray(photo)
    gray = Image.fromarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    made: dict[str, tuple[Image.Image, dict[str, object]]] = {
        "RGB.png": (rgb, {}),
        "RGBA.png": (rgb.convert("RGBA"), {}),
        "CMYK.tif": (rgb.convert("CMYK"), {}),
        "P.png": (rgb.quantize(256), {}),
        "RGB.webp": (rgb, {"lossless": True}),
        "L.png": (gray, {}),
        "LA.png": (gray.convert("LA"), {}),
        "I;16.png": (Image.fromarray(np.asarray(gray).astype(np.uint16) * 257), {}),
        "grey as RGB.png": (gray.convert("RGB"), {}),
    }
    exif = Image.Exif()
    exif[0x0112] = 6
    made["EXIF 6.png"] = (rgb.transpose(Image.Transpose.ROTATE_90), {"exif": exif})
    paths = {}
    for name, (image, options) in made.items():
        paths[name] = folder / name.replace(";", "_")
        image.save(paths[name], **options)
    return paths


def modes(names: list[str], maximum: int) -> None:
    """Prints how often a picture gets another verdict in another mode than its twin in RGB (or in grey as RGB)."""
    counts: dict[str, list[int]] = {}
    judges = {failure: (failures()[failure][0]().load("cpu"), failures()[failure][1]) for failure in names}

    def verdict(path: Path, failure: str) -> bool | None:
        judge, output = judges[failure]
        assert output.default_threshold is not None
        found = score(judge, output, read(path).pixels)
        return None if np.isnan(found) else bool(output.default_threshold.violates(np.array([found]))[0])

    with TemporaryDirectory() as folder:
        for photo in load(1, maximum):
            paths = in_modes(photo, Path(folder))
            for name, path in paths.items():
                if name in ("RGB.png", "grey as RGB.png"):
                    continue
                twin = paths["grey as RGB.png" if name in ("L.png", "LA.png", "I;16.png") else "RGB.png"]
                for failure in names:
                    count = counts.setdefault(name, [0, 0])
                    count[0] += verdict(path, failure) == verdict(twin, failure)
                    count[1] += 1
    for name, (same, n) in counts.items():
        print(f"{name:18} the verdict of its RGB twin: {share(same, n)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("failures", nargs="*", help="the failure modes; all by default")
    parser.add_argument("-n", type=int, default=200, help="the most photos; 0 for all")
    parser.add_argument("--thresholds", action="store_true", help="print the quantiles behind the default thresholds")
    parser.add_argument("--modes", action="store_true", help="compare verdicts over modes and formats")
    parser.add_argument("--markdown", action="store_true", help="print the table as markdown")
    chosen = parser.parse_args()
    if not PHOTOS.is_dir():
        print("SKIPPED: the real photos are not here (../shared/data/1_real_photos)")
        return 0
    # pictures go one by one: threads would only wait for each other
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    # those with models take seconds a picture, and run when they are named
    names = chosen.failures or [name for name, (check, _) in failures().items() if "grade" not in check().params()]
    started = time.monotonic()
    if chosen.thresholds or chosen.modes:
        (thresholds if chosen.thresholds else modes)(names, chosen.n)
        return 0
    photos = load(1, chosen.n)
    print(f"{len(photos)} photos that no threshold has seen; 'flagged' at the default threshold, of those judged\n")
    header = ("failure", "kind", "case", "flagged [95 %]", "at 1 %", "AUROC", "unknown")
    form: Callable[[tuple[str, ...]], str] = (
        (lambda cells: "| " + " | ".join(cells) + " |")
        if chosen.markdown
        else (lambda cells: "{:16} {:13} {:58} {:31} {:6} {:6} {}".format(*cells))
    )
    print(form(header))
    if chosen.markdown:
        print("| " + " | ".join(["---"] * len(header)) + " |")
    for failure in names:
        for cells in rows(failure, photos):
            print(form(cells), flush=True)
    print(f"\n{machine()}; {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
