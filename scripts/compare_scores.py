"""Compares what two checkouts say of the same pictures: every score, reason, box, point and map, bit for bit.

    python scripts/compare_scores.py OTHER_CHECKOUT PICTURES [--every N] [--checks NAME ...]

Runs every check of each checkout over every N-th picture of the folder, in a process of its own, with a database of
its own. What one of them has under another name (a failure mode, a check, a field) is told and fails, too. Exits with 1
where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def dump(pictures: list[str], checks: list[str], target: str) -> None:
    """Checks the pictures with the ``loupe`` that is on the path and writes what stands on the samples to a file."""
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset()
    prompts = ['a red cup to the left of two dogs, with a sign that says "OPEN"', "a person waving, no text"]
    dataset.add_samples(
        [fo.Sample(filepath=path, prompt=prompts[index % 2]) for index, path in enumerate(pictures)], progress=False
    )
    loupe.check(dataset, checks or "all", device="cpu")
    rows = {}
    for document in dataset._sample_collection.find():
        rows[document["filepath"]] = plain({key: value for key, value in document.items() if key not in SKIPPED})
    Path(target).write_text(json.dumps(rows))
    dataset.delete()


SKIPPED = {"_id", "checked", "_rand", "created_at", "last_modified_at", "_dataset_id", "_media_type", "metadata"}


def plain(value: Any) -> Any:
    """Returns a stored value without what is drawn anew in each run: ids."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "_id"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Returns where two stored values differ.

    >>> differences({"a": [1, 2]}, {"a": [1, 3], "b": 0})
    ['/a/1: 2, other 3', '/b: missing, other 0']
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        lines = []
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in ours or key not in theirs:
                mine, other = ours.get(key, "missing"), theirs.get(key, "missing")
                lines.append(f"{path}/{key}: {mine}, other {other}")
            else:
                lines += differences(ours[key], theirs[key], f"{path}/{key}")
        return lines
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            line
            for at, (mine, other) in enumerate(zip(ours, theirs, strict=True))
            for line in differences(mine, other, f"{path}/{at}")
        ]
    return [] if ours == theirs else [f"{path}: {str(ours)[:80]}, other {str(theirs)[:80]}"]


def scores_of(checkout: Path, pictures: list[str], checks: list[str], folder: Path) -> dict[str, Any]:
    """Returns what the checks of a checkout say, by file."""
    home = folder / checkout.name
    home.mkdir(parents=True)
    (home / "loupe").symlink_to(checkout)
    target = home / "scores.json"
    given = home / "pictures.json"
    given.write_text(json.dumps([pictures, checks]))
    environment = {
        **os.environ,
        "PYTHONPATH": str(home),
        "FIFTYONE_DATABASE_DIR": str(home / "database"),
        "FIFTYONE_DO_NOT_TRACK": "true",
    }
    subprocess.run([sys.executable, __file__, "--dump", str(given), str(target)], env=environment, check=True, cwd=home)
    return dict(json.loads(target.read_text()))


def main() -> int:
    if sys.argv[1:2] == ["--dump"]:
        pictures, checks = json.loads(Path(sys.argv[2]).read_text())
        dump(pictures, checks, sys.argv[3])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other checkout's root")
    parser.add_argument("pictures", type=Path, help="a folder of pictures")
    parser.add_argument("--every", type=int, default=1, help="take every N-th picture")
    parser.add_argument("--checks", nargs="*", default=[], help="names of checks; all by default")
    chosen = parser.parse_args()
    files = sorted(str(path) for path in chosen.pictures.rglob("*") if path.suffix.lower() in SUFFIXES)
    pictures = files[:: chosen.every]
    if not pictures:
        parser.error(f"expected pictures in {chosen.pictures}, got none")
    with tempfile.TemporaryDirectory() as folder:
        ours = scores_of(HERE, pictures, chosen.checks, Path(folder) / "ours")
        theirs = scores_of(chosen.other.resolve(), pictures, chosen.checks, Path(folder) / "theirs")
    lines = differences(ours, theirs)
    print("\n".join(lines[:200]))
    numbers = sum(len(row.get("quality") or {}) for row in ours.values())
    print(f"{len(ours)} pictures, {numbers} scores: {len(lines)} differences")
    return int(bool(lines) or not numbers)


if __name__ == "__main__":
    sys.exit(main())
