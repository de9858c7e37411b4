"""Which addresses a key is sent to, and which ones pictures are taken from."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from loupe.brain.core.errors import InputError

_PORTS = {"http": 80, "https": 443}


def checked_base(url: str) -> str:
    """Returns a base address without the slash at its end.

    Plain http is for this machine and private networks only: a key would go through the internet unencrypted.

    Raises:
        InputError: it is none that a key may be sent to
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"expected base_url to be an address such as https://example.com/v1, got {url!r}") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        # not repeated in the message: that may be a key
        raise InputError(
            "expected base_url without a user, a password, a query or a fragment, got one with: it is stored with the "
            "run, and a key belongs into a secret"
        )
    if parts.scheme not in _PORTS or not host:
        raise InputError(
            f"expected base_url to begin with https:// (or http:// on this machine) and a host, got {url!r}"
        )
    if parts.scheme == "http" and not _is_near(host):
        raise InputError(
            f"expected base_url to begin with https://, got {url!r}: plain http is for this machine and private "
            "networks, elsewhere anybody could read the key"
        )
    return url.strip().rstrip("/")


def origin(url: str) -> tuple[str, str, int]:
    """Returns scheme, host and port.

    >>> origin("https://API.example.com/v1")
    ('https', 'api.example.com', 443)
    """
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def may_have_key(url: str, base: str, domain: str = "") -> bool:
    """Returns whether the key that is meant for ``base`` may be sent to ``url``, too.

    Args:
        url: an address that the service named
        base: the service's own
        domain: of the service: where ``base`` lies in it, so may ``url`` (regional hosts)

    >>> may_have_key("https://api.us1.bfl.ai/v1/get_result?id=1", "https://api.bfl.ai", "bfl.ai")
    True
    >>> may_have_key("https://bfl.ai.example.com/", "https://api.bfl.ai", "bfl.ai")
    False
    """
    try:
        scheme, host, port = origin(url)
    except ValueError:
        return False
    if (scheme, host, port) == origin(base):
        return True
    within = bool(domain) and all(name == domain or name.endswith(f".{domain}") for name in (host, origin(base)[1]))
    return within and scheme == "https" and port == 443


def why_not_fetched(url: str, base: str) -> str | None:
    """Returns why a picture is not taken from an address that a service named; None where it is.

    Only http and https; https alone where the service's own address is; and nothing on this machine or in a private
    network, unless it is the service's own host: an answer must not make us ask what only we can reach.
    """
    try:
        scheme, host, port = origin(url)
    except ValueError:
        return "it is no address"
    if scheme not in _PORTS or not host:
        return f"it begins with {scheme or 'nothing'}, and only http and https are taken"
    if urlsplit(url).username or urlsplit(url).password:
        return "it has a user or password in it"
    own = origin(base)
    if host == own[1]:
        return None
    if own[0] == "https" and scheme != "https":
        return "it is not encrypted (http)"
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return "its host is not known"
    if any(not ipaddress.ip_address(str(address).split("%")[0]).is_global for address in addresses):
        return "its host is on this machine or in a private network"
    return None


def shown(url: str) -> str:
    r"""Returns an address as it may be shown: without its query, in which signatures stand, in one line of letters.

    >>> shown("https://example.com/a.png?sig=secret"), shown("https://a.com/\ud800b")
    ('https://example.com/a.png', 'https://a.com/?b')
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "an address that is none"
    address = f"{parts.scheme}://{host}{parts.path}"[:200]
    return "".join(letter if letter.isprintable() else "?" for letter in address)


def _is_near(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host.strip("[]"):
        return True if ":" not in host else not ipaddress.ip_address(host).is_global
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
