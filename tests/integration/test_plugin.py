"""FiftyOne loads the plugin: quickly, without errors, without heavy imports, and with one copy of every class."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

_LOAD = """
import json, sys
import fiftyone, fiftyone.operators, fiftyone.plugins
from fiftyone.plugins.context import PluginContext
from fiftyone.plugins.definitions import PluginDefinition
before = set(sys.modules)
contexts = []
for _ in range(3):
    context = PluginContext(PluginDefinition.from_disk(sys.argv[1] + "/fiftyone.yml"))
    context.register_all()
    contexts.append(context)
json.dump({
    "errors": [error for context in contexts for error in context.errors],
    "names": [[instance.name for instance in context.instances] for context in contexts],
    "modules": sorted({type(instance).__module__ for context in contexts for instance in context.instances}),
    "one_copy": all(
        [type(a) for a in contexts[0].instances] == [type(b) for b in context.instances] for context in contexts
    ),
    "file": sys.modules["loupe"].__file__,
    "imported": sorted({name.partition(".")[0] for name in set(sys.modules) - before}),
    "heavy": sorted({"torch", "cv2", "diffusers", "transformers", "sklearn", "rapidocr", "umap", "open_clip"}
                    & (set(sys.modules) - before)),
    "api": "loupe.brain.api" in sys.modules,
}, sys.stdout)
"""

# makes this process forget that the package is pip-installed
_FORGET = """
import importlib.machinery, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path[:] = [entry for entry in sys.path if "editable" not in entry.lower()]
sys.path_importer_cache.clear()
import importlib.util
assert importlib.util.find_spec("loupe") is None, importlib.util.find_spec("loupe")
"""


def _python(code: str, *arguments: object, cwd: Path) -> Any:
    # no database: loading needs none. An unreachable one would make FiftyOne wait, if it asked
    environment = {**os.environ, "FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:1", "FIFTYONE_DO_NOT_TRACK": "true"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-3000:]
    # a download tells of itself first
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What happens when a fresh process loads the plugin three times."""
    return _python(_LOAD, ROOT, cwd=tmp_path_factory.mktemp("loaded"))


def _declared() -> dict[str, list[str]]:
    return yaml.safe_load((ROOT / "fiftyone.yml").read_text(encoding="utf-8"))


def test_loads_without_errors_and_registers_just_what_is_declared(loaded: Any) -> None:
    assert loaded["errors"] == []
    declared = _declared()
    # what is registered but not declared, FiftyOne drops without a word; so the files are counted as well
    assert loaded["names"] == [sorted(declared["operators"]) + sorted(declared["panels"])] * 3
    helpers = {
        "__init__",
        "appearance",
        "base",
        "checks_widget",
        "devices",
        "dialog",
        "engine_widget",
        "forms",
        "hosted_widget",
        "labels",
        "letters",
        "objects_widget",
        "other_samples",
        "pictures_widget",
        "run",
        "scheduling",
        "signature",
        "summary",
        "widgets",
        "wording",
    }
    assert sorted({path.stem for path in (ROOT / "operators").glob("*.py")} - helpers) == sorted(declared["operators"])


def test_no_class_is_dropped_for_being_undeclared(tmp_path: Path) -> None:
    code = """
import json, sys
import fiftyone.operators
import loupe

class Everything:
    def __init__(self): self.names = []
    def register(self, cls): self.names.append(cls(_builtin=False).name)

everything = Everything()
loupe.register(everything)
json.dump(everything.names, sys.stdout)
"""
    declared = _declared()
    assert sorted(_python(code, cwd=tmp_path)) == sorted(declared["operators"] + declared["panels"])


def test_loaded_again_there_is_one_copy_of_each_class(loaded: Any) -> None:
    assert loaded["one_copy"]
    assert all(name.startswith("loupe.") for name in loaded["modules"])


def test_registration_is_quick_and_imports_nothing_heavy(loaded: Any) -> None:
    assert loaded["heavy"] == []
    assert not loaded["api"]


def test_importing_the_package_imports_nothing_else(tmp_path: Path) -> None:
    code = """
import json, sys
import fiftyone, numpy
before = set(sys.modules)
import loupe
json.dump(sorted(set(sys.modules) - before), sys.stdout)
"""
    assert _python(code, cwd=tmp_path) == ["loupe"]


def test_a_link_of_any_name_is_enough_without_pip(tmp_path: Path) -> None:
    link = tmp_path / "plugins" / "another name"
    link.parent.mkdir()
    link.symlink_to(ROOT)
    loaded = _python(_FORGET + _LOAD, link, cwd=tmp_path)
    assert loaded["errors"] == []
    assert loaded["one_copy"]
    assert loaded["names"][0] == sorted(_declared()["operators"]) + sorted(_declared()["panels"])
    assert Path(loaded["file"]).resolve() == ROOT / "__init__.py"


def test_version_is_the_same_everywhere() -> None:
    import loupe

    assert _declared()["version"] == loupe.__version__


def test_an_archive_that_is_downloaded_is_listed_and_loads(tmp_path: Path) -> None:
    archive, plugins = tmp_path / "served" / "loupe.zip", tmp_path / "plugins"
    archive.parent.mkdir()
    plugins.mkdir()
    with zipfile.ZipFile(archive, "w") as opened:  # as a repository's archive is: all in one folder
        for name in ("__init__.py", "fiftyone.yml", "requirements.txt"):
            opened.write(ROOT / name, f"loupe-main/{name}")
        for room in ("brain", "operators", "panels"):
            for path in (ROOT / room).rglob("*"):
                if path.suffix in (".py", ".js"):
                    opened.write(path, f"loupe-main/{path.relative_to(ROOT)}")
    code = """
import functools, http.server, json, sys, threading
import fiftyone as fo
import fiftyone.plugins as fop
plugins, served = sys.argv[1:]
fo.config.plugins_dir = plugins
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served))
threading.Thread(target=server.serve_forever, daemon=True).start()
fop.download_plugin(f"http://127.0.0.1:{server.server_port}/loupe.zip")
(listed,) = fop.list_plugins()
from fiftyone.plugins.context import PluginContext
context = PluginContext(listed)
context.register_all()
print()
json.dump({
    "name": listed.name, "version": listed.version, "description": listed.description, "folder": listed.directory,
    "operators": sorted(listed.operators), "errors": context.errors,
    "registered": [instance.name for instance in context.instances], "file": sys.modules["loupe"].__file__,
}, sys.stdout)
"""
    loaded = _python(_FORGET + code, plugins, archive.parent, cwd=tmp_path)
    declared = _declared()
    assert (loaded["name"], loaded["version"]) == ("@loupe/loupe", declared["version"])
    assert loaded["description"] == declared["description"]
    assert loaded["operators"] == sorted(declared["operators"] + declared["panels"])
    assert loaded["errors"] == []
    assert loaded["registered"] == sorted(declared["operators"]) + sorted(declared["panels"])
    assert loaded["folder"].startswith(str(plugins)), "nothing of the checkout"
    assert loaded["file"].startswith(loaded["folder"])
