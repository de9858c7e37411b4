"""Stores on the loopback interface: a web server with faults, S3's errors, and Google Cloud Storage's answers."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Objects:
    """What a server has, and what it does.

    Attributes:
        held: bytes by path, decoded
        faults: what it does instead, by path: a status, ``"dies"``, ``"stalls"``, ``"drips"``, a redirect's target
        times: how often it does that, by path; for ever by default
        asked: how often each path was asked for, by ``"GET /a.png"``
    """

    held: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    delay: float = 0.0
    ranges: bool = True
    head: bool = True
    tags: bool = True
    url: str = ""

    def fault(self, path: str) -> Any:
        fault = self.faults.get(path)
        if fault is not None and path in self.times:
            self.times[path] -= 1
            if self.times[path] < 0:
                return None
        return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: Objects

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def _answer(self, body: bool) -> None:
        objects = self.objects
        path = unquote(urlsplit(self.path).path)
        objects.asked[f"{self.command} {path}"] += 1
        if objects.delay:
            time.sleep(objects.delay)
        if not objects.head and not body:
            return self._send(403, b"", body)
        fault = objects.fault(path)
        if isinstance(fault, int):
            return self._send(fault, b"no", body)
        if isinstance(fault, bytes):  # S3's own words
            return self._send(403, fault if body else b"", body, {"Content-Type": "application/xml"})
        if isinstance(fault, str) and fault not in ("dies", "stalls", "drips"):
            return self._send(302, b"", body, {"Location": fault})
        data = objects.held.get(path)
        if data is None:
            return self._send(404, b"", body)
        headers = {"ETag": f'"{hashlib.md5(data).hexdigest()}"'} if objects.tags else {}
        if fault and body:
            return self._broken(fault, data, headers)
        if objects.ranges and self.headers.get("Range") == "bytes=0-0" and data:
            return self._send(206, data[:1], body, {**headers, "Content-Range": f"bytes 0-0/{len(data)}"})
        return self._send(200, data, body, headers)

    def _broken(self, fault: str, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "dies":
            self.wfile.write(data[: len(data) // 2])
        for at in range(len(data) if fault == "drips" else 0):
            self.wfile.write(data[at : at + 1])
            self.wfile.flush()
            time.sleep(0.02)
        if fault == "stalls":
            time.sleep(1.5)
        self.close_connection = True

    def _send(self, status: int, data: bytes, body: bool, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


class _Google(_Handler):
    """The JSON interface of Google Cloud Storage, as far as reading needs it."""

    def _answer(self, body: bool) -> None:
        path = urlsplit(self.path).path
        _, _, rest = path.partition("/b/")
        bucket, _, name = rest.partition("/o")
        name = unquote(name.lstrip("/"))
        query = parse_qs(urlsplit(self.path).query)
        objects = self.objects
        objects.asked[f"{self.command} {name}"] += 1
        fault = objects.fault(name)
        if isinstance(fault, int):
            error = {"error": {"code": fault, "message": "no", "errors": [{"message": "no"}]}}
            return self._send(fault, json.dumps(error).encode(), body, {"Content-Type": "application/json"})
        if not name:
            prefix = query.get("prefix", [""])[0]
            first, maximum = query.get("startOffset", [""])[0], int(query.get("maxResults", ["1000"])[0])
            keys = sorted(key for key in objects.held if key.startswith(prefix) and key >= first)
            items = [self._facts(bucket, key) for key in keys[:maximum]]
            return self._json({"kind": "storage#objects", "items": items}, body)
        if name not in objects.held:
            error = {"error": {"code": 404, "message": "Not Found", "errors": [{"message": "Not Found"}]}}
            return self._send(404, json.dumps(error).encode(), body, {"Content-Type": "application/json"})
        if query.get("alt") == ["media"] or "/download/" in path:
            data = objects.held[name]
            if stated := self.headers.get("Range"):
                first, _, last = stated.removeprefix("bytes=").partition("-")
                part = data[int(first) : int(last) + 1 if last else None]
                return self._send(206, part, body, {"Content-Range": f"bytes {first}-{last}/{len(data)}"})
            return self._send(200, data, body)
        return self._json(self._facts(bucket, name), body)

    def _facts(self, bucket: str, name: str) -> dict[str, Any]:
        data = self.objects.held[name]
        tag = hashlib.md5(data).hexdigest()
        return {"kind": "storage#object", "bucket": bucket, "name": name, "size": str(len(data)), "etag": tag}

    def _json(self, value: Any, body: bool) -> None:
        self._send(200, json.dumps(value).encode(), body, {"Content-Type": "application/json"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def served(kind: str = "web") -> Iterator[Objects]:
    """Yields a server's objects while it runs; ``kind`` is ``"web"`` or ``"google"``."""
    objects = Objects()
    handler = type("Handler", (_Google if kind == "google" else _Handler,), {"objects": objects})
    server = _Server(("127.0.0.1", 0), handler)
    objects.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield objects
    finally:
        server.shutdown()
        server.server_close()


def fetched(address: str) -> bytes:
    """Returns the bytes of what lies at an address, as any file is read."""
    from loupe.brain.imaging.files import opened

    with opened(address) as file:
        return file.readall()


def refused(address: str) -> str:
    """Returns why what lies at an address cannot be read."""
    import pytest

    from loupe.brain.core.errors import NotFetched, ReadError

    with pytest.raises(ReadError) as error:
        fetched(address)
    return ("not fetched: " if isinstance(error.value, NotFetched) else "") + str(error.value)
