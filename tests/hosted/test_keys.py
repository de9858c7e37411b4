"""Where keys come from, where they are sent, and where they never stand."""

from __future__ import annotations

import base64
import json
import logging
import pickle
from urllib.parse import quote

import pytest

from loupe.brain.core.errors import InputError, ServiceError
from loupe.brain.hosted import addresses, secrets
from loupe.brain.hosted.secrets import Secret

KEY = 'sk-"planted"/ä+0123'


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(KEY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret]), repr({"a": secret})]
    assert not [text for text in shown if "planted" in text]
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == KEY


def test_every_form_of_it_is_blotted_out() -> None:
    secret = Secret(KEY)
    forms = [KEY, quote(KEY, safe=""), json.dumps(KEY), base64.b64encode(KEY.encode()).decode()]
    for form in forms:
        clean = secret.hide(f"before {form} after")
        assert form not in clean
        assert clean.startswith("before ")
        assert clean.endswith(" after")
        assert "***" in clean
    assert Secret("").hide("a b") == "a b"


def test_the_apps_secrets_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-the-environment")
    assert secrets.require("OPENAI_API_KEY", "OpenAI").reveal() == "of-the-environment"
    with secrets.given({"OPENAI_API_KEY": "of-the-app", "BFL_API_KEY": None}):
        assert secrets.require("OPENAI_API_KEY", "OpenAI").reveal() == "of-the-app"
        assert not secrets.known("BFL_API_KEY")
    assert secrets.require("OPENAI_API_KEY", "OpenAI").reveal() == "of-the-environment"
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ServiceError, match="secret OPENAI_API_KEY, got none"):
        secrets.require("OPENAI_API_KEY", "OpenAI")
    for odd in ("two words", "line\nbreak", "ключ"):
        monkeypatch.setenv("OPENAI_API_KEY", odd)
        with pytest.raises(ServiceError, match="copy it again") as raised:
            secrets.require("OPENAI_API_KEY", "OpenAI")
        assert odd not in str(raised.value)


def test_the_libraries_log_no_key(caplog: pytest.LogCaptureFixture) -> None:
    secrets.keep_out_of_logs(Secret("sk-planted-logged"))
    caplog.set_level("DEBUG")
    logging.getLogger("httpcore2.http11").debug("headers %r of %s", ["sk-planted-logged"], "x")
    logging.getLogger("httpx2").info("nothing to hide: %d", 3)
    assert "headers ['***'] of x" in caplog.text
    assert "nothing to hide: 3" in caplog.text
    assert "planted" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/v1/",
        "http://127.0.0.1:8000/v1",
        "http://localhost:8000",
        "http://[::1]:8000/v1",
        "http://192.168.1.5:8000/v1",
        "http://gpu-box:8000/v1",
        "http://gpu.local/v1",
    ],
)
def test_addresses_that_a_key_may_be_sent_to(url: str) -> None:
    assert addresses.checked_base(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "example.com/v1",
        "file:///etc/passwd",
        "ftp://example.com",
        "https://",
        "http://example.com/v1",
        "http://8.8.8.8/v1",
        "https://user:planted@example.com/v1",
        "https://example.com/v1?key=planted",
        "https://example.com/#planted",
        "https://example.com:port/",
        "",
        "javascript:alert(1)",
    ],
)
def test_addresses_that_it_may_not(url: str) -> None:
    with pytest.raises(InputError, match="expected base_url") as raised:
        addresses.checked_base(url)
    assert "planted" not in str(raised.value)


def test_a_key_stays_with_its_service() -> None:
    base = "https://api.bfl.ai"
    good = ["https://api.bfl.ai/v1/get_result?id=1", "https://api.us1.bfl.ai/v1/get_result?id=1"]
    bad = [
        "http://api.bfl.ai/v1",
        "https://bfl.ai.evil.com/",
        "https://evilbfl.ai/",
        "https://api.bfl.ai:8443/",
        "https://api.bfl.ai@evil.com/",
        "file:///etc/passwd",
        "https://[bad",
    ]
    assert all(addresses.may_have_key(url, base, "bfl.ai") for url in good)
    assert not [url for url in bad if addresses.may_have_key(url, base, "bfl.ai")]
    # an address of one's own: that and no other
    assert addresses.may_have_key("http://127.0.0.1:8000/x", "http://127.0.0.1:8000", "bfl.ai")
    assert not addresses.may_have_key("http://127.0.0.1:8001/x", "http://127.0.0.1:8000", "bfl.ai")
    assert not addresses.may_have_key("https://api.bfl.ai/x", "http://127.0.0.1:8000", "bfl.ai")


def test_pictures_are_not_taken_from_what_only_we_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    public = [(2, 1, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: public)
    base = "https://api.bfl.ai"
    assert addresses.why_not_fetched("https://delivery.example.com/a.png?sig=1", base) is None
    assert "encrypted" in str(addresses.why_not_fetched("http://delivery.example.com/a.png", base))
    assert "only http" in str(addresses.why_not_fetched("file:///etc/passwd", base))
    assert "user" in str(addresses.why_not_fetched("https://a:b@example.com/", base))
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "0.0.0.0"):
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, inside=inside, **__: [*public, (2, 1, 6, "", (inside, 1))])
        assert "private network" in str(addresses.why_not_fetched("https://looks-fine.example.com/", base))
    assert addresses.why_not_fetched("http://127.0.0.1:9999/a.png", "http://127.0.0.1:8000") is None
    assert "private network" in str(addresses.why_not_fetched("http://10.0.0.1/a.png", "http://127.0.0.1:8000"))
