"""What every panel has in common: late events, notices, and how it narrows the App's view.

A panel is one folder, ``panels/<name>/``, and one line in fiftyone.yml. Its ``panel.py`` holds one subclass of
``Panel`` with ``read`` (a view in, a record out), ``seen`` and ``draw`` (the record in, the App's components out).
"""

from __future__ import annotations

import inspect
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import fiftyone.operators as foo
from fiftyone.operators import types

from loupe.operators import letters
from loupe.operators.run import explain
from loupe.panels import latest, theme
from loupe.panels.latest import OpenPanel, Overtaken, Shown

if TYPE_CHECKING:
    from loupe.brain.store.narrowing import Narrowing

C = TypeVar("C")


@dataclass(frozen=True)
class Notice:
    """What is said where nothing can be drawn: what to do next.

    Attributes:
        text: a sentence or two
        action: the name of the button below it, one of ``Panel.actions``; empty: there is none
    """

    text: str
    action: str = ""


@dataclass(frozen=True)
class Reading(Generic[C]):
    """What a panel read.

    Attributes:
        content: what is drawn: a record
        decided: the choices that could not stay as they were
        kept: what the next reading of the same samples need not read again
    """

    content: C
    decided: Mapping[str, Any] = field(default_factory=dict)
    kept: Any = None


#: seconds between two looks whether a notice still holds
_LOOKS = 3


