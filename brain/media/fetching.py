"""Files that lie elsewhere, opened as if they lay here: asked for once, fetched once, kept in the cache."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from loupe.brain.core.errors import MissingDependency, NotFetched, ReadError
from loupe.brain.media import asking
from loupe.brain.media.addresses import Address, address_of, parsed
from loupe.brain.media.asking import THREADS
from loupe.brain.media.cache import Cache
from loupe.brain.media.settings import RemoteMedia, current, is_on
from loupe.brain.media.stores import Again, Missing, Refused, Store, TooLarge, Version

#: seconds for which a store is not asked again which version it has; those for which it is not asked after a failure
FRESH, FAILED = 600.0, 30.0
#: how many versions are remembered
_REMEMBERED = 2**20
TRIES = 3
_WAIT, _LONGEST_WAIT = 0.5, 10.0
#: after so many tries in a row without an answer a host is left alone for so many seconds
_LOST, _REST = 12, 60.0
OFF = (
    "it lies elsewhere, and nothing is fetched unless asked for: loupe.remote_media(True), or LOUPE_REMOTE_MEDIA=1 "
    "where the App and each worker are started"
)

T = TypeVar("T")


@dataclass
class _Host:
    """How a host answered lately."""

    lost: int = 0
    until: float = 0.0


@dataclass
class Fetcher:
    """Fetches with one setting; threads may share it.

    Args:
        settings: how
    """

    settings: RemoteMedia
    _lock: Any = field(default_factory=Lock)
    _stores: dict[str, Store] = field(default_factory=dict)
    _hosts: dict[tuple[str, str], _Host] = field(default_factory=dict)
    _versions: dict[str, tuple[float, Version]] = field(default_factory=dict)
    _failures: dict[str, tuple[float, ReadError]] = field(default_factory=dict)
    _running: dict[str, Future[Version]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cache = Cache(Path(self.settings.cache), self.settings.max_bytes)

    def version(self, address: Address) -> Version:
        """Returns which version its store has; as it was within the last ten minutes.

        Raises:
            NotFetched: it cannot be told
            ReadError: there is no such object
        """
        known = self._known(address)
        if known is not None:
            return known

        def ask() -> Version:
            # another thread may have ended as this one began
            known = self._known(address)
            if known is not None:
                return known
            stated = self._tried(address, lambda store: store.version(address))
            # where none is stated, nothing but its bytes tells whether it has changed
            return self.remember(address, stated) if stated.is_stated else self._fetched(address)

        return self._once(f"version {address.identity}", ask)

    def is_known(self, address: Address) -> bool:
        """Returns whether ``version`` can tell without asking anybody."""
        return self._known(address) is not None

    def descriptor(self, address: Address) -> int:
        """Returns a descriptor of the object, fetched where it is not here.

        Raises:
            NotFetched: it cannot be had
            ReadError: there is no such object, or it is too large
        """
        for _ in range(TRIES):
            opened = self._cache.opened(address, self.version(address))
            if opened is None:
                opened = self._cache.opened(address, self._fetched(address))
            if opened is not None:
                return opened
        # others that need room take it away as it comes
        raise NotFetched(f"cannot keep {address}: the cache is too small for those that use it. Give max_bytes=")

    def prepare(self, address: Address) -> None:
        """Fetches the object where it is not here; who opens it gets to know what went wrong."""
        with contextlib.suppress(ReadError, OSError):
            os.close(self.descriptor(address))

    def kept(self, address: Address) -> str | None:
        """Returns the file where some version of the object is here, without asking anybody; else None."""
        remembered = self._versions.get(address.identity)
        path = None if remembered is None else self._cache.path(address, remembered[1])
        return str(path) if path is not None and path.is_file() else self._cache.latest(address)

    def listed(self, place: Address, recursive: bool) -> list[str]:
        """Returns the keys below a folder, in order.

        Raises:
            NotFetched: it cannot be listed
        """
        return sorted(self._tried(place, lambda store: list(store.listed(place, recursive))))

    def try_again(self) -> None:
        """Forgets what went wrong lately."""
        self._failures.clear()
        self._hosts.clear()

    def remember(self, address: Address, version: Version) -> Version:
        """Keeps which version there is, for as long as it is fresh."""
        with self._lock:
            self._versions.pop(address.identity, None)
            if len(self._versions) >= _REMEMBERED:
                del self._versions[next(iter(self._versions))]
            self._versions[address.identity] = (time.monotonic(), version)
        return version

    def _known(self, address: Address) -> Version | None:
        """Returns which version its store had within the last ten minutes; None where it was not asked."""
        remembered = self._versions.get(address.identity)
        return remembered[1] if remembered is not None and time.monotonic() - remembered[0] < FRESH else None

    def _fetched(self, address: Address) -> Version:
        """Fetches an object, once where several threads want it."""
        limit, put = self.settings.max_file_bytes, self._cache.put

        def fetch() -> Version:
            # another thread may have ended as this one began
            known = self._known(address)
            if known is not None and self._cache.holds(address, known):
                return known
            version = self._tried(address, lambda store: put(address, lambda file: store.fetch(address, file, limit)))
            return self.remember(address, version)

        return self._once(f"fetch {address.identity}", fetch)

    def _once(self, what: str, work: Callable[[], Version]) -> Version:
        """Does what several threads want at the same time in one of them."""
        with self._lock:
            running = self._running.get(what)
            future: Future[Version] = running or Future()
            self._running[what] = future
        if running is not None:
            return running.result()
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                self._running.pop(what, None)
        return future.result()

    def _tried(self, address: Address, ask: Callable[[Store], T]) -> T:
        """Asks a store, again where that may help.

        Raises:
            NotFetched: it does not answer, or refuses
            ReadError: there is no such object, or it is too large
        """
        failure = self._failures.get(address.identity)
        if failure is not None and time.monotonic() - failure[0] < FAILED:
            raise type(failure[1])(str(failure[1]))
        try:
            return self.asked(address, ask)
        except ReadError as error:
            if len(self._failures) < _REMEMBERED:
                # the thread that fetches ahead leaves it to who opens the file to tell
                self._failures[address.identity] = (time.monotonic(), error)
            raise

    def asked(self, address: Address, ask: Callable[[Store], T]) -> T:
        """Asks a store, again where that may help, whatever it said a moment ago.

        Raises:
            NotFetched: it does not answer, or refuses
            ReadError: there is no such object, or it is too large
        """
        host = self._hosts.setdefault((address.scheme, address.host), _Host())
        reason = ""
        for number in range(TRIES):
            if time.monotonic() < host.until:
                raise NotFetched(f"cannot fetch {address}: {address.host} does not answer{reason and f' ({reason})'}")
            try:
                answer = ask(self._store(address.scheme))
                host.lost = 0
                return answer
            except Missing as error:
                host.lost = 0
                raise ReadError(f"expected an image file, got no {str(error) or 'object'} at {address}") from None
            except TooLarge as error:
                raise ReadError(f"cannot decode {address}: {error}") from None
            except (Refused, MissingDependency) as error:
                raise NotFetched(f"cannot fetch {address}: {error}") from None
            except Again as error:
                reason = str(error)
                if error.alive:
                    host.lost = 0
                else:
                    host.lost += 1
                    if host.lost >= _LOST:
                        host.lost, host.until = 0, time.monotonic() + _REST
                if error.tried:
                    break
                if number + 1 < TRIES:
                    _wait(min(error.after or _WAIT * 2**number * random.uniform(0.5, 1.5), _LONGEST_WAIT))
        raise NotFetched(f"cannot fetch {address}: {reason}, several times")

    def _store(self, scheme: str) -> Store:
        with self._lock:
            if scheme not in self._stores:
                self._stores[scheme] = _store(scheme, self.settings)
            return self._stores[scheme]


def _wait(seconds: float) -> None:
    time.sleep(seconds)


def _store(scheme: str, settings: RemoteMedia) -> Store:
    if scheme == "s3":
        from loupe.brain.media.s3 import S3

        return S3(THREADS)
    if scheme == "gs":
        from loupe.brain.media.buckets import Buckets

        return Buckets()
    from loupe.brain.media.web import Web

    return Web(settings.private_hosts, THREADS)


_fetchers: dict[tuple[int, RemoteMedia], Fetcher] = {}
_made = Lock()


def fetcher() -> Fetcher:
    """Returns what fetches in this process, as it is set now.

    Raises:
        NotFetched: nothing is fetched
    """
    if not is_on():
        raise NotFetched(OFF)
    # another process than the one that this was made in has connections of its own
    key = (os.getpid(), current())
    with _made:
        if key not in _fetchers:
            _fetchers.clear()
            _fetchers[key] = Fetcher(key[1])
        return _fetchers[key]


def forget() -> None:
    """Forgets which versions there were and which hosts did not answer, so that all are asked again."""
    with _made:
        _fetchers.clear()


def opened(text: str) -> int:
    """Returns a descriptor of the file at an address.

    Args:
        text: an address, as ``address_of`` gives it

    Raises:
        NotFetched: it cannot be had now, or nothing is fetched
        ReadError: there is no such object, or it is too large
    """
    address = parsed(text)
    if not is_on():
        raise NotFetched(f"cannot fetch {address}: {OFF}")
    return fetcher().descriptor(address)


def ask(paths: Iterable[str]) -> None:
    """Asks which versions of files there are, many at a time; ``version`` then knows. Costs nothing for files here.

    How far it has come is told to whoever runs the verb, a few times a second, whatever a host does.

    Raises:
        Stopped: who runs the verb wants to stop
    """
    if not is_on():
        return
    wanted = {text for path in paths if (text := address_of(path)) is not None}
    if not wanted:
        return
    asking.ask(fetcher(), wanted)


def version(path: str) -> list[Any] | None:
    """Returns what changes when a file elsewhere does; None of a file here, and [] where it cannot be told."""
    text = address_of(path)
    return None if text is None else _version_of(text)


def _version_of(text: str) -> list[Any]:
    try:
        stated = fetcher().version(parsed(text))
    except ReadError:  # who reads it gets to know why
        return []
    return [stated.size, stated.tag]


def ahead(items: Iterable[T], path_of: Callable[[T], str], threads: int = THREADS) -> Iterator[T]:
    """Yields the items in order, and fetches the files of the next ones meanwhile. Files here are passed through.

    Args:
        items: what is read next
        path_of: maps an item to its file
        threads: how many are fetched at a time
    """
    pool: ThreadPoolExecutor | None = None
    held: deque[T] = deque()
    try:
        for item in items:
            text = address_of(path_of(item))
            if text is not None and is_on():
                pool = pool or ThreadPoolExecutor(threads, thread_name_prefix="loupe-media")
                pool.submit(_prepare, text)
            held.append(item)
            if pool is None or len(held) > 2 * threads:
                yield held.popleft()
        yield from held
    finally:
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _prepare(text: str) -> None:
    with contextlib.suppress(ReadError):
        fetcher().prepare(parsed(text))


def here(path: str) -> str | None:
    """Returns where a file can be read without asking anybody: itself, or what is kept of an address; else None."""
    text = address_of(path)
    if text is None:
        return path
    if not is_on():
        return None
    try:
        return fetcher().kept(parsed(text))
    except ReadError:
        return None


def listed(folder: str, recursive: bool = True) -> Sequence[str]:
    """Returns the names of the objects below a folder, relative to it, in order.

    Args:
        folder: such as ``s3://bucket/renders``
        recursive: look into folders inside the folder, too

    Raises:
        NotFetched: it cannot be listed
    """
    place = parsed(f"{folder.rstrip('/')}/-")
    prefix = place.key.removesuffix("-")
    keys = fetcher().listed(Address(place.scheme, place.host, prefix, place.port), recursive)
    return [key[len(prefix) :] for key in keys if key.startswith(prefix) and key != prefix]
