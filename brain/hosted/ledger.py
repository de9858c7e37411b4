"""The ledger of a folder: a line before each request and after it, so that nothing is paid twice after a crash.

``requests.jsonl`` holds a JSON object a line, each synced to the disk before anything else happens:

    sent       a request is about to be sent; ``price`` is what it will probably cost
    free       it was not accepted: nothing was paid
    accepted   it was, and ``ticket`` is what to ask for the image by
    answered   the image came, and lies beside the ledger as ``.<key>.answer``
    kept       the image is stored with its sample
    refused    the moderation does not let it be drawn, ``reason`` says what it said
    unclear    it may have been accepted and paid, and nothing came

The last line of a key is its state. A line cut off by a crash counts as not written.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from loupe.brain.core.errors import OutputError
from loupe.brain.core.parsing import from_json

NAME = "requests.jsonl"
_STATES = ("sent", "free", "accepted", "answered", "kept", "refused", "unclear")
_OPEN = ("sent", "accepted")


@dataclass(frozen=True)
class Entry:
    """What is known of an image.

    Attributes:
        state: the last one
        price: what an open request will probably cost, in dollars; None: unknown
        paid: what was paid so far, in dollars
        estimated: whether some of it is a price, and not what the service billed
        ticket: what to ask for it by
        reason: why there is none
        facts: of the image, for its sample
    """

    state: str = "free"
    price: float | None = None
    paid: float = 0.0
    estimated: bool = False
    ticket: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Dollars that it has cost, or may have: an open request counts as paid."""
        return self.paid + ((self.price or 0.0) if self.state in _OPEN else 0.0)


class Ledger:
    """The requests of one folder. Several threads may write; one process only (the folder is locked)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._file: IO[bytes] | None = None
        try:
            for line in self._path.read_bytes().splitlines() if self._path.exists() else ():
                self._read(line)
            self._file = _opened(self._path)
        except OSError as error:
            raise OutputError(f"expected {self._path} to be readable and writable, got: {error.strerror}") from error

    def close(self) -> None:
        """Ends the writing."""
        if self._file is not None:
            self._file.close()

    def entry(self, key: str) -> Entry:
        """Returns what is known of an image."""
        return self._entries.get(key, Entry())

    def knows(self, keys: Iterable[str]) -> bool:
        """Returns whether it has a line of any of those images."""
        return any(key in self._entries for key in keys)

    def spent(self, keys: Iterable[str]) -> tuple[float, bool]:
        """Returns what those images have cost or may have, in dollars, and whether some of it is estimated."""
        entries = [self.entry(key) for key in set(keys)]
        estimated = any(entry.estimated or (entry.state in _OPEN and entry.price) for entry in entries)
        return sum(entry.total for entry in entries), estimated

    def sent(self, key: str, price: float | None, prompt: str) -> None:
        """Notes that a request is about to be sent."""
        self._write(key, state="sent", price=price, prompt=prompt)

    def free(self, key: str, reason: str) -> None:
        """Notes that nothing was paid."""
        self._write(key, state="free", reason=reason)

    def accepted(self, key: str, ticket: str, price: float | None, facts: Mapping[str, Any]) -> None:
        """Notes what to ask for the image by."""
        self._write(key, state="accepted", ticket=ticket, price=price, facts=dict(facts))

    def answered(self, key: str, content: bytes, cost: float | None, estimated: bool, facts: Mapping[str, Any]) -> None:
        """Keeps the file that came, and then notes it."""
        path = self._answer(key)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        self._write(key, state="answered", cost=cost, estimated=estimated, facts=dict(facts))

    def refused(self, key: str, reason: str, cost: float | None, estimated: bool) -> None:
        """Notes that the moderation does not let it be drawn."""
        self._write(key, state="refused", reason=reason, cost=cost, estimated=estimated)

    def unclear(self, key: str, reason: str, cost: float | None) -> None:
        """Notes that nothing came of it, and that it may have been paid."""
        self._write(key, state="unclear", reason=reason, cost=cost, estimated=True)

    def kept(self, keys: Iterable[str]) -> None:
        """Notes that images are stored with their samples; their answers are not needed any more."""
        for key in keys:
            if self.entry(key).state == "answered":
                self._write(key, sync=False, state="kept")
                self._answer(key).unlink(missing_ok=True)

    def content(self, key: str) -> bytes | None:
        """Returns the file that came for an image, where it is still there."""
        try:
            return self._answer(key).read_bytes()
        except OSError:
            return None

    def _answer(self, key: str) -> Path:
        return self._folder / f".{key}.answer"

    def _write(self, key: str, *, sync: bool = True, **facts: Any) -> None:
        known = {name: value for name, value in facts.items() if value not in (None, "", {}, False)}
        line = {"key": key, "at": datetime.now(UTC).isoformat(timespec="seconds"), **known}
        with self._lock:
            assert self._file is not None
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
            self._entries[key] = _after(self._entries.get(key, Entry()), line)

    def _read(self, text: bytes) -> None:
        try:
            line = from_json(text)
        except ValueError:
            return  # cut off: what it announced was not begun, what it reported is asked for again
        if isinstance(line, dict) and isinstance(line.get("key"), str) and line.get("state") in _STATES:
            key = line["key"]
            self._entries[key] = _after(self._entries.get(key, Entry()), line)


def _after(entry: Entry, line: Mapping[str, Any]) -> Entry:
    """Returns an entry after one more line."""
    state = line["state"]
    cost, price = _dollars(line.get("cost")), _dollars(line.get("price"))
    changed = replace(entry, state=state, reason=str(line.get("reason", "")))
    if isinstance(line.get("facts"), dict):
        changed = replace(changed, facts=line["facts"])
    if state == "sent":
        return replace(changed, price=price, ticket="")
    if state == "free":
        return replace(changed, price=None, ticket="")
    if state == "accepted":
        return replace(changed, price=price, ticket=str(line.get("ticket", "")))
    if state == "kept":
        return changed
    estimated = entry.estimated or bool(line.get("estimated"))
    return replace(changed, price=None, ticket="", paid=entry.paid + (cost or 0.0), estimated=estimated)


def _dollars(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    return float(value) if good else None


def _opened(path: Path) -> IO[bytes]:
    """Opens the ledger for more lines; only its owner may read it. A line that was cut off is ended."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b")
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file
