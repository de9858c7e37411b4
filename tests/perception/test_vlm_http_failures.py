"""The VLM behind an endpoint, against a server that behaves badly, slowly and not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from vlm_server import GOOD, KEY, Handler, Server, free_port, question, reply, serving

from loupe.brain.perception.vlm import endpoint, http
from loupe.brain.perception.vlm.answers import VlmError
from loupe.brain.perception.vlm.endpoint import Unreachable
from loupe.brain.perception.vlm.http import HttpVlm

# an endpoint that hangs must not: nothing here takes more than seconds
pytestmark = [pytest.mark.timeout(60), pytest.mark.slow]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_FIRST_WAIT", 0.02)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_errors_of_the_moment_are_tried_again(server: Server, status: int) -> None:
    server.replies = [reply(b"oops", status), reply(b"oops", status), reply(GOOD)]
    assert HttpVlm(server.url, "m").answer([question()])[0].verdict == "yes"
    assert len(server.requests) == 3
    # each wait is twice as long as the one before
    assert server.times[2] - server.times[1] > server.times[1] - server.times[0] - 0.01


def test_a_lasting_error_is_one_clear_error(server: Server) -> None:
    server.replies = [reply(b'{"error": {"message": "out of\\n memory"}}', 500)]
    with pytest.raises(VlmError, match=r"no answer in 3 attempts: status 500: out of memory\. Is the server well"):
        HttpVlm(server.url, "m", retries=2).answer([question()])
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_not_tried_again(server: Server, status: int) -> None:
    server.replies = [reply(b'{"message": "no such model"}', status)]
    with pytest.raises(VlmError, match=f"refuses: status {status}: no such model"):
        HttpVlm(server.url, "m").answer([question()])
    assert len(server.requests) == 1


def test_redirects_are_not_followed(server: Server) -> None:
    other = Server()
    server.replies = [reply(b"", 307, Location=f"{other.url}/chat/completions")]
    with pytest.raises(VlmError, match="a redirect, which is not followed"):
        HttpVlm(server.url, "m", token=KEY).answer([question()])
    assert not other.requests
    other.server_close()


@pytest.mark.parametrize("asked", ["0.3", "date"])
def test_retry_after_is_kept(server: Server, asked: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.replies = [reply(b"", 429, Retry_After=date if asked == "date" else asked), reply(GOOD)]
    assert HttpVlm(server.url, "m").answer([question()])[0].verdict == "yes"
    assert server.times[1] - server.times[0] > 0.28


@pytest.mark.parametrize("asked", ["86400", "1e9", "-5", "soon", "nan", "inf", "Wed, 21 Oct 1015 07:28:00 GMT"])
def test_retry_after_is_bounded(server: Server, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_LONGEST_WAIT", 0.2)
    server.replies = [reply(b"", 429, Retry_After=asked), reply(GOOD)]
    assert HttpVlm(server.url, "m").answer([question()])[0].verdict == "yes"
    assert server.times[1] - server.times[0] < 1


def test_the_deadline_holds_over_all_attempts(server: Server) -> None:
    server.replies = [reply(b"", 503, Retry_After="20")]
    with pytest.raises(VlmError, match="1 attempt: status 503"):
        HttpVlm(server.url, "m", deadline=0.5, retries=20).answer([question()])


def test_a_silent_endpoint(server: Server) -> None:
    server.replies = [reply(GOOD, delay=5)]
    with pytest.raises(Unreachable, match="no answer in 2 attempts: TimeoutError"):
        HttpVlm(server.url, "m", timeout=0.2, retries=1).answer([question()])


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_reply_that_drips_does_not_go_on_for_ever(server: Server, part: str) -> None:
    def drip(handler: Handler) -> None:
        head = b"HTTP/1.1 200 OK\r\n" + (b"" if part == "headers" else b"Content-Length: 100\r\n\r\n")
        handler.wfile.write(head)
        for _ in range(80):
            handler.wfile.write(b"X")
            handler.wfile.flush()
            time.sleep(0.1)

    server.replies = [drip]
    with pytest.raises(Unreachable, match="no whole reply in time"):
        HttpVlm(server.url, "m", timeout=0.4, retries=0).answer([question()])


@pytest.mark.parametrize("sent", [b"", b"SSH-2.0-hello\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_a_broken_reply_is_tried_again(server: Server, sent: bytes) -> None:
    def broken(handler: Handler) -> None:
        handler.wfile.write(sent)
        handler.close_connection = True

    server.replies = [broken, reply(GOOD)]
    assert HttpVlm(server.url, "m", timeout=5).answer([question()])[0].verdict == "yes"


def test_a_server_that_does_not_speak_tls_gets_no_request(server: Server) -> None:
    vlm = HttpVlm(server.url.replace("http:", "https:"), "m", token=KEY, retries=0, timeout=5)
    with pytest.raises(Unreachable, match="SSL"):
        vlm.answer([question()])
    assert not server.requests


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "no-such-host.invalid"])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(Unreachable, match="no answer in 1 attempt"):
        HttpVlm(f"http://{host}/v1", "m", retries=0).answer([question()])


def test_nobody_listens() -> None:
    vlm = HttpVlm(f"http://127.0.0.1:{free_port()}/v1", "m", retries=1)
    with pytest.raises(Unreachable, match=r"no answer in 2 attempts: ConnectionRefusedError.*asks again"):
        vlm.answer([question()])


def test_a_dead_endpoint_does_not_hold_up_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_REST", 20.0)
    vlm = HttpVlm(f"http://127.0.0.1:{free_port()}", "m", retries=1, concurrency=1)
    for _ in range(3):
        with pytest.raises(VlmError):
            vlm.answer([question()])
    for _ in range(100):
        with pytest.raises(VlmError, match=r"ConnectionRefused.*left alone for 20 s"):
            vlm.answer([question()])


def test_after_a_rest_it_asks_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_REST", 1.5)
    server.replies = [*[reply(b"", 503)] * 4, reply(GOOD)]
    vlm = HttpVlm(server.url, "m", retries=0)
    for _ in range(3):
        with pytest.raises(VlmError, match="503"):
            vlm.answer([question()])
    time.sleep(1.55)
    with pytest.raises(VlmError, match="1 attempt"):
        vlm.answer([question()])
    with pytest.raises(VlmError, match="left alone"):
        vlm.answer([question()])
    time.sleep(1.55)
    assert vlm.answer([question()])[0].verdict == "yes"
    assert len(server.requests) == 5


@pytest.mark.parametrize("status", [400, 500])
def test_a_picture_that_breaks_the_server_does_not_stop_the_others(server: Server, status: int) -> None:
    vlm = HttpVlm(server.url, "m", retries=0)
    server.replies = [*[reply(b"", status)] * 6, reply(GOOD)]
    for _ in range(6):
        with pytest.raises(VlmError, match=str(status)):
            vlm.answer([question()])
    assert vlm.answer([question()])[0].verdict == "yes"


def test_one_failure_ends_the_whole_call_and_says_why(server: Server) -> None:
    server.replies = [reply(b"", 503, Retry_After="9"), reply(b"", 503, Retry_After="9"), reply(b"bad key", 401)]
    with pytest.raises(VlmError, match="401: bad key"):
        HttpVlm(server.url, "m", concurrency=3).answer([question()] * 50)
    assert len(server.requests) == 3
