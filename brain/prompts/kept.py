"""A text from which spans are cut, and where what is left of it stands afterwards."""

from __future__ import annotations

from itertools import accumulate

_BLANKS = " \t\r\n"
_STOPS = ",;"


class Kept:
    """A text less some spans; the blanks and commas that stood around a span go with it.

    >>> kept = Kept("a cat, <lora:x:1>, on a mat")
    >>> kept.cut(7, 17)
    >>> kept.result()
    'a cat, on a mat'
    >>> kept.place(19)
    7
    """

    def __init__(self, text: str) -> None:
        self._characters = list(text)
        self._keeps = bytearray(b"\1") * len(text)
        self._cuts: list[tuple[int, int]] = []
        self._commas: list[int] = []
        self._before: list[int] | None = None

    def cut(self, start: int, end: int, *, comma: bool = False) -> None:
        """Takes a span out; ``comma`` puts a comma where words of two parts would run together."""
        self._before = None
        self._cuts.append((start, end))
        if comma:
            self._commas.append(start)

    def result(self) -> str:
        """Returns what is left."""
        self._tidy()
        return "".join(character for character, keep in zip(self._characters, self._keeps, strict=True) if keep)

    def place(self, at: int) -> int:
        """Returns where a place of the text is in what is left."""
        if self._before is None:
            self._tidy()
        assert self._before is not None
        return self._before[at]

    def _tidy(self) -> None:
        if self._before is not None:
            return
        last = 0
        for start, end in sorted(self._cuts):
            # of spans in spans each character is taken once
            self._keeps[max(start, last) : end] = bytes(max(0, end - max(start, last)))
            last = max(last, end)
        for at in self._commas:
            self._characters[at], self._keeps[at] = ",", 1
        self._around()
        self._before = [0, *accumulate(self._keeps)]

    def _around(self) -> None:
        """Goes over the text once: no blank before a comma or after another that a cut has left, none at the ends."""
        left: list[int] = []
        commas = set(self._commas)
        cut = True
        for at, keep in enumerate(self._keeps):
            if not keep:
                cut = True
                continue
            cut = cut or at in commas
            character = self._characters[at]
            if cut and character in _BLANKS and (not left or self._characters[left[-1]] in _BLANKS):
                self._keeps[at] = 0
                continue
            if cut and character in _STOPS:
                while left and self._characters[left[-1]] in _BLANKS:
                    self._keeps[left.pop()] = 0
                if not left or self._characters[left[-1]] in _STOPS:
                    self._keeps[at] = 0
                    continue
                # the blank after it may be that of the one before
                left.append(at)
                continue
            if cut and character in ".!?" and left and self._characters[left[-1]] in _BLANKS:
                while left and self._characters[left[-1]] in _BLANKS:
                    self._keeps[left.pop()] = 0
            cut = False
            left.append(at)
        ended = bool(left) and (left[-1] + 1 < len(self._keeps) or left[-1] in commas)
        while left and (self._characters[left[-1]] in _BLANKS or (ended and self._characters[left[-1]] in _STOPS)):
            self._keeps[left.pop()] = 0
