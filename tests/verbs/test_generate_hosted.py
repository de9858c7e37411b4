"""``loupe.generate`` by hosted services: what becomes of each image, what it costs, and that no key is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted_server import KEY, HostedServer, Plan
from PIL import Image

import loupe
from loupe.brain.core.errors import InputError, ServiceError, Stopped
from loupe.brain.core.records import Progress
from loupe.brain.generators.bfl import Bfl
from loupe.brain.generators.ideogram import Ideogram
from loupe.brain.generators.openai_images import OpenAIImages
from loupe.brain.hosted.retry import Policy
from loupe.brain.hosted.spec import HostedGenerator

pytest.importorskip("openai")
pytestmark = [pytest.mark.database, pytest.mark.slow]

FAULTS = dict.fromkeys(("429", "500", "503", "502", "reset", "half", "base64", "text", "moderated"), 0.03)
KINDS: dict[str, Callable[..., HostedGenerator]] = {
    "openai": lambda url, **given: OpenAIImages(base_url=f"{url}/v1", **given),
    "bfl": lambda url, **given: Bfl(base_url=url, **given),
    "ideogram": lambda url, **given: Ideogram(base_url=url, **given),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HostedGenerator, "policy", Policy(base=0.01, poll=0.01, patience=10))
    monkeypatch.setenv("LOUPE_HOSTED_API_KEY", KEY)


@pytest.fixture
def serve() -> Iterator[Callable[..., HostedServer]]:
    servers: list[HostedServer] = []

    def start(**plan: Any) -> HostedServer:
        servers.append(HostedServer(Plan(**plan)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


def whole(dataset: Any, folder: Path) -> list[str]:
    """Asserts that each sample has a whole file of its own, and that nothing else is left; returns the keys."""
    keys, paths = dataset.values(["generation.key", "filepath"])
    assert len(keys) == len(set(keys))
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [".loupe.lock", "requests.jsonl", *(f"{key}.png" for key in keys)]
    )
    for key, path in zip(keys, paths, strict=True):
        with Image.open(path) as image:
            image.load()
            assert json.loads(image.text["loupe"])["key"] == key
    return list(keys)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields(dataset: Any, folder: Path, serve: Callable[..., HostedServer], kind: str) -> None:
    server = serve()
    spec = KINDS[kind](server.url, price_per_image=0.05)
    run = loupe.generate(
        dataset, ["a cat", {"prompt": "a dog", "time": "day"}], model=spec, per_prompt=2, output_dir=folder
    )
    assert (run.n, run.skipped, run.errors, dict(run.unknown)) == (4, 0, 0, {})
    assert (run.params["cost"], run.params["cost_estimated"]) == (pytest.approx(0.2), True)
    whole(dataset, folder)
    facts = dataset.first().generation
    assert (facts.model, facts.generator, facts.device, facts.cost) == (spec.model, spec.name, "hosted", 0.05)
    assert (facts.width, facts.height) == (16, 16)
    assert server.url in facts.fingerprint
    seeds = dataset.values("generation.seed")
    if kind == "openai":
        assert seeds == [None] * 4
    else:
        assert len(set(seeds)) == 4
        assert all(0 <= seed < 2**31 for seed in seeds)
    assert dataset.count_values("scenario.time") == {None: 2, "day": 2}
    assert server.report()["paid"] == 4
    again = loupe.generate(
        dataset, ["a cat", {"prompt": "a dog", "time": "day"}], model=spec, per_prompt=2, output_dir=folder
    )
    assert (again.n, again.skipped, again.params["cost"]) == (0, 4, pytest.approx(0.2))
    other = loupe.generate(
        dataset, ["a cat", {"prompt": "a dog", "time": "day"}], model=spec, per_prompt=2, output_dir=folder / "other"
    )
    assert (other.n, other.skipped, other.params["cost"]) == (0, 4, None)
    (folder / "other" / "requests.jsonl").unlink()
    assert server.report()["paid"] == 4


@pytest.mark.parametrize(
    ("kind", "idempotent"), [("openai", True), ("openai", False), ("bfl", False), ("ideogram", False)]
)
def test_with_faults_nothing_is_paid_twice_and_nothing_lost(
    dataset: Any, folder: Path, serve: Callable[..., HostedServer], kind: str, idempotent: bool
) -> None:
    server = serve(rates=FAULTS, seed=3)
    given = {"idempotent": True} if idempotent else {}
    spec = KINDS[kind](server.url, price_per_image=0.04, concurrency=8, **given)
    prompts = [f"prompt {number}" for number in range(240)]
    run = loupe.generate(dataset, prompts, model=spec, output_dir=folder)
    report = server.report()
    assert report["twice"] == 0
    assert run.n + sum(run.unknown.values()) + run.errors == 240
    assert run.unknown.get("refused", 0) > 0
    keys = whole(dataset, folder)
    if kind == "openai":
        assert {f"loupe-{key}" for key in keys} <= set(report["keys"])
    # what was paid and is not there is named, one by one
    assert report["paid"] - run.n <= run.unknown.get("unclear", 0) + run.errors
    if idempotent:
        assert (run.n, run.errors) == (report["paid"], 0)
        assert "unclear" not in run.unknown
    assert run.params["cost"] >= report["dollars"] - 1e-6
    once = loupe.generate(dataset, prompts, model=spec, output_dir=folder)
    assert once.unknown.get("refused") == run.unknown.get("refused")
    assert server.report()["twice"] == 0
    assert server.report()["paid"] <= report["paid"] + run.errors


def test_a_refusal_is_kept_and_told_by_prompt(dataset: Any, folder: Path, serve: Callable[..., HostedServer]) -> None:
    server = serve(rates={"moderated": 0.5}, seed=1)
    spec = KINDS["openai"](server.url, price_per_image=0.04)
    run = loupe.generate(dataset, ['a "b" $c. <d>', "e"], model=spec, per_prompt=20, output_dir=folder)
    refused = run.unknown["refused"]
    assert 0 < refused < 40
    assert run.n == 40 - refused == len(dataset)
    reported = {row["prompt"]: row for row in run.params["refusals"]}
    assert sum(row["refused"] for row in reported.values()) == refused
    assert all(row["requested"] == 20 for row in reported.values())
    assert any("safety system" in message for message in run.messages.values())
    assert run.params["cost"] == pytest.approx(0.04 * run.n)
    before = len(server.seen)
    again = loupe.generate(dataset, ['a "b" $c. <d>', "e"], model=spec, per_prompt=20, output_dir=folder)
    assert again.unknown["refused"] == refused
    assert len(server.seen) == before


@pytest.mark.parametrize("concurrency", [1, 6])
def test_a_budget_is_kept(dataset: Any, folder: Path, serve: Callable[..., HostedServer], concurrency: int) -> None:
    server = serve(rates={"429": 0.1, "500": 0.1}, seed=5)
    spec = KINDS["openai"](server.url, price_per_image=0.04, concurrency=concurrency, idempotent=True)
    prompts = [f"prompt {number}" for number in range(40)]
    run = loupe.generate(dataset, prompts, model=spec, output_dir=folder, budget=0.5)
    assert server.report()["dollars"] <= 0.5
    assert (run.n, run.unknown["unaffordable"]) == (12, 28)
    assert "28 images were not requested" in run.messages["budget"]
    same = loupe.generate(dataset, prompts, model=spec, output_dir=folder, budget=0.5)
    assert (same.n, same.skipped) == (0, 12)
    assert server.report()["dollars"] <= 0.5
    more = loupe.generate(dataset, prompts, model=spec, output_dir=folder, budget=1.0)
    assert more.n + more.skipped == 25
    assert server.report()["dollars"] <= 1.0


def test_dearer_images_than_the_list_says_exceed_a_budget_by_one_request(
    dataset: Any, folder: Path, serve: Callable[..., HostedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(price=7.0)
    monkeypatch.setattr(Bfl, "list_price", lambda self: 0.04)
    spec = KINDS["bfl"](server.url, concurrency=8)
    prompts = [f"prompt {number}" for number in range(40)]
    run = loupe.generate(dataset, prompts, model=spec, output_dir=folder, budget=1.0)
    assert run.params["cost"] == pytest.approx(server.report()["dollars"])
    assert 1.0 - 0.04 < run.params["cost"] <= 1.0 + 0.07


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("always", "says"),
    [
        ("401", "does not accept the key"),
        ("402", "no credit"),
        ("404", "does not know"),
        ("400", "in a row came to nothing"),
        ("503", "in a row came to nothing"),
        ("502", "in a row came to nothing"),
        ("redirect", "redirects to"),
        ("nonsense", "in a row came to nothing"),
        ("evil_poll", "in a row came to nothing"),
        ("huge", "in a row came to nothing"),
    ],
)
def test_no_key_is_left_anywhere(
    dataset: Any,
    folder: Path,
    serve: Callable[..., HostedServer],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    kind: str,
    always: str,
    says: str,
) -> None:
    server = serve(always=always)
    spec = KINDS[kind](server.url, price_per_image=0.04)
    for name in ("httpx2", "httpcore2", "openai", "loupe", "asyncio"):
        caplog.set_level("DEBUG", logger=name)
    with pytest.raises(ServiceError, match=says) as raised:
        loupe.generate(dataset, [f"prompt {number}" for number in range(30)], model=spec, output_dir=folder)
    assert any(KEY in str(headers) for _, headers, _ in server.seen), "the key was sent"
    seen = [
        repr(raised.value),
        str(raised.value),
        caplog.text,
        *capfd.readouterr(),
        repr(spec),
        json.dumps(spec.params()),
    ]
    link: BaseException | None = raised.value
    while link is not None:
        seen += [repr(link), repr(vars(link)), repr(link.args)]
        link = link.__cause__ or link.__context__
    trace = raised.value.__traceback__
    while trace is not None:
        seen.append(repr({name: value for name, value in trace.tb_frame.f_locals.items() if name != "server"}))
        if "hosted_server" in trace.tb_frame.f_code.co_filename or trace.tb_frame.f_code.co_filename == __file__:
            seen.pop()
        trace = trace.tb_next
    seen += [path.read_text(errors="replace") for path in folder.iterdir() if path.is_file()]
    seen.append(json.dumps([dataset.get_run_info(key).config.serialize() for key in dataset.list_runs()], default=str))
    assert not [text[max(0, text.index(KEY) - 300) :][:600] for text in seen if KEY in text]
    assert len(dataset) == 0


def test_no_key_is_stored_with_what_works(dataset: Any, folder: Path, serve: Callable[..., HostedServer]) -> None:
    from bson import json_util

    for kind in KINDS:
        server = serve(rates=FAULTS)
        loupe.generate(dataset, [f"{kind} {n}" for n in range(20)], model=KINDS[kind](server.url), output_dir=folder)
    stored = [json_util.dumps(list(dataset._sample_collection.find())), json_util.dumps(dataset._doc.to_dict())]
    stored += [json.dumps(dataset.get_run_info(key).config.serialize(), default=str) for key in dataset.list_runs()]
    stored += [path.read_bytes().decode("latin-1") for path in folder.iterdir()]
    assert not [text for text in stored if KEY in text]


def test_a_stop_stores_what_is_under_way(dataset: Any, folder: Path, serve: Callable[..., HostedServer]) -> None:
    server = serve(work=0.05)

    def stop(step: Progress) -> None:
        if len(server.paid) >= 10:
            raise Stopped("enough")

    spec = KINDS["openai"](server.url, price_per_image=0.04)
    with pytest.raises(Stopped):
        loupe.generate(dataset, [f"prompt {n}" for n in range(60)], model=spec, output_dir=folder, progress=stop)
    whole(dataset, folder)
    assert len(dataset) == server.report()["paid"] < 60


CHILD = """
import os, sys, json
sys.path[:0] = json.loads(os.environ["SUPPORT"])
import fiftyone as fo, loupe
from loupe.brain.hosted.retry import Policy
from loupe.brain.hosted.spec import HostedGenerator
from loupe.brain.core.registry import generators
HostedGenerator.policy = Policy(base=0.01, poll=0.01, patience=10)
name, given, folder = json.loads(sys.argv[1])
spec = generators()[name](**given)
print("ready", flush=True)
loupe.generate(fo.load_dataset(sys.argv[2]), [f"prompt {n}" for n in range(200)], model=spec, output_dir=folder)
"""


@pytest.mark.parametrize("kind", ["openai", "bfl"])
def test_a_killed_run_is_taken_up_again(
    dataset: Any, folder: Path, serve: Callable[..., HostedServer], kind: str
) -> None:
    server = serve(rates={**FAULTS, "slow": 0.02}, slow=0.2, work=0.01, seed=7)
    base = f"{server.url}/v1" if kind == "openai" else server.url
    given = {"base_url": base, "price_per_image": 0.04} | ({"idempotent": True} if kind == "openai" else {})
    name = "openai_images" if kind == "openai" else kind
    dataset.persistent = True
    command = [sys.executable, "-c", CHILD, json.dumps([name, given, str(folder)]), dataset.name]
    environment = {**os.environ, "SUPPORT": json.dumps([])}
    for number in range(2):
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready"
        until = time.monotonic() + 60
        while len(server.paid) < 40 * (number + 1) and time.monotonic() < until and child.poll() is None:
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        child.wait()
    dataset.reload()
    made = {"openai": OpenAIImages, "bfl": Bfl, "ideogram": Ideogram}[kind](**given)  # type: ignore[arg-type]
    prompts = [f"prompt {number}" for number in range(200)]
    run = loupe.generate(dataset, prompts, model=made, output_dir=folder)
    report = server.report()
    assert report["twice"] == 0
    whole(dataset, folder)
    assert len(dataset) + sum(run.unknown.values()) + run.errors == 200
    if kind == "openai":
        assert len(dataset) == report["paid"]
    else:
        assert report["paid"] - len(dataset) <= run.unknown.get("unclear", 0) + run.errors


def test_unclear_images_are_asked_for_again_where_that_is_wanted(
    dataset: Any, folder: Path, serve: Callable[..., HostedServer]
) -> None:
    server = serve(rates={"reset": 0.3}, seed=2, idempotent=False)
    prompts = [f"prompt {number}" for number in range(30)]
    spec = KINDS["openai"](server.url, price_per_image=0.04)
    run = loupe.generate(dataset, prompts, model=spec, output_dir=folder)
    unclear = run.unknown["unclear"]
    assert unclear > 0
    assert loupe.generate(dataset, prompts, model=spec, output_dir=folder).unknown["unclear"] == unclear
    assert server.report()["paid"] == 30
    server.plan.rates = {}
    again = KINDS["openai"](server.url, price_per_image=0.04, repeat_unclear=True)
    run = loupe.generate(dataset, prompts, model=again, output_dir=folder)
    assert (run.n, len(dataset), dict(run.unknown)) == (unclear, 30, {})
    assert run.params["cost"] == pytest.approx(0.04 * (30 + unclear))
    assert server.report()["paid"] == 30 + unclear


def test_settings_that_a_service_has_not_are_refused(dataset: Any, folder: Path) -> None:
    with pytest.raises(InputError, match="expected settings of openai_images"):
        loupe.generate(dataset, ["x"], model="openai:gpt-image-2", steps=3, output_dir=folder)
    with pytest.raises(InputError, match="got 'budget'"):
        loupe.generate(dataset, ["x"], budget=3.0, output_dir=folder)
    with pytest.raises(ServiceError, match="secret OPENAI_API_KEY, got none"):
        loupe.generate(dataset, ["x"], model="openai:gpt-image-2", output_dir=folder)


def test_a_negative_prompt_and_a_prompt_that_is_too_long(
    dataset: Any, folder: Path, serve: Callable[..., HostedServer]
) -> None:
    server = serve()
    spec = KINDS["openai"](server.url, price_per_image=0.04)
    with pytest.raises(InputError, match="takes no negative prompt"):
        loupe.generate(dataset, ["a", "b"], model=spec, negative_prompt="fog", output_dir=folder)
    assert server.seen == []
    bfl = KINDS["bfl"](server.url, price_per_image=0.04)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bfl, "prompt_limit", 20)
        run = loupe.generate(dataset, ["a", "b" * 21, "c"], model=bfl, output_dir=folder)
    assert (run.n, run.errors, run.params["cost"]) == (2, 1, pytest.approx(0.08))
    assert "takes prompts of up to 20 characters" in next(iter(run.messages.values()))
    assert len([line for line, _, _ in server.seen if line.startswith("POST")]) == 2
