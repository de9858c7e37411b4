"""The rounds of ``rebalance``: draw some for each thing, check them, decide which count, until the targets are reached.

What counts follows from what is stored, so that a run that was killed anywhere goes on: a draw is found again by its
seed, what is drawn is not drawn again, what is checked is not checked again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.rebalanced import End, RebalancedCell
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.core.specs import Check, Embedder, Generator
from loupe.brain.generation.counted import Answer, Decided, Known, decide, statuses
from loupe.brain.realism.agreement import Agreeing
from loupe.brain.stats.inverse import hopeless, until
from loupe.brain.store import rebalance as store
from loupe.brain.store.experiment import datasets as experiments
from loupe.brain.store.realism import sides as store_realism
from loupe.brain.verbs.check import check
from loupe.brain.verbs.embed import embed
from loupe.brain.verbs.generate import generate
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.rebalance_wishes import Wish, gates

if TYPE_CHECKING:
    import fiftyone as fo

#: draws of a thing in a round: fewer are not worth loading a model for, more are drawn in vain where most pass
_FEWEST, _LARGEST = 4, 64
#: so many that do not fail, and of none of which a check could tell, are enough
_UNDECIDED = 12
_MAX_REASON = 300


@dataclass(frozen=True, eq=False)
class Label:
    """What the new pictures have to agree with.

    Attributes:
        path: the field of classes
        classes: their names
        agreeing: the classifier
        embedder: what made the reference's vectors
        field: where the vectors stand
        reference: the samples that it was made of
    """

    path: str
    classes: Sequence[str]
    agreeing: Agreeing
    embedder: Embedder
    field: str
    reference: Any


@dataclass(eq=False)
class Rounds:
    """A call of ``rebalance`` at work.

    Attributes:
        verb: to report to
        dataset: where the pictures go
        spec: what draws
        folder: where the files go
        wishes: what is lacking
        checks: as they were chosen
        gate: those of them that have to have looked
        allowed: whose silence does not matter
        label: what is agreed with; None: nothing
        price: of a picture in US dollars; NaN where nobody knows
    """

    verb: Lifecycle
    dataset: fo.Dataset
    spec: Generator
    folder: Path
    wishes: Sequence[Wish]
    checks: Any
    gate: Sequence[Check]
    allowed: bool | Sequence[str]
    label: Label | None
    price: float
    _asked: Counter[str] = field(default_factory=Counter)
    _settled: set[str] = field(default_factory=set)
    _spent: bool = False

    def cells(self, *, look: bool = True) -> list[RebalancedCell]:
        """Returns how it stands with each wish; what was drawn is checked before, and decided.

        Args:
            look: whether to check and write; else what is stored is all that is told, for a plan
        """
        drawn = store.drawn(self.dataset)
        ids = {wish.key: drawn.get(wish.key, {}) for wish in self.wishes}
        every = [sample_id for own in ids.values() for sample_id in own.values()]
        if look:
            self._look(every)
        known = store.known(self.dataset, every, self.gate)
        applying = gates(self.dataset, every, self.gate)
        probable = self._probable(every)
        seconds = store.seconds(self.dataset, str(getattr(self.spec, "model", self.spec.name)))
        made: list[RebalancedCell] = []
        entries: dict[str, store.Entry] = {}
        for wish in self.wishes:
            own = ids[wish.key]
            n = max([self._asked[wish.key], *(at + 1 for at in own)])
            decided = [
                None if at not in own else self._decided(wish, own[at], known, applying, probable) for at in range(n)
            ]
            became = statuses([None if each is None else each.answer for each in decided], wish.needed)
            made.append(self._cell(wish, decided, became, seconds))
            for at, sample_id in own.items():
                each = decided[at]
                assert each is not None
                entries[sample_id] = store.Entry(
                    wish.key, wish.where, at, str(became[at]), _reason(each), self._asked_for(wish, sample_id, probable)
                )
        if look:
            store.put(self.dataset, entries)
            self._give_classes(ids, entries)
        return made

    def run(self) -> list[RebalancedCell]:
        """Draws until every target is reached, or cannot be."""
        while True:
            cells = self.cells()
            total = sum(wish.needed for wish in self.wishes)
            self.verb.step(sum(cell.counts for cell in cells), max(total, 1), "rebalancing")
            rounds = {cell.key: self._round(cell) for cell in cells if cell.end == "open"}
            if not rounds or self._spent:
                return cells
            rows = []
            for wish, cell in zip(self.wishes, cells, strict=True):
                before = cell.drawn + cell.missing
                self._asked[wish.key] = before + rounds.get(wish.key, 0)
                # the earlier ones, too: what they cost is part of a budget, and a gap that a kill left is filled
                rows += [wish.row(at) for at in range(self._asked[wish.key])]
            made = generate(
                self.dataset, rows, model=self.spec, output_dir=self.folder, device=self.verb.device, syntax="keep",
                progress=self._within(cells, total, "generating"),
            )  # fmt: skip
            self._spent = bool(made.unknown.get("unaffordable"))

    def _within(self, cells: Sequence[RebalancedCell], total: int, message: str) -> ProgressCallback:
        """Returns what an inner verb reports to: how many count so far, and what is done now."""
        counts = sum(cell.counts for cell in cells)

        def report(step: Progress) -> None:
            self.verb.step(counts, max(total, 1), f"{message} {step.done:,} of {step.total:,}")

        return report

    def _look(self, ids: Sequence[str]) -> None:
        """Checks and embeds what has not been, and lets what has been be."""
        waiting = [each for each in ids if each not in self._settled]
        if not waiting:
            return
        view = self.dataset.select(waiting)
        if self.checks is not None:
            check(view, self.checks, device=self.verb.device, progress=self._step("checking"))
        if self.label is not None:
            embed(
                view, embedder=self.label.embedder, field=self.label.field, visualize=None, similarity=False,
                device=self.verb.device, progress=self._step("embedding"),
            )  # fmt: skip
        self._settled |= set(waiting)

    def _step(self, message: str) -> ProgressCallback:
        return lambda step: self.verb.step(step.done, step.total, message)

    def _probable(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Returns by sample how probable each class is; of those that have a vector."""
        if self.label is None or not ids or not self.dataset.has_field(self.label.field):
            return {}
        (side,) = store_realism.read(self.label.field, {"drawn": self.dataset.select(list(ids))})
        if not side.ids:
            return {}
        return dict(zip(side.ids, self.label.agreeing.probabilities(side.vectors), strict=True))

    def _asked_for(self, wish: Wish, sample_id: str, probable: Mapping[str, np.ndarray]) -> float | None:
        if self.label is None or sample_id not in probable:
            return None
        name = wish.class_of(self.label.path)
        return float(probable[sample_id][self.label.classes.index(name)]) if name in self.label.classes else None

    def _agrees(self, wish: Wish, sample_id: str, probable: Mapping[str, np.ndarray]) -> tuple[Answer, str] | None:
        """Returns whether a picture shows the class that it was asked for, and why not; None where none was asked."""
        if self.label is None or (name := wish.class_of(self.label.path)) is None:
            return None
        if name not in self.label.classes:
            return "unknown", f"the reference has no {name}"
        at = self.label.classes.index(name)
        if not self.label.agreeing.usable[at]:
            return "unknown", f"the reference's pictures do not tell what {name} is"
        if sample_id not in probable:
            return "unknown", "it has no vector"
        best = int(probable[sample_id].argmax())
        return ("passes", "") if best == at else ("fails", f"it looks like {self.label.classes[best]}")

    def _decided(
        self, wish: Wish, sample_id: str, known: Mapping[str, Known], applying: Mapping[str, frozenset[str]],
        probable: Mapping[str, np.ndarray],
    ) -> Decided:  # fmt: skip
        agrees = self._agrees(wish, sample_id, probable)
        gate = [each.name for each in self.gate if each.name in applying.get(sample_id, frozenset())]
        return decide(known.get(sample_id, Known()), gate, self.allowed, agrees)

    def _cell(
        self, wish: Wish, decided: Sequence[Decided | None], became: Sequence[str | None], seconds: float
    ) -> RebalancedCell:
        counted = Counter(each for each in became if each is not None)
        failures: Counter[str] = Counter()
        doubts: Counter[str] = Counter()
        for each in decided:
            if each is not None:
                (failures if each.answer == "fails" else doubts).update(each.reasons.keys())
        passes = [each is not None and each.answer == "passes" for each in decided]
        rate = until(passes, max(wish.needed, 1))
        missing = sum(each is None for each in decided)
        known = {"counts": 0, "spare": 0, "fails": 0, "unknown": 0} | counted
        return RebalancedCell(
            key=wish.key, where=wish.where, target=wish.target, present=wish.present,
            prompts=tuple(text for text, _ in wish.prompts), limit=wish.limit,
            end=self._end(wish, len(passes), sum(passes), known["unknown"], doubts), **known, missing=missing,
            failures=dict(failures), doubts=dict(doubts), rate=rate, expected=wish.expected, seconds=seconds,
            price=self.price, refused=wish.refused,
            unasked=self.label is not None and wish.class_of(self.label.path) is None,
        )  # fmt: skip

    def _end(self, wish: Wish, n: int, passed: int, unknown: int, doubts: Mapping[str, int]) -> End:
        if passed >= wish.needed:
            return "reached"
        if not passed and unknown >= _UNDECIDED and max(doubts.values()) == unknown:
            return "undecided"  # of all that do not fail one check could not tell: it will not tell of others
        if n >= wish.limit:
            return "limit"
        if not passed and hopeless(n, wish.needed, wish.limit):
            return "hopeless"
        return "budget" if self._spent else "open"

    def _round(self, cell: RebalancedCell) -> int:
        """Returns how many to draw of a cell next: about as many as it lacks by its pass rate so far.

        Where a picture costs money never more than it lacks, so that none is paid for that is not needed.
        """
        left = cell.limit - cell.drawn - cell.missing
        if self.price > 0:
            return min(cell.lacking, left, _LARGEST)
        rate = (cell.rate.k + 1) / (cell.rate.n + 2)
        return min(max(math.ceil(cell.lacking / rate), _FEWEST), left, _LARGEST)

    def _give_classes(self, ids: Mapping[str, Mapping[int, str]], entries: Mapping[str, store.Entry]) -> None:
        """Gives what passes the class that it was asked for, in the field of classes."""
        if self.label is None or self.label.path.startswith("scenario."):
            return
        classes = {
            sample_id: name
            for wish in self.wishes
            if (name := wish.class_of(self.label.path)) is not None
            for sample_id in ids[wish.key].values()
            if entries[sample_id].status in ("counts", "spare")
        }
        if classes:
            experiments.put_classes(
                self.dataset, self.label.path, self.label.reference, list(classes), list(classes.values())
            )


def _reason(decided: Decided) -> str:
    parts = [f"{name}: {why}" if why else name for name, why in decided.reasons.items()]
    text = "; ".join(parts)
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]} …"
