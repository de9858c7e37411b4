"""Objects by http: no redirect to where a dataset must not lead, no answer without an end."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

from loupe.brain.core.errors import NotFetched
from loupe.brain.media.addresses import Address, parsed, shown
from loupe.brain.media.stores import CONNECT, PIECE, READ, Again, Missing, Refused, Version, copied, require_size

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
#: seconds for which a host's addresses are kept
_KEPT = 60.0
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "loupe"}
#: what a server says that does not know, or does not allow, to be asked without sending
_NO_HEAD = (400, 401, 403, 405, 501)


class Web:
    """Implements ``loupe.brain.media.stores.Store``.

    Each connection goes to an address that was looked at, so that a name which leads elsewhere in the next moment leads
    nowhere.

    Args:
        private_hosts: hosts that may be on this machine or in a private network; ``"*"``: all
        connections: to one host at a time
    """

    def __init__(self, private_hosts: Sequence[str] = (), connections: int = 32) -> None:
        self._private, self._connections = frozenset(private_hosts), connections
        self._lock = Lock()
        self._pools: dict[tuple[str, str, int, str], Any] = {}
        self._resolved: dict[tuple[str, int], tuple[float, list[str]]] = {}

    def version(self, address: Address) -> Version:
        """See ``Store``."""
        with self._asked(address, "HEAD") as answer:
            if answer.status not in _NO_HEAD:
                _require_ok(answer)
                return _version(answer, answer.headers.get("content-length"))
        # an address that is signed for GET opens nothing else; of the answer nothing but its head is read
        with self._asked(address, "GET", {"Range": "bytes=0-0"}) as answer:
            if answer.status == 416:  # an empty object
                return _version(answer, "0")
            _require_ok(answer)
            total = answer.headers.get("content-range", "").rpartition("/")[2]
            return _version(answer, total if answer.status == 206 else answer.headers.get("content-length"))

    def fetch(self, address: Address, file: BinaryIO, limit: int) -> Version:
        """See ``Store``."""
        import urllib3

        with self._asked(address, "GET") as answer:
            _require_ok(answer)
            if answer.status == 206:
                raise Refused("the server sends a part where the whole was asked for")
            version = _version(answer, answer.headers.get("content-length"))
            require_size(version.size, limit)
            try:
                # what has come, however little: a server that sends a byte now and then is noticed
                pieces = iter(lambda: answer.read1(PIECE, decode_content=False), b"")
                count = copied(pieces, file, version.size, limit)
            except urllib3.exceptions.HTTPError as error:
                raise Again(f"it broke off ({type(error).__name__})") from None
        return Version(version.tag, count)

    def listed(self, place: Address, recursive: bool) -> Iterator[str]:
        """See ``Store``."""
        raise Refused("a folder on a web server cannot be listed")

    def page(self, place: Address, first: str) -> dict[str, Version]:
        """See ``Store``."""
        return {}

    @contextmanager
    def _asked(
        self, address: Address, method: str, headers: dict[str, str] | None = None
    ) -> Iterator[BaseHTTPResponse]:
        """Yields the answer, after redirects."""
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._sent(address, method, headers or {})
            try:
                if answer.status not in _REDIRECTS:
                    yield answer
                    return
                address = _redirected(address, answer.headers.get("location", ""))
            finally:
                _end(answer, method)
        raise Refused(f"more than {_MAX_REDIRECTS} redirects")

    def _sent(self, address: Address, method: str, headers: dict[str, str]) -> BaseHTTPResponse:
        import urllib3

        host = address.host.strip("[]")
        proxy = None if proxy_bypass(host) else getproxies().get(address.scheme)
        port = "" if address.port in (80, 443) else f":{address.port}"
        headers = {**_HEADERS, "Host": f"{address.host}{port}", **headers}
        reason = "no connection"
        for place in [host] if proxy else self._places(host, address.port):
            pool = self._pool(address, place, proxy)
            target = f"{address.scheme}://{address.host}:{address.port}{address.key}" if proxy else address.key
            options: dict[str, Any] = {"retries": False, "redirect": False, "preload_content": False}
            try:
                answer: BaseHTTPResponse = pool.urlopen(method, target, headers=headers, **options)
                return answer
            except urllib3.exceptions.SSLError:
                raise Refused("its certificate is not trusted") from None
            except urllib3.exceptions.NewConnectionError:
                continue
            except (urllib3.exceptions.TimeoutError, urllib3.exceptions.HTTPError) as error:
                reason = f"no answer ({type(error).__name__})"
        raise Again(reason)

    def _pool(self, address: Address, place: str, proxy: str | None) -> Any:
        import urllib3

        key = (address.scheme, address.host, address.port, place)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                timeout = urllib3.Timeout(connect=CONNECT, read=READ)
                options: dict[str, Any] = {"timeout": timeout, "maxsize": self._connections}
                if proxy:
                    pool = urllib3.ProxyManager(proxy, **options)
                elif address.scheme == "https":
                    # the certificate is that of the name, whatever place it was found at
                    options |= dict.fromkeys(("server_hostname", "assert_hostname"), address.host.strip("[]"))
                    pool = urllib3.HTTPSConnectionPool(place, address.port, **options)
                else:
                    pool = urllib3.HTTPConnectionPool(place, address.port, **options)
                self._pools[key] = pool
            return pool

    def _places(self, host: str, port: int) -> list[str]:
        """Returns the addresses of a host.

        Raises:
            Refused: they are not for a dataset to ask
        """
        now = time.monotonic()
        known = self._resolved.get((host, port))
        if known is not None and now - known[0] < _KEPT:
            return known[1]
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Again("its host is not known") from None
        places = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if not self._private & {host.lower(), "*"} and not all(map(is_public, places)):
            raise Refused(
                f"{host} is on this machine or in a private network, where a dataset must not lead: to allow it, "
                f'name it in loupe.remote_media(private_hosts=["{host}"])'
            )
        self._resolved[host, port] = (now, places)
        return places


def _end(answer: BaseHTTPResponse, method: str) -> None:
    """Gives the connection back where what is left of the answer is little, else ends it."""
    size = answer.headers.get("content-length", "")
    if method == "HEAD":
        answer.release_conn()
    elif size.isdecimal() and int(size) <= PIECE and answer.status != 200:
        answer.drain_conn()
    answer.close()


def is_public(place: str) -> bool:
    """Returns whether an IP address is one of the internet, to which anybody may lead.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    address = ipaddress.ip_address(place.split("%")[0])
    # addresses of the old kind within ones of the new
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (inner is None or inner.is_global)


def _redirected(address: Address, location: str) -> Address:
    target = urljoin(f"{address.scheme}://{address.host}:{address.port}{address.key}", location)
    try:
        new = parsed(target)
    except NotFetched:
        new = None
    if new is None or not new.is_web:
        raise Refused(f"it redirects to {shown(target)}, which is not followed")
    if address.scheme == "https" and new.scheme != "https":
        raise Refused(f"it redirects to {new}, which is not encrypted and is not followed")
    return new


def _require_ok(answer: BaseHTTPResponse) -> None:
    status = answer.status
    if status in (200, 206):
        return
    if status in (404, 410):
        raise Missing
    if status in (401, 403):
        raise Refused(f"no right to read it, or one that has expired (HTTP {status})")
    if status == 429 or status >= 500:
        raise Again(f"the server answers HTTP {status}", _seconds(answer.headers.get("retry-after")), alive=True)
    raise Refused(f"the server answers HTTP {status}")


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _version(answer: BaseHTTPResponse, size: str | None) -> Version:
    tag = answer.headers.get("etag") or ""
    number = int(size) if size and size.isdecimal() else None
    if not tag and (changed := answer.headers.get("last-modified")):
        tag = f"{changed} {number}"
    return Version(tag, number)
