"""The panel "Label issues": is the label wrong, and what is it then? One picture after the other, by keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.panels import theme
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown
from loupe.panels.triage import Answer, Line, Triage

if TYPE_CHECKING:
    from loupe.brain.core.relabeled import Remaining
    from loupe.brain.core.review import Decision
    from loupe.brain.store.relabel.corrected import LabelField
    from loupe.brain.store.relabel.evidence import Evidence, Neighbor, Neighborhood
    from loupe.brain.store.relabel.queue import Overview, Pair, Queued
    from loupe.brain.store.review.queue import Pile

#: pictures of the strip before and behind the one in front
BEFORE, BEHIND = 2, 6
#: classes beside the given and the suggested one that have a key of their own: those of the neighbors
MAX_OTHERS = 3
#: classes of the list to choose from; with more, it has the most frequent
MAX_CLASSES = 500
#: before the name of a class that is given as the answer
IS = "is:"
_MAX_NAME = 1000

#: what can always be decided; whether the suggestion is right comes before it, and other classes behind it
_ACCEPT = Answer("Accept", ("1", "a"), theme.SERIES[2])
_KEEP = Answer("Keep", ("2", "k"), theme.PASS)
_UNSURE = Answer("Unsure", ("3", "u"), theme.GRAY)
_NONE = Answer("No class fits", ("4", "x"), theme.FAIL)
_OTHER_KEYS = ("5", "6", "7")


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        labels: the field of the given labels
        into: the field of the corrected ones
        order: which samples come, and in which order
        pair: the pair of classes whose issues come alone, or None
        pairs: which classes are mixed up, the most frequent first
        issues: how many issues there are, and how many of these are decided
        counts: how many labels were decided in which way
        copies: how many duplicates have a group with more than one label
        remaining: how many labels are probably still wrong
        item: the picture in front; None where nothing is left
        neighbors: what looks like it, and how that is labeled
        among: of how many vectors, where not of all; 0 where there are none
        answers: what can be decided of it
        classes: to choose from
        strip: the pictures around it, with what stands on them
        back, forward: the pictures before and behind it
    """

    labels: LabelField
    into: str
    order: str
    pair: tuple[str, str] | None
    pairs: tuple[Pair, ...]
    issues: tuple[int, int]
    counts: Mapping[str, int]
    copies: int
    remaining: Remaining
    item: Evidence | None
    neighbors: tuple[Neighbor, ...]
    among: int
    answers: Mapping[str, Answer]
    classes: tuple[str, ...]
    strip: tuple[tuple[Queued, Decision | None], ...]
    back: str | None
    forward: str | None


@dataclass
class _Kept:
    """What one reading knows, brought up to date by each decision."""

    labels: LabelField
    into: str
    order: str
    pair: tuple[str, str] | None
    known: Overview
    vectors: Neighborhood
    queued: dict[str, Queued]
    line: Line
    first: dict[str, Decision | None] = field(default_factory=dict)

    def learn(self, fresh: Mapping[str, Decision | None], asked: list[str]) -> None:
        """Takes over what stands on samples now; one that is not in ``fresh`` is no more."""
        for item in asked:
            if item not in fresh:
                self.line.gone.add(item)
                continue
            now, queued = fresh[item], self.queued[item]
            self.known.decide(item, now, queued.given, queued.score)
            first = self.first.setdefault(item, now if self.order == "unsure" else None)
            (self.line.done.discard if now == first else self.line.done.add)(item)


