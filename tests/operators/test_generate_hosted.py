"""The form of ``generate`` where a hosted service draws: price, key, budget; and what it calls the verb with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hosted_server import KEY, HostedServer, Plan
from operator_calls import form, messages, problems, result

from loupe.brain.hosted.spec import HostedGenerator

pytestmark = pytest.mark.database
OPENAI = {"prompts": "a cup\na hat", "per_prompt": 5, "model__drawn_by": "openai"}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("OPENAI", "IDEOGRAM", "BFL", "LOUPE_HOSTED"):
        monkeypatch.delenv(f"{kind}_API_KEY", raising=False)


def test_a_missing_key_is_said_with_what_to_do(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for service, name in (("openai", "OPENAI_API_KEY"), ("ideogram", "IDEOGRAM_API_KEY"), ("bfl", "BFL_API_KEY")):
        reported = problems(form("generate", dataset, {**OPENAI, "model__drawn_by": service}))
        assert list(reported) == ["no_key"]
        assert f"Set the environment variable {name}" in reported["no_key"]
        monkeypatch.setenv(name, KEY)
        inputs = form("generate", dataset, {**OPENAI, "model__drawn_by": service})
        assert not problems(inputs)
        assert KEY not in json.dumps({key: made.to_json() for key, made in inputs.items()})


def test_the_apps_own_secrets_are_used(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.operators import hosted_widget

    monkeypatch.setattr(hosted_widget, "secrets_of", lambda ctx: {"OPENAI_API_KEY": KEY})
    assert not problems(form("generate", dataset, OPENAI))


def test_the_price_is_told_before(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def price_of(**params: Any) -> str:
        inputs = form("generate", dataset, {**OPENAI, "settings": True, **params})
        assert not problems(inputs), problems(inputs)
        label: str = inputs["price"].view.label
        return label

    assert price_of().startswith("About $0.13: 10 images at $0.01317 each (the price list of 20")
    assert "About $2.11" in price_of(model__openai__quality="max")
    assert "10 images at $0.5 each (yours)" in price_of(model__openai__price_per_image=0.5)
    assert "is enough for 7" in price_of(budget=0.1)
    assert "Nobody says what an image of gpt-image-9 costs" in price_of(model__openai__model="gpt-image-9")
    reported = problems(form("generate", dataset, {**OPENAI, "model__openai__model": "gpt-image-9", "budget": 3}))
    assert "give a price per image" in reported["bad_model"]
    reported = problems(form("generate", dataset, {**OPENAI, "model__openai__model": "gpt-image-1"}))
    assert "shut gpt-image-1 down" in reported["bad_model"]


def test_only_what_the_service_knows_is_asked_for(dataset: Any) -> None:
    local = form("generate", dataset, {"prompts": "a", "settings": True})
    hosted = form("generate", dataset, {**OPENAI, "settings": True})
    assert {"steps", "guidance", "dtype", "batch_size", "model"} <= set(local)
    assert not {"steps", "guidance", "dtype", "batch_size", "model"} & set(hosted)
    assert "budget" not in local
    assert {"budget", "width", "height", "model__openai__quality", "model__openai__concurrency"} <= set(hosted)
    assert "model__openai__base_url" not in hosted
    other = form("generate", dataset, {**OPENAI, "model__drawn_by": "compatible"})
    assert other["model__compatible__base_url"].required


def test_a_run(dataset: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    from loupe.brain.hosted.retry import Policy

    monkeypatch.setattr(HostedGenerator, "policy", Policy(base=0.01))
    monkeypatch.setenv("LOUPE_HOSTED_API_KEY", KEY)
    server = HostedServer(Plan(rates={"moderated": 0.3}, seed=1)).start()
    params = {
        "prompts": "a cup",
        "per_prompt": 20,
        "output_dir": str(tmp_path / "images"),
        "model__drawn_by": "compatible",
        "model__compatible__base_url": f"{server.url}/v1",
        "model__compatible__model": "mine",
        "model__compatible__price_per_image": 0.1,
        "budget": 1.0,
        "settings": True,
    }
    done = result("generate", dataset, params)
    server.plan.always = "401"
    server.plan.rates = {}
    failed = messages("generate", dataset, {**params, "prompts": "a hat"}, app=True)[-1]
    server.stop()
    assert done["run"]["n"] == 10 == len(dataset)
    assert "**$1.00**, by the price list" in done["summary"]
    assert "refused by the service's moderation" in done["summary"]
    assert "not requested: the budget is spent" in done["summary"]
    assert "does not accept the key in" in json.dumps(failed, default=str)
    assert KEY not in json.dumps([done, failed], default=str)
