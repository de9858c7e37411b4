"""What is decided of samples in the model of a run: splits, reviews, duplicates. It stays until it is undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

#: fields that hold decisions: a fresh run decides anew
FIELDS = ("split", "review", "deduplicated")
_STATUSES = ("real", "false_alarm", "unsure")
_SPLITS = {"train": 0.6, "test": 0.4}


class Decisions:
    """The rules of a dataset's machine that decide something, and what was decided, by the names of files."""

    made: Any
    own: dict[str, dict[str, Any]]
    runs: int
    grouped: bool

    def __init__(self) -> None:
        super().__init__()
        self.splits: dict[str, str | None] = {}
        self.reviews: dict[str, str | None] = {}
        self.duplicates: dict[str, str | None] = {}

    @precondition(lambda self: len(self.own) > 3)
    @rule(seed=st.integers(0, 3))
    def split(self, seed: int) -> None:
        """Puts all samples into two splits."""
        import loupe

        loupe.split(self.made, _SPLITS, groups=[], seed=seed)
        self.runs += 1
        self.splits = self._decided("split")
        assert set(self.splits.values()) <= set(_SPLITS), self.splits

    @rule(at=st.integers(0, 99), status=st.sampled_from((*_STATUSES, "none")), note=st.sampled_from(("", "a <b>")))
    def review(self, at: int, status: str, note: str) -> None:
        """Decides of a sample, or takes back what was decided."""
        import loupe

        name = sorted(self.own)[at % len(self.own)]
        sample_id = self._ids()[name]
        loupe.review(self.made, "blur", {sample_id: status}, note=note, by="me")
        self.runs += 1
        self.reviews[name] = None if status == "none" else status

    @rule()
    def deduplicate(self) -> None:
        """Looks for duplicates, and keeps one of each group."""
        import loupe

        loupe.find_duplicates(self.made)
        self.grouped = True
        loupe.deduplicate(self.made, by="me")
        self.runs += 2
        self.duplicates = self._decided("deduplicated.label")
        kept = self._decided("deduplicated.kept")
        ids = set(self.made.values("id"))
        alone = [name for name, label in self.duplicates.items() if label == "drop" and kept[name] not in ids]
        assert not alone, f"dropped, and what was kept is gone: {alone}"

    @precondition(lambda self: any(self.duplicates.values()))
    @rule()
    def undo_duplicates(self) -> None:
        """Takes back what was decided of duplicates."""
        import loupe

        loupe.deduplicate(self.made, keep="none")
        self.runs += 1
        self.duplicates = {}
        assert not any(self._decided("deduplicated.label").values())

    @invariant()
    def decisions_stay(self) -> None:
        """What was decided stands, and of nothing else anything."""
        wanted = {"split": self.splits, "review.blur.label": self.reviews, "deduplicated.label": self.duplicates}
        for path, decided in wanted.items():
            got = self._decided(path)
            expected = {name: decided.get(name) for name in got}
            assert got == expected, (path, got, expected)

    def _decided(self, path: str) -> dict[str, str | None]:
        values = self.made.values(path) if self.made.has_field(path.partition(".")[0]) else [None] * len(self.own)
        return dict(zip(self._names(), values, strict=True))

    def _names(self) -> list[str]:
        return [Path(path).name for path in self.made.values("filepath")]

    def _ids(self) -> dict[str, str]:
        return dict(zip(self._names(), self.made.values("id"), strict=True))
