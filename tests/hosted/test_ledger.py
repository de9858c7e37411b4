"""The ledger: what it knows after a crash, and what everything has cost."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from loupe.brain.core.errors import OutputError
from loupe.brain.hosted.ledger import NAME, Ledger

A, B = "a" * 32, "b" * 32


def again(ledger: Ledger, folder: Path) -> Ledger:
    ledger.close()
    return Ledger(folder)


def test_each_state_is_read_back_and_summed_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert (ledger.entry(A).state, ledger.spent([A])) == ("free", (0, False))
    ledger.sent(A, 0.04, "a prompt")
    ledger = again(ledger, tmp_path)
    assert (ledger.entry(A).state, ledger.spent([A, A])) == ("sent", (0.04, True))
    ledger.free(A, "HTTP 500")
    assert again(ledger, tmp_path).spent([A]) == (0, False)
    ledger = Ledger(tmp_path)
    ledger.sent(A, 0.04, "a prompt")
    ledger.accepted(A, "https://example.com/1", 0.05, {"seed": 7})
    ledger = again(ledger, tmp_path)
    assert (ledger.entry(A).ticket, ledger.entry(A).facts, ledger.spent([A])[0]) == (
        "https://example.com/1",
        {"seed": 7},
        0.05,
    )
    ledger.answered(A, b"picture", 0.06, False, {"seed": 7, "cost": 0.06})
    ledger = again(ledger, tmp_path)
    assert (ledger.content(A), ledger.spent([A]), ledger.entry(A).ticket) == (b"picture", (0.06, False), "")
    ledger.kept([A, B])
    ledger = again(ledger, tmp_path)
    assert (ledger.entry(A).state, ledger.content(A), ledger.spent([A])) == ("kept", None, (0.06, False))
    assert ledger.entry(B).state == "free"
    ledger.sent(B, None, "b")
    ledger.unclear(B, "no answer", 0.04)
    ledger.sent(B, 0.04, "b")
    ledger.refused(B, "no", 0.01, False)
    ledger = again(ledger, tmp_path)
    assert (ledger.entry(B).state, ledger.entry(B).reason) == ("refused", "no")
    assert ledger.spent([A, B]) == (pytest.approx(0.11), True)
    ledger.close()


def test_a_line_that_was_cut_off_counts_as_not_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.sent(A, 0.04, "ж" * 30)
    ledger.accepted(A, "ticket", 0.04, {})
    ledger.close()
    path = tmp_path / NAME
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole) - 1):
        path.write_bytes(whole[:cut])
        ledger = Ledger(tmp_path)
        assert ledger.entry(A).state == "sent"
        ledger.unclear(A, "x", 0.04)
        ledger = again(ledger, tmp_path)
        assert ledger.entry(A).state == "unclear"
        ledger.close()
    for cut in range(first):
        path.write_bytes(whole[:cut])
        ledger = Ledger(tmp_path)
        assert ledger.entry(A).state == ("sent" if cut == first - 1 else "free")
        ledger.close()


def test_what_others_wrote_into_it_is_not_believed(tmp_path: Path) -> None:
    lines = [
        b"\xff\xfe",
        b"[]",
        b"{}",
        json.dumps({"key": 3, "state": "sent"}).encode(),
        json.dumps({"key": A, "state": "owned"}).encode(),
        json.dumps({"key": A, "state": "sent", "price": "much"}).encode(),
        json.dumps({"key": B, "state": "answered", "cost": -5, "facts": [1]}).encode(),
    ]
    (tmp_path / NAME).write_bytes(b"\n".join(lines))
    ledger = Ledger(tmp_path)
    assert (ledger.entry(A).state, ledger.entry(A).price) == ("sent", None)
    assert (ledger.entry(B).total, ledger.entry(B).facts) == (0, {})
    ledger.close()


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)

    def write(number: int) -> None:
        for step in range(20):
            ledger.sent(f"{number}-{step}", 0.01, "p" * 500)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    assert len([json.loads(line) for line in (tmp_path / NAME).read_bytes().splitlines()]) == 160


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(OutputError, match=r"requests\.jsonl to be readable"):
        Ledger(tmp_path)
