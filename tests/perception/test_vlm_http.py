"""The VLM behind an endpoint: what it sends, how it reads replies, and that its key is told to nobody."""

from __future__ import annotations

import base64
import io
import json
import math
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from vlm_server import GOOD, KEY, Handler, Server, completion, free_port, picture, question, reply, serving

from loupe.brain.core.errors import InputError
from loupe.brain.perception.vlm import endpoint
from loupe.brain.perception.vlm.answers import Question, VlmError
from loupe.brain.perception.vlm.endpoint import Endpoint
from loupe.brain.perception.vlm.http import HttpVlm


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def test_a_good_reply(server: Server) -> None:
    answer = HttpVlm(server.url, "qwen", token=KEY).answer([question()])[0]
    assert answer.verdict == "yes"
    assert answer.yes == pytest.approx(0.9 / 0.95)
    assert answer.mass == pytest.approx(0.95)
    request = server.requests[0]
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["Authorization"] == f"Bearer {KEY}"
    body = request["body"]
    messages = body.pop("messages")
    assert body == {"model": "qwen", "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20}
    [image, text] = messages[0]["content"]
    assert text["text"].endswith("Is it red?")
    kind, data = image["image_url"]["url"].split(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), picture(0))


def test_examples_and_further_fields_are_sent(server: Server) -> None:
    choice = {"structured_outputs": {"choice": ["Yes", "No"]}}
    vlm = HttpVlm(server.url, "qwen", extra={**choice, "max_tokens": None, "max_completion_tokens": 1})
    vlm.answer([Question("Is it?", picture(0), ((picture(1), "yes"), (picture(2), "no")))])
    body = server.requests[0]["body"]
    assert body["structured_outputs"] == {"choice": ["Yes", "No"]}
    assert "max_tokens" not in body
    assert [message["role"] for message in body["messages"]] == ["user", "assistant"] * 2 + ["user"]
    assert "Authorization" not in server.requests[0]["headers"]


def test_answers_keep_the_order_of_the_questions(server: Server) -> None:
    def by_text(handler: Handler) -> None:
        text = server.requests[-1]["body"]["messages"][0]["content"][1]["text"]
        index = int(text.split()[-1].rstrip("?"))
        reply(completion(Yes=0.99 - index / 100, No=0.01 + index / 100), delay=0.05 if index == 0 else 0)(handler)

    server.replies = [by_text]
    vlm = HttpVlm(server.url, "m", concurrency=1)
    answers = vlm.answer([question(index, f"Is it {index}?") for index in range(20)])
    assert [round(answer.yes, 3) for answer in answers] == [round(0.99 - index / 100, 3) for index in range(20)]
    assert vlm.answer([]) == []


def test_questions_are_on_the_way_together(server: Server) -> None:
    server.replies = [reply(GOOD, delay=0.1)]
    assert len(HttpVlm(server.url, "m", concurrency=8).answer([question()] * 16)) == 16
    assert 2 <= server.busiest <= 8


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"),
        (b"<html>hello</html>", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"9" * 10_000, "no JSON"),
        (b"[]", "no chat completion"),
        (b"null", "no chat completion"),
        (b'"yes"', "no chat completion"),
        (b"{}", "no chat completion"),
        (b'{"choices": []}', "no chat completion"),
        (b'{"choices": [{"message": {"content": "Yes"}}]}', "no chat completion with log-probabilities"),
        (b'{"choices": [{"logprobs": null}]}', "no log-probabilities"),
        (b'{"choices": [{"logprobs": {"content": null}}]}', "no log-probabilities"),
        (b'{"choices": [{"logprobs": {"content": []}}]}', "no log-probabilities"),
        (b'{"choices": [{"logprobs": {"content": "Yes"}}]}', "cannot be read"),
        (b'{"choices": [{"logprobs": {"content": [{"token": "Yes", "logprob": -0.1}]}}]}', "cannot be read"),
        (
            b'{"choices": [{"logprobs": {"content": [{"token": "Yes", "logprob": -0.1, "top_logprobs": []}]}}]}',
            "one token only",
        ),
        (completion(Yes=0.5, No=0.1).replace(b'"No"', b"7"), "cannot be read"),
        (completion(Yes=0.5, No=0.1).replace(b'"logprob": -0.69', b'"logprob": "a'), "no JSON"),
        (completion(Yes=1.0, No=0.1).replace(b"0.0", b"NaN"), "impossible"),
        (completion(Yes=1.0, No=0.1).replace(b"0.0", b"1e400"), "impossible"),
        (completion(Yes=1.0, No=0.1).replace(b"0.0", b"true"), "cannot be read"),
        (completion(Yes=1.0, No=0.1).replace(b"0.0", b"1" + b"0" * 400), "cannot be read"),
        (completion(Yes=0.9, No=0.9), "make no sense"),
        (completion(The=0.9, A=0.05, Yes=0.01), "neither yes nor no"),
        (completion(The=0.9, A=0.05), "neither yes nor no"),
        (completion(Yes=0.5, No=0.45), "undecided"),
        (b" " * (endpoint._LONGEST + 10) + GOOD, "longer than any answer"),
    ],
)
def test_nonsense_is_unknown_with_its_reason(server: Server, body: bytes, reason: str) -> None:
    server.replies = [reply(body)]
    answer = HttpVlm(server.url, "m").answer([question()])[0]
    assert answer.verdict == "unknown"
    assert reason in answer.reason
    assert len(server.requests) == 1


