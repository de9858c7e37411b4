"""The specs of hosted generators: what they refuse before anything is sent, and what they say of themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hosted_server import KEY, HostedServer, Plan, png

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, MissingDependency, ModelError, ServiceError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator
from loupe.brain.generators.bfl import Bfl
from loupe.brain.generators.diffusion import Diffusion
from loupe.brain.generators.ideogram import Ideogram
from loupe.brain.generators.openai_images import OpenAIImages
from loupe.brain.hosted.replies import Answer, Lost
from loupe.brain.hosted.secrets import Secret

LOCAL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "BFL_API_KEY", "IDEOGRAM_API_KEY", "LOUPE_HOSTED_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_prices() -> None:
    assert OpenAIImages().price() == pytest.approx(0.01317)
    assert OpenAIImages("gpt-image-2.6-flare").price() is None
    assert OpenAIImages("gpt-image-2.6-flare", price_per_image=0.02).price() == 0.02
    assert OpenAIImages(base_url=LOCAL).price() is None
    assert OpenAIImages(base_url=LOCAL, price_per_image=0.0).price() == 0
    assert Ideogram().price() == 0.06
    assert Ideogram("ideogram-3", quality="turbo").price() == 0.03
    assert Bfl().price() == pytest.approx(0.045)
    assert Diffusion().price() == 0, "nothing but the time of one's own machine"


def test_a_name_with_its_service() -> None:
    assert registry.hosted("openai:gpt-image-2") == OpenAIImages("gpt-image-2")
    assert registry.hosted("bfl:flux-2-max") == Bfl("flux-2-max")
    assert registry.hosted("ideogram:ideogram-3") == Ideogram("ideogram-3")
    for other in ("tiny-signs", "org/model", "C:\\models\\x", "openai:", ":x", "None:x"):
        assert registry.hosted(other) is None


BAD: list[tuple[Generator, str]] = [
    (OpenAIImages("gpt-image-1"), "shut gpt-image-1 down on 2026-10-23"),
    (OpenAIImages("gpt-image-2", quality="max"), "expected a quality of gpt-image-2 "),
    (OpenAIImages("gpt-image-1.5", width=512, height=512), "expected a size that gpt-image-1.5 offers"),
    (OpenAIImages("gpt-image-2", width=1000, height=1000), "multiples of 16"),
    (OpenAIImages("gpt-image-2", width=3840, height=640), "up to 3840 and 1:3"),
    (OpenAIImages("gpt-image-2", width=256, height=256), "pixels"),
    (OpenAIImages("gpt-image-2", width=1024), "width and height together"),
    (OpenAIImages(""), "expected the name of a model of OpenAI"),
    (OpenAIImages("a b"), "expected the name of a model of OpenAI"),
    (OpenAIImages(budget=0), "expected budget in dollars"),
    (OpenAIImages(budget=-1), "expected budget in dollars"),
    (OpenAIImages(budget=float("nan")), "expected budget in dollars"),
    (OpenAIImages(price_per_image=-1), "expected price_per_image in dollars"),
    (OpenAIImages("gpt-image-2.6-flare", budget=3), "give price_per_image"),
    (OpenAIImages(base_url=LOCAL, budget=3), "give price_per_image"),
    (OpenAIImages(base_url="api.example.com/v1"), "expected base_url"),
    (OpenAIImages(base_url="file:///etc/passwd"), "expected base_url"),
    (OpenAIImages(concurrency=0), "concurrency to be a number from 1 to 64"),
    (OpenAIImages(requests_per_minute=0), "requests_per_minute to be a number"),
    (OpenAIImages(timeout=0.1), "timeout to be a number"),
    (Ideogram("ideogram-4-5", quality="turbo"), "expected a quality of ideogram-4-5"),
    (Ideogram("../account"), "expected"),
    (Bfl("../get_result"), "expected"),
    (Bfl(width=100, height=100), "expected a size that flux-2-pro offers"),
    (Bfl("flux-pro-1.1", width=2048, height=1024), "256 to 1440"),
]


@pytest.mark.parametrize(("spec", "says"), BAD)
def test_what_cannot_be_asked_for(spec: Generator, says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        spec.load("cpu")
    assert isinstance(raised.value, ModelError) == ("shut" in says)


@pytest.mark.parametrize("kind", [OpenAIImages, Ideogram, Bfl])
def test_a_missing_key_says_which(kind: Any) -> None:
    assert not kind().has_key()
    with pytest.raises(ServiceError, match=f"in the secret {kind.secret}, got none"):
        kind().load("cpu")


def test_the_services_own_key_goes_to_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    spec = OpenAIImages(base_url=LOCAL)
    assert spec.has_key()
    assert spec.api_key().reveal() == ""
    monkeypatch.setenv("LOUPE_HOSTED_API_KEY", "sk-of-the-other")
    assert spec.api_key().reveal() == "sk-of-the-other"
    assert OpenAIImages().api_key().reveal() == "sk-of-openai"


@pytest.mark.parametrize(("kind", "module"), [(OpenAIImages, "openai"), (Bfl, "httpx2"), (Ideogram, "httpx2")])
def test_a_missing_package_says_how_to_get_it(kind: Any, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kind.secret, "sk-1234567")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependency, match=r"pip install 'loupe-fiftyone\[hosted\]'"):
        kind().load("cpu")


@pytest.mark.parametrize("kind", [OpenAIImages, Ideogram, Bfl])
def test_what_a_single_request_cannot_ask_for(kind: Callable[[], Any]) -> None:
    spec = kind()
    assert spec.refusal(Request("a cat", 1)) is None
    assert "characters" in spec.refusal(Request("x" * 40_000, 1))
    assert "takes no negative prompt" in spec.unfit(Request("x", 1, negative_prompt="fog"))
    assert spec.unfit(Request("x", 1)) is None
    assert Ideogram("ideogram-3").unfit(Request("x", 1, negative_prompt="fog")) is None


def test_what_decides_a_picture_and_what_does_not() -> None:
    facts = OpenAIImages().facts()
    assert facts["fingerprint"] == "openai:gpt-image-2.5-flare"
    assert OpenAIImages(budget=3, concurrency=9, timeout=5, price_per_image=1, repeat_unclear=True).facts() == facts
    assert OpenAIImages(quality="high").facts() != facts
    assert OpenAIImages(base_url=LOCAL).facts()["fingerprint"].endswith(f"@{LOCAL}")
    assert not {"budget", "price_per_image"} & facts.keys()


def test_nothing_is_imported_at_import_time() -> None:
    import subprocess

    code = (
        "import sys; from loupe.brain.core import registry; registry.generators(); "
        "print([n for n in ('openai', 'httpx2', 'torch', 'PIL') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", [OpenAIImages, Ideogram, Bfl])
def test_what_every_spec_keeps_to(kind: Any) -> None:
    from loupe.testing import check_spec

    assert {"frozen", "parameters", "key", "price"} <= set(check_spec(kind()).kept)


@pytest.fixture
def servers() -> Iterator[tuple[HostedServer, HostedServer]]:
    """A service, and somebody else."""
    made = (HostedServer(Plan()).start(), HostedServer(Plan()).start())
    yield made
    for server in made:
        server.stop()


def test_a_key_is_not_sent_where_an_answer_says(servers: tuple[HostedServer, HostedServer]) -> None:
    pytest.importorskip("httpx2")
    own, other = servers
    service = Bfl(base_url=own.url, price_per_image=0.1).service(own.url, Secret(KEY))
    reply = service.collect(f"{other.url}/v1/get_result?id=1")
    assert isinstance(reply, Lost)
    assert "not its own" in reply.reason
    assert other.seen == []
    reply = service.collect(f"{own.url}/v1/get_result?id=1")
    assert isinstance(reply, Lost)
    assert KEY in str(own.seen)
    service.close()


def test_a_picture_is_fetched_without_the_key_and_redirects_are_not_followed(
    servers: tuple[HostedServer, HostedServer],
) -> None:
    pytest.importorskip("httpx2")
    own, other = servers
    own.tasks["x"] = {"picture": png(1), "fault": "", "polls": 0}
    service = Bfl(base_url=own.url, price_per_image=0.1).service(own.url, Secret(KEY))
    reply = service._web.fetch(f"{own.url}/pictures/x.png")
    assert isinstance(reply, Answer)
    assert reply.content == png(1)
    assert KEY not in str(own.seen)
    own.plan.always = f"{other.url}/pictures/x.png"
    other.tasks["x"] = own.tasks["x"]
    reply = service._web.fetch(f"{own.url}/pictures/x.png")
    assert isinstance(reply, Lost)
    assert "redirects" in reply.reason
    assert other.seen == []
    reply = service._web.fetch("http://169.254.169.254/latest/meta-data")
    assert isinstance(reply, Lost)
    assert "private network" in reply.reason
    service.close()
