"""Whatever Loupe does, it looks up no name and connects to nothing but this machine, its native code included."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "support" / "listening.c"
#: what a developer or a test run may have set, and a user has not
SET_BY_OTHERS = (
    "FIFTYONE_DO_NOT_TRACK",
    "ORT_DISABLE_TELEMETRY",
    "HF_HUB_DISABLE_TELEMETRY",
    "HF_HUB_OFFLINE",
    "LOUPE_OFFLINE",
    "DO_NOT_TRACK",
)

Listened = Callable[..., tuple[list[str], str]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands before the C library's calls."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler to hear native code")
    made = tmp_path_factory.mktemp("listening") / "listening.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True)
    return made


@pytest.fixture
def listened(library: Path, tmp_path: Path) -> Listened:
    """Runs Python with arguments; returns what wanted to leave the machine, and what was printed."""

    def run(*arguments: str, **environment: str) -> tuple[list[str], str]:
        log = tmp_path / "heard"
        log.touch()
        log.write_text("")
        given = {name: value for name, value in os.environ.items() if name not in SET_BY_OTHERS}
        given |= {"LD_PRELOAD": str(library), "LISTENING_TO": str(log), "HOME": str(tmp_path), **environment}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments], env=given, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return log.read_text().splitlines(), done.stdout

    return run


def test_the_listener_hears_python_and_native_code(listened: Listened) -> None:
    code = (
        "import ctypes, socket, struct, urllib.request\n"
        "try: urllib.request.urlopen('https://example.org', timeout=5)\n"
        "except OSError: pass\n"
        "try: socket.create_connection(('192.0.2.1', 9), 5)\n"
        "except OSError: pass\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))\n"
        "address = struct.pack('<H', socket.AF_INET) + struct.pack('>H', 9) + bytes([192, 0, 2, 2]) + bytes(8)\n"
        "libc = ctypes.CDLL(None)\n"
        "assert libc.connect(libc.socket(2, 1, 0), address, 16) == -1\n"
    )
    heard, _ = listened("-c", code)
    assert heard == ["getaddrinfo example.org", "connect 192.0.2.1", "connect 192.0.2.2"]


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.timeout(400)
def test_checks_embeddings_and_duplicates(database: str, listened: Listened, pictures: list[Path]) -> None:
    code = (
        "import sys\n"
        "import loupe\n"
        "loupe.check\n"
        "import fiftyone as fo\n"
        "from loupe.brain.perception import weights\n"
        "dataset = fo.Dataset()\n"
        "prompt = 'a dog, a sign that says \"HI\"'\n"
        "dataset.add_samples([fo.Sample(filepath=path, prompt=prompt) for path in sys.argv[1:]])\n"
        "run = loupe.check(dataset)\n"
        "assert run.n == len(dataset), run\n"
        "run = loupe.check(dataset, ['text', 'overlay', 'composition', 'body', 'hands', 'faces'])\n"
        "loupe.embed(dataset)\n"
        "loupe.find_duplicates(dataset)\n"
        "loupe.slice(dataset, [])\n"
        "assert fo.config.do_not_track\n"
        "import huggingface_hub.constants as hub, time\n"
        "assert hub.HF_HUB_DISABLE_TELEMETRY\n"
        "if 'onnxruntime' in sys.modules: time.sleep(3); print('listened to onnxruntime')\n"
        "dataset.delete()\n"
    )
    heard, printed = listened("-c", code, *map(str, pictures))
    assert heard == []
    pytest.importorskip("onnxruntime")
    assert "listened to onnxruntime" in printed


@pytest.mark.slow
@pytest.mark.database
def test_the_command_and_the_worker(database: str, listened: Listened, pictures: list[Path]) -> None:
    heard, printed = listened("-m", "loupe.brain.cli", "check", str(pictures[0].parent), "--quiet")
    assert "unreadable" in printed
    assert heard == []
    heard, _ = listened("-m", "loupe.brain.cli", "worker", "--once", "--device", "cpu")
    assert heard == []


def test_what_a_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.core import privacy

    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    privacy.keep_quiet()
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "0"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