def test_the_drawn_token_counts_once(server: Server) -> None:
    top = [{"token": "Yes", "logprob": math.log(0.6)}, {"token": "No", "logprob": math.log(0.3)}]
    for drawn in ({"token": "Yes", "logprob": math.log(0.6001)}, {"token": "yes", "logprob": math.log(0.05)}):
        content = [{**drawn, "top_logprobs": top}]
        server.replies = [reply(json.dumps({"choices": [{"logprobs": {"content": content}}]}).encode())]
        answer = HttpVlm(server.url, "m").answer([question()])[0]
        assert answer.mass == pytest.approx(0.9 if drawn["token"] == "Yes" else 0.95)


def test_the_key_is_told_to_nobody(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    vlm = HttpVlm(server.url, "m", token=KEY, retries=0)
    texts = [repr(vlm), repr(vlm._endpoint), str(vlm.facts), str(vars(vlm))]
    echo = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
    for body, status in ((echo, 401), (echo, 500), (KEY.encode() * 400, 401), (b"x" * 290 + KEY.encode(), 400)):
        server.replies = [reply(body, status)]
        with pytest.raises(VlmError) as caught:
            vlm.answer([question()])
        texts.append(repr(caught.value))
        assert "***" in texts[-1] or "x" * 290 in texts[-1]
    for bad in (f"{KEY}\nX-Evil: 1", f"{KEY} ", f"{KEY}\u00e9", 7):
        with pytest.raises(InputError, match="API key") as refused:
            HttpVlm(server.url, "m", token=bad)
        texts.append(str(refused.value))
    for url in ("http://example.com/v1", "http://127.0.0.1.example.com", "http://0.0.0.0"):
        with pytest.raises(InputError, match="expected https") as refused:
            HttpVlm(url, "m", token=KEY)
        texts.append(str(refused.value))
    for url in (f"https://me:{KEY}@host/v1", f"https://host/v1?key={KEY}", f"https://host/#{KEY}", f"https://h:{KEY}"):
        with pytest.raises(InputError) as refused:
            HttpVlm(url, "m")
        texts.append(str(refused.value))
    assert "tell-nobody" not in " ".join([*texts, caplog.text])


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        ("https://Host/v1/chat/completions", "https://host/v1/chat/completions"),
        ("http://[::1]:80", "http://[::1]:80/chat/completions"),
        ("http://127.0.0.2", "http://127.0.0.2/chat/completions"),
    ],
)
def test_addresses(url: str, whole: str) -> None:
    assert Endpoint(url, KEY, 1, 0, 1).url == whole
    assert repr(HttpVlm(url, "m", token=KEY)) == f"HttpVlm({whole!r}, 'm')"


def test_plain_http_elsewhere_is_allowed_without_a_key() -> None:
    assert HttpVlm("http://gpu-box:8000/v1", "m").facts["url"] == "http://gpu-box:8000/v1/chat/completions"


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://h/v1", "file:///etc/passwd", "http://", "http:///v1", "http://h:99999", "http://[::1",
     "http://a b/", "http://h/\n", "http://h\u00e9/", None],
)  # fmt: skip
def test_addresses_that_are_refused(url: object) -> None:
    with pytest.raises(InputError, match="expected an address such as"):
        HttpVlm(url, "m")


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": 0},
        {"timeout": math.nan},
        {"timeout": "5"},
        {"deadline": -1},
        {"retries": -1},
        {"retries": 1.5},
        {"concurrency": 0},
        {"concurrency": True},
        {"model": " "},
        {"extra": {"x": object()}},
    ],
)
def test_settings_out_of_bounds(settings: dict) -> None:
    with pytest.raises(InputError, match=next(iter(settings))):
        HttpVlm(**{"url": "http://localhost", "model": "m", **settings})


def test_a_proxy_of_the_environment_gets_neither_picture_nor_key(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert HttpVlm(server.url, "m", token=KEY).answer([question()])[0].verdict == "yes"


def test_it_waits_for_no_socket_in_the_end(server: Server) -> None:
    before = threading.active_count()
    HttpVlm(server.url, "m").answer([question()] * 20)
    deadline = time.monotonic() + 30
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before + 1
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=2):
        pass
