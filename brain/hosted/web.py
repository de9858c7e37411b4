"""Plain requests: no redirects, no answer without an end, and no key in what goes wrong."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.errors import MissingDependency
from loupe.brain.core.parsing import from_json
from loupe.brain.hosted import addresses
from loupe.brain.hosted.pictures import MAX_BYTES
from loupe.brain.hosted.replies import Again, Answer, Fatal, Lost, Reply
from loupe.brain.hosted.retry import retry_after
from loupe.brain.hosted.secrets import Secret

#: a request that ends so may have been carried out all the same: something between us and the service gave up
UNCLEAR_STATUSES = frozenset((408, 502, 504, 520, 521, 522, 523, 524))
_REASON = 300


def needs(module: str) -> Any:
    """Returns a module of the extra ``hosted``.

    Raises:
        MissingDependency: it is not installed, and how to get it
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingDependency(
            f"hosted generators need the package {module}, which is not installed: pip install 'loupe-fiftyone[hosted]'"
        ) from None


@dataclass(frozen=True)
class Response:
    """What came back: the status, the JSON of the body (None where it is none), ``Retry-After``."""

    status: int
    body: Any
    after: float | None = None


class Web:
    """Requests to one service.

    Args:
        base: its address
        headers: of each request to it, the key's among them
        secret: the key, to be blotted out of reasons
        domain: in which the service has further hosts
        timeout: seconds
    """

    def __init__(self, base: str, headers: Mapping[str, str], secret: Secret, domain: str, timeout: float) -> None:
        self._httpx = needs("httpx2")
        self._base, self._headers, self._secret, self._domain = base, dict(headers), secret, domain
        self._client = self._httpx.Client(follow_redirects=False, timeout=timeout)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Response | Reply:
        """Sends a request with the key; returns the answer, or what went wrong on the way.

        Nothing that went wrong has the key in it: the library's own errors hold the request, and are not passed on.
        """
        if not addresses.may_have_key(url, self._base, self._domain):
            return Lost(f"the service names an address that is not its own: {addresses.shown(url)}")
        try:
            with self._client.stream(method, url, json=body, headers=self._headers) as response:
                content = limited(response.iter_bytes())
                status, headers = response.status_code, response.headers
        except (self._httpx.ConnectError, self._httpx.ConnectTimeout, self._httpx.PoolTimeout) as error:
            return Again(f"no connection ({type(error).__name__})")
        except (self._httpx.HTTPError, ValueError) as error:
            return Again(f"no whole answer ({type(error).__name__})", unclear=method == "POST")
        if 300 <= status < 400:
            return redirected(headers.get("location", ""), self._secret)
        try:
            parsed = from_json(content)
        except ValueError:
            parsed = None
        return Response(status, parsed, retry_after(headers.get("retry-after")))

    def fetch(self, url: str) -> Reply:
        """Returns the file at an address that the service named; no key is sent with it."""
        refusal = addresses.why_not_fetched(url, self._base)
        if refusal is not None:
            return Lost(f"the picture's address is not taken ({refusal}): {addresses.shown(url)}")
        try:
            with self._client.stream("GET", url) as response:
                content = limited(response.iter_bytes())
                status = response.status_code
        except (self._httpx.HTTPError, ValueError) as error:
            return Again(f"the picture did not come whole ({type(error).__name__})")
        if 300 <= status < 400:
            return Lost("the picture's address redirects to another, which is not followed")
        if status in (403, 404, 410):
            return Lost(f"the picture is not there any more (HTTP {status})")
        return Answer(content) if status == 200 else Again(f"the picture did not come (HTTP {status})")

    def reason(self, text: Any) -> str:
        """Returns what a service said, in one short line without the key."""
        return reason(text, self._secret)


def redirected(target: str, secret: Secret) -> Fatal:
    """Returns that a service sends us elsewhere, where its key must not go."""
    return Fatal(f"it redirects to {secret.hide(addresses.shown(target))}, where a key is not sent: check base_url")


def reason(text: Any, secret: Secret) -> str:
    """Returns what a service said, in one short line without the key."""
    words = text if isinstance(text, str) else json.dumps(text, default=str)
    # first the key and then the length: a key that is cut in two would not be noticed
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in secret.hide(words)).split())
    return line[:_REASON]


def limited(chunks: Iterator[bytes], limit: int = MAX_BYTES) -> bytes:
    """Returns a body.

    Raises:
        ValueError: it is longer than the limit
    """
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise ValueError("too long")
        parts.append(chunk)
    return b"".join(parts)


def common(response: Response, message: str, title: str, secret_name: str, unclear: frozenset[int]) -> Reply | None:
    """Returns what a status means with every service; None where the service itself has to say."""
    status = response.status
    if status in (401, 403):
        return Fatal(f"{title} does not accept the key in {secret_name} (HTTP {status}): check it, and what it may do")
    if status == 402:
        return Fatal(f"{title} says that no credit is left (HTTP 402): add some, and repeat the same call")
    if status == 429:
        return Again("too many requests (HTTP 429)", after=response.after)
    if status >= 500 or status in unclear:
        return Again(f"HTTP {status} {message}".strip(), after=response.after, unclear=status in unclear)
    return None


class WebService:
    """What services that are asked over plain HTTP share: whose they are, and their connections.

    Args:
        spec: the generator
        base: the address
        web: the connections
    """

    #: no answer may mean that the image is drawn and paid
    idempotent = False

    def __init__(self, spec: Any, base: str, web: Web) -> None:
        self._spec, self._base, self._web = spec, base, web
        self._settings = spec.settings()

    @property
    def title(self) -> str:
        """The service's name."""
        return str(self._spec.service_title)

    def close(self) -> None:
        """Ends the connections."""
        self._web.close()
