"""The judge behind an endpoint, against a server on loopback that behaves well, badly, slowly and not at all."""

from __future__ import annotations

import base64
import io
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.errors import InputError
from loupe.brain.judges import endpoint, http
from loupe.brain.judges.answers import JudgeError, Question
from loupe.brain.judges.endpoint import Endpoint, Unreachable
from loupe.brain.judges.http import HttpJudge

KEY = "sk-tell-nobody-1234567890"


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def picture(value: int) -> np.ndarray:
    return np.random.default_rng(value).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def question(value: int = 0, text: str = "Is it red?") -> Question:
    return Question(text, picture(value))


def completion(**probabilities: float) -> bytes:
    top = [{"token": token, "logprob": math.log(value), "bytes": None} for token, value in probabilities.items()]
    content = [{**top[0], "top_logprobs": top}]
    return json.dumps(
        {"choices": [{"message": {"content": top[0]["token"]}, "logprobs": {"content": content}}]}
    ).encode()


GOOD = completion(Yes=0.9, No=0.05, Maybe=0.01)


class Server(ThreadingHTTPServer):
    """Answers each request with the next of its replies, the last one over and over; keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Callable[[Handler], None]] = [reply(GOOD)]
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.lock = threading.Lock()
        self.busy = self.busiest = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.times.append(time.monotonic())
            self.server.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
            replies = self.server.replies
            answer = replies.pop(0) if len(replies) > 1 else replies[0]
            self.server.busy += 1
            self.server.busiest = max(self.server.busiest, self.server.busy)
        try:
            answer(self)
        except OSError:
            pass  # the judge has hung up
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def log_message(self, *_: object) -> None:
        pass


def reply(body: bytes, status: int = 200, delay: float = 0, **headers: str) -> Callable[[Handler], None]:
    def send(handler: Handler) -> None:
        time.sleep(delay)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_FIRST_WAIT", 0.02)


def test_a_good_reply(server: Server) -> None:
    answer = HttpJudge(server.url, "qwen", token=KEY).judge([question()])[0]
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
    judge = HttpJudge(server.url, "qwen", extra={**choice, "max_tokens": None, "max_completion_tokens": 1})
    judge.judge([Question("Is it?", picture(0), ((picture(1), "yes"), (picture(2), "no")))])
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
    judge = HttpJudge(server.url, "m", concurrency=1)
    found = judge.judge([question(index, f"Is it {index}?") for index in range(20)])
    assert [round(answer.yes, 3) for answer in found] == [round(0.99 - index / 100, 3) for index in range(20)]
    assert judge.judge([]) == []


def test_questions_are_on_the_way_together(server: Server) -> None:
    server.replies = [reply(GOOD, delay=0.1)]
    assert len(HttpJudge(server.url, "m", concurrency=8).judge([question()] * 16)) == 16
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
    answer = HttpJudge(server.url, "m").judge([question()])[0]
    assert answer.verdict == "unknown"
    assert reason in answer.reason
    assert len(server.requests) == 1


def test_the_drawn_token_counts_once(server: Server) -> None:
    top = [{"token": "Yes", "logprob": math.log(0.6)}, {"token": "No", "logprob": math.log(0.3)}]
    for drawn in ({"token": "Yes", "logprob": math.log(0.6001)}, {"token": "yes", "logprob": math.log(0.05)}):
        content = [{**drawn, "top_logprobs": top}]
        server.replies = [reply(json.dumps({"choices": [{"logprobs": {"content": content}}]}).encode())]
        answer = HttpJudge(server.url, "m").judge([question()])[0]
        assert answer.mass == pytest.approx(0.9 if drawn["token"] == "Yes" else 0.95)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_errors_of_the_moment_are_tried_again(server: Server, status: int) -> None:
    server.replies = [reply(b"oops", status), reply(b"oops", status), reply(GOOD)]
    assert HttpJudge(server.url, "m").judge([question()])[0].verdict == "yes"
    assert len(server.requests) == 3
    # each wait is twice as long as the one before
    assert server.times[2] - server.times[1] > server.times[1] - server.times[0] - 0.01


def test_a_lasting_error_is_one_clear_error(server: Server) -> None:
    server.replies = [reply(b'{"error": {"message": "out of\\n memory"}}', 500)]
    with pytest.raises(JudgeError, match=r"no answer in 3 attempts: status 500: out of memory\. Is the server well"):
        HttpJudge(server.url, "m", retries=2).judge([question()])
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_not_tried_again(server: Server, status: int) -> None:
    server.replies = [reply(b'{"message": "no such model"}', status)]
    with pytest.raises(JudgeError, match=f"refuses: status {status}: no such model"):
        HttpJudge(server.url, "m").judge([question()])
    assert len(server.requests) == 1


def test_redirects_are_not_followed(server: Server) -> None:
    other = Server()
    server.replies = [reply(b"", 307, Location=f"{other.url}/chat/completions")]
    with pytest.raises(JudgeError, match="a redirect, which is not followed"):
        HttpJudge(server.url, "m", token=KEY).judge([question()])
    assert not other.requests
    other.server_close()


@pytest.mark.parametrize("asked", ["0.3", "date"])
def test_retry_after_is_kept(server: Server, asked: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.replies = [reply(b"", 429, Retry_After=date if asked == "date" else asked), reply(GOOD)]
    assert HttpJudge(server.url, "m").judge([question()])[0].verdict == "yes"
    assert server.times[1] - server.times[0] > 0.28


@pytest.mark.parametrize("asked", ["86400", "1e9", "-5", "soon", "nan", "inf", "Wed, 21 Oct 1015 07:28:00 GMT"])
def test_retry_after_is_bounded(server: Server, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_LONGEST_WAIT", 0.2)
    server.replies = [reply(b"", 429, Retry_After=asked), reply(GOOD)]
    assert HttpJudge(server.url, "m").judge([question()])[0].verdict == "yes"
    assert server.times[1] - server.times[0] < 1


def test_the_deadline_holds_over_all_attempts(server: Server) -> None:
    server.replies = [reply(b"", 503, Retry_After="20")]
    began = time.monotonic()
    with pytest.raises(JudgeError, match="1 attempt: status 503"):
        HttpJudge(server.url, "m", deadline=0.5, retries=20).judge([question()])
    assert time.monotonic() - began < 8


def test_a_silent_endpoint(server: Server) -> None:
    server.replies = [reply(GOOD, delay=5)]
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in 2 attempts: TimeoutError"):
        HttpJudge(server.url, "m", timeout=0.2, retries=1).judge([question()])
    assert time.monotonic() - began < 10


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
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no whole reply in time"):
        HttpJudge(server.url, "m", timeout=0.4, retries=0).judge([question()])
    assert time.monotonic() - began < 12


@pytest.mark.parametrize("sent", [b"", b"SSH-2.0-hello\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_a_broken_reply_is_tried_again(server: Server, sent: bytes) -> None:
    def broken(handler: Handler) -> None:
        handler.wfile.write(sent)
        handler.close_connection = True

    server.replies = [broken, reply(GOOD)]
    assert HttpJudge(server.url, "m", timeout=5).judge([question()])[0].verdict == "yes"


def test_a_server_that_does_not_speak_tls_gets_no_request(server: Server) -> None:
    judge = HttpJudge(server.url.replace("http:", "https:"), "m", token=KEY, retries=0, timeout=5)
    with pytest.raises(Unreachable, match="SSL"):
        judge.judge([question()])
    assert not server.requests


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "no-such-host.invalid"])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(Unreachable, match="no answer in 1 attempt"):
        HttpJudge(f"http://{host}/v1", "m", retries=0).judge([question()])


def test_nobody_listens() -> None:
    judge = HttpJudge(f"http://127.0.0.1:{free_port()}/v1", "m", retries=1)
    with pytest.raises(Unreachable, match=r"no answer in 2 attempts: ConnectionRefusedError.*asks again"):
        judge.judge([question()])


def test_a_dead_endpoint_does_not_hold_up_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_REST", 20.0)
    judge = HttpJudge(f"http://127.0.0.1:{free_port()}", "m", retries=1, concurrency=1)
    for _ in range(3):
        with pytest.raises(JudgeError):
            judge.judge([question()])
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(JudgeError, match=r"ConnectionRefused.*left alone for 20 s"):
            judge.judge([question()])
    assert time.monotonic() - began < 15


def test_after_a_rest_it_asks_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_REST", 0.3)
    server.replies = [*[reply(b"", 503)] * 4, reply(GOOD)]
    judge = HttpJudge(server.url, "m", retries=0)
    for _ in range(3):
        with pytest.raises(JudgeError, match="503"):
            judge.judge([question()])
    time.sleep(0.35)
    with pytest.raises(JudgeError, match="1 attempt"):
        judge.judge([question()])
    with pytest.raises(JudgeError, match="left alone"):
        judge.judge([question()])
    time.sleep(0.35)
    assert judge.judge([question()])[0].verdict == "yes"
    assert len(server.requests) == 5


@pytest.mark.parametrize("status", [400, 500])
def test_a_picture_that_breaks_the_server_does_not_stop_the_others(server: Server, status: int) -> None:
    judge = HttpJudge(server.url, "m", retries=0)
    server.replies = [*[reply(b"", status)] * 6, reply(GOOD)]
    for _ in range(6):
        with pytest.raises(JudgeError, match=str(status)):
            judge.judge([question()])
    assert judge.judge([question()])[0].verdict == "yes"


def test_one_failure_ends_the_whole_call_and_says_why(server: Server) -> None:
    server.replies = [reply(b"", 503, Retry_After="9"), reply(b"", 503, Retry_After="9"), reply(b"bad key", 401)]
    began = time.monotonic()
    with pytest.raises(JudgeError, match="401: bad key"):
        HttpJudge(server.url, "m", concurrency=3).judge([question()] * 50)
    assert time.monotonic() - began < 10
    assert len(server.requests) == 3


def test_the_key_is_told_to_nobody(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    judge = HttpJudge(server.url, "m", token=KEY, retries=0)
    told = [repr(judge), repr(judge._endpoint), str(judge.facts), str(vars(judge))]
    echo = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
    for body, status in ((echo, 401), (echo, 500), (KEY.encode() * 400, 401), (b"x" * 290 + KEY.encode(), 400)):
        server.replies = [reply(body, status)]
        with pytest.raises(JudgeError) as caught:
            judge.judge([question()])
        told.append(repr(caught.value))
        assert "***" in told[-1] or "x" * 290 in told[-1]
    for bad in (f"{KEY}\nX-Evil: 1", f"{KEY} ", f"{KEY}\u00e9", 7):
        with pytest.raises(InputError, match="API key") as refused:
            HttpJudge(server.url, "m", token=bad)
        told.append(str(refused.value))
    for url in ("http://example.com/v1", "http://127.0.0.1.example.com", "http://0.0.0.0"):
        with pytest.raises(InputError, match="expected https") as refused:
            HttpJudge(url, "m", token=KEY)
        told.append(str(refused.value))
    for url in (f"https://me:{KEY}@host/v1", f"https://host/v1?key={KEY}", f"https://host/#{KEY}", f"https://h:{KEY}"):
        with pytest.raises(InputError) as refused:
            HttpJudge(url, "m")
        told.append(str(refused.value))
    assert "tell-nobody" not in " ".join([*told, caplog.text])


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
    assert repr(HttpJudge(url, "m", token=KEY)) == f"HttpJudge({whole!r}, 'm')"


def test_plain_http_elsewhere_is_allowed_without_a_key() -> None:
    assert HttpJudge("http://gpu-box:8000/v1", "m").facts["url"] == "http://gpu-box:8000/v1/chat/completions"


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://h/v1", "file:///etc/passwd", "http://", "http:///v1", "http://h:99999", "http://[::1",
     "http://a b/", "http://h/\n", "http://h\u00e9/", None],
)  # fmt: skip
def test_addresses_that_are_refused(url: object) -> None:
    with pytest.raises(InputError, match="expected an address such as"):
        HttpJudge(url, "m")


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
        HttpJudge(**{"url": "http://localhost", "model": "m", **settings})


def test_a_proxy_of_the_environment_gets_neither_picture_nor_key(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert HttpJudge(server.url, "m", token=KEY).judge([question()])[0].verdict == "yes"


def test_it_waits_for_no_socket_in_the_end(server: Server) -> None:
    before = threading.active_count()
    HttpJudge(server.url, "m").judge([question()] * 20)
    time.sleep(0.2)
    assert threading.active_count() <= before + 1
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=2):
        pass
