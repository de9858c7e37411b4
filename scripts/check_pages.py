"""Makes the pages of docs/checks: what each group of checks finds, misses and abstains on, in pictures.

    python scripts/check_pages.py FOLDER                      # makes all pages; FOLDER holds the data
    python scripts/check_pages.py FOLDER text duplicates      # these pages
    python scripts/check_pages.py FOLDER --check              # exits 1 where a page is stale; pictures are not compared

The checks are run, and their own words stand under the pictures. A picture that no longer falls into the section where
its author put it (pages/pixels.py, prompts.py, people.py) ends the script with exit status 1, and its page is left as
it was. Needs the model files: ``loupe weights get all``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pages import people, pixels, prompts, safety
from pages.cases import Group
from pages.page import page

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "checks"
GROUPS: dict[str, Group] = pixels.GROUPS | prompts.GROUPS | people.GROUPS | safety.GROUPS


def main(arguments: list[str] | None = None, out: Path = FOLDER) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the data folder")
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--check", action="store_true", help="exit 1 where a page is not what would be written")
    chosen = parser.parse_args(arguments)
    for name in chosen.groups:
        if name not in GROUPS:
            parser.error(f"expected groups out of {', '.join(GROUPS)}, got {name!r}")
    wrong = []
    for name in chosen.groups or GROUPS:
        text, panels, mistakes = page(name, GROUPS[name], chosen.folder)
        wrong += mistakes
        file = out / f"{name}.md"
        if chosen.check:
            if not mistakes and (not file.is_file() or file.read_text(encoding="utf-8") != text):
                wrong.append(f"{file.name} is stale: run python scripts/check_pages.py FOLDER {name}")
        elif not mistakes:
            out.mkdir(parents=True, exist_ok=True)
            for old in out.glob(f"{name}-[0-9][0-9]-*.jpg"):
                old.unlink()
            for path, made in panels.items():
                made.save(out / path, quality=80, optimize=True)
            file.write_text(text, encoding="utf-8")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
