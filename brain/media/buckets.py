"""Objects of Google Cloud Storage, by fsspec and gcsfs.

Who may read what is decided by Google's own chain (``GOOGLE_APPLICATION_CREDENTIALS``, ``gcloud auth``, the machine's
account). Nothing of it is kept or shown here. ``STORAGE_EMULATOR_HOST`` names another server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, BinaryIO, TypeVar

from loupe.brain.core.errors import MissingDependency
from loupe.brain.media import stores
from loupe.brain.media.addresses import Address
from loupe.brain.media.stores import READ, Again, Missing, Refused, Version, copied, require_size

#: bytes that are asked for at once: nearly all pictures come in one piece
_BLOCK = 2**24

T = TypeVar("T")


class Buckets:
    """Implements ``loupe.brain.media.stores.Store``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._system: Any = None

    def version(self, address: Address) -> Version:
        """See ``Store``."""
        # its ``info`` lists the folder beside, too, and takes an object that may not be read for none
        facts = self._call(lambda: self._ready().call("GET", "b/{}/o/{}", address.host, address.key, json_out=True))
        return _version(facts)

    def fetch(self, address: Address, file: BinaryIO, limit: int) -> Version:
        """See ``Store``."""
        version = self.version(address)
        require_size(version.size, limit)
        if not version.size:
            return version

        def pieces() -> Iterator[bytes]:
            size = version.size or 0
            for start in range(0, size, _BLOCK):
                yield self._part(f"{address.host}/{address.key}", start, min(start + _BLOCK, size))

        copied(pieces(), file, version.size, limit)
        # what was changed meanwhile would be half of each
        if version.size > _BLOCK and self.version(address) != version:
            raise Again("it changed while it was read")
        return version

    def listed(self, place: Address, recursive: bool) -> Iterator[str]:
        """See ``Store``."""
        find = {"detail": False, "withdirs": False, **({} if recursive else {"maxdepth": 1})}
        # without the listing that an object of the folder's name would be
        names = self._call(lambda: self._ready().find(f"{place.host}/{place.key}", **find))
        yield from (name.partition("/")[2] for name in names)

    def page(self, place: Address, first: str) -> dict[str, Version]:
        """See ``Store``."""
        asked = {"prefix": place.key, "startOffset": first, "maxResults": stores.PAGE}
        fields = "items(name,etag,generation,size)"
        facts = self._call(
            lambda: self._ready().call("GET", "b/{}/o", place.host, json_out=True, fields=fields, **asked)
        )
        return {each["name"]: _version(each) for each in facts.get("items", ())}

    def _part(self, path: str, start: int, end: int) -> bytes:
        part: bytes = self._call(lambda: self._ready().cat_file(path, start, end))
        return part

    def _ready(self) -> Any:
        with self._lock:
            if self._system is None:
                try:
                    # not the one that asks by gRPC, too, of which kind each bucket is
                    from gcsfs.core import GCSFileSystem
                except ImportError:
                    raise MissingDependency('for gs:// addresses: pip install "loupe-fiftyone[cloud]"') from None
                options: dict[str, Any] = {"token": "anon"} if os.environ.get("STORAGE_EMULATOR_HOST") else {}
                self._system = GCSFileSystem(
                    use_listings_cache=False, skip_instance_cache=True, timeout=READ, **options
                )
            return self._system

    def _call(self, function: Callable[[], T]) -> T:
        try:
            return function()
        except MissingDependency:
            raise
        except Exception as error:
            raise _meaning(error) from None


def _version(facts: dict[str, Any]) -> Version:
    return Version(str(facts.get("etag") or facts.get("generation") or ""), int(facts["size"]))


def _meaning(error: Exception) -> Exception:
    """Returns what an error of the client means; its own words may hold an address that is signed."""
    name, code = type(error).__name__, str(getattr(error, "code", ""))
    if isinstance(error, FileNotFoundError) or code == "404":
        return Missing()
    if name in ("DefaultCredentialsError", "RefreshError"):
        return Refused("no credentials for Google Cloud Storage, or expired ones: see `gcloud auth`")
    if isinstance(error, PermissionError) or code in ("401", "403") or "Forbidden" in str(error)[:40]:
        return Refused(f"no right to read it ({code or name})")
    if isinstance(error, (TimeoutError, ConnectionError)) or code[:1] == "5" or code == "429":
        return Again(f"no whole answer ({code or name})", tried=True)
    if name.startswith(("Client", "Server")):  # of aiohttp
        return Again(f"no whole answer ({name})", tried=True)
    return Refused(f"it cannot be read ({code or name})")
