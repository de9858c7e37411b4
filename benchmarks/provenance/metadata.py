"""The tables: how right, beside sd-parsers, and how fast."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.provenance import containers, layouts, scoring, truth
from benchmarks.provenance.layouts import Case
from loupe.brain.stats.intervals import wilson_clustered


def print_table(rounds: int) -> None:
    """Prints right, wrong and unknown of each field, of Loupe and of sd-parsers, with intervals; then by layout."""
    readers = {"Loupe": scoring.ours}
    if importlib.util.find_spec("sd_parsers") is not None:
        readers["sd-parsers 0.6"] = scoring.sd_parsers
    else:
        print("sd-parsers is not installed: pip install sd-parsers")
    with tempfile.TemporaryDirectory() as folder:
        groups = {"made in each tool's layout": layouts.cases(Path(folder), rounds)}
        try:
            groups["shared pictures of ComfyUI"] = truth.shared()
        except data.MissingData as error:
            print(f"SKIPPED: {error}")
        for name, cases in groups.items():
            print(f"\n{name}: {len(cases)} files of {len({case.layout for case in cases})} layouts")
            print(f"{'':<17} {'field':<16} {'right':>7} {'95 % interval':>16} {'wrong':>6} {'unknown':>8}")
            for reader, read in readers.items():
                _print_fields(reader, cases, read)
        _print_layouts(groups["made in each tool's layout"], readers)


def _print_fields(reader: str, cases: Sequence[Case], read: scoring.Read) -> None:
    """A line for each field; files of one layout do not count one by one, each shared picture does."""
    shared = cases[0].layout == truth.LAYOUT
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[str(case.path) if shared else case.layout].append(case)
    by_group = [scoring.counted(listed, read) for listed in groups.values()]
    for field in scoring.NAMES:
        right = [counts[field]["right"] for counts in by_group]
        low, high = (float(end) for end in wilson_clustered(right, [counts[field].total() for counts in by_group]))
        wrong, unknown = (sum(counts[field][name] for counts in by_group) for name in ("wrong", "unknown"))
        shares = f"{sum(right) / len(cases):>7.1%} {f'{low:.1%} to {high:.1%}':>16}"
        print(f"{reader:<17} {field:<16} {shares} {wrong:>6} {unknown:>8}")


def _print_layouts(cases: Sequence[Case], readers: dict[str, scoring.Read]) -> None:
    by_layout: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_layout[case.layout].append(case)
    print("\nright of the four fields, by layout (w: some are wrong)")
    for layout, listed in by_layout.items():
        cells = []
        for read in readers.values():
            counts = scoring.counted(listed, read)
            right = sum(each["right"] for each in counts.values())
            wrong = sum(each["wrong"] for each in counts.values())
            cells.append(f"{right / (4 * len(listed)):>6.0%}{f' w {wrong}' if wrong else '':<6}")
        print(f"{layout:<28} {'  '.join(cells)}")


def print_speed(count: int) -> None:
    """Prints how long files take: texts without pixels, hidden texts with them, C2PA where it is installed."""
    from loupe.brain.provenance.read import of_file

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = layouts.Facts("a red fox in the snow", "blurry", 7, "sd15", "abc", 20, 7.0)
        pixels = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
        photo = Image.fromarray(pixels)
        sources = {
            "A1111 PNG of 512 x 512": containers.png(
                folder / "a.png", {"parameters": layouts.infotext(given)}, image=photo
            ),
            "ComfyUI PNG of 512 x 512": _comfy(folder / "c.png", given, photo),
            "A1111 JPEG of 512 x 512": _jpeg(folder / "j.jpg", given, photo),
        }
        print(f"{'files':<26} {'n':>6} {'wall s':>7} {'CPU s':>6} {'a second':>9}")
        for label, source in sources.items():
            paths = [folder / f"{number}{source.suffix}" for number in range(count)]
            for path in paths:
                # the same bytes under many names: what is timed is reading, not the disk
                path.hardlink_to(source)
            wall, cpu = time.perf_counter(), time.process_time()
            with ThreadPoolExecutor(8) as pool:
                assert all(known.values["seed"] == 7 for known in pool.map(of_file, paths))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"{label:<26} {count:>6,} {wall:>7.1f} {cpu:>6.1f} {count / wall:>9,.0f}")
            for path in paths:
                path.unlink()
        alpha = Image.fromarray(np.dstack([pixels, np.full((512, 512), 255, np.uint8)]))
        plain = containers.png(folder / "rgba.png", {}, image=alpha)
        for label, hidden in (("RGBA PNG, not looked into", False), ("RGBA PNG, looked into", None)):
            cpu = time.process_time()
            for _ in range(50):
                of_file(plain, hidden=hidden)
            print(f"{label:<26} {50:>6} {'':>7} {time.process_time() - cpu:>6.2f}")


def _comfy(path: Path, given: layouts.Facts, image: Image.Image) -> Path:
    import json

    from benchmarks.provenance.editor import workflow
    from benchmarks.provenance.graphs import sdxl

    graph, _ = sdxl(given)
    return containers.png(path, {"prompt": json.dumps(graph), "workflow": json.dumps(workflow(graph))}, image=image)


def _jpeg(path: Path, given: layouts.Facts, image: Image.Image) -> Path:
    image.save(path, exif=containers.exif(containers.comment(layouts.infotext(given))))
    return path
