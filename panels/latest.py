"""What the server knows of a panel that is open: what was chosen, what is drawn, and which of its events is the last.

The App sends the next event before it has the answer to the one before. A slider that is moved by the arrow keys sends
an event a step, a quick reader chooses twice, and the answers come in any order. What the App sends along is the
panel's state before all of them, so that only the server knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

#: of so many panels something is known; of one more, the panel that was used last long ago is forgotten
_MAX = 8


class Overtaken(Exception):
    """A later event draws something else: this one draws nothing."""


@dataclass(frozen=True)
class Shown:
    """What a panel shows.

    Attributes:
        content: what is drawn; None where nothing can be
        notice: what to do where nothing can be drawn: its text and the name of an action
        seen: what a later click needs to know of it, as JSON-able values: it travels with the App's state
        of: which samples it is of: the view, but for what the panel itself narrowed it to
        view: which samples the App shows beside it
        choices: what the reader chose
        turn: raised where inputs that keep a position of their own are made anew, for the server moved them
        serial: how often the panel was drawn
    """

    content: Any = None
    notice: Mapping[str, str] | None = None
    seen: Mapping[str, Any] | None = None
    of: str = ""
    view: str = ""
    choices: Mapping[str, Any] = field(default_factory=dict)
    turn: int = 0
    serial: int = 0


@dataclass(frozen=True)
class Drawing:
    """A drawing that has begun.

    Attributes:
        choices: what was chosen when it began
        kept: what the drawing before kept of the same samples, or None
    """

    choices: Mapping[str, Any]
    kept: Any
    _panel: OpenPanel
    _number: int

    def end(self, shown: Shown, decided: Mapping[str, Any], kept: Any = None) -> Shown:
        """Notes what is shown from now on; returns it with the choices and numbers of this moment.

        Args:
            shown: what is drawn
            decided: the choices that could not stay as they were
            kept: what the next drawing of the same samples may use

        Raises:
            Overtaken: a later drawing has begun
        """
        panel = self._panel
        with panel.lock:
            if self._number != panel.begun:
                raise Overtaken
            panel.pending = False
            panel.choices.update(decided)
            panel.kept = (shown.of, kept)
            return panel.note(shown)


@dataclass
class OpenPanel:
    """One panel in one browser; several threads may ask of it at once.

    Attributes:
        serial: how often it was drawn
        turn: of its inputs
        choices: what the reader chose
        shown: what was drawn last; None where this server has drawn nothing
        kept: which samples something was kept of, and what
        begun: how many drawings have begun
        pending: whether the last of them has not ended yet
        coming: beside which samples it will be
        lock: held while any of these changes
    """

    serial: int = 0
    turn: int = 0
    choices: dict[str, Any] = field(default_factory=dict)
    shown: Shown | None = None
    kept: tuple[str, Any] = ("", None)
    begun: int = 0
    pending: bool = False
    coming: str = ""
    lock: Lock = field(default_factory=Lock)

    def choose(self, choices: Mapping[str, Any], not_before: Mapping[str, int] | None = None) -> None:
        """Notes what the reader chose.

        Args:
            choices: by name
            not_before: numbers by the names of choices: where one of these choices is a higher number by now, the
                event is a late one

        Raises:
            Overtaken: it is a late one; nothing is noted
        """
        with self.lock:
            for name, number in (not_before or {}).items():
                known = self.choices.get(name)
                if isinstance(known, int) and known > number:
                    raise Overtaken
            self.choices.update(choices)

    def forget_choices(self) -> None:
        """Goes back to the defaults."""
        with self.lock:
            self.choices.clear()

    @contextmanager
    def drawing(self, of: str, view: str, *, in_place: bool = False) -> Iterator[Drawing]:
        """Begins to draw; what has begun before it draws nothing any more.

        Args:
            of: which samples it is of
            view: which samples the App shows beside it
            in_place: the inputs stand where the reader put them
        """
        with self.lock:
            self.begun += 1
            self.pending, self.coming = True, view
            self.turn += not in_place
            kept = self.kept[1] if self.kept[0] == of else None
            drawing = Drawing(dict(self.choices), kept, self, self.begun)
        try:
            yield drawing
        finally:
            with self.lock:
                self.pending = self.pending and self.begun != drawing._number

    def redraw(self, view: str) -> Shown | None:
        """Notes that the same is drawn beside other samples or by other choices; returns it, None where nothing is.

        Raises:
            Overtaken: a drawing has begun that will include both
        """
        with self.lock:
            if self.pending:
                raise Overtaken
            if self.shown is None or self.shown.content is None:
                return None
            return self.note(replace(self.shown, view=view))

    def note(self, shown: Shown) -> Shown:
        """Notes what is shown, while the lock is held."""
        self.serial += 1
        self.shown = replace(shown, choices=dict(self.choices), turn=self.turn, serial=self.serial)
        return self.shown

    def view(self) -> str | None:
        """Returns beside which samples it is drawn, or about to be; None where nothing is drawn."""
        with self.lock:
            if self.pending:
                return self.coming
            return self.shown.view if self.shown is not None and self.shown.content is not None else None


_panels: dict[str, OpenPanel] = {}
_lock = Lock()


def panel(name: str, state: Mapping[str, Any]) -> OpenPanel:
    """Returns what is known of a panel.

    Args:
        name: of the panel in one browser
        state: what the App knows of it; believed where it is ahead, for this server has only just been started, or
            another one has drawn since
    """
    serial, turn, choices = state.get("serial"), state.get("turn"), state.get("choices")
    with _lock:
        known = _panels.pop(name, None)
        if known is None or (isinstance(serial, int) and serial > known.serial):
            known = OpenPanel(
                serial=serial if isinstance(serial, int) else 0,
                turn=turn if isinstance(turn, int) else 0,
                choices=dict(choices) if isinstance(choices, Mapping) else {},
            )
        _panels[name] = known
        while len(_panels) > _MAX:
            del _panels[next(iter(_panels))]
        return known
