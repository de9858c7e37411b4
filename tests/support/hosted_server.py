"""Services of pictures as they speak: OpenAI's, Ideogram's and Black Forest Labs' requests, with faults by a plan.

It counts what was drawn and paid, by the idempotency key where the request has one, else by prompt and seed. Run as a
program it prints its port, and serves until its standard input ends.
"""

from __future__ import annotations

import base64
import io
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: what can go wrong at a request that draws
FAULTS = (
    "429",  # too many requests, with Retry-After
    "500",
    "503",
    "502",  # something in between gave up: it may have been drawn
    "reset",  # the connection ends after the request was accepted and paid
    "half",  # the answer ends in the middle; paid
    "base64",  # broken base64, or no id; paid
    "text",  # a picture that is none; paid
    "slow",  # no answer before the client gives up; paid
    "moderated",
)
KEY = "sk-planted-0123456789abcdef"


def png(seed: int) -> bytes:
    """Returns a small picture that differs by its seed."""
    from PIL import Image

    file = io.BytesIO()
    rng = random.Random(seed)
    Image.new("RGB", (16, 16), (rng.randrange(256), rng.randrange(256), rng.randrange(256))).save(file, "PNG")
    return file.getvalue()


@dataclass
class Plan:
    """What the server does.

    Attributes:
        rates: the share of each fault
        seed: of the chances
        always: this answer to every request: 401, 402, quota, 404, redirect, evil_poll, evil_picture, huge ...
        idempotent: whether a repeated Idempotency-Key gets the same picture
        price: cents an image
        slow: seconds of a slow answer
        pending: how often a poll says "not yet"
        work: seconds that a picture takes
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    always: str = ""
    idempotent: bool = True
    price: float = 4.0
    slow: float = 1.0
    pending: int = 1
    work: float = 0.0


class HostedServer(ThreadingHTTPServer):
    """Counts requests and payments."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, plan: Plan) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan = plan
        self.lock = threading.Lock()
        self.rng = random.Random(plan.seed)
        self.paid: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.stored: dict[str, bytes] = {}
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.running = self.max_running = 0
        self.times: list[float] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: that clients go is what is tested."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> HostedServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def report(self) -> dict[str, Any]:
        with self.lock:
            return {
                "paid": sum(self.paid.values()),
                "images": len(self.paid),
                "twice": sum(count - 1 for count in self.paid.values()),
                "dollars": sum(self.paid.values()) * self.plan.price / 100,
                "faults": dict(self.faults),
                "keys": dict(self.paid),
                "most": self.max_running,
            }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HostedServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._note(body)
        server, plan = self.server, self.server.plan
        with server.lock:
            server.running += 1
            server.max_running = max(server.max_running, server.running)
            server.times.append(time.monotonic())
        try:
            if self.path == "/report":
                self._json(200, server.report())
            elif plan.always and self._always(plan.always):
                pass
            else:
                self._drawing(json.loads(body))
        finally:
            with server.lock:
                server.running -= 1

    def _drawing(self, asked: dict[str, Any]) -> None:
        server, plan = self.server, self.server.plan
        key = self.headers.get("idempotency-key") or f"{asked['prompt']}|{asked.get('seed')}"
        with server.lock:
            fault = self._fault()
            server.faults[fault or "none"] += 1
            again = plan.idempotent and self.path.endswith("/images/generations") and key in server.paid
            free = fault in ("429", "500", "503") or (fault == "moderated" and not again)
            if not free and not again:
                server.paid[key] += 1
        if fault == "429":
            return self._json(429, self._error("rate_limit_exceeded", "slow down"), {"retry-after": "0.02"})
        if fault in ("500", "502", "503"):
            return self._json(int(fault), self._error("server_error", f"failed, key {self._key()}"))
        if fault == "moderated" and not again:
            return self._moderated(asked)
        time.sleep(plan.work)
        if fault == "slow":
            time.sleep(plan.slow)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return None
        return self._accept(key, asked, fault)

    def _fault(self) -> str:
        chance = self.server.rng.random()
        for name, rate in self.server.plan.rates.items():
            chance -= rate
            if chance < 0:
                return name
        return ""

    def _accept(self, key: str, asked: dict[str, Any], fault: str) -> None:
        server = self.server
        seed = hash((key, server.paid[key])) & 0xFFFFFF
        picture = b"no picture" * 20 if fault == "text" else png(seed)
        if self.path.endswith("/images/generations"):
            encoded = base64.b64encode(picture).decode()
            if fault == "base64":
                encoded = "@@" + encoded
            usage = {"input_tokens": 10, "output_tokens": 439, "total_tokens": 449}
            return self._json(
                200, {"created": 1, "data": [{"b64_json": encoded}], "usage": usage}, half=fault == "half"
            )
        task = f"task{len(server.tasks)}x{seed}"
        with server.lock:
            server.tasks[task] = {"polls": 0, "picture": picture, "seed": asked.get("seed"), "fault": fault}
        if self.path.startswith("/v2/image"):
            answer: dict[str, Any] = {"generation_id": task, "generation_kind": "sampling"}
        else:
            answer = {"id": task, "polling_url": f"{server.url}/v1/get_result?id={task}", "cost": server.plan.price}
        return self._json(200, {} if fault == "base64" else answer, half=fault == "half")

    def do_GET(self) -> None:
        self._note(b"")
        server = self.server
        name = self.path.rsplit("=" if "=" in self.path else "/", 1)[-1]
        if self.path.startswith("/pictures/"):
            return self._picture(name.removesuffix(".png"))
        if server.plan.always == "evil_picture":
            pass
        elif server.plan.always and self._always(server.plan.always):
            return None
        task = server.tasks.get(name)
        if task is None:
            return self._json(404, {"status": "Task not found", "error": "not found"})
        if task.get("moderated"):
            return self._json(200, {"id": name, "status": "Request Moderated", "details": {"reasons": ["Violence"]}})
        task["polls"] += 1
        ready = task["polls"] > server.plan.pending
        url = f"{server.url}/pictures/{name}.png"
        if server.plan.always == "evil_picture":
            url = "http://169.254.169.254/latest/meta-data?sig=1"
        if self.path.startswith("/v2/generations"):
            if not ready:
                return self._json(200, {"generation_id": name, "status": "pending"})
            item = {"url": url, "seed": task["seed"], "is_image_safe": True}
            return self._json(200, {"generation_id": name, "status": "completed", "data": [item]})
        if not ready:
            return self._json(200, {"id": name, "status": "Pending", "result": None})
        return self._json(200, {"id": name, "status": "Ready", "result": {"sample": url}, "cost": server.plan.price})

    def _picture(self, name: str) -> None:
        if self.server.plan.always.startswith("http"):
            return self._send(302, b"", "text/plain", {"location": self.server.plan.always})
        task = self.server.tasks[name]
        # what is broken once comes whole the next time: a picture that lies ready costs nothing
        broken = task["fault"] in ("text",) and not task.get("came")
        task["came"] = True
        content = task["picture"] if broken or task["fault"] != "text" else png(1)
        self._send(200, content, "image/png")

    def _moderated(self, asked: dict[str, Any]) -> None:
        if self.path.endswith("/images/generations"):
            return self._json(400, self._error("moderation_blocked", "your request was rejected by the safety system"))
        if self.path.startswith("/v2/image"):
            return self._json(422, {"error": "the prompt failed the safety check"})
        name = f"moderated{len(self.server.tasks)}"
        with self.server.lock:
            self.server.tasks[name] = {"polls": 0, "moderated": True}
        return self._json(200, {"id": name, "polling_url": f"{self.server.url}/v1/get_result?id={name}"})

    def _key(self) -> str:
        return self.headers.get("authorization", "") + self.headers.get("x-key", "") + self.headers.get("api-key", "")

    def _error(self, code: str, message: str) -> dict[str, Any]:
        return {"error": {"code": code, "type": code, "message": message, "param": None}}

    def _always(self, what: str) -> bool:
        """Answers with the same to everything; the key is always in it, as careless services do."""
        message = f"wrong: {self._key()}"
        if what in ("401", "402", "403", "404", "400", "500", "502", "503"):
            self._json(int(what), {**self._error("invalid", message), "detail": message})
        elif what == "quota":
            self._json(429, self._error("insufficient_quota", message))
        elif what == "redirect":
            self._send(302, b"", "text/plain", {"location": f"http://other.example.com/{self._key()}?k={self._key()}"})
        elif what == "evil_poll":
            self._json(200, {"id": "x", "polling_url": "http://127.0.0.1:9/steal", "generation_id": "../../steal"})
        elif what == "huge":
            self._send(200, b"{" + b" " * 3_000_000, "application/json")
        elif what == "nonsense":
            self._json(200, {"data": {"b64_json": self._key()}})
        else:
            return False
        return True

    def _note(self, body: bytes) -> None:
        with self.server.lock:
            self.server.seen.append((f"{self.command} {self.path}", dict(self.headers.items()), body))

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None, half: bool = False) -> None:
        content = json.dumps(body).encode()
        if half:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content) + 100))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self._send(status, content, "application/json", headers)

    def _send(self, status: int, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serves by the plan in the first argument, as JSON."""
    server = HostedServer(Plan(**json.loads(sys.argv[1]))).start()
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
