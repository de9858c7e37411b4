"""Takes the pictures of docs/ in a real browser: the opened workspace, an operator's form, the panels, a report.

    make screenshots
    .venv/bin/python scripts/screenshots.py [--dataset NAME] [--out docs]

It shows the dataset that ``make demo`` leaves behind, and makes it first where it is not there. What panels show of
other verbs' results is found on a copy of it, which is deleted again; labels are put right, and a synthetic set is held
against a real one, on scikit-learn's digits.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
os.environ.setdefault("FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS", "true")
os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")

from app_browser import ROOT, App, Heatmap, browser_page, serve

DEMO, COPY, DIGITS = "loupe-demo", "loupe-screenshots", "loupe-digits"
#: the panels that are shown on the copy, and what the pictures are called
PANELS = {
    "Failures by scenario": "failures_table",
    "Worst slices": "worst_slices",
    "Compare": "comparison",
    "Model metrics": "model_metrics",
    "Drift": "drift",
    "Review": "review",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default=DEMO, help="which dataset to show")
    parser.add_argument("--only-duplicates", action="store_true", help="just the panel Duplicates, on drawn pictures")
    parser.add_argument("--only-realism", action="store_true", help="just the panel Realism, on scikit-learn's digits")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where the pictures go")
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    shoot_realism(arguments.out)
    if arguments.only_realism:
        return
    shoot_duplicates(arguments.out)
    if arguments.only_duplicates:
        return

    import fiftyone as fo

    from loupe.brain.store.workspace import REALISM, prepare_app

    if not fo.dataset_exists(arguments.dataset):
        if arguments.dataset != DEMO:
            sys.exit(f"there is no dataset {arguments.dataset!r}. There are: {', '.join(fo.list_datasets()) or 'none'}")
        subprocess.run([sys.executable, ROOT / "scripts" / "demo.py", "--no-app"], check=True)
    dataset = fo.load_dataset(arguments.dataset)
    workspace = prepare_app(dataset, [REALISM] if dataset.name == DEMO else [])
    with serve(dataset.name) as address, browser_page() as page:
        app = App(page, address)
        app.open(dataset.name, workspace)
        page.get_by_role("button", name="Show", exact=True).first.wait_for()
        page.wait_for_timeout(2_000)  # the pictures of the failures
        shoot(page, arguments.out / "demo.png")

        page.get_by_text("Failures by scenario", exact=True).first.click()
        heatmap = app.heatmap()
        heatmap.hover(*worst(heatmap))
        shoot(page, arguments.out / "panel.png")

        page.mouse.move(5, 5)
        app.open_panel("Thresholds")
        page.get_by_text("judged fail").wait_for()
        page.wait_for_timeout(2_000)  # the pictures on both sides
        shoot(page, arguments.out / "thresholds.png")

        app.open_operator("Loupe: check images")
        shoot(page, arguments.out / "operator.png")
    if arguments.dataset == DEMO:
        shoot_panels(dataset, arguments.out)
        shoot_labels(arguments.out)


def shoot_panels(dataset: Any, out: Path) -> None:
    """Takes the pictures of the panels that show other verbs' results, and of a report, on a copy of the demo's."""
    import loupe

    with looked_through(dataset) as (copy, results), serve(copy.name) as address, browser_page(1600, 1200) as page:
        app = App(page, address)
        app.open(copy.name)
        for panel, name in PANELS.items():
            app.open_panel(panel)
            if panel == "Failures by scenario":
                app.choose("Shown as", "table")
            elif panel == "Compare":
                app.choose("By", "weather")
            shoot(page, out / f"{name}.png")
        with tempfile.TemporaryDirectory() as folder:
            file = loupe.report(copy, Path(folder) / "report.html", results=results, title="House-number signs")
            page.goto(file.as_uri())
            shoot(page, out / "report.png")


def shoot_labels(out: Path) -> None:
    """Takes the picture of the panel that puts labels right, on scikit-learn's digits with some wrong labels."""
    with noisy_digits() as dataset, serve(dataset.name) as address, browser_page(1600, 1000) as page:
        app = App(page, address)
        app.open(dataset.name)
        app.open_panel("Label issues")
        page.get_by_text("issues decided").wait_for()
        for key in ("1", "1", "2", "1"):
            page.keyboard.press(key)
            page.wait_for_timeout(2_000)
        shoot(page, out / "relabel.png")