class Panel(foo.Panel, ABC, Generic[C]):
    """Base of the panels.

    The App keeps a small state and sends it along with each event: ``tab`` (this panel in this browser), ``serial``,
    ``turn``, ``choices``, ``of``, ``view``, ``seen`` and ``notice`` (see ``latest.Shown``). What is drawn stays on the
    server, and is read again where the server has forgotten it. What the App keeps of its inputs is never written: it
    would take that for a choice, and write all of the state as it was before. So no input's path begins with one of
    those names.

    Attributes:
        name: as in fiftyone.yml, and the folder's
        label: how the App calls it
        icon: one of Material's
        help_markdown: what it is for
        subject: what it shows, in a word: failures, scores
        defaults: what the reader can choose, and what is chosen at first
        actions: the buttons of notices: for ``x`` its label; a method ``on_x`` does it
    """

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    help_markdown: ClassVar[str]
    subject: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = {}
    actions: ClassVar[Mapping[str, str]] = {
        "check": "Check the images",
        "flag": "Flag the failures",
        "refresh": "Try again",
    }

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name=self.name, label=self.label, icon=self.icon, help_markdown=inspect.cleandoc(self.help_markdown)
        )

    @abstractmethod
    def narrowing(self) -> type[Narrowing]:
        """Returns what the panel narrows the view to; imported here, so that the plugin loads quickly."""

    def narrowings(self) -> tuple[type[Narrowing], ...]:
        """Returns all that the panel narrows the view to."""
        return (self.narrowing(),)

    @abstractmethod
    def read(self, view: Any, choices: Mapping[str, Any], kept: Any) -> Reading[C] | Notice:
        """Reads what is drawn, or says what to do next.

        Args:
            view: the samples, at least one, as they were before the panel narrowed them
            choices: what the reader chose; the values may be anything
            kept: what the last reading of the same samples kept; None where all is to be read anew

        Raises:
            LoupeError: becomes a notice, as any other error does
        """

    @abstractmethod
    def seen(self, content: C) -> dict[str, Any]:
        """Returns what a later click needs to know of what was drawn: few JSON-able values."""

    @abstractmethod
    def draw(self, panel: types.Object, content: C, shown: Shown, narrowed: Any) -> None:
        """Draws what was read.

        Args:
            panel: to draw on
            content: what was read
            shown: the choices, and the turn of the inputs
            narrowed: what the panel narrowed the view to, or None
        """

    # events

    def execute(self, ctx: Any) -> Any:
        method = ctx.params.get("__method__")
        if method is None or method == "on_startup":
            return super().execute(ctx)
        handler = getattr(self, method, None) if str(method).startswith("on_") else None
        if handler is None:
            return None
        try:
            # the App says "the view has changed" three times after every event, with the state as it was before
            if method != "on_change_view" or not self._is_drawn(ctx):
                handler(ctx)
        except Overtaken:
            pass
        except Exception as error:
            # of what could not be read there is a notice; here a button failed, and what is drawn still holds
            ctx.ops.notify(explain(error), variant="error")
        return None

    def on_load(self, ctx: Any) -> None:
        if not ctx.panel.state.tab:
            # a saved workspace gives its panels the same ids in every browser
            ctx.panel.state.set("tab", secrets.token_hex(4))
        self.refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        self._open(ctx).forget_choices()
        self.refresh(ctx)

    def on_change_view(self, ctx: Any) -> None:
        # where the panel itself narrowed the view its drawing stays, so that the next click can go elsewhere
        known = self._open(ctx).shown
        if known is None or known.notice is not None or known.of != self._of(ctx):
            self.refresh(ctx, unless=known)
        else:
            self.redraw(ctx)

    def on_refresh(self, ctx: Any) -> None:
        self.refresh(ctx)

    def on_look(self, ctx: Any) -> None:
        """Looks whether a notice still holds: of an operator that has run no panel is told."""
        panel = self._open(ctx)
        if not panel.pending and (panel.shown is None or panel.shown.notice is not None):
            self.refresh(ctx, unless=panel.shown)

    def on_check(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/check")

    def on_flag(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/flag")

    def on_show_all(self, ctx: Any) -> None:
        """Sets the view back to what it was before the panel narrowed it."""
        before, narrowed = self.widened(ctx)
        if narrowed is not None:
            ctx.ops.set_view(before)

    # what events are made of

    def choose(self, ctx: Any, not_before: Mapping[str, int] | None = None, **choices: Any) -> None:
        """Notes what the reader chose; ``refresh`` or ``redraw`` draws it.

        Raises:
            Overtaken: the event is a late one, by ``not_before``, see ``OpenPanel.choose``
        """
        self._open(ctx).choose(choices, not_before)

    def choices(self, ctx: Any) -> dict[str, Any]:
        """Returns what the reader chose last, whatever is drawn already."""
        return self._chosen(self._open(ctx).choices)

    def turn(self, ctx: Any) -> int:
        """Returns the turn of the inputs that were drawn last."""
        return self._open(ctx).turn

    def refresh(self, ctx: Any, *, again: bool = True, in_place: bool = False, unless: Shown | None = None) -> None:
        """Reads the current view and draws it.

        Args:
            ctx: the event's context
            again: read also what the last reading kept
            in_place: the inputs that keep a position of their own stand where the reader put them
            unless: where this is a notice that still holds, the App is not answered: it takes each answer for a new
                view, and would ask for ever

        Raises:
            Overtaken: a later event draws
        """
        of = view = ""
        unreadable: Notice | None = None
        try:
            of, view = self._of(ctx), self._view(ctx)
        except Exception as error:
            unreadable = Notice(explain(error), "refresh")
        with self._open(ctx).drawing(of, view, in_place=in_place) as drawing:
            reading = unreadable or self._read(ctx, drawing.choices, None if again else drawing.kept)
            if isinstance(reading, Notice):
                notice = {"text": reading.text, "action": reading.action}
                shown = drawing.end(Shown(notice=notice, of=of, view=view), {})
            else:
                content, seen = reading.content, self.seen(reading.content)
                shown = drawing.end(
                    Shown(content=content, seen=seen, of=of, view=view), reading.decided, kept=reading.kept
                )
        if unless is None or shown.notice is None or (shown.notice, shown.view) != (unless.notice, unless.view):
            self._show(ctx, shown)

    def redraw(self, ctx: Any) -> None:
        """Draws again what was read, beside another view or by other choices.

        Raises:
            Overtaken: a later event draws
        """
        shown = self._open(ctx).redraw(self._view(ctx))
        if shown is None:
            self.refresh(ctx)
        else:
            self._show(ctx, shown)

    def widened(self, ctx: Any) -> tuple[Any, Any]:
        """Returns the view as it was before the panel narrowed it, and to what it did, or None."""
        from loupe.brain.store import narrowing

        if ctx.dataset is None:
            return None, None
        view, to = ctx.view, None
        for kind in self.narrowings():
            view, own = narrowing.widen(view, kind)
            to = to or own
        return view, to

    def narrow(self, ctx: Any, to: Narrowing, nothing: str, ids: Sequence[str] | None = None) -> None:
        """Narrows the App's view, from all samples whatever it was narrowed to before.

        Args:
            ctx: the event's context
            to: which samples
            nothing: what to say where there are none; the view stays as it is then
            ids: where ``to`` selects: just those
        """
        from loupe.brain.store import narrowing

        view = narrowing.narrow(self.widened(ctx)[0], to, ids)
        if len(view.limit(1)):
            ctx.ops.set_view(view)
        else:
            ctx.ops.notify(nothing, variant="info")

    # drawing

    def render(self, ctx: Any) -> types.Property:
        return self._rendered(ctx, self._open(ctx).shown or Shown(notice={"text": "Loading …", "action": ""}))

    def _show(self, ctx: Any, shown: Shown) -> None:
        ctx.panel.state.set(
            {
                "serial": shown.serial,
                "turn": shown.turn,
                "choices": self._chosen(shown.choices),
                "of": shown.of,
                "view": shown.view,
                "seen": shown.seen,
                "notice": shown.notice,
            }
        )
        ctx.ops.show_panel_output(self._rendered(ctx, shown))

    def _rendered(self, ctx: Any, shown: Shown) -> types.Property:
        panel = types.Object()
        if shown.notice is None:
            try:
                shown = replace(shown, choices=self._chosen(shown.choices))
                self.draw(panel, shown.content, shown, self.widened(ctx)[1])
            except Exception as error:
                panel = types.Object()
                self._draw_notice(panel, {"text": explain(error), "action": "refresh"})
        else:
            self._draw_notice(panel, shown.notice)
        one_column = {"grid": {"sx": theme.ONE_COLUMN}}
        view = types.GridView(orientation="vertical", gap=1, pad=2, componentsProps=one_column)
        return types.Property(letters.written(panel), view=view)

    def _draw_notice(self, panel: types.Object, notice: Mapping[str, str]) -> None:
        panel.view("notice", types.AlertView(severity="info", label=notice["text"]))
        panel.view("look", types.TimerView(interval=1000 * _LOOKS, on_interval=self.on_look))
        action = notice["action"]
        if action:
            panel.btn("action", label=self.actions[action], on_click=getattr(self, f"on_{action}"), variant="contained")

    def _read(self, ctx: Any, choices: Mapping[str, Any], kept: Any) -> Reading[C] | Notice:
        try:
            if ctx.dataset is None:
                return Notice(f"Open a dataset to see its {self.subject}.")
            from loupe.brain.store.datasets import refresh

            refresh(ctx.dataset)
            view, _ = self.widened(ctx)
            if kept is None and not len(view.limit(1)):
                return Notice("There are no samples here. Generate or import some, or clear the view.", "refresh")
            return self.read(view, self._chosen(choices), kept)
        except Exception as error:
            return Notice(explain(error), "refresh")

    # what is known

    def _open(self, ctx: Any) -> OpenPanel:
        state = ctx.panel.state
        known = {name: state.get(name) for name in ("serial", "turn", "choices")}
        return latest.panel(f"{self.name} {state.tab or ctx.panel_id}", known)

    def _chosen(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        return {name: choices.get(name, default) for name, default in self.defaults.items()}

    def _is_drawn(self, ctx: Any) -> bool:
        """Returns whether the panel is drawn beside the current view, or about to be."""
        panel = self._open(ctx)
        if panel.shown is None and not panel.pending:
            return ctx.panel.state.seen is not None and bool(ctx.panel.state.view == self._view(ctx))
        return panel.view() == self._view(ctx)

    def _of(self, ctx: Any) -> str:
        """Returns which samples are read: the dataset, and the view's stages but for the panel's own."""
        from loupe.brain.store import columns

        return columns.fingerprint(self.widened(ctx)[0]) if ctx.dataset is not None else ""

    def _view(self, ctx: Any) -> str:
        """Returns which samples the App shows."""
        from loupe.brain.store import columns

        return columns.fingerprint(ctx.view) if ctx.dataset is not None else ""
