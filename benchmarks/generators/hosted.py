"""Hosted generators against services that fail: what was drawn, lost, paid twice; and with the process killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "tests" / "support" / "hosted_server.py"
FAULTS = ("429", "500", "503", "502", "reset", "half", "base64", "text", "moderated")
RATE = 0.02
SLOW = 0.002
PRICE = 0.04
#: name → generator, its settings, the path behind the address, whether the service knows the key of a request
CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "OpenAI-compatible, keys known": ("openai_images", {"idempotent": True}, "/v1"),
    "OpenAI (says nothing of keys)": ("openai_images", {}, "/v1"),
    "Ideogram (ids)": ("ideogram", {}, ""),
    "FLUX (polling addresses)": ("bfl", {}, ""),
}

#: what a child does: it draws, and prints what came of each image
CHILD = """
import json, sys, time
from pathlib import Path
from collections import Counter
from loupe.brain.core.records import Request
from loupe.brain.core.registry import generators
from loupe.brain.engine import output_folder
from loupe.brain.hosted.retry import Policy
from loupe.brain.hosted.spec import HostedGenerator
HostedGenerator.policy = Policy(base=0.01, poll=0.01, patience=30)
name, given, folder, count = json.loads(sys.argv[1])
folder = Path(folder)
session = generators()[name](**given).load("cpu")
items = [(f"{n:032x}", Request(f"prompt {n}", n)) for n in range(count)]
came = Counter()
started = time.process_time()
with output_folder.opened(folder), session.remote(folder) as job:
    there = [key for key, _ in items if output_folder.image_path(folder, key).exists()]
    job.kept(there)
    came["drawn"] = len(there)
    have = set(there)
    for drawn in job.run([item for item in items if item[0] not in have], also=there):
        if drawn is None:
            continue
        if drawn.image is not None:
            output_folder.write(folder, drawn.key, drawn.image, {"prompt": "", "key": drawn.key})
            job.kept([drawn.key])
        came[drawn.outcome] += 1
    account = job.account()
print(json.dumps({**came, "cost": account["cost"], "cpu": time.process_time() - started}))
"""


def print_hosted(count: int, kills: int, budget: float | None, only: str) -> None:
    """Prints a row for each service: ``count`` images in all, with faults, with ``kills`` kills in the middle."""
    titles = [title for title in CASES if only.lower() in title.lower()]
    count //= len(CASES)
    print(f"{count:,} images a service, faults {len(FAULTS)} x {RATE:.0%} and {SLOW:.1%} slow, {kills} kills each")
    print(f"{'':32}{'drawn':>8}{'refused':>9}{'unclear':>9}{'failed':>8}{'lost':>6}{'paid':>8}{'twice':>7}", end="")
    print(f"{'bill $':>9}{'told $':>9}{'CPU s':>7}")
    for title in titles:
        _row(title, count, kills, None)
    limit = count * PRICE / 2 if budget is None else budget
    print(f"\nthe same with a budget of ${limit:,.2f}")
    for title in titles:
        _row(title, count, kills, limit)


def _row(title: str, count: int, kills: int, budget: float | None) -> None:
    name, given, path = CASES[title]
    plan = {"rates": {**dict.fromkeys(FAULTS, RATE), "slow": SLOW}, "slow": 2.5, "seed": 1, "price": PRICE * 100}
    with (
        subprocess.Popen(
            [sys.executable, str(SERVER), json.dumps(plan)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert server.stdout is not None
        assert server.stdin is not None
        url = server.stdout.readline().strip()
        settings = {"base_url": url + path, "price_per_image": PRICE, "concurrency": 8, "timeout": 2.0, **given}
        if budget is not None:
            settings["budget"] = budget
        command = [sys.executable, "-c", CHILD, json.dumps([name, settings, folder, count])]
        for number in range(kills):
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
            share = 0.5 if budget is None else 0.25
            while child.poll() is None and _report(url)["images"] < share * count * (number + 1) / kills:
                time.sleep(0.05)
            child.send_signal(signal.SIGKILL)
            child.wait()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        came: Counter[str] = Counter(json.loads(done.stdout))
        report = _report(url)
        server.stdin.close()
    named = sum(came[outcome] for outcome in ("drawn", "refused", "unclear", "failed", "unaffordable"))
    print(
        f"{title:32}{came['drawn']:8,}{came['refused']:9,}{came['unclear']:9,}{came['failed']:8,}{count - named:6,}"
        f"{report['paid']:8,}{report['twice']:7,}{report['dollars']:9,.2f}{came['cost']:9,.2f}{came['cpu']:7.1f}",
        flush=True,
    )


def _report(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(urllib.request.Request(f"{url}/report", data=b"{}"), timeout=30) as answer:
        report: dict[str, Any] = json.loads(answer.read())
    return report