@contextmanager
def noisy_digits(n: int = 600) -> Iterator[Any]:
    """Yields a dataset of digits, one label in sixteen wrong, whose labels were judged."""
    import fiftyone as fo
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    import loupe

    if fo.dataset_exists(DIGITS):
        fo.delete_dataset(DIGITS)
    digits, rng = load_digits(), np.random.default_rng(0)
    given = np.where(rng.random(n) < 1 / 16, (digits.target[:n] + 1) % 10, digits.target[:n])
    with tempfile.TemporaryDirectory() as folder:
        dataset = fo.Dataset(DIGITS, persistent=True)
        try:
            for at, label in enumerate(given.tolist()):
                path = Path(folder) / f"{at:04}.png"
                pixels = Image.fromarray(np.uint8(digits.images[at] / 16 * 255))
                pixels.resize((128, 128), Image.Resampling.BICUBIC).save(path)
                vector = digits.data[at].astype(np.float32)
                truth = fo.Classification(label=str(label))
                dataset.add_sample(fo.Sample(filepath=str(path), ground_truth=truth, embeddings=vector))
            loupe.find_label_issues(dataset, "ground_truth")
            yield dataset
        finally:
            dataset.delete()


def shoot_duplicates(out: Path) -> None:
    """Takes the picture of the panel that decides of duplicates: the demo has none, so of drawn pictures that have."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    import fiftyone as fo
    from duplicated import LABELS, SPLITS, draw_groups

    import loupe

    if fo.dataset_exists(COPY):
        fo.delete_dataset(COPY)
    dataset = fo.Dataset(COPY, persistent=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for path, split, label in zip(draw_groups(Path(folder)), SPLITS, LABELS, strict=True):
                label = fo.Classification(label=label)
                dataset.add_sample(fo.Sample(filepath=path, split=split, ground_truth=label))
            loupe.check(dataset, ["sharpness"])
            loupe.find_duplicates(dataset)
            dataset.delete_workspaces()
            dataset.app_config.active_fields = fo.ActiveFields(paths=["split"])
            dataset.save()
            with serve(COPY) as address, browser_page(1600, 1200) as page:
                app = App(page, address)
                app.open(COPY)
                app.open_panel("Duplicates")
                page.get_by_text("0 of 4 groups").wait_for()
                for other in ("a_train.png", "a_train_small.jpg"):
                    page.keyboard.press("d")
                    page.get_by_text(f"against {other}").wait_for()
                shoot(page, out / "duplicates.png")
    finally:
        dataset.delete()


def shoot_realism(out: Path) -> None:
    """Takes the picture of the panel that holds a synthetic set against a real one: of digits, without any seven."""
    import fiftyone as fo

    import loupe

    with drawn_digits() as (synthetic, real):
        loupe.compare_to_real(synthetic, real, label="ground_truth", by="ground_truth")
        loupe.suggest_prompts(synthetic)
        synthetic.app_config.active_fields = fo.ActiveFields(paths=["ground_truth"])
        synthetic.save()
        with serve(synthetic.name) as address, browser_page(1600, 1500) as page:
            app = App(page, address)
            app.open(synthetic.name)
            app.open_panel("Realism")
            heading = page.get_by_text("What the set lacks", exact=True)
            heading.wait_for()
            page.wait_for_timeout(2_000)
            heading.evaluate("each => each.scrollIntoView({block: 'start'})")
            shoot(page, out / "realism.png")


@contextmanager
def drawn_digits() -> Iterator[tuple[Any, Any]]:
    """Yields digits under noise that stand for synthetic ones, none of them a seven, and others as real ones."""
    import fiftyone as fo
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    digits, rng = load_digits(), np.random.default_rng(0)
    names = (f"{DIGITS}-synthetic", f"{DIGITS}-real")
    for name in filter(fo.dataset_exists, names):
        fo.delete_dataset(name)
    made = [fo.Dataset(name, persistent=True) for name in names]
    lacking = words.index("seven")
    order = rng.permutation(len(digits.target)).tolist()
    rows = [[at for at in order[:500] if digits.target[at] != lacking], order[500:1200]]
    with tempfile.TemporaryDirectory() as folder:
        try:
            for dataset, own in zip(made, rows, strict=True):
                samples = []
                for at in own:
                    pixels = digits.images[at] / 16 * 255
                    if dataset is made[0]:
                        pixels = np.clip(pixels + rng.normal(0, 8, (8, 8)), 0, 255)
                    path = Path(folder) / f"{at:04}.png"
                    big = Image.fromarray(np.uint8(pixels)).resize((128, 128), Image.Resampling.BICUBIC)
                    big.save(path)
                    word = words[digits.target[at]]
                    sample = fo.Sample(filepath=str(path), ground_truth=fo.Classification(label=word))
                    sample["embeddings"] = pixels.ravel().astype(np.float32)
                    if dataset is made[1]:
                        sample["caption"] = f"a handwritten {word}"
                    samples.append(sample)
                dataset.add_samples(samples, progress=False)
            yield made[0], made[1]
        finally:
            for dataset in made:
                dataset.delete()


@contextmanager
def looked_through(dataset: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Yields a copy of the demo's dataset with the results that panels show, and these."""
    import fiftyone as fo

    import loupe

    if fo.dataset_exists(COPY):
        fo.delete_dataset(COPY)
    copy = dataset.clone(COPY, persistent=True)
    # the demo's own workspace leaves no room for another panel
    copy.delete_workspaces()
    try:
        # how many digits were asked for is the truth, and how many were read is what somebody said of it
        copy.set_values("asked", [fo.Classification(label=n) for n in copy.values("scenario.digits")])
        copy.set_values("read", [_digits_read(sample) for sample in copy.select_fields("text")])
        evaluation = loupe.evaluate(copy, "read", "asked", by="scenario.weather")
        drift = loupe.find_drift(
            copy, reference=["clear"], by="scenario.weather", predictions="read", ground_truth="asked", labels=["read"]
        )
        # last: it says so where anything has changed since
        slices = loupe.discover_slices(copy)
        yield copy, [slices, evaluation, drift]
    finally:
        copy.delete()


def _digits_read(sample: Any) -> Any:
    import fiftyone as fo

    labels = sample.text.detections if sample.text else []
    sure = [label.confidence for label in labels if label.confidence is not None]
    return fo.Classification(label=str(sum(len(label.read) for label in labels)), confidence=min(sure, default=0.0))


def worst(heatmap: Heatmap) -> tuple[int, int]:
    """Returns the row and column of the value with the highest rate of wrong letters (of any failure without them)."""
    _, modes = heatmap.labels()
    looked_at = {column for column, mode in enumerate(modes) if mode == "Wrong letters"} or set(range(len(modes)))
    rates = {
        (row, column): float(match[1])
        for row, texts in enumerate(heatmap.hover_texts())
        for column, text in enumerate(texts)
        if row and column in looked_at and (match := re.search(r"([\d.]+) % failed", text))
    }
    return max(rates, key=lambda place: rates[place])


def shoot(page: Any, path: Path) -> None:
    """Takes a picture once the thumbnails are there and nothing moves."""
    page.wait_for_timeout(3_000)
    page.screenshot(path=path)
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
