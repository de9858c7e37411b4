"""Pictures on a server that answers after some milliseconds: how fast they are read, beside the same files here."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.commands import Family
from benchmarks.figures import header, row, title
from benchmarks.speed.pictures import write_files
from loupe.brain.engine.reader import Row, read_chunks
from loupe.brain.media import fetching
from loupe.brain.media.settings import remote_media

_LONG_SIDE = 512


def add_to(family: Family) -> None:
    """Adds the command."""
    remote = family.command("remote", _print, "reading from a server with latency against reading files here")
    remote.add_argument("-n", type=int, default=600, help="pictures")
    remote.add_argument("--delay", type=float, default=20.0, help="milliseconds before each answer")
    remote.add_argument("--rounds", type=int, default=5, help="how often everything is measured")


def _print(given: argparse.Namespace) -> None:
    title(f"{given.n:,} JPEGs of 0.5 MP, each answer after {given.delay:.0f} ms, {given.rounds} rounds, [range]")
    with tempfile.TemporaryDirectory() as place:
        files = write_files(Path(place) / "pictures", given.n, ".jpg")
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scale.remote", str(Path(place) / "pictures"), str(given.delay)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            addresses = [f"{url}/{Path(file).name}" for file in files]
            _measure([str(file) for file in files], addresses, Path(place), given.rounds)
        finally:
            server.kill()
            server.wait()


def _measure(files: list[str], addresses: list[str], place: Path, rounds: int) -> None:
    results: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        cache = place / f"cache-{number}"
        remote_media(True, cache=cache, private_hosts=["127.0.0.1"])
        asked = partial(fetching.ask, addresses)
        for name, work in (
            ("files here", partial(_read, files)),
            ("which versions there are, asked for", asked),
            ("first pass: fetched, kept, decoded", partial(_read, addresses)),
            ("second pass: from the cache, versions known", partial(_read, addresses)),
            ("third pass, as a new process: asked for, then from the cache", partial(_anew, addresses)),
        ):
            results.setdefault(name, []).append(_timed(work, len(files)))
        remote_media(cache=place / f"cache-few-{number}")
        asked()
        own, fetching.ahead.__defaults__ = fetching.ahead.__defaults__, (os.cpu_count() or 1,)
        try:
            name = "first pass, if no more were fetched at a time than are decoded"
            results.setdefault(name, []).append(_timed(partial(_read, addresses), len(files)))
        finally:
            fetching.ahead.__defaults__ = own
    header("what", "pictures a second", "ms of CPU a picture", "× files here, in the same round")
    here = np.array([speed for speed, _ in results["files here"]])
    for name, pairs in results.items():
        speeds, cpu = np.array(pairs).T
        row(name, _spread(speeds, ".0f"), _spread(cpu, ".2f"), _spread(speeds / here, ".2f"))


def _spread(values: np.ndarray, form: str) -> str:
    return f"{np.median(values):{form}} [{values.min():{form}}, {values.max():{form}}]"


def _timed(work: Callable[[], Any], n: int) -> tuple[float, float]:
    """Returns how many a second, and the milliseconds of CPU of each."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return n / (time.perf_counter() - started), 1000 * (time.process_time() - cpu) / n


def _read(paths: list[str]) -> None:
    from loupe.brain.engine.reader import Wanted

    rows = [Row(str(at), path, pending=frozenset({"x"})) for at, path in enumerate(paths)]
    read = 0
    for chunk in read_chunks(rows, wanted=lambda _: Wanted(_LONG_SIDE)):
        assert not chunk.unreadable, chunk.unreadable
        assert not chunk.not_now, chunk.not_now
        read += len(chunk.rows)
    assert read == len(paths)


def _anew(addresses: list[str]) -> None:
    fetching.forget()
    fetching.ask(addresses)
    _read(addresses)


def _serve(folder: str, delay: float) -> None:
    """Serves a folder on a free port of this machine, each answer after so many milliseconds."""

    class Slow(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def parse_request(self) -> bool:
            time.sleep(delay / 1000)
            return super().parse_request()

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), partial(Slow, directory=folder))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1], float(sys.argv[2]))
