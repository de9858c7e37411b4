"""What the tests of the VLM behind an endpoint share: a server that replies as it is told, and its questions."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from loupe.brain.perception.vlm.answers import Question

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
            self.answered = False
        try:
            answer(self)
        except OSError:
            pass  # the VLM has hung up
        finally:
            self.done()

    def done(self) -> None:
        """Counts this request as answered: before the client has the answer, and may ask for the next thing."""
        with self.server.lock:
            self.server.busy -= not self.answered
            self.answered = True

    def log_message(self, *_: object) -> None:
        pass


def reply(body: bytes, status: int = 200, delay: float = 0, **headers: str) -> Callable[[Handler], None]:
    def send(handler: Handler) -> None:
        time.sleep(delay)
        handler.done()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


@contextmanager
def serving() -> Iterator[Server]:
    """A server that answers on loopback until the end of the block."""
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
