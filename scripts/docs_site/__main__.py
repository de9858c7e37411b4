"""Builds the site of this version into a folder beside those of other versions; a broken link is an error.

    make site
    PYTHONPATH=scripts python -m docs_site [--into site]
    python -m http.server --bind 127.0.0.1 --directory site    # to look at it

The folder is plain files for any web server: site/<version>/, a list of the versions for the menu, and a page that
leads to the newest. Other versions that lie there stay.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
from pathlib import Path

from packaging.version import InvalidVersion, Version

import loupe

CONFIG = Path(__file__).with_name("mkdocs.yml")
_START = """<!doctype html><meta charset="utf-8"><title>Loupe</title>
<meta http-equiv="refresh" content="0; url={newest}/index.html"><a href="{newest}/index.html">Loupe {newest}</a>
"""


def build(into: Path) -> Path:
    """Builds this version's pages and returns their folder.

    Raises:
        mkdocs.exceptions.Abort: a link leads nowhere, a page is in no menu, or a docstring cannot be read
    """
    # what its theme would say of other products
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    from mkdocs.commands.build import build as build_pages
    from mkdocs.config import load_config

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    folder = into / loupe.__version__
    building = into / f".{loupe.__version__}.new"
    config = load_config(str(CONFIG), site_dir=str(building.resolve()), strict=True)
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build_pages(config)
    finally:
        config.plugins.on_shutdown()
    # a build that fails leaves the last one as it is
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    _list_versions(into)
    return folder


def _list_versions(into: Path) -> None:
    versions = sorted((path.parent.name for path in into.glob("*/index.html")), key=_age, reverse=True)
    listed = [{"version": name, "title": name, "aliases": []} for name in versions]
    (into / "versions.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    (into / "index.html").write_text(_START.format(newest=versions[0]), encoding="utf-8")


def _age(name: str) -> tuple[bool, Version]:
    try:
        return True, Version(name)
    except InvalidVersion:
        return False, Version("0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=Path("site"), metavar="FOLDER")
    print(f"built {build(parser.parse_args().into)}")


if __name__ == "__main__":
    main()
