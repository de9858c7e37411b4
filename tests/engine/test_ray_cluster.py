"""The cluster that a run starts for itself: on loopback, reporting to nobody, and gone with its driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loupe.brain.core.errors import InputError, MissingDependency
from loupe.brain.engine import map as engines
from loupe.brain.engine import ray_cluster

_DRIVER = """
import json, os, signal, sys
from pathlib import Path
import psutil
from loupe.brain.engine.map import Task, map_rows, opened
from loupe.brain.engine.reader import Row
handler = signal.getsignal(signal.SIGTERM)
rows = [Row(str(at), sys.argv[1], {}, frozenset({"ids"})) for at in range(8)]
with opened("ray", "cpu"):
    task = Task("ids", lambda device: lambda batch: list(batch.ids), lambda ids, n: ids)
    values = [m.values["ids"] for c in map_rows(rows, [task], engine="ray") for m in c]
    processes = psutil.Process().children(recursive=True)
    heard, quiet = set(), set()
    for process in [psutil.Process(), *processes]:
        try:
            heard |= {c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"}
            # what names itself anew, as "ray::…", writes over a part of what /proc says of it
            if process.pid != os.getpid() and not (process.cmdline() or ["ray::"])[0].startswith("ray::"):
                quiet.add(process.environ().get("RAY_USAGE_STATS_ENABLED"))
        except psutil.Error:  # the one that worked is ending
            pass
    facts = {"values": values, "heard": sorted(heard), "quiet": sorted(map(str, quiet)),
             "kept": signal.getsignal(signal.SIGTERM) is handler, "pids": [p.pid for p in processes]}
    Path(sys.argv[2]).write_text(json.dumps(facts))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_cluster_of_ones_own_is_on_loopback_and_gone_with_its_driver(pictures: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
    facts_file = tmp_path / "facts.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    script = "import runpy; runpy.run_path({!r})\n".format(str(Path(ray_cluster.__file__).parents[2] / "__init__.py"))
    command = [sys.executable, "-c", script + _DRIVER, str(pictures[0]), str(facts_file)]
    status = subprocess.run(command, env=environment, timeout=300, capture_output=True, text=True)
    if "timed out during startup" in status.stderr:
        pytest.skip("this machine is too busy: Ray gives its own processes 30 s to start")
    assert status.returncode == -signal.SIGKILL, status.stderr
    facts = json.loads(facts_file.read_text())
    assert facts["values"] == [str(at) for at in range(8)]
    assert {address.removeprefix("::ffff:") for address in facts["heard"]} == {"127.0.0.1"}
    assert facts["quiet"] == ["0"]
    assert facts["kept"]
    # the driver was killed: what it had started notices by itself
    until = time.monotonic() + 90
    while (left := [pid for pid in facts["pids"] if _runs(pid)]) and time.monotonic() < until:
        time.sleep(0.5)
    assert not left


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'loupe-fiftyone\[ray\]', here and on every node"):
        engines.require_engine("ray")
    engines.require_engine("local")


def test_an_address_where_nothing_is_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")

    def refuses(**given: object) -> None:
        assert given["address"] == "127.0.0.1:1"
        raise ConnectionError("nothing answers")

    monkeypatch.setattr(ray, "init", refuses)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    expected = r"expected a Ray cluster at RAY_ADDRESS='127\.0\.0\.1:1', got: nothing answers"
    with pytest.raises(InputError, match=expected), engines.opened("ray"):
        pass


def test_what_was_begun_ends_with_its_block_alone() -> None:
    ended: list[str] = []
    ray_cluster.begun(lambda: ended.append("outside"))
    with ray_cluster.ending():
        ray_cluster.begun(lambda: ended.append("outer"))
        with ray_cluster.ending():
            ray_cluster.begun(lambda: ended.append("inner"))
        assert ended == ["inner"]
    assert ended == ["inner", "outer"]
