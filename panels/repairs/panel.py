"""The panel "Repairs": each repaired picture beside its original, to be accepted or taken back, by keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.panels import theme
from loupe.panels.base import Notice, Reading
from loupe.panels.latest import Shown
from loupe.panels.triage import Answer, Line, Triage

if TYPE_CHECKING:
    from loupe.brain.store.narrowing import Narrowing
    from loupe.brain.store.repair.queue import Pair, Pile
    from loupe.brain.store.repair.repaired import Entry

#: pictures of the strip before and behind the one in front
BEFORE, BEHIND = 2, 6
#: of all failure modes; the App shows no choice whose value is empty
ANY = "all"


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        failures: for each failure mode how many repairs it has
        failure: the one that is shown; ``ANY``: all
        which: which repairs come
        kept, refused, decided: how many the gate kept, how many it refused, of how many somebody has decided
        total: how many there are of this failure
        item: the repair in front; None where nothing is left
        strip: key, picture, title and status of those around it
        back, forward: the repairs before and behind it
    """

    failures: Mapping[str, int]
    failure: str
    which: str
    kept: int
    refused: int
    decided: int
    total: int
    item: Pair | None
    strip: tuple[tuple[str, str, str, str], ...]
    back: str | None
    forward: str | None


@dataclass
class _Kept:
    """What one reading knows: the repairs, brought up to date where one is looked at."""

    entries: dict[str, Entry]


class Repairs(Triage[Content]):
    """Repaired pictures, each with a decision: take the repair, or keep the original."""

    name = "repairs"
    label = "Repairs"
    icon = "healing"
    subject = "repairs"
    help_markdown = (
        "Each repaired picture beside its original, the region outlined, and the numbers before and after: **1** or "
        "**a** take the repair, **2** or **k** keep the original, **z** undo, **← →** back and next. The originals "
        "stay as they are: taking a repair keeps a sample beside the original, keeping the original takes it away."
    )
    actions = {**Triage.actions, "repair": "Repair images"}
    answers = {
        "accepted": Answer("Take the repair", ("1", "a"), theme.PASS),
        "undone": Answer("Keep the original", ("2", "k"), theme.FAIL),
    }
    defaults = {**Triage.defaults, "failure": ANY, "which": "all"}

    def narrowing(self) -> type[Pile]:
        from loupe.brain.store.repair.queue import Pile

        return Pile

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store import datasets
        from loupe.brain.store.repair import queue as repair_queue

        datasets.require_images(view)
        samples = datasets.whole(view)
        kept = kept or _Kept(repair_queue.queue(samples))
        wanted = choices["item"]
        if isinstance(wanted, str) and wanted in kept.entries:  # what was just decided, by whoever
            now = repair_queue.again(samples, kept.entries[wanted])
            if now is None:
                del kept.entries[wanted]
            else:
                kept.entries[wanted] = now
        if not kept.entries:
            text = "Nothing here has been repaired yet. Check the images, then repair what fails."
            return Notice(text, "repair")
        failures: dict[str, int] = {}
        for entry in kept.entries.values():
            failures[entry.failure] = failures.get(entry.failure, 0) + 1
        wished = choices["failure"]
        failure = wished if isinstance(wished, str) and wished in failures else ANY
        which = choices["which"] if choices["which"] in repair_queue.WHICH else "all"
        own = {key: entry for key, entry in kept.entries.items() if failure in (ANY, entry.failure)}
        shown = [
            key for key, entry in own.items() if which == "all" or repair_queue.is_kept(entry) == (which == "kept")
        ]
        line = Line(shown, {key for key in shown if repair_queue.is_decided(own[key])})
        item = line.in_front(wanted, look=choices["look"] is True)
        if item is not None and item != wanted:
            now = repair_queue.again(samples, kept.entries[item])
            if now is not None:
                kept.entries[item] = own[item] = now
        around = [] if item is None else line.around(item, BEFORE, BEHIND)
        gate_kept = sum(repair_queue.is_kept(entry) for entry in own.values())
        content = Content(
            failures=failures,
            failure=failure,
            which=which,
            kept=gate_kept,
            refused=len(own) - gate_kept,
            decided=sum(repair_queue.is_decided(entry) for entry in own.values()),
            total=len(own),
            item=None if item is None else repair_queue.pair(samples, kept.entries[item]),
            strip=tuple(_thumb(key, own[key]) for key in around),
            back=None if item is None else line.beside(item, -1),
            forward=None if item is None else line.beside(item, 1),
        )
        return Reading(content, {"failure": failure, "which": which, "item": item}, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        item = content.item
        return {
            "item": None if item is None else item.key,
            "sample": None if item is None else item.id,
            "stands": None if item is None else {"status": item.status, "by": item.by, "at": item.at},
            "can_accept": bool(item and item.after),
            "strip": [key for key, *_ in content.strip],
            "failures": list(content.failures),
            "back": content.back,
            "forward": content.forward,
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Narrowing | None) -> None:
        from loupe.panels.repairs import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    # what triage needs

    def allows(self, seen: Mapping[str, Any], answer: Any) -> bool:
        return answer in self.answers and (answer != "accepted" or bool(seen.get("can_accept")))

    def made(self, ctx: Any, answer: str, note: str) -> dict[str, Any]:
        from loupe.brain.core import who

        return {"status": answer, "by": _user(ctx) or who.user(), "at": who.now("milliseconds")}

    def write(self, ctx: Any, item: str, decision: Mapping[str, Any] | None, stands: Mapping[str, Any] | None) -> bool:
        from loupe.brain.store.repair import decisions as repair_decisions
        from loupe.brain.store.repair.decisions import Decided

        sample_id, _, failure = item.partition(" ")
        now = repair_decisions.find(ctx.dataset, sample_id, failure)
        if now is None or decision is None or stands is None:
            return False
        known = repair_decisions.by_person(now)
        if (known.status, known.by) != (stands.get("status"), stands.get("by")):
            return False
        names = ("status", "by", "at")
        written = repair_decisions.decide(ctx.dataset, now, Decided(*(str(decision.get(name) or "") for name in names)))
        ctx.ops.reload_samples()
        return written

    # events

    def on_open(self, ctx: Any) -> None:
        seen = ctx.panel.state.seen
        if seen and seen.get("sample"):
            ctx.ops.open_sample(id=seen["sample"])

    def on_repair(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/repair")

    def on_failure(self, ctx: Any) -> None:
        self.choose(ctx, failure=ctx.params.get("value"), item=None, look=False)
        self.refresh(ctx, again=False)

    def on_which(self, ctx: Any) -> None:
        self.choose(ctx, which=ctx.params.get("value"), item=None, look=False)
        self.refresh(ctx, again=False)

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the repaired pictures, or to the originals that nothing was kept for."""
        from loupe.brain.store.repair.queue import Pile

        seen, which = ctx.panel.state.seen, ctx.params.get("which")
        if seen and which in ("repaired", "refused"):
            failures = tuple(str(name) for name in seen.get("failures", ()))
            self.narrow(ctx, Pile(which, failures), "There are none of these any more")


def _user(ctx: Any) -> str:
    return str(getattr(ctx.user, "name", None) or "")


def _thumb(key: str, entry: Entry) -> tuple[str, str, str, str]:
    from loupe.brain.store.review.queue import source_of

    file = str(entry.facts.get("file") or "") or entry.path
    return key, source_of(file), entry.status, entry.status
