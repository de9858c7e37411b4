"""Documents as the database sends them, read a field at a time for all of them: several times as fast as one by one.

The layout is that of BSON (https://bsonspec.org/spec.html). Documents of one collection have much the same fields in
much the same order, so that one step over a field is a step in all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

#: the types of BSON that are read here
DOUBLE, STRING, DOCUMENT, ARRAY, OBJECT_ID, BOOL, NULL, INT32, INT64 = 1, 2, 3, 4, 7, 8, 10, 16, 18
#: nothing stands there
MISSING = 0

#: bytes of a value by its type; those that are not named have a length of their own, or cannot be skipped
_SIZES = {
    **{DOUBLE: 8, 6: 0, OBJECT_ID: 12, BOOL: 1, 9: 8, NULL: 0, INT32: 4, 17: 8, INT64: 8, 19: 16, 127: 0, 255: 0},
    # these begin with their length, which counts itself in a document and an array only
    **{STRING: 4, 13: 4, 14: 4, 5: 5, DOCUMENT: 0, ARRAY: 0, 15: 0},
}
_MEASURED = (STRING, 13, 14, 5, DOCUMENT, ARRAY, 15)
#: so often the fields may come in another order than in the documents before
_MAX_PASSES = 32
#: bytes after the last one, so that a key may be looked for at any place
_PADDING = 1024


class Irregular(Exception):
    """The documents cannot be read at once: they have too little in common, or hold what is not read here."""


@dataclass(frozen=True, eq=False)
class Values:
    """What stands at a path of N documents: one value each, or several where a list is on the way.

    Attributes:
        kinds: (M,) uint8: the type of each, ``MISSING`` where a document, or an element of its list, has nothing there
        places: (M,) int64: where in the bytes it begins
        owners: (M,) int64: whose it is, ascending
        n: how many documents there are
        lists: of those where a list is on the way: which they are; None where no document has one, so that M is N
    """

    kinds: np.ndarray
    places: np.ndarray
    owners: np.ndarray
    n: int
    lists: np.ndarray | None = None

    def __getitem__(self, kept: np.ndarray | slice) -> Values:
        return replace(self, kinds=self.kinds[kept], places=self.places[kept], owners=self.owners[kept])


class Batch:
    """N documents in one piece of bytes.

    Attributes:
        n: how many there are
        cursor: by what the database is asked for those that follow; 0: there are none

    Args:
        data: the cursor of a reply of the database: one document, in which they are the elements of a list
        within: the name of the list
        orders: by path, in which order the fields were seen to come; it grows

    Raises:
        Irregular: there is no such list of documents
    """

    def __init__(self, data: bytes, within: str, orders: dict[str, list[bytes]]) -> None:
        self._data = data
        padded = data + bytes(_PADDING)
        self._bytes = np.frombuffer(padded, np.uint8)
        # numbers at any byte: what lies at [i] begins there
        self._int32, self._int64, self._words, self._doubles = (
            np.ndarray((len(padded) + 1 - size,), kind, padded, strides=(1,))
            for kind, size in (("<i4", 4), ("<i8", 8), ("<u8", 8), ("<f8", 8))
        )
        self._orders = orders
        reply = self._fields(np.zeros(1, np.int64), {"id": None, within: None}, within)
        kinds, places = reply[within]
        if kinds[0] != ARRAY or reply["id"][0][0] != INT64:
            raise Irregular(f"no list {within}")
        self.cursor = int(self._int64[reply["id"][1][0]])
        self._starts = self._lined_up(int(places[0]))
        self.n = len(self._starts)

    def _lined_up(self, at: int) -> np.ndarray:
        """Returns where the documents of a list begin: one after the other, each after its type and its number."""
        starts: list[int] = []
        at += 4
        while self._data[at]:
            if self._data[at] != DOCUMENT:
                raise Irregular("a list of something else than documents")
            at += 2 + len(str(len(starts)))
            starts.append(at)
            at += int.from_bytes(self._data[at : at + 4], "little")
        return np.array(starts, dtype=np.int64)

    def read(self, paths: Sequence[str]) -> dict[str, Values]:
        """Returns what stands at each path.

        Args:
            paths: dotted; below a list of documents each of them has its value, and the values of two paths below the
                same list are side by side

        Raises:
            Irregular: the documents are not alike enough
        """
        tree: dict[str, Any] = {}
        for path in paths:
            node = tree
            for name in path.split("."):
                node = node.setdefault(name, {})
        values: dict[str, Values] = {}
        self._walk(self._starts, np.arange(self.n), tree, "", None, values)
        return {path: values[path] for path in paths}

    def _walk(
        self,
        starts: np.ndarray,
        owners: np.ndarray,
        tree: Mapping[str, Any],
        prefix: str,
        lists: np.ndarray | None,
        into: dict[str, Values],
    ) -> None:
        """Reads the fields of documents, and what is in them."""
        for name, (kinds, places) in self._fields(starts, tree, prefix).items():
            path = f"{prefix}{name}"
            into[path] = Values(kinds, places, owners, self.n, lists)
            if not tree[name]:
                continue
            inside, are_lists = kinds == DOCUMENT, kinds == ARRAY
            if are_lists.any():
                if lists is not None or inside.any():
                    raise Irregular(f"lists in lists, or lists and documents, at {path}")
                elements = self._elements(places[are_lists], owners[are_lists])
                documents = elements[elements.kinds == DOCUMENT]
                self._walk(
                    documents.places, documents.owners, tree[name], f"{path}.", np.unique(owners[are_lists]), into
                )
            else:
                self._walk(places[inside], owners[inside], tree[name], f"{path}.", lists, into)
                if lists is None:
                    self._spread(into, tree[name], f"{path}.", inside)

    def _spread(self, into: dict[str, Values], tree: Mapping[str, Any], prefix: str, inside: np.ndarray) -> None:
        """Puts what was read of some of the documents beside the others, which have nothing there."""
        for name, below in tree.items():
            path = f"{prefix}{name}"
            own = into[path]
            if own.lists is None and len(own.kinds) != len(inside):
                kinds, places = np.zeros(len(inside), np.uint8), np.zeros(len(inside), np.int64)
                kinds[inside], places[inside] = own.kinds, own.places
                into[path] = Values(kinds, places, np.arange(len(inside)), self.n)
            self._spread(into, below, f"{path}.", inside)

    def _fields(
        self, starts: np.ndarray, wanted: Mapping[str, Any], prefix: str
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Returns for each name the type and the place of its value in each of K documents."""
        names = {name.encode() + b"\0": name for name in wanted}
        if any(len(key) > _PADDING - 8 for key in names):
            raise Irregular("names too long to look for")
        fields = {name: (np.zeros(len(starts), np.uint8), np.zeros(len(starts), np.int64)) for name in wanted}
        order = self._orders.setdefault(prefix, [])
        at = starts + 4
        active = np.flatnonzero(self._bytes[at] != 0)
        for _ in range(_MAX_PASSES):
            for key in order:
                if not len(active):
                    return fields
                place = at[active]
                same = self._starts_with(place + 1, key)
                if not same.any():
                    continue
                rows, place = (active, place) if same.all() else (active[same], place[same])
                kinds, value = self._bytes[place], place + 1 + len(key)
                if key in names:
                    fields[names[key]][0][rows], fields[names[key]][1][rows] = kinds, value
                at[rows] = value + self._lengths(kinds, value)
                active = active[self._bytes[at[active]] != 0]
            if not len(active):
                return fields
            begins = int(at[active[0]]) + 1
            key = self._data[begins : self._data.index(b"\0", begins) + 1]
            if key not in order:
                order.append(key)
                self._learn(order, at, active)
        raise Irregular(f"{len(active)} documents have their fields in orders of their own, at {prefix or 'the top'}")

    def _learn(self, order: list[bytes], at: np.ndarray, active: np.ndarray) -> None:
        """Adds the keys that come after the first one of the first document, so that one pass reads them all."""
        kind_at = int(at[active[0]])
        while self._data[kind_at]:
            end = self._data.index(b"\0", kind_at + 1) + 1
            key = self._data[kind_at + 1 : end]
            if key not in order:
                order.append(key)
            kind = self._bytes[kind_at : kind_at + 1]
            kind_at = end + int(self._lengths(kind, np.array([end]))[0])

    def _starts_with(self, places: np.ndarray, key: bytes) -> np.ndarray:
        """Returns which of the places a key begins at."""
        same = np.ones(len(places), dtype=bool)
        for begin in range(0, len(key), 8):
            part = key[begin : begin + 8]
            word = self._words[places + begin]
            if len(part) < 8:
                word = word & np.uint64((1 << (8 * len(part))) - 1)
            same &= word == np.uint64(int.from_bytes(part, "little"))
            if not same.any():
                break
        return same

    def _lengths(self, kinds: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Returns how many bytes each value takes."""
        first = int(kinds[0]) if len(kinds) else NULL
        if (kinds == first).all():
            return self._length(first, places)
        lengths = np.zeros(len(kinds), np.int64)
        for kind in np.unique(kinds).tolist():
            own = kinds == kind
            lengths[own] = self._length(kind, places[own])
        return lengths

    def _length(self, kind: int, places: np.ndarray) -> np.ndarray:
        if kind not in _SIZES:
            raise Irregular(f"a value of the type {kind}")
        size = np.full(len(places), _SIZES[kind], np.int64)
        return size + self._int32[places] if kind in _MEASURED else size

    def _elements(self, places: np.ndarray, owners: np.ndarray) -> Values:
        """Returns the elements of lists."""
        at = places + 4
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        index = 0
        active = np.flatnonzero(self._bytes[at] != 0)
        while len(active):
            place = at[active]
            kinds = self._bytes[place]
            # the keys of a list are its numbers, which need not be looked at
            value = place + 2 + len(str(index))
            parts.append((kinds, value, owners[active]))
            at[active] = value + self._lengths(kinds, value)
            active = active[self._bytes[at[active]] != 0]
            index += 1
        if not parts:
            return Values(np.zeros(0, np.uint8), *(np.zeros(0, np.int64),) * 2, self.n)
        kinds, value, whose = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Values(kinds, value, whose, self.n)[np.argsort(whose, kind="stable")]

    def items(self, values: Values) -> Values:
        """Returns the values with each list taken apart, without what the elements of a list lack.

        Raises:
            Irregular: lists in lists
        """
        if values.lists is not None:
            values = values[values.kinds != MISSING]
        are_lists = values.kinds == ARRAY
        if not are_lists.any():
            return values
        if values.lists is not None:
            raise Irregular("lists in lists")
        inner, rest = self._elements(values.places[are_lists], values.owners[are_lists]), values[~are_lists]
        kinds, places, owners = (
            np.concatenate([getattr(part, name) for part in (rest, inner)]) for name in ("kinds", "places", "owners")
        )
        items = Values(kinds, places, owners, values.n, values.owners[are_lists])
        return items[np.argsort(items.owners, kind="stable")]

    def numbers(self, values: Values) -> np.ndarray:
        """Returns (M,) float64: NaN where there is no number; true is 1."""
        numbers = np.full(len(values.kinds), np.nan)
        for kind, table in (
            (DOUBLE, self._doubles),
            (INT32, self._int32),
            (INT64, self._int64),
            (BOOL, self._bytes),
        ):
            own = values.kinds == kind
            if own.any():
                numbers[own] = table[values.places[own]]
        return numbers

    def objects(self, values: Values) -> list[Any]:
        """Returns M texts, numbers and truths as Python has them; None for null and where there is nothing.

        Raises:
            Irregular: values of another type
        """
        made = np.full(len(values.kinds), None, dtype=object)
        for kind in np.unique(values.kinds).tolist():
            if kind in (MISSING, NULL):
                continue
            own = values.kinds == kind
            made[own] = self._made(kind, values.places[own])
        return made.tolist()

    def _made(self, kind: int, places: np.ndarray) -> np.ndarray:
        """Returns values of one type as an array of objects."""
        listed: list[Any]
        if kind == DOUBLE:
            listed = self._doubles[places].tolist()
        elif kind in (INT32, INT64):
            listed = (self._int32 if kind == INT32 else self._int64)[places].tolist()
        elif kind == BOOL:
            listed = (self._bytes[places] != 0).tolist()
        elif kind == STRING:
            ends = (places + 3 + self._int32[places]).tolist()
            texts = [self._data[begin:end] for begin, end in zip((places + 4).tolist(), ends, strict=True)]
            of = {text: text.decode() for text in set(texts)}
            listed = [of[text] for text in texts]
        elif kind == OBJECT_ID:
            listed = [self._data[begin : begin + 12].hex() for begin in places.tolist()]
        else:
            raise Irregular(f"values of the type {kind}")
        made = np.empty(len(listed), dtype=object)
        made[:] = listed
        return made
