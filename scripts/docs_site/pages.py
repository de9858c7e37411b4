"""What the site has beside docs/: the home page, the project's own pages, the stories and the API. MkDocs calls it.

Nothing is written twice: the home page is README.md, the API is made from the docstrings of the public names.
"""

from __future__ import annotations

import ast
import html
import re
import shutil
import tempfile
from pathlib import Path
from textwrap import indent
from typing import Any

import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

from loupe.brain.api import PUBLIC

ROOT = Path(__file__).resolve().parents[2]
#: files of the project that are pages, too
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "models/tiny-signs/README.md": "tiny_signs.md",
}
_LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)]*)?(\))")
_SEVERAL = re.compile(r"^ {8,}(?!self|cls)\w+(?:, \w+)+: ", re.MULTILINE)
_EXAMPLE = re.compile(r"(?<=\n\n)( +)>>> .*(?:\n\1(?!\"\"\").+)*")
_CELL = re.compile(r"^<(table|tr|td)\b(?=[^>]*>$)", re.MULTILINE)
_TREE = re.compile(r"^\w+\n(?:[├│└].*\n)+", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
#: pages of the API of several names, by what they hold
GROUPS = {
    "functions": ("Functions", "What takes or gives a record of a verb."),
    "generators": ("Generators", "Models that draw, with settings of your own."),
    "records": ("Records", "What the verbs take and return. Each has `to_dict()`, and prints as a table or a line."),
    "errors": ("Errors", "What Loupe raises on purpose. Each says what was expected, what came and what to do."),
}
_FAVICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="#c2410c"
stroke-width="2.4" stroke-linecap="round"><circle cx="10" cy="10" r="6.5"/><path d="m15 15 6 6"/></g></svg>"""
# of one build: on_config makes it, on_post_build removes it
_stage: list[str] = []


def group_of(name: str) -> str:
    """Returns the page of the API that a public name is on, without its ending."""
    module = PUBLIC[name]
    if module.startswith("loupe.brain.verbs."):
        return name
    if name in ("errors", "LoupeError"):
        return "errors"
    if module.startswith("loupe.brain.generators."):
        return "generators"
    return "functions" if name.islower() else "records"


def _as_google_writes(source: str) -> str:
    """Returns a module whose docstrings tell what is an example, and that ``low, high`` are two names."""
    source = _TREE.sub(r"```text\n\g<0>```\n", source)
    source = _SEVERAL.sub(lambda line: line[0].replace(", ", ",\u00a0"), source)
    return _EXAMPLE.sub(lambda lines: f"{lines[1]}Examples:\n{indent(lines[0], '    ')}", source)


@event_priority(100)
def on_config(config: Any) -> Any:
    """Names the version, lists the API, and gives its sources to mkdocstrings: a copy, without tests and .venv."""
    stage = tempfile.mkdtemp(prefix="loupe-site-")
    _stage.append(stage)
    own = shutil.ignore_patterns("__pycache__", "[!_]*.[!p]*", "*.pyc")
    shutil.copytree(ROOT / "brain", Path(stage) / "loupe" / "brain", ignore=own)
    shutil.copy(ROOT / "__init__.py", Path(stage) / "loupe")
    for file in Path(stage).rglob("*.py"):
        file.write_text(_as_google_writes(file.read_text(encoding="utf-8")), encoding="utf-8")
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [stage]
    verbs = [name for name in sorted(PUBLIC) if group_of(name) == name and name not in GROUPS]
    listed = ["api/index.md", {"Verbs": [{f"{name}": f"api/{name}.md"} for name in verbs]}]
    listed += [{title: f"api/{page}.md"} for page, (title, _) in GROUPS.items()]
    for entry in config.nav:
        if "API" in entry:
            entry["API"] = listed
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are made."""

    def add(path: str, content: str) -> None:
        files.append(File.generated(config, path, content=content))

    for source, page in PAGES.items():
        menu = "---\nhide: [navigation]\n---\n" if page == "index.md" else ""
        add(page, menu + _FRONT_MATTER.sub("", (ROOT / source).read_text(encoding="utf-8")))
    for notebook in sorted((ROOT / "docs" / "stories").glob("*.ipynb")):
        add(f"stories/{notebook.stem}.md", story(notebook))
    for path, content in api().items():
        add(path, content)
    add("site.css", (Path(__file__).parent / "site.css").read_text(encoding="utf-8"))
    add("favicon.svg", _FAVICON)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turns links between files of the repository into links between pages."""
    here = page.file.src_uri
    home = next((source for source, name in PAGES.items() if name == here), None)
    own_notebook = f"{Path(here).stem}.ipynb"

    def linked(match: re.Match[str]) -> str:
        target, anchor = match[2], match[3] or ""
        if re.match(r"[a-z]+:", target) or target == own_notebook:
            return match[0]
        if home:  # as seen from the file in the repository
            target = (Path(home).parent / target).as_posix()
        elif target.startswith("../") and "/" not in here:
            target = target.removeprefix("../")
        target = PAGES.get(target, target.removeprefix("docs/"))
        return f"{match[1]}{re.sub(r'[.]ipynb$', '.md', target)}{anchor}{match[4]}"

    if "\n## " not in markdown and not here.startswith("api/"):
        page.meta.setdefault("hide", ["toc"])  # there is nothing in it: the tables may have its place
    # pictures in cells, which GitHub reads as Markdown by itself
    return _LINK.sub(linked, _CELL.sub(r'<\1 markdown="block"', markdown))


def on_post_build(config: Any) -> None:
    """Removes the copy of the sources."""
    while _stage:
        shutil.rmtree(_stage.pop(), ignore_errors=True)


def on_build_error(error: Exception) -> None:
    """Removes the copy of the sources."""
    on_post_build(None)


def story(notebook: Path) -> str:
    """Returns a notebook as a page: its texts, its code and what it printed when `make stories` ran it.

    Raises:
        PluginError: a cell was not run, or ended with an error
    """
    parts = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        if cell.execution_count is None or any(output.output_type == "error" for output in cell.outputs):
            raise PluginError(
                f"{notebook.name}: expected every cell run, and without an error, got {cell.id!r}: make stories"
            )
        parts.append(_fenced(cell.source, "python"))
        printed = "".join(output["text"] for output in cell.outputs if output.output_type == "stream")
        shown = [_shown(output.data) for output in cell.outputs if output.output_type != "stream"]
        parts += [_output(part) for part in ([_fenced(printed, "text")] if printed else []) + shown]
    title, *rest = parts
    note = f"This is [a notebook]({notebook.name}); the tests run it, and hold what it prints to what stands here."
    first, _, text = title.partition("\n")
    return "\n\n".join([first, note, text.strip(), *rest])


def _fenced(text: str, language: str) -> str:
    return f"````{language}\n{text.rstrip()}\n````"


def _shown(data: Any) -> str:
    for kind in ("image/jpeg", "image/png"):
        if kind in data:
            return f'<img alt="What the cell shows" src="data:{kind};base64,{"".join(data[kind].split())}">'
    return data["text/html"] if "text/html" in data else _fenced(data["text/plain"], "text")


def _output(content: str) -> str:
    markdown = " markdown" if content.startswith("`") else ""
    return f'<div class="output"{markdown}>\n\n{content}\n\n</div>'


def api() -> dict[str, str]:
    """Returns the pages of the public names by path, and one that lists them all."""
    by_page: dict[str, list[str]] = {}
    for name in sorted(PUBLIC, key=lambda name: (name != "LoupeError", name.lower())):
        by_page.setdefault(group_of(name), []).append(name)
    pages = {}
    for page, names in by_page.items():
        title, text = GROUPS.get(page, ("", ""))
        level = 2 if title else 1
        parts = [f"# {title}", text] if title else []
        parts += [_entry(name, level) for name in names]
        pages[f"api/{page}.md"] = "\n\n".join(parts) + "\n"
    verbs = [name for page, names in by_page.items() if page not in GROUPS for name in names]
    tables = ["## Verbs", "What the App's operators call, too. Each name is `loupe.<name>`.", _table(verbs)]
    for page, (title, text) in GROUPS.items():
        tables += [f"## {title}", text, _table(by_page[page])]
    pages["api/index.md"] = "\n\n".join(["# The public names", "All that `import loupe` offers.", *tables]) + "\n"
    return pages


def _entry(name: str, level: int) -> str:
    """Returns what makes mkdocstrings write of a name."""
    module = PUBLIC[name]
    path = f"{module}.{name}"
    options = [f'heading: "loupe.{name}"', f'toc_label: "{name}"', f"heading_level: {level}"]
    if name == "errors":
        options += ["show_root_members_full_path: false", 'filters: ["!^_", "!^LoupeError$"]', "show_bases: true"]
    elif level == 2:
        options += ["show_root_toc_entry: true"]
    return f"::: {path}\n    options:\n" + "".join(f"      {option}\n" for option in options)


def _table(names: list[str]) -> str:
    rows = "".join(
        f"<tr><td><a href='{group_of(name)}.html#{PUBLIC[name]}.{name}'><code>{name}</code></a></td>"
        f"<td>{html.escape(_first_line(name))}</td></tr>"
        for name in names
    )
    return f"<table><thead><tr><th>name</th><th>what it is</th></tr></thead><tbody>{rows}</tbody></table>"


def _first_line(name: str) -> str:
    """Returns the first sentence of a public name's docstring, read from its file: nothing is imported."""
    base = ROOT / Path(*PUBLIC[name].split(".")[1:])
    if name == "errors":
        base = base / name
    file = base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if name == "errors":
        return (ast.get_docstring(tree) or "").split("\n")[0]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split()).replace("``", "")
    return ""
