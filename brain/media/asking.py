"""Which versions of many objects there are: by the listings of a bucket where that is cheaper, else many at a time."""

from __future__ import annotations

import contextlib
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING

from loupe.brain.core.errors import ReadError
from loupe.brain.core.progress import tell
from loupe.brain.media.addresses import Address, parsed
from loupe.brain.media.stores import Store, Version

if TYPE_CHECKING:
    from loupe.brain.media.fetching import Fetcher

#: how many are asked for and fetched at a time
THREADS = 32
#: so many of those wanted a page of a listing has to tell of, on average: 32 are asked for at a time, and S3 takes as
#: much for a page as for a dozen of them
WORTH = 100
#: seconds between two reports of how far it has come
_REPORTED = 0.2
MESSAGE = "asking which versions there are"


def ask(own: Fetcher, wanted: Collection[str]) -> None:
    """Asks for the versions of files; ``Fetcher.version`` then knows those that could be told.

    How far it has come is reported to whoever runs the verb, a few times a second, whatever a host does.

    Args:
        own: what fetches
        wanted: addresses, each once

    Raises:
        Stopped: who runs the verb wants to stop
    """
    own.try_again()
    of_stores: dict[tuple[str, str], list[Address]] = {}
    for text in wanted:
        with contextlib.suppress(ReadError):  # who reads it gets to know why
            address = parsed(text)
            if not own.is_known(address):
                of_stores.setdefault((address.scheme, address.host), []).append(address)
    unknown = sum(map(len, of_stores.values()))
    known = [len(wanted) - unknown]
    pool = ThreadPoolExecutor(min(THREADS, max(unknown, 1)), thread_name_prefix="loupe-media")
    try:
        many = [addresses for addresses in of_stores.values() if len(addresses) >= WORTH]
        _wait_for([pool.submit(learn, own, addresses, known.append) for addresses in many], known, len(wanted))
        left = [address for addresses in of_stores.values() for address in addresses if not own.is_known(address)]
        _wait_for([pool.submit(_ask_one, own, address, known.append) for address in left], known, len(wanted))
    finally:
        # a host that hangs keeps nobody who wants to stop
        pool.shutdown(wait=False, cancel_futures=True)


def _wait_for(futures: Sequence[Future[None]], known: Sequence[int], total: int) -> None:
    """Waits for all of them, and tells how many are known so far."""
    reported = time.monotonic()
    for future in futures:
        is_done = False
        while not is_done:
            is_done = bool(wait([future], timeout=_REPORTED).done)
            if time.monotonic() - reported >= _REPORTED:
                reported = time.monotonic()
                tell(min(sum(known), total - 1), total, MESSAGE)
        future.result()


def _ask_one(own: Fetcher, address: Address, known: Callable[[int], None]) -> None:
    with contextlib.suppress(ReadError):  # who reads it gets to know why
        own.version(address)
    known(1)


def learn(own: Fetcher, wanted: Sequence[Address], known: Callable[[int], None]) -> None:
    """Asks a bucket for the versions of many of its objects at once; what it does not tell is left to ``version``.

    It ends where a page tells of so few of those wanted that to ask for each is cheaper.

    Args:
        own: what fetches
        wanted: objects of one bucket
        known: called with how many of them are known by each page
    """
    keys = sorted(address.key for address in wanted)
    scheme, host = wanted[0].scheme, wanted[0].host
    folder = _common(keys[0], keys[-1]).rpartition("/")
    place = Address(scheme, host, folder[0] + folder[1])
    seen = pages = at = 0
    while at < len(keys) and seen >= WORTH * (pages - 1):
        try:
            page = own.asked(place, partial(_page, place=place, first=keys[at]))
        except ReadError:
            return  # who may read an object need not have the right to list its folder
        if not page:
            return
        for key, stated in page.items():
            if stated.is_stated:
                own.remember(Address(scheme, host, key), stated)
        end = max(bisect_right(keys, max(page)), at + 1)
        listed = sum(key in page for key in keys[at:end])
        known(listed)
        seen, pages, at = seen + listed, pages + 1, end


def _common(first: str, last: str) -> str:
    """Returns what two keys, and those between them, begin with."""
    return os.path.commonprefix([first, last])  # noqa: RUF071 (text, not folders of this machine)


def _page(store: Store, *, place: Address, first: str) -> dict[str, Version]:
    return store.page(place, first)
