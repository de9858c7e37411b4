"""What a worker may take, and what a process takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loupe.brain.core import machine
from loupe.brain.core.errors import InputError
from loupe.brain.worker import memory


@pytest.mark.parametrize(
    ("given", "size"),
    [("12GB", 12 * 10**9), ("12 gb", 12 * 10**9), ("1.5g", 1_500_000_000), ("16GiB", 16 * 2**30), ("800MB", 8 * 10**8)],
)
def test_a_limit_is_a_size(given: str, size: int) -> None:
    assert memory.limit(given) == size


@pytest.mark.parametrize("given", ["", "12", "-1GB", "GB", "nan", "1e9GB", "12 parsecs", "12GBGB"])
def test_what_is_no_size_or_too_small_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="at least 100 MB"):
        memory.limit(given)


def test_the_default_is_a_share_of_what_there_is() -> None:
    assert memory.limit(None) == int(0.8 * machine.memory())


def test_a_process_takes_what_it_and_its_children_hold() -> None:
    inner = "import sys; held = bytearray(200 * 10**6); print('ready', flush=True); sys.stdin.read()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert 200e6 < memory.used(process.pid) < 400e6
        assert process.stdin is not None
        process.stdin.close()
    assert memory.used(process.pid) == 0, "it has ended"
