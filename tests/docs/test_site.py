"""The site: built without a warning, whole, and with nothing in it that comes from another server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import loupe
from loupe.brain.api import PUBLIC

ROOT = Path(loupe.__file__).resolve().parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all versions, with one that was there before."""
    from docs_site.__main__ import build

    into = tmp_path_factory.mktemp("site")
    for version in ("0.0.9", "0.0.10"):
        (into / version).mkdir()
        (into / version / "index.html").write_text(version)
    assert build(into) == into / loupe.__version__
    return into


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, str]:
    """The text of each page of this version."""
    folder = site / loupe.__version__
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}


@pytest.mark.slow
def test_every_page_of_docs_and_of_the_project_is_there_and_in_the_menu(pages: dict[str, str]) -> None:
    wanted = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/**/*.md")}
    wanted |= {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/**/*.ipynb")}
    wanted |= {"index.html", "changelog.html", "contributing.html", "security.html", "tiny_signs.html"}
    assert wanted <= pages.keys()
    assert len([name for name in wanted if name.startswith("stories/")]) >= 3
    tabs = re.findall(r'class="md-tabs__link">\s*(?:<[^>]+>)?\s*([^<]+?)\s*<', pages["index.html"])
    assert tabs == [
        "Home",
        "Stories",
        "Checks",
        "Where it fails",
        "Data and labels",
        "Generated images",
        "At scale",
        "API",
        "About",
    ]


@pytest.mark.slow
def test_every_public_name_has_its_place(pages: dict[str, str]) -> None:
    listed = pages["api/index.html"]
    for name, module in PUBLIC.items():
        (link,) = re.findall(rf"href=['\"]([^'\"]+)['\"]><code>{name}</code>", listed)
        page, _, anchor = link.partition("#")
        assert f'id="{anchor}"' in pages[f"api/{page}"], name
        assert anchor == f"{module}.{name}"
        assert f"loupe.{name}" in pages[f"api/{page}"]
    # a table row has its sentence
    assert not re.search(r"</code></a></td><td></td>", listed)


@pytest.mark.slow
def test_stories_show_what_they_printed(pages: dict[str, str]) -> None:
    story = pages["stories/which_of_four_sets_is_useful.html"]
    assert story.count('class="output"') >= 10
    assert "utility 1.08" in story
    assert 'src="data:image/jpeg;base64,' in story
    assert "<th>slice</th>" in story


@pytest.mark.slow
def test_pictures_in_the_tables_of_checks_are_drawn(pages: dict[str, str]) -> None:
    page = pages["checks/text.html"]
    assert "![" not in page
    assert page.count("<img ") >= 10


@pytest.mark.slow
def test_nothing_comes_from_another_server(site: Path, pages: dict[str, str]) -> None:
    for name, text in pages.items():
        loaded = re.findall(
            r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^\"' >]+", text
        )
        assert not [tag for tag in loaded if 'rel="canonical"' not in tag], name
    for sheet in (site / loupe.__version__).rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet.name


@pytest.mark.slow
def test_versions_stand_beside_each_other_the_newest_first(site: Path) -> None:
    listed = [entry["version"] for entry in json.loads((site / "versions.json").read_text())]
    assert listed == [loupe.__version__, "0.0.10", "0.0.9"]
    assert (site / "0.0.9" / "index.html").read_text() == "0.0.9"
    assert f"url={loupe.__version__}/index.html" in (site / "index.html").read_text()
    assert not list(site.glob(".*"))


@pytest.mark.parametrize("broken", ["[x](nowhere.md)", "[x](#nowhere)", "[x](../scripts/demo.py)"])
def test_a_link_that_leads_nowhere_ends_the_build(broken: str, tmp_path: Path) -> None:
    from docs_site.__main__ import CONFIG
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort

    (tmp_path / "docs").mkdir()

    def built(text: str) -> Any:
        (tmp_path / "docs" / "index.md").write_text(f"# A page\n\n{text}\n")
        folders: dict[str, Any] = {"docs_dir": str(tmp_path / "docs"), "site_dir": str(tmp_path / "site")}
        bare: dict[str, Any] = {"nav": ["index.md"], "hooks": [], "plugins": [], "extra_css": [], "strict": True}
        build(load_config(str(CONFIG), **folders, **bare))

    built("no link")
    with pytest.raises(Abort):
        built(broken)


@pytest.mark.parametrize("fault", ["not run", "an error"])
def test_a_story_that_did_not_run_through_ends_the_build(fault: str, tmp_path: Path) -> None:
    import nbformat
    from docs_site.pages import story
    from mkdocs.exceptions import PluginError

    made = nbformat.read(min((ROOT / "docs" / "stories").glob("*.ipynb")), as_version=4)
    assert story(_written(made, tmp_path))
    cell = [cell for cell in made.cells if cell.cell_type == "code"][-1]
    if fault == "not run":
        cell.execution_count = None
    else:
        cell.outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="x", traceback=[])]
    with pytest.raises(PluginError, match=f"got '{cell.id}': make stories"):
        story(_written(made, tmp_path))


def _written(notebook: Any, folder: Path) -> Path:
    import nbformat

    nbformat.write(notebook, folder / "story.ipynb")
    return folder / "story.ipynb"
