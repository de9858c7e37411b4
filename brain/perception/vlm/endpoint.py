"""One POST to an HTTP endpoint: bounded in time and size, tried again where that may help, and silent about its key."""

from __future__ import annotations

import ipaddress
import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from urllib.parse import urlsplit

from loupe.brain.core.errors import InputError
from loupe.brain.perception.vlm.answers import VlmError

_PATH = "/chat/completions"
_LONGEST = 1 << 20  # bytes of a reply; an answer of one token has a few thousand
_OVERLOADED = {408, 425, 429, 502, 503, 504}
_AGAIN = {*_OVERLOADED, 500}
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds


class Unreachable(VlmError):
    """The endpoint is down, silent or overloaded: whatever else it were asked now would fare the same."""


class Dropped(VlmError):
    """Nobody waits for the reply any more."""


@dataclass(frozen=True)
class Reply:
    """The body of a reply with status 200; ``whole`` is False where it was too long to be read to its end."""

    body: bytes
    whole: bool


class Endpoint:
    """Where chat completions are asked for. The key is sent over https or to this machine only."""

    def __init__(self, url: str, token: str, timeout: float, retries: int, deadline: float) -> None:
        """Keeps the settings; nothing is sent yet.

        Args:
            url: the endpoint's base, or the whole address of its chat completions
            token: the API key; empty for none
            timeout: seconds for one attempt
            retries: further attempts after the first one
            deadline: seconds for all attempts

        Raises:
            InputError: the address or the key cannot be used, or the key would go over the network in plain text
        """
        self._secure, self._host, self._port, self._path = _split(url)
        shown = f"[{self._host}]" if ":" in self._host else self._host
        port = "" if self._port is None else f":{self._port}"
        self.url = f"{'https' if self._secure else 'http'}://{shown}{port}{self._path}"
        if not isinstance(token, str) or not token.isascii() or not (token.isprintable() and " " not in token):
            # the key itself stands in no error
            raise InputError("expected an API key of printable ASCII characters without spaces, or an empty one")
        if token and not self._secure and not _is_here(self._host):
            raise InputError(
                f"expected https for an endpoint that needs a key, got {self.url}: over http anyone on the way reads it"
            )
        self._token = token
        self._timeout, self._retries, self._deadline = timeout, retries, deadline

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def post(self, body: bytes, stop: threading.Event | None = None) -> Reply:
        """Returns the reply to a JSON body.

        Args:
            body: of the request
            stop: set where nobody waits for the reply any more: no further attempt is made

        Raises:
            Unreachable: no attempt reached a working endpoint in time
            Dropped: ``stop`` was set
            VlmError: the endpoint refuses, or breaks at this request
        """
        stop = stop or threading.Event()
        ends = time.monotonic() + self._deadline
        problem, tried = "", 0
        kind: type[VlmError] = Unreachable
        while tried <= self._retries and (left := ends - time.monotonic()) > 0:
            if stop.is_set():
                raise Dropped(f"{self.url} was not asked to the end: another question failed")
            tried += 1
            wait = _FIRST_WAIT * 2 ** (tried - 1)
            try:
                status, asked_to_wait, reply = self._once(body, min(self._timeout, left))
            except (OSError, HTTPException, UnicodeError) as error:  # the last for a host that can be none
                problem, kind = f"{type(error).__name__}: {self._hidden(str(error))[:300]}", Unreachable
            else:
                if status == 200:
                    return reply
                problem = self._refusal(status, reply.body)
                if status not in _AGAIN:
                    raise VlmError(f"{self.url} refuses: {problem}")
                kind = Unreachable if status in _OVERLOADED else VlmError
                wait = wait if asked_to_wait is None else asked_to_wait
            if tried <= self._retries:
                # the deadline is looked at again above
                stop.wait(min(wait, _LONGEST_WAIT, max(0.0, ends - time.monotonic())))
        raise kind(
            f"{self.url} gave no answer in {tried} attempt{'s' if tried != 1 else ''}: {problem}. Is the server well? "
            "The same call asks again"
        )

    def _once(self, body: bytes, seconds: float) -> tuple[int, float | None, Reply]:
        """Returns the status, the seconds that the endpoint asks to wait, and the reply."""
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=seconds)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            began = time.monotonic()
            connection.connect()
            with _cut_off(connection.sock, seconds - (time.monotonic() - began)):
                connection.request("POST", self._path, body, headers)
                response = connection.getresponse()
                read = response.read(_LONGEST + 1)
                if response.length and len(read) <= _LONGEST:
                    # reading up to a size says nothing of what is missing
                    raise IncompleteRead(read, response.length)
                asked_to_wait = _seconds(response.headers.get("Retry-After"))
                return response.status, asked_to_wait, Reply(read[:_LONGEST], len(read) <= _LONGEST)
        finally:
            connection.close()

    def _refusal(self, status: int, body: bytes) -> str:
        """Returns what a status other than 200 and its body say, on one short line."""
        if 300 <= status < 400:
            return f"status {status}, a redirect, which is not followed: give the final address"
        text = body.decode("utf-8", "replace")
        with suppress(ValueError, RecursionError, TypeError, KeyError, AttributeError):
            parsed = json.loads(body)
            text = str(parsed["error"]["message"] if isinstance(parsed.get("error"), dict) else parsed["message"])
        # hidden before it is cut: half a key is too much, too
        text = self._hidden(text)[:1000]
        shown = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:300]
        return f"status {status}{': ' + shown if shown else ''}"

    def _hidden(self, text: str) -> str:
        """Returns a text for an error without the key: some endpoints repeat it in theirs."""
        return text.replace(self._token, "***") if self._token else text


@contextmanager
def _cut_off(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Ends a connection after that time. A socket's own timeout starts anew with each byte of a slow reply."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, seconds), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException, ValueError) as error:
        if not over.is_set():
            raise
        raise TimeoutError("no whole reply in time") from error
    finally:
        timer.cancel()
    if over.is_set():
        # what was read is cut off
        raise TimeoutError("no whole reply in time")


def _split(url: str) -> tuple[bool, str, int | None, str]:
    """Returns whether it is https, the host, the port and the path of the chat completions."""
    expected = "expected an address such as 'http://localhost:8000/v1'"
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"{expected}, in printable ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"{expected}, got one whose host or port cannot be read") from None
    # what stands before an @ may be a password, and what stands after a ? a key: neither is shown
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(f"{expected}, without a user, a password, a query or a fragment: give the key as token")
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"{expected} with http or https, got {url!r:.200}")
    path = parts.path.rstrip("/")
    return parts.scheme == "https", host, port, path if path.endswith(_PATH) else path + _PATH


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _seconds(header: str | None) -> float | None:
    """Returns what a Retry-After header asks for, as seconds from now: it is a number or a date."""
    if header is None:
        return None
    with suppress(ValueError):
        value = float(header)
        return max(0.0, value) if math.isfinite(value) else None
    with suppress(ValueError, TypeError, OverflowError):
        date = parsedate_to_datetime(header)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time())
    return None
