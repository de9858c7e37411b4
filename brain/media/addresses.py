"""Which filepaths are addresses, which of those are taken, and how they are shown: without what opens them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from loupe.brain.core.errors import NotFetched, OutputError

#: what a filepath may begin with; nothing that leads to other files of this machine, or through an archive
SCHEMES = ("s3", "gs", "gcs", "http", "https")
_LISTED = "s3://, gs://, http:// or https://"
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*(?:::[A-Za-z0-9+.-]*)*)://")
# what FiftyOne 1.22 makes of an address that a sample is created with: a path below the folder that it was made in
_FLATTENED = re.compile(r"/(s3|gs|gcs|https?):/(?!/)")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_MAX = 4096
_SHOWN = 200
#: parts of a query that open an address for a time, by their names in small letters: not what is asked for
_SIGNING = frozenset(
    ("signature", "expires", "awsaccesskeyid", "googleaccessid", "key-pair-id", "policy")
    + ("sig", "se", "st", "sp", "sv", "sr", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv", "sip")
)
_SIGNATURES = frozenset(("signature", "sig", "x-amz-signature", "x-goog-signature"))
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """Where a picture lies.

    Attributes:
        scheme: ``"s3"``, ``"gs"``, ``"http"`` or ``"https"``
        host: the bucket; of http the host, without its port
        key: of a bucket the object's name as it is; of http the path with its query, encoded
        port: of http
    """

    scheme: str
    host: str
    key: str
    port: int = 0

    def __str__(self) -> str:
        """As it may be shown and kept: without the query, in which signatures stand."""
        key = self.key.partition("?")[0] if self.is_web else self.key
        return _plain(f"{self.scheme}://{self.host}{self._port}/{key.lstrip('/') if self.is_web else key}")

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    @property
    def is_web(self) -> bool:
        """Whether it is asked by http."""
        return self.scheme in _PORTS

    @property
    def _port(self) -> str:
        return "" if self.port in (0, _PORTS.get(self.scheme)) else f":{self.port}"

    @cached_property
    def identity(self) -> str:
        """What tells it from others; one that is signed anew is the same."""
        path, mark, query = self.key.partition("?")
        if self.is_web and mark:
            parts = parse_qsl(query, keep_blank_values=True)
            if any(name.lower() in _SIGNATURES for name, _ in parts):
                query = urlencode([each for each in parts if not _opens(each[0].lower())])
            path = f"{path}?{query}" if query else path
        else:
            path = self.key
        return f"{self.scheme}://{self.host}{self._port}/{path}"

    @property
    def ending(self) -> str:
        """The ending of its name where that is a plain one, else nothing."""
        path = unquote(self.key.partition("?")[0]) if self.is_web else self.key
        ending = os.path.splitext(path)[1].lower()
        return ending if re.fullmatch(r"\.[a-z0-9]{1,8}", ending) else ""


def _opens(name: str) -> bool:
    return name.startswith(("x-amz-", "x-goog-")) or name in _SIGNING


def address_of(path: str | os.PathLike[str]) -> str | None:
    """Returns the address that a filepath is; None for a file of this machine.

    ``fo.Sample(filepath="s3://b/k")`` is stored by FiftyOne 1.22 as ``/where/it/was/made/s3:/b/k``: that is taken for
    the address, unless there is such a file.

    >>> address_of("s3://bucket/a b.png"), address_of("/home/anna/s3:/bucket/a b.png")
    ('s3://bucket/a b.png', 's3://bucket/a b.png')
    >>> address_of("/pictures/a.png") is None
    True
    """
    text = os.fspath(path)
    # nearly all paths are those of files: they cost one look
    if ":/" not in text:
        return None
    if _ADDRESS.match(text):
        return text
    flat = _FLATTENED.search(text)
    if flat is None:
        return None
    try:
        is_file = os.path.lexists(text)
    except ValueError:
        is_file = False
    return None if is_file else f"{flat[1]}://{text[flat.end() :]}"


def require_here(place: str | os.PathLike[str]) -> None:
    """Raises an error where what is to be written would lie elsewhere.

    Raises:
        OutputError: it is an address
    """
    address = address_of(place)
    if address is not None:
        raise OutputError(
            f"expected a place on this machine to write to, got {shown(address)}: Loupe writes to folders here only. "
            "Give a folder, and copy it there"
        )


def parsed(text: str) -> Address:
    """Returns an address, taken apart.

    Raises:
        NotFetched: it is of no kind that is taken, or none at all

    >>> parsed("s3://bucket/a#b?.png").key, parsed("https://example.com/ä b.png").key
    ('a#b?.png', '/%C3%A4%20b.png')
    """
    match = _ADDRESS.match(text)
    scheme = match[1].lower() if match else ""
    if match is None or scheme not in SCHEMES:
        raise NotFetched(f"expected a filepath or an address that begins with {_LISTED}, got {shown(text)}")
    if len(text) > _MAX or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise NotFetched(f"expected an address of at most {_MAX:,} characters that can be seen, got {shown(text)}")
    try:
        text.encode()
        return _of_web(text, scheme) if scheme in _PORTS else _of_bucket(text[match.end() :], scheme)
    except ValueError:
        raise NotFetched(f"expected an address such as {scheme}://…/a.png, got {shown(text)}") from None


def _of_bucket(rest: str, scheme: str) -> Address:
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket) or not key:
        raise ValueError
    return Address("gs" if scheme == "gcs" else scheme, bucket, key)


def _of_web(text: str, scheme: str) -> Address:
    parts = urlsplit(text)
    host, port = parts.hostname or "", parts.port or _PORTS[scheme]
    if parts.username is not None or parts.password is not None:
        raise NotFetched(f"expected an address without a user and a password, got one with: {shown(text)}")
    if not host.isascii():
        host = host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(host):
        raise ValueError
    # what is encoded already stays so
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return Address(scheme, host, f"{path}?{query}" if query else path, port)


def shown(text: str) -> str:
    """Returns an address as it may be shown and kept: without user, password, query and fragment.

    Of a bucket the object's name is shown as it is: it opens nothing.

    >>> shown("https://anna:secret@example.com/a.png?sig=secret"), shown("s3://bucket/a?b.png")
    ('https://example.com/a.png', 's3://bucket/a?b.png')
    """
    match = _ADDRESS.match(text)
    if match and match[1].lower() in ("s3", "gs", "gcs"):
        return _plain(text)
    head, mark, rest = text.partition("://")
    if not mark:
        return _plain(text)
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = place.partition("/")
    return _plain(f"{head}://{host.rpartition('@')[2]}{slash}{path}")


def _plain(text: str) -> str:
    text = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
