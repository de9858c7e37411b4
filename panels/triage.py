"""What panels have in common that go through a queue: one item after the other, one decision each, by keyboard.

A triage panel says what its answers are (``answers``), writes a decision where nobody else has written meanwhile
(``write``), and reads its queue and what is known of the item in front (``read``). Going on, back, undo, notes and
presses that come twice are done here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from loupe.panels import theme
from loupe.panels.base import Panel
from loupe.panels.latest import Overtaken

if TYPE_CHECKING:
    from loupe.brain.store.narrowing import Narrowing

C = TypeVar("C")

#: so many decisions can be undone
MAX_UNDO = 20
_MAX_NOTE = 500
#: so many are shown of what is like the picture in front
ALIKE = 24


@dataclass(frozen=True)
class Answer:
    """What can be decided: a button.

    Attributes:
        label: of the button
        keys: that press it, the first of them stands on the button
        color: of the button
    """

    label: str
    keys: tuple[str, ...]
    color: str = theme.GRAY


@dataclass
class Line:
    """The items of a queue in order, and which of them are done.

    Attributes:
        items: their keys
        done: those that were decided, by whoever
        gone: those that are no more
    """

    items: list[str]
    done: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._place = {item: at for at, item in enumerate(self.items)}

    def place(self, item: Any) -> int | None:
        """Returns where an item stands; None for what is none."""
        return self._place.get(item) if isinstance(item, str) and item not in self.gone else None

    def is_open(self, item: str) -> bool:
        """Returns whether an item waits for its decision."""
        return item not in self.done and item not in self.gone

    def in_front(self, item: Any, *, look: bool) -> str | None:
        """Returns the item that is to be shown; None where nothing is left.

        Args:
            item: the one that was in front last
            look: whether that one is to be shown again, decided or not
        """
        at = self.place(item)
        if at is not None and (look or self.is_open(self.items[at])):
            return self.items[at]
        start = self._place.get(item, -1) + 1 if isinstance(item, str) else 0
        onward = [*self.items[start:], *self.items[:start]]
        return next((each for each in onward if self.is_open(each)), None)

    def open_behind(self, item: str) -> str | None:
        """Returns the next open item behind another one, from the first one again; None where no other is open."""
        at = self._place.get(item, -1)
        onward = [*self.items[at + 1 :], *self.items[: max(at, 0)]]
        return next((each for each in onward if self.is_open(each)), None)

    def beside(self, item: str, step: int) -> str | None:
        """Returns the item before (-1) or behind (1) another one, decided or not; None at the end of the queue."""
        at = self._place.get(item)
        while at is not None:
            at += step
            if not 0 <= at < len(self.items):
                return None
            if self.items[at] not in self.gone:
                return self.items[at]
        return None

    def around(self, item: str, before: int, behind: int) -> list[str]:
        """Returns the items around one, itself included; more of one side where the other has fewer."""
        left = [each for each in self.items if each not in self.gone]
        at = left.index(item) if item in left else 0
        start = max(0, min(at - before, len(left) - before - behind - 1))
        return left[start : start + before + behind + 1]


class Triage(Panel[C]):
    """Base of the panels that go through a queue.

    ``seen`` of a subclass has the ``item`` in front and what ``stands`` on it, as ``write`` knows it.

    Attributes:
        answers: what can be decided, by name
    """

    answers: ClassVar[Mapping[str, Answer]] = {}
    #: ``item``: in front; ``look``: whether it stays there though it is decided; ``step``: raised with every press, so
    #: that one that was meant for the item before decides nothing; ``undo``: what was decided, the last one at the end
    defaults = {"item": None, "look": False, "step": 0, "undo": ()}

    def allows(self, seen: Mapping[str, Any], answer: Any) -> bool:
        """Returns whether that can be decided of what is in front; by default any of ``answers``."""
        return answer in self.answers

    @abstractmethod
    def made(self, ctx: Any, answer: str, note: str) -> dict[str, Any]:
        """Returns a decision as JSON-able values: what, who, when."""

    @abstractmethod
    def write(self, ctx: Any, item: str, decision: Mapping[str, Any] | None, stands: Mapping[str, Any] | None) -> bool:
        """Writes a decision, or takes one away, and returns True; False where something else stands by now.

        Args:
            ctx: the event's context
            item: the key of the item
            decision: what ``made`` returned; None: nothing stands there any more
            stands: what is known to stand there
        """

    # events

    def on_decide(self, ctx: Any) -> None:
        """A button or key of an answer was pressed."""
        self.decide(ctx, ctx.params.get("answer"))

    def on_undo(self, ctx: Any) -> None:
        """Takes the last decision back, and what stood there before stands there again."""
        self._press(ctx)
        undo = _undone(self.choices(ctx)["undo"])
        if not undo:
            return
        item, before, decision = undo.pop()
        self.choose(ctx, undo=undo, item=item, look=True)
        if not self.write(ctx, item, before, decision):
            self._overtaken(ctx, item)
        self.refresh(ctx, again=False)

    def on_back(self, ctx: Any) -> None:
        self._go(ctx, -1)

    def on_forward(self, ctx: Any) -> None:
        self._go(ctx, 1)

    def on_pick(self, ctx: Any) -> None:
        """A picture of the strip was clicked."""
        seen, item = ctx.panel.state.seen, ctx.params.get("id")
        if seen and item in seen.get("strip", ()):
            self.choose(ctx, item=item, look=True)
            self.refresh(ctx, again=False)

    def on_open(self, ctx: Any) -> None:
        """The large picture was clicked."""
        seen = ctx.panel.state.seen
        if seen and seen.get("item"):
            ctx.ops.open_sample(id=seen["item"])

    def on_more_like(self, ctx: Any) -> None:
        """Shows in the grid what is the most alike to the picture in front; the queue stays as it is."""
        from loupe.brain import api
        from loupe.brain.store import alike, vectors

        seen = ctx.panel.state.seen
        item = seen.get("item") if seen else None
        if not item:
            return
        before, _ = self.widened(ctx)
        fields = vectors.fields_of(before)
        if not fields:
            ctx.ops.notify("There are no vectors yet: embed the images first", variant="info")
            ctx.prompt("@loupe/loupe/embed")
            return
        made = api.more_like(before, item, ALIKE, embeddings=fields[0])
        self.narrow(ctx, alike.Alike(item), "There is nothing else here to be like it", list(made.ids))

    # what they are made of

    def decide(self, ctx: Any, answer: Any) -> None:
        """Writes what was decided of the item in front, and goes on."""
        seen = ctx.panel.state.seen
        if not seen or not seen.get("item") or not self.allows(seen, answer):
            return
        self._press(ctx)
        choices = self.choices(ctx)
        decision = self.made(ctx, answer, _note(ctx))
        item, stands = seen["item"], seen.get("stands")
        if self.write(ctx, item, decision, stands):
            undo = [*_undone(choices["undo"]), [item, stands, decision]][-MAX_UNDO:]
            self.choose(ctx, item=item, look=False, undo=undo)
        else:
            self._overtaken(ctx, item)
        self.refresh(ctx, again=False)

    def narrowings(self) -> tuple[type[Narrowing], ...]:
        from loupe.brain.store.alike import Alike

        return (*super().narrowings(), Alike)

    def pressed(self, ctx: Any) -> dict[str, int]:
        """Returns what a button sends along, so that a late press of it is known."""
        return {"step": self.choices(ctx)["step"]}

    def _press(self, ctx: Any) -> None:
        """Notes a press.

        Raises:
            Overtaken: it was meant for what was in front before
        """
        step = ctx.params.get("step")
        if not isinstance(step, int) or isinstance(step, bool):
            raise Overtaken
        self.choose(ctx, {"step": step}, step=step + 1)

    def _go(self, ctx: Any, step: int) -> None:
        seen = ctx.panel.state.seen
        item = seen.get("back" if step < 0 else "forward") if seen else None
        self._press(ctx)
        if item:
            self.choose(ctx, item=item, look=True)
        self.refresh(ctx, again=False)

    def _overtaken(self, ctx: Any, item: str) -> None:
        ctx.ops.notify("Somebody else has decided this meanwhile: look at it again", variant="warning")
        self.choose(ctx, item=item, look=True)


def _note(ctx: Any) -> str:
    """Returns the note that was written beside the item in front: the App sends what its inputs hold along."""
    notes = ctx.panel.state.notes
    text = notes.get(f"note__{ctx.params['step']}") if isinstance(notes, Mapping) else None
    return text.strip()[:_MAX_NOTE] if isinstance(text, str) else ""


def _undone(undo: Any) -> list[list[Any]]:
    """Returns the decisions that can be undone; what the App sends is untrusted."""
    if not isinstance(undo, Sequence) or isinstance(undo, str):
        return []
    return [
        [item, before, decision]
        for item, before, decision in (each for each in undo if isinstance(each, Sequence) and len(each) == 3)
        if isinstance(item, str) and isinstance(decision, Mapping) and (before is None or isinstance(before, Mapping))
    ]
