"""The panel "Duplicates": which picture of a group is kept? One group after the other, by keyboard."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.operators.deduplicate import split_choices, splits_of
from loupe.panels import theme
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown
from loupe.panels.triage import Answer, Line, Triage

if TYPE_CHECKING:
    from loupe.brain.labels.duplicates import Alike
    from loupe.brain.store.duplicates.queue import Card, Decided, Group, Progress, Queue

#: groups of the strip before and behind the one in front
BEFORE, BEHIND = 2, 6
#: pictures of a group that are shown at once: as many as there are keys for
PAGE = 9
#: nothing is looked at
NOTHING = ""


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        offered_splits, offered_labels: what may say a sample's split, and its label, and how that is called
        splits, label: the ones that do; empty: none
        progress: how far it has come
        group: in front; None where nothing is left
        page: which part of its pictures is shown, from 0
        pages: how many parts there are
        shown: these pictures
        beside: the picture that is compared with the kept one; None where none is
        strip: the groups around it: key, where its first picture is served, and whether it is decided
        back, forward: the groups before and behind it
    """

    offered_splits: Mapping[str, str]
    offered_labels: tuple[str, ...]
    splits: str
    label: str
    progress: Progress
    group: Group | None
    page: int
    pages: int
    shown: tuple[Card, ...]
    beside: Card | None
    strip: tuple[tuple[str, str, bool], ...]
    back: str | None
    forward: str | None


@dataclass
class _Kept:
    """What one reading knows, brought up to date by each decision."""

    offered_splits: Mapping[str, str]
    offered_labels: tuple[str, ...]
    splits: str
    label: str
    queue: Queue
    same: Mapping[str, Mapping[str, Alike]]
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self.queue.items, self.queue.done, self.queue.gone)


