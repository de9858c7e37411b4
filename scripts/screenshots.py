"""Takes the pictures of docs/ in a real browser: the opened workspace, an operator's form, the panel.

    make screenshots
    .venv/bin/python scripts/screenshots.py [--dataset NAME] [--out docs]

It shows the dataset that ``make demo`` leaves behind, and makes it first where it is not there.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
os.environ.setdefault("FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS", "true")
os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")

from app_browser import ROOT, App, Heatmap, browser_page, serve

DEMO = "loupe-demo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default=DEMO, help="which dataset to show")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where the pictures go")
    arguments = parser.parse_args()

    import fiftyone as fo

    from loupe.brain.store.workspace import prepare_app

    if not fo.dataset_exists(arguments.dataset):
        if arguments.dataset != DEMO:
            sys.exit(f"there is no dataset {arguments.dataset!r}. There are: {', '.join(fo.list_datasets()) or 'none'}")
        subprocess.run([sys.executable, ROOT / "scripts" / "demo.py", "--no-app"], check=True)
    dataset = fo.load_dataset(arguments.dataset)
    workspace = prepare_app(dataset)
    arguments.out.mkdir(parents=True, exist_ok=True)
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
