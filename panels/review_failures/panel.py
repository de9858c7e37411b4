"""The panel "Review": is it really a failure? One picture after the other, by keyboard; and how good the check is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.operators.forms import is_number
from loupe.panels import theme
from loupe.panels.base import Notice, Reading
from loupe.panels.latest import Shown
from loupe.panels.triage import Answer, Line, Triage

if TYPE_CHECKING:
    from loupe.brain.core.records import Threshold
    from loupe.brain.core.review import Decision, ReviewResult
    from loupe.brain.stats.review_tally import Known
    from loupe.brain.store.narrowing import Narrowing
    from loupe.brain.store.review.evidence import Evidence
    from loupe.brain.store.review.queue import Pile, Queued

#: pictures of the strip before and behind the one in front
BEFORE, BEHIND = 2, 6
#: the precisions to choose from, of an offered threshold
WANTED = (0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        modes: for each failure mode how many samples have it
        failure: the one that is reviewed
        order: which samples come, and in which order
        threshold: in use
        result: what was decided so far, and what follows from it
        wanted: the precision of an offered threshold
        item: the picture in front; None where nothing is left
        flagged: whether the check flags it
        strip: the pictures around it, with what stands on them
        back, forward: the pictures before and behind it
    """

    modes: Mapping[str, int]
    failure: str
    order: str
    threshold: Threshold
    result: ReviewResult
    wanted: float
    item: Evidence | None
    flagged: bool
    strip: tuple[tuple[Queued, Decision | None], ...]
    back: str | None
    forward: str | None


@dataclass
class _Kept:
    """What one reading knows, brought up to date by each decision."""

    modes: Mapping[str, int]
    failure: str
    order: str
    queued: dict[str, Queued]
    line: Line
    known: Known
    decisions: dict[str, Decision | None] = field(default_factory=dict)
    first: dict[str, Decision | None] = field(default_factory=dict)

    def learn(self, fresh: Mapping[str, Decision | None], asked: list[str]) -> None:
        """Takes over what stands on samples now; one that is not in ``fresh`` is no more."""
        for item in asked:
            queued = self.queued[item]
            tally = self.known.flagged if queued.flagged else self.known.passed
            if item not in fresh:
                if item not in self.line.gone:
                    tally.forget(item)
                    self.line.gone.add(item)
                continue
            now = fresh[item]
            before = self.decisions.get(item)
            if item not in self.first:
                self.first[item] = now if self.order == "unsure" else None
                before = self.first[item]
            if now != before:
                tally.put(item, queued.ranked, None if now is None else now.status)
                for decision, change in ((before, -1), (now, 1)):
                    if decision is not None:
                        self.known.count(decision.by, change)
            self.decisions[item] = now
            if now == self.first[item]:
                self.line.done.discard(item)
            else:
                self.line.done.add(item)