class LabelCorrections(Triage[Content]):
    """The labels that are probably wrong, each with a decision: another class, as it was given, unsure, none."""

    name = "label_corrections"
    label = "Label issues"
    icon = "label"
    subject = "label issues"
    help_markdown = (
        "Is the label wrong? One picture after the other, the worst first, with its nearest neighbors and their "
        "labels: **1** or **a** accept the suggestion, **2** or **k** keep the label, **3** or **u** unsure, **4** or "
        "**x** no class fits, **5 6 7** a class of its neighbors, **c** any class by its name, **z** undo, **← →** "
        "back and next, **n** a note. The corrected labels stand in a field of their own; yours are never changed."
    )
    answers = {"accept": _ACCEPT, "keep": _KEEP, "unsure": _UNSURE, "none": _NONE}
    actions = {**Panel.actions, "find_label_issues": "Find label issues", "at_random": "Look at labels at random"}
    defaults = {**Triage.defaults, "order": "worst", "pair": None}

    def narrowing(self) -> type[Pile]:
        from loupe.brain.store.review.queue import Pile

        return Pile

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store import datasets
        from loupe.brain.store.relabel import corrected as relabel
        from loupe.brain.store.relabel import evidence as relabel_evidence
        from loupe.brain.store.relabel import queue as relabel_queue

        datasets.require_images(view)
        samples = datasets.whole(view)
        labels = kept.labels if kept is not None else relabel.judged(samples)
        if labels is None:
            return Notice(
                "No labels were judged yet. Find label issues first: it says which labels are probably wrong, and what "
                "they probably should be. Your labels stay as they are.",
                "find_label_issues",
            )
        order = choices["order"] if choices["order"] in relabel_queue.ORDERS else "worst"
        pair = _pair(choices["pair"]) if order == "worst" else None
        if kept is None or (kept.order, kept.pair) != (order, pair):
            kept = _load(samples, labels, order, pair, kept)
        item = _in_front(samples, kept, choices)
        if item is None and len(kept.queued) == relabel_queue.LENGTH:
            kept = _load(samples, labels, order, pair, kept)
            item = _in_front(samples, kept, choices)
        if not kept.known.labels.n.sum():
            return Notice(
                f"None of the labels in {labels.label} could be judged here. Find label issues again, by vectors or by "
                "probabilities that these samples have.",
                "find_label_issues",
            )
        evidence = None if item is None else relabel_evidence.evidence(samples, labels, kept.into, item)
        return Reading(_content(samples, kept, evidence), {"order": order, "pair": pair, "item": item}, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        item = content.item
        return {
            "label": content.labels.label,
            "path": content.labels.path,
            "into": content.into,
            "item": None if item is None else item.id,
            "given": None if item is None else item.given,
            "suggested": None if item is None or item.suggestion is None else item.suggestion.label,
            "stands": None if item is None or item.decision is None else item.decision.to_dict(),
            "corrected": None if item is None or item.corrected is None else item.corrected.to_dict(),
            "strip": [queued.id for queued, _ in content.strip],
            "near": [neighbor.id for neighbor in content.neighbors],
            "pairs": [[pair.given, pair.suggested] for pair in content.pairs],
            "back": content.back,
            "forward": content.forward,
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Pile | None) -> None:
        from loupe.panels.label_corrections import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    # what triage needs

    def allows(self, seen: Mapping[str, Any], answer: Any) -> bool:
        if answer == "accept":
            return bool(seen.get("suggested"))
        if answer == "keep":
            return bool(seen.get("given"))
        if isinstance(answer, str) and answer.startswith(IS):
            return 0 < len(answer) - len(IS) <= _MAX_NAME
        return answer in self.answers

    def made(self, ctx: Any, answer: str, note: str) -> dict[str, Any]:
        from loupe.brain.core import who

        seen = ctx.panel.state.seen
        status, correction = "real", None
        if answer in ("keep", "unsure"):
            status = {"keep": "false_alarm", "unsure": "unsure"}[answer]
        elif answer == "accept":
            correction = seen["suggested"]
        else:
            correction = "" if answer == "none" else answer.removeprefix(IS)
            if correction and correction == seen["given"]:
                status, correction = "false_alarm", None
        name = str(getattr(ctx.user, "name", None) or "") or who.user()
        # what stood in the corrected field comes back where this is undone
        return {
            "status": status,
            "by": name,
            "at": who.now("milliseconds"),
            "note": note,
            "correction": correction,
            "before": seen["corrected"],
        }

    def write(self, ctx: Any, item: str, decision: Mapping[str, Any] | None, stands: Mapping[str, Any] | None) -> bool:
        from loupe.brain.verbs.steps import relabeling

        seen = ctx.panel.state.seen
        return relabeling.decide(ctx.dataset, seen["label"], seen["into"], item, decision, stands)

    # events

    def on_class(self, ctx: Any) -> None:
        """A class was chosen by its name: it is decided at once."""
        chosen = ctx.params.get("value")
        if isinstance(chosen, str) and chosen:
            # the list sends no step along: the App's own is that of the drawing it was chosen in
            ctx.params["step"] = (ctx.panel.state.choices or {}).get("step")
            self.decide(ctx, f"{IS}{chosen}")

    def on_order(self, ctx: Any) -> None:
        order = ctx.params.get("value")
        same = order == self.choices(ctx)["order"]
        self.choose(ctx, order=order, pair=None, item=None, look=False)
        self.refresh(ctx, again=same)

    def on_at_random(self, ctx: Any) -> None:
        self.choose(ctx, order="random", pair=None, item=None, look=False)
        self.refresh(ctx, again=False)

    def on_pair(self, ctx: Any) -> None:
        """A pair of classes was clicked: its issues come alone, or all of them again."""
        seen, pair = ctx.panel.state.seen, ctx.params.get("pair")
        if not seen or (pair is not None and pair not in seen.get("pairs", ())):
            return
        chosen = self.choices(ctx)["pair"]
        again = pair is None or (chosen is not None and list(chosen) == pair)
        self.choose(ctx, order="worst", pair=None if again else pair, item=None, look=False)
        self.refresh(ctx, again=False)

    def on_near(self, ctx: Any) -> None:
        """A neighbor was clicked."""
        seen, item = ctx.panel.state.seen, ctx.params.get("id")
        if seen and item in seen.get("near", ()):
            ctx.ops.open_sample(id=item)

    def on_find_label_issues(self, ctx: Any) -> None:
        seen = ctx.panel.state.seen
        ctx.prompt("@loupe/loupe/find_label_issues", params={"label": seen["label"]} if seen else None)

    def on_relabel(self, ctx: Any) -> None:
        seen = ctx.panel.state.seen
        if seen:
            ctx.prompt("@loupe/loupe/relabel", params={"label": seen["label"]})

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the samples that were decided in one way."""
        from loupe.brain.store.fields import LABEL_ISSUE
        from loupe.brain.store.review.queue import WHICH, Pile

        which = ctx.params.get("which")
        if which in WHICH:
            self.narrow(ctx, Pile(LABEL_ISSUE, which), "There are none of these any more")


def _pair(chosen: Any) -> tuple[str, str] | None:
    """Returns a pair of classes; what the App sends is untrusted."""
    if not isinstance(chosen, (list, tuple)) or len(chosen) != 2 or not all(isinstance(each, str) for each in chosen):
        return None
    return chosen[0], chosen[1]


def _load(samples: Any, labels: LabelField, order: Any, pair: tuple[str, str] | None, before: _Kept | None) -> _Kept:
    """Reads a queue; what is known of the labels and the vectors stays where it was read before."""
    from loupe.brain.store.relabel import corrected as relabel
    from loupe.brain.store.relabel import evidence as relabel_evidence
    from loupe.brain.store.relabel import queue as relabel_queue

    into = relabel.default_field(labels.label) if before is None else before.into
    if before is None:
        relabel.require(samples, labels.label, into)
    known = relabel_queue.overview(samples, labels, into) if before is None else before.known
    vectors = before.vectors if before is not None else None
    if vectors is None:
        vectors = relabel_evidence.Neighborhood.of(samples, labels.embeddings, known.n)
    listed = relabel_queue.queue(samples, labels, order, pair, known.copies)
    queued = {each.id: each for each in listed}
    return _Kept(labels, into, order, pair, known, vectors, queued, Line(list(queued)))


def _in_front(samples: Any, kept: _Kept, choices: Mapping[str, Any]) -> str | None:
    """Returns the picture in front, once it is known what stands on it and on those that come next."""
    from loupe.brain.store.fields import LABEL_ISSUE
    from loupe.brain.store.review import decisions as review

    wanted, look = choices["item"], choices["look"] is True
    if kept.line.place(wanted) is not None and not look:
        # what was just decided, or undone, counts before what comes next is looked for
        kept.learn(review.standing(samples, LABEL_ISSUE, [wanted]), [wanted])
    while True:
        item = kept.line.in_front(wanted, look=look)
        if item is None:
            return None
        asked = kept.line.around(item, BEFORE, BEHIND)
        kept.learn(review.standing(samples, LABEL_ISSUE, asked), asked)
        if item not in kept.line.gone and (look or kept.line.is_open(item)):
            return item
        wanted, look = item, False


def _content(samples: Any, kept: _Kept, item: Evidence | None) -> Content:
    from loupe.brain.stats import remaining

    known = kept.known
    neighbors = () if item is None else kept.vectors.around(samples, kept.labels, kept.into, item)
    around = [] if item is None else kept.line.around(item.id, BEFORE, BEHIND)
    return Content(
        labels=kept.labels,
        into=kept.into,
        order=kept.order,
        pair=kept.pair,
        pairs=known.mixed_up(),
        issues=(len(known.issues), known.decided_issues()),
        counts=known.counts(),
        copies=len(known.copies),
        remaining=remaining.remaining(known.labels),
        item=item,
        neighbors=neighbors,
        among=len(kept.vectors.ids) if not kept.vectors.whole else 0,
        answers={} if item is None else _answers(item, neighbors),
        classes=tuple(sorted(sorted(known.sizes, key=lambda name: -known.sizes[name])[:MAX_CLASSES])),
        strip=tuple((kept.queued[each], known.decision(each)) for each in around),
        back=None if item is None else kept.line.beside(item.id, -1),
        forward=None if item is None else kept.line.beside(item.id, 1),
    )


def _answers(item: Evidence, neighbors: tuple[Neighbor, ...]) -> dict[str, Answer]:
    """Returns what can be decided of a picture."""
    made: dict[str, Answer] = {}
    suggested = None if item.suggestion is None else item.suggestion.label
    if suggested is not None:
        made["accept"] = Answer(f"Accept: {_short(suggested)}", _ACCEPT.keys, _ACCEPT.color)
    if item.given is not None:
        made["keep"] = Answer(f"Keep: {_short(item.given)}", _KEEP.keys, _KEEP.color)
    made |= {"unsure": _UNSURE, "none": _NONE}
    others = dict.fromkeys(each.label for each in neighbors if each.label not in (None, item.given, suggested))
    for key, name in zip(_OTHER_KEYS, list(others)[:MAX_OTHERS], strict=False):
        made[f"{IS}{name}"] = Answer(f"It is {_short(str(name))}", (key,), theme.SERIES[3])
    return made


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