class DuplicatesPanel(Triage[Content]):
    """The groups of duplicates, each with a decision: which picture is kept."""

    name = "duplicates"
    label = "Duplicates"
    icon = "filter_none"
    subject = "duplicates"
    help_markdown = (
        "Which of these pictures is kept? One group after the other, leaks first: **1** to **9** choose a picture, "
        "**k** keeps it and drops the rest, **m** does so and notes their labels and tags on it, **a** keeps all (they "
        "are no duplicates), **s** skips, **d** shows how two differ, **z** undo, **← →** back and next, **n** a note. "
        "Nothing is deleted: what you decide stands in `deduplicated` of each sample, with who and when."
    )
    answers = {
        "keep": Answer("Keep it, drop the rest", ("k",), theme.FAIL),
        "merge": Answer("Keep it, with their labels", ("m",), "rgb(178, 82, 56)"),
        "distinct": Answer("Keep all", ("a",), theme.PASS),
        "skip": Answer("Skip", ("s",), theme.GRAY),
    }
    #: ``keep``, ``page`` and ``beside``: of which group, and which picture or page
    defaults = {
        **Triage.defaults,
        "splits": None,
        "label": None,
        "keep": (),
        "page": (),
        "beside": (),
    }
    actions = {**Panel.actions, "find_duplicates": "Find duplicates"}

    def narrowing(self) -> type[Decided]:
        from loupe.brain.store.duplicates.queue import Decided

        return Decided

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store import datasets
        from loupe.brain.store.duplicates import groups as duplicate_groups
        from loupe.brain.store.duplicates import queue as duplicate_queue

        datasets.require_images(view)
        samples = datasets.whole(view)
        if kept is None and not duplicate_groups.searched(samples):
            text = "Nobody has looked for duplicates here yet. Find them, then decide which pictures are kept."
            return Notice(text, "find_duplicates")
        if kept is None or (kept.splits, kept.label) != _chosen(choices, kept.offered_splits, kept.offered_labels):
            kept = _load(samples, choices, kept)
        if not kept.queue.items:
            return Notice("No picture here is a duplicate of another one. Nothing is to be decided.", "find_duplicates")
        item = _in_front(samples, kept, choices)
        group = None
        if item is not None:
            group = duplicate_queue.close(samples, kept.queue, item, kept.same, _of(choices["keep"], item))
        cards = () if group is None else group.cards
        pages = max(1, -(-len(cards) // PAGE))
        wanted = _of(choices["page"], item)
        page = min(max(wanted, 0), pages - 1) if isinstance(wanted, int) else 0
        compared = _of(choices["beside"], item)
        content = Content(
            offered_splits=kept.offered_splits,
            offered_labels=kept.offered_labels,
            splits=kept.splits,
            label=kept.label,
            progress=kept.queue.progress(),
            group=group,
            page=page,
            pages=pages,
            shown=cards[page * PAGE : (page + 1) * PAGE],
            beside=next((card for card in cards if card.id == compared and not card.keeps), None),
            strip=_strip(samples, kept, item),
            back=None if item is None else kept.line.beside(item, -1),
            forward=None if item is None else kept.line.beside(item, 1),
        )
        return Reading(content, {"splits": kept.splits, "label": kept.label, "item": item}, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        group = content.group
        return {
            "item": None if group is None else group.item,
            "stands": None if group is None else {"digest": group.digest},
            "keep": None if group is None else group.keep,
            "shown": [card.id for card in content.shown],
            "next": _next_beside(content),
            "strip": [item for item, _, _ in content.strip],
            "back": content.back,
            "forward": content.forward,
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Decided | None) -> None:
        from loupe.panels.duplicates import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    # what triage needs

    def made(self, ctx: Any, answer: str, note: str) -> dict[str, Any]:
        from loupe.brain.core import who

        seen = ctx.panel.state.seen
        # what was chosen last counts, be it drawn already or not
        keep = _of(self.choices(ctx)["keep"], seen["item"]) or seen["keep"]
        return {
            "answer": answer,
            "keep": "" if answer == "distinct" else str(keep),
            "key": secrets.token_hex(8),
            "by": str(getattr(ctx.user, "name", None) or "") or who.user(),
            "at": who.now("milliseconds"),
            "note": note,
        }

    def write(self, ctx: Any, item: str, decision: Mapping[str, Any] | None, stands: Mapping[str, Any] | None) -> bool:
        from loupe.brain.core.deduplicated import GroupDecision
        from loupe.brain.store.duplicates import decided as deduplicated

        kept = self._open(ctx).kept[1]
        if not isinstance(kept, _Kept) or kept.line.place(item) is None:
            return False  # a server that was just started knows no groups: it reads them now
        members = kept.queue.samples(item)
        if decision is None or "answer" not in decision:
            key = str((stands or {}).get("key") or "")
            return deduplicated.is_decided(ctx.dataset, members, key) and bool(
                deduplicated.take_back(ctx.dataset, members, key)
            )
        known = deduplicated.standing(ctx.dataset, members)
        if deduplicated.digest(known) != (stands or {}).get("digest"):
            return False
        tags = splits_of(kept.splits)
        return deduplicated.decide(
            ctx.dataset, members, GroupDecision(**decision), known, () if isinstance(tags, str) else tags
        )

    def _overtaken(self, ctx: Any, item: str) -> None:
        ctx.ops.notify("This group has changed meanwhile: look at it again", variant="warning")
        self.choose(ctx, item=item, look=True)

    # events

    def on_decide(self, ctx: Any) -> None:
        if ctx.params.get("answer") != "skip":
            super().on_decide(ctx)
            return
        seen = ctx.panel.state.seen
        if not seen or not seen.get("item"):
            return
        self._press(ctx)
        kept = self._open(ctx).kept[1]
        beyond = kept.line.open_behind(seen["item"]) if isinstance(kept, _Kept) else None
        if beyond is None:
            ctx.ops.notify("This is the last one that is open", variant="info")
        else:
            self.choose(ctx, item=beyond, look=False)
        self.refresh(ctx, again=False)

    def on_keep(self, ctx: Any) -> None:
        """A picture of the group was chosen."""
        self._of_group(ctx, "keep", ctx.params.get("id"), ctx.panel.state.seen and ctx.panel.state.seen.get("shown"))

    def on_page(self, ctx: Any) -> None:
        """Other pictures of the group are to be shown."""
        page = ctx.params.get("page")
        self._of_group(ctx, "page", page, [page] if isinstance(page, int) else [])

    def on_beside(self, ctx: Any) -> None:
        """Two pictures are to be compared, or are not any more."""
        seen = ctx.panel.state.seen
        wanted = ctx.params.get("id")
        self._of_group(ctx, "beside", wanted, [None, *(seen or {}).get("shown", ())])

    def on_open(self, ctx: Any) -> None:
        """A picture is to be seen by itself, with all that is known of it."""
        seen, wanted = ctx.panel.state.seen, ctx.params.get("id")
        if seen and wanted in seen.get("shown", ()):
            ctx.ops.open_sample(id=wanted)

    def _of_group(self, ctx: Any, name: str, value: Any, allowed: Any) -> None:
        seen = ctx.panel.state.seen
        if seen and seen.get("item") and value in (allowed or ()):
            # what was decided stays in front while something of it is chosen
            self.choose(ctx, None, **{name: (seen["item"], value), "item": seen["item"], "look": True})
            self.refresh(ctx, again=False)

    def on_splits(self, ctx: Any) -> None:
        self._read_by(ctx, splits=ctx.params.get("value"))

    def on_label(self, ctx: Any) -> None:
        self._read_by(ctx, label=ctx.params.get("value"))

    def _read_by(self, ctx: Any, **choice: Any) -> None:
        self.choose(ctx, **choice, item=None, look=False)
        self.refresh(ctx, again=False)

    def on_find_duplicates(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/find_duplicates")

    def on_deduplicate(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/deduplicate")

    def on_save(self, ctx: Any) -> None:
        """Saves the view of what is kept."""
        from loupe.brain.store.duplicates import decided as deduplicated

        name = deduplicated.save_view(self.widened(ctx)[0])
        ctx.ops.notify(f"What is kept is the saved view {name!r}", variant="success")
        ctx.ops.reload_dataset()

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to what is kept, or to what is dropped."""
        from loupe.brain.store.duplicates.queue import WHICH, Decided

        which = ctx.params.get("which")
        if which in WHICH:
            self.narrow(ctx, Decided(which), "Nothing is dropped yet")


def _of(choice: Any, item: str | None) -> Any:
    """Returns what was chosen of a group; None where it was chosen of another one."""
    if isinstance(choice, (list, tuple)) and len(choice) == 2 and item is not None and choice[0] == item:
        return choice[1]
    return None


def _next_beside(content: Content) -> str | None:
    """Returns the picture that is compared next; None at the end."""
    others = [card.id for card in content.shown if not card.keeps]
    if content.beside is None or content.beside.id not in others:
        return others[0] if others else None
    at = others.index(content.beside.id) + 1
    return others[at] if at < len(others) else None


def _chosen(choices: Mapping[str, Any], splits: Mapping[str, str], labels: tuple[str, ...]) -> tuple[str, str]:
    """Returns what says a sample's split and its label: as chosen, else the likeliest."""
    split, label = choices["splits"], choices["label"]
    if split not in (*splits, NOTHING):
        split = next(iter(splits), NOTHING)
    if label not in (*labels, NOTHING):
        label = next(iter(labels), NOTHING)
    return split, label


def _load(samples: Any, choices: Mapping[str, Any], kept: _Kept | None) -> _Kept:
    from loupe.brain.store.duplicates import groups as duplicate_groups
    from loupe.brain.store.duplicates.queue import Queue
    from loupe.brain.store.labels import given as labels

    splits = kept.offered_splits if kept is not None else split_choices(samples)
    offered = kept.offered_labels if kept is not None else _labels(labels.fields_of(samples), splits)
    split, label = _chosen(choices, splits, offered)
    members = duplicate_groups.read(samples, splits_of(split), label)
    same = kept.same if kept is not None else duplicate_groups.same(samples)
    return _Kept(splits, offered, split, label, Queue(members), same)


def _labels(fields: list[str], splits: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the fields of labels, what is called the truth first."""
    own = [name for name in fields if name not in splits and name != "duplicate_group"]
    return tuple(sorted(own, key=lambda name: name != "ground_truth"))


def _in_front(samples: Any, kept: _Kept, choices: Mapping[str, Any]) -> str | None:
    """Returns the group in front, once it is known what stands on it."""
    from loupe.brain.store.duplicates import decided as deduplicated

    wanted, look = choices["item"], choices["look"] is True

    def learn(item: str) -> None:
        kept.queue.learn(item, deduplicated.standing(samples, kept.queue.samples(item)))

    if kept.line.place(wanted) is not None and not look:
        # what was just decided, or undone, counts before what comes next is looked for
        learn(wanted)
    while True:
        item = kept.line.in_front(wanted, look=look)
        if item is None:
            return None
        learn(item)
        if item not in kept.line.gone and (look or kept.line.is_open(item)):
            return item
        wanted, look = item, False


def _strip(samples: Any, kept: _Kept, item: str | None) -> tuple[tuple[str, str, bool], ...]:
    from loupe.brain.store.duplicates import groups as duplicate_groups

    if item is None:
        return ()
    around = kept.line.around(item, BEFORE, BEHIND)
    sources = duplicate_groups.sources(samples, around)
    return tuple((each, sources.get(each, ""), each in kept.line.done) for each in around)