class Review(Triage[Content]):
    """The samples of a failure, each with a decision: real, false alarm, unsure."""

    name = "review_failures"
    label = "Review"
    icon = "fact_check"
    subject = "failures"
    help_markdown = (
        "Is it really a failure? One picture after the other: **1** or **r** a real failure, **2** or **f** a false "
        "alarm, **3** or **u** unsure, **z** undo, **← →** back and next, **n** a note, **m** more like "
        "this. What you decide stands in `review` of each sample, with who and when. In random order it gives the "
        "precision of the check on your own pictures, and a better threshold."
    )
    answers = {
        "real": Answer("Real failure", ("1", "r"), theme.FAIL),
        "false_alarm": Answer("False alarm", ("2", "f"), theme.PASS),
        "unsure": Answer("Unsure", ("3", "u"), theme.GRAY),
    }
    defaults = {**Triage.defaults, "failure": None, "order": "random", "wanted": 0.9}

    def narrowing(self) -> type[Pile]:
        from loupe.brain.store.review.queue import Pile

        return Pile

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store import columns, datasets, thresholds_view
        from loupe.brain.store.review import evidence as review_evidence
        from loupe.brain.store.review import queue as review_queue
        from loupe.brain.verbs.steps import reviewing

        datasets.require_images(view)
        samples = datasets.whole(view)
        modes = thresholds_view.flagged(view) if kept is None else kept.modes
        if not modes:
            if columns.any_checked(view):
                return Notice("The checks could judge none of these images: there is nothing to review.", "check")
            return Notice("Nothing here has been checked yet. Check the images, then review what they flag.", "check")
        failure, order = choices["failure"], choices["order"]
        if not isinstance(failure, str) or failure not in modes:
            failure = max(modes, key=lambda name: modes[name])
        order = order if order in review_queue.ORDERS else "random"
        wanted = choices["wanted"] if choices["wanted"] in WANTED else reviewing.WANTED
        threshold = review_queue.in_use(samples, failure)
        if kept is None or (kept.failure, kept.order) != (failure, order):
            # of another order only the queue is read anew
            known = kept.known if kept is not None and kept.failure == failure else None
            kept = _load(samples, modes, failure, order, threshold, known)
        item = _in_front(samples, kept, choices)
        if item is None and len(kept.queued) == review_queue.LENGTH:
            kept = _load(samples, modes, failure, order, threshold)
            item = _in_front(samples, kept, choices)
        evidence = None if item is None else review_evidence.evidence(samples, failure, item)
        content = Content(
            modes=modes,
            failure=failure,
            order=order,
            threshold=threshold,
            result=reviewing.follows(samples, failure, kept.known, wanted),
            wanted=wanted,
            item=evidence,
            flagged=item is not None and kept.queued[item].flagged,
            strip=_strip(kept, item),
            back=None if item is None else kept.line.beside(item, -1),
            forward=None if item is None else kept.line.beside(item, 1),
        )
        return Reading(content, {"failure": failure, "order": order, "item": item, "wanted": wanted}, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        offered, item = content.result.offer.threshold, content.item
        return {
            "failure": content.failure,
            "item": None if item is None else item.id,
            "stands": None if item is None or item.decision is None else item.decision.to_dict(),
            "strip": [queued.id for queued, _ in content.strip],
            "back": content.back,
            "forward": content.forward,
            "offer": None if offered is None else offered.to_dict(),
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Narrowing | None) -> None:
        from loupe.panels.review_failures import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    # what triage needs

    def made(self, ctx: Any, answer: str, note: str) -> dict[str, Any]:
        from loupe.brain.core import who

        return {"status": answer, "by": _user(ctx) or who.user(), "at": who.now("milliseconds"), "note": note}

    def write(self, ctx: Any, item: str, decision: Mapping[str, Any] | None, stands: Mapping[str, Any] | None) -> bool:
        from loupe.brain.core.review import Decision
        from loupe.brain.store.review import decisions as review

        failure = ctx.panel.state.seen["failure"]
        review.require_failure(failure)
        put, known = (None if each is None else Decision(**each) for each in (decision, stands))
        return review.write(ctx.dataset, failure, {item: put}, {item: known}) == 1

    # events

    def on_failure(self, ctx: Any) -> None:
        # what was decided of another failure mode is not undone here
        self.choose(ctx, failure=ctx.params.get("value"), item=None, look=False, undo=())
        self.refresh(ctx)

    def on_order(self, ctx: Any) -> None:
        order = ctx.params.get("value")
        same = order == self.choices(ctx)["order"]
        self.choose(ctx, order=order, item=None, look=False)
        self.refresh(ctx, again=same)

    def on_wanted(self, ctx: Any) -> None:
        value = ctx.params.get("value")
        number = float(value) if isinstance(value, str) and value.replace(".", "").isdigit() else value
        if is_number(number):
            self.choose(ctx, wanted=number)
            self.refresh(ctx, again=False)

    def on_apply(self, ctx: Any) -> None:
        """Puts the offered threshold to use, and flags every sample of the dataset anew."""
        from loupe.brain import api
        from loupe.brain.core.records import Threshold
        from loupe.brain.verbs.steps import reviewing

        seen = ctx.panel.state.seen
        if not seen or not seen.get("offer"):
            return
        threshold = reviewing.set_by(Threshold.from_dict(seen["offer"]), _user(ctx))
        # a threshold is the dataset's: a part of the samples must not go on by the old one
        flags = api.flag(ctx.dataset, {seen["failure"]: threshold})
        count = flags.counts.get(seen["failure"], 0)
        ctx.ops.notify(f"Flagged: {count:,} samples of the dataset fail", variant="success")
        ctx.ops.reload_samples()
        self.choose(ctx, item=None, look=False)
        self.refresh(ctx)

    def on_annotate(self, ctx: Any) -> None:
        seen = ctx.panel.state.seen
        if seen:
            ctx.prompt("@loupe/loupe/annotate", params={"failure": seen["failure"]})

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the samples that were decided in one way."""
        from loupe.brain.store.review.queue import WHICH, Pile

        seen, which = ctx.panel.state.seen, ctx.params.get("which")
        if seen and which in WHICH:
            self.narrow(ctx, Pile(seen["failure"], which), "There are none of these any more")


def _user(ctx: Any) -> str:
    return str(getattr(ctx.user, "name", None) or "")


def _load(
    samples: Any, modes: Mapping[str, int], failure: str, order: Any, threshold: Threshold, known: Known | None = None
) -> _Kept:
    from loupe.brain.store.review import decisions as review
    from loupe.brain.store.review import queue as review_queue

    listed = review_queue.queue(samples, failure, order, threshold)
    known = known or review.read(samples, failure, review_queue.LENGTH)
    queued = {each.id: each for each in listed}
    return _Kept(modes, failure, order, queued, Line(list(queued)), known)


def _in_front(samples: Any, kept: _Kept, choices: Mapping[str, Any]) -> str | None:
    """Returns the picture in front, once it is known what stands on it and on those that come next."""
    from loupe.brain.store.review import decisions as review

    wanted, look = choices["item"], choices["look"] is True
    if kept.line.place(wanted) is not None and not look:
        # what was just decided, or undone, counts before what comes next is looked for
        kept.learn(review.standing(samples, kept.failure, [wanted]), [wanted])
    while True:
        item = kept.line.in_front(wanted, look=look)
        if item is None:
            return None
        asked = kept.line.around(item, BEFORE, BEHIND)
        kept.learn(review.standing(samples, kept.failure, asked), asked)
        if item not in kept.line.gone and (look or kept.line.is_open(item)):
            return item
        wanted, look = item, False


def _strip(kept: _Kept, item: str | None) -> tuple[tuple[Queued, Decision | None], ...]:
    if item is None:
        return ()
    around = kept.line.around(item, BEFORE, BEHIND)
    return tuple((kept.queued[each], kept.decisions.get(each)) for each in around)
