"""The panel "Compare": a leaderboard that says where it cannot rank, and two of them slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.operators.wording import in_app
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.core.comparison import Comparison, Difference, Regression
    from loupe.brain.slicing.changed import Changed
    from loupe.brain.slicing.regressions import Units
    from loupe.brain.store.comparison.columns import Compared
    from loupe.brain.store.comparison.view import Pairs

#: so many factors are read, to look at two contenders by
_MAX_FACTORS = 12
#: a grid of more pairs is looked through by nobody
MAX_PAIRS = 500
_FIRST = "generation.model"
#: of more pairs regressions are looked for where somebody asks for them: it takes a second or more
_MAX_SEARCHED = 20_000


@dataclass(frozen=True)
class _Kept:
    """What is not read again while others of the same contenders are looked at."""

    offered: Mapping[str, Any]
    failures: tuple[str, ...]
    asked: tuple[str, str, str]
    read: Compared
    made: Comparison


@dataclass(frozen=True)
class Two:
    """Two contenders side by side.

    Attributes:
        difference: the new one (``a``) against the old one
        changed: the same slice by slice; None where there is no factor
        factor: what the slices are of; empty: none
        factors: what else they may be of
        pairs: for all pairs that changed, of the new one and the old one, the places of the samples
        units: what they are compared by
        regressions: where the new one surely got worse; None: nobody has looked
    """

    difference: Difference
    changed: Changed | None
    factor: str
    factors: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    units: Units
    regressions: tuple[Regression, ...] | None


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        dataset: its name
        by: what is compared; ``offered``: what else may be
        failure: what is counted; ``failures``: what else may be
        comparison: the leaderboard; None where there is none, for the reason that ``problem`` is
        two: the two that are looked at
        queries: the database's query of each of the two
    """

    dataset: str
    by: str
    offered: tuple[str, ...]
    failure: str
    failures: tuple[str, ...]
    comparison: Comparison | None = None
    problem: str = ""
    two: Two | None = None
    queries: tuple[Mapping[str, Any], ...] = ()


class Compare(Panel[Content]):
    """Rows are models, runs or dates."""

    name = "comparison"
    label = "Compare"
    icon = "compare_arrows"
    subject = "models side by side"
    help_markdown = (
        "Models, runs, prompt styles or dates side by side. Their ranks are ranges wherever the samples do not tell "
        "more: those that are joined are tied. Below it two of them, scenario by scenario, and the pairs that changed: "
        "the new one failed, the old one passed."
    )
    #: ``search``: the two of which somebody has asked where the new one got worse
    defaults = {
        "by": None,
        "failure": "any",
        "paired": "auto",
        "new": None,
        "old": None,
        "factor": None,
        "search": None,
    }

    def narrowing(self) -> type[Pairs]:
        from loupe.brain.store.comparison.view import Pairs

        return Pairs

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.core.errors import InputError
        from loupe.brain.store import columns, datasets, runs
        from loupe.brain.store.comparison import view as compare_view
        from loupe.brain.store.comparison.view import EVALUATIONS

        if kept is None:
            datasets.require_images(view)
        offered = compare_view.offered(view) if kept is None else kept.offered
        if not offered:
            text = "There is nothing to compare by: a field with two values or more is needed, e.g. the model's name."
            return Notice(text, "refresh")
        failures = compare_view.failures(view) if kept is None else kept.failures
        by = choices["by"] if choices["by"] in offered else _default(offered)
        if by != EVALUATIONS and not columns.any_checked(view):
            if EVALUATIONS not in offered or choices["by"] is not None:
                return Notice("Nothing here has been checked yet. Check the images to see which model fails.", "check")
            by = EVALUATIONS
        failure = choices["failure"] if choices["failure"] in failures else "any"
        paired = "none" if choices["paired"] == "none" else "auto"
        decided = {"by": by, "failure": failure, "paired": paired}
        facts = (runs.root(view).name, by, tuple(offered), failure, failures)
        asked = (by, failure, paired)
        if kept is None or kept.asked != asked:
            try:
                kept = _compared(view, offered, failures, asked)
            except InputError as error:
                return Reading(Content(*facts, problem=in_app(str(error))), decided=decided)
        two = _two(kept, choices)
        queries = () if two is None else _queries(view, kept, two)
        decided |= {"new": None, "old": None} if two is None else {"new": two.difference.a, "old": two.difference.b}
        decided |= {"factor": two.factor if two is not None else None}
        return Reading(Content(*facts, kept.made, "", two, queries), decided=decided, kept=kept)

    def seen(self, content: Content) -> dict[str, Any]:
        # names are not ours and may be long: a click's place in what was drawn is enough
        names = [own.name for own in content.comparison.standings] if content.comparison else []
        return {"contenders": names[:40], "two": content.two is not None}

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Pairs | None) -> None:
        from loupe.panels.comparison import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    # the reader's choices

    def on_by(self, ctx: Any) -> None:
        self.choose(ctx, by=ctx.params.get("value"), new=None, old=None)
        self.refresh(ctx)

    def on_failure(self, ctx: Any) -> None:
        self.choose(ctx, failure=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_paired(self, ctx: Any) -> None:
        self.choose(ctx, paired=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_new(self, ctx: Any) -> None:
        self._choose_two(ctx, new=ctx.params.get("value"))

    def on_old(self, ctx: Any) -> None:
        self._choose_two(ctx, old=ctx.params.get("value"))

    def on_swap(self, ctx: Any) -> None:
        known = self.choices(ctx)
        self.choose(ctx, new=known["old"], old=known["new"])
        self.refresh(ctx, again=False)

    def on_factor(self, ctx: Any) -> None:
        self.choose(ctx, factor=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_search(self, ctx: Any) -> None:
        known = self.choices(ctx)
        self.choose(ctx, search=[known["new"], known["old"]])
        self.refresh(ctx, again=False)

    def on_contender(self, ctx: Any) -> None:
        """A row of the leaderboard was clicked: it is the new one."""
        seen, row = ctx.panel.state.seen, ctx.params.get("y")
        if seen is not None and isinstance(row, int) and 0 <= row < len(seen["contenders"]):
            self._choose_two(ctx, new=seen["contenders"][row])

    def _choose_two(self, ctx: Any, **chosen: Any) -> None:
        known = self.choices(ctx)
        ((which, name),) = chosen.items()
        other = {"new": "old", "old": "new"}[which]
        # what is chosen twice changes places
        self.choose(ctx, **chosen, **({other: known[which]} if known[other] == name else {}))
        self.refresh(ctx, again=False)

    # the pairs that changed

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the pairs that changed."""
        self._show_pairs(ctx, None)

    def on_slice(self, ctx: Any) -> None:
        """A slice was clicked: its pairs that changed."""
        row = ctx.params.get("y")
        if isinstance(row, int):
            self._show_pairs(ctx, row)

    def _show_pairs(self, ctx: Any, row: int | None) -> None:
        from loupe.brain.store.comparison import view as compare_view

        content = self.drawn(ctx)
        two = content.two if content is not None else None
        if content is None or two is None:
            return
        if not two.difference.paired:
            ctx.ops.notify("These two are not compared by pairs: there are none to show", variant="info")
            return
        places, where = two.pairs, ""
        if row is not None:
            from loupe.brain.slicing.columns import shown

            if two.changed is None or not 0 <= row < len(two.changed.values):
                return
            value = two.changed.values[row]
            column = two.units.factors[two.factor]
            inside = set(column.rows(value).tolist())
            worse = [at for at in _worse(two.units) if at in inside]
            place = {at: number for number, at in enumerate(_worse(two.units))}
            places = tuple(two.pairs[place[at]] for at in worse)
            where = f"{two.factor.removeprefix('scenario.')} = {shown(value)}"
        ids = compare_view.ids(self.widened(ctx)[0], [at for pair in places[:MAX_PAIRS] for at in pair])
        pairs = compare_view.Pairs(two.difference.a, two.difference.b, where, content.queries)
        nothing = f"No pair changed here{f', where {where}' if where else ''}: nothing that passed fails now"
        if ids:
            self.narrow(ctx, pairs, nothing, ids)
        else:
            ctx.ops.notify(nothing, variant="info")

    def drawn(self, ctx: Any) -> Content | None:
        """Returns what is drawn; read again where this server has forgotten it."""
        shown = self._open(ctx).shown
        if shown is None or shown.content is None:
            self.refresh(ctx)
            shown = self._open(ctx).shown
        return shown.content if shown is not None else None


def _default(offered: Mapping[str, Any]) -> str:
    return _FIRST if _FIRST in offered else next(iter(offered))


def _compared(view: Any, offered: Mapping[str, Any], failures: tuple[str, ...], asked: tuple[str, str, str]) -> _Kept:
    from loupe.brain.store.comparison import columns as compared
    from loupe.brain.store.comparison.view import EVALUATIONS
    from loupe.brain.verbs.compare import comparison_of

    by, failure, paired = asked
    # how a model made its pictures is no scenario
    scenarios = [name for name in offered if name not in (by, EVALUATIONS) and not name.startswith("generation.")]
    slices = [offered[name] for name in scenarios[:_MAX_FACTORS]]
    if by == EVALUATIONS:
        read = compared.read(view, offered[by], slices=slices)
    else:
        read = compared.read(view, offered[by], failure, paired_by=False if paired == "none" else None, slices=slices)
    return _Kept(offered, failures, asked, read, comparison_of(read))


def _two(kept: _Kept, choices: Mapping[str, Any]) -> Two | None:
    """Returns the two that are looked at: those that were chosen, else the second of the leaderboard and the first."""
    from loupe.brain.slicing import changed, regressions

    judged = [own.name for own in kept.made.standings if own.rate.n]
    if len(judged) < 2:
        return None
    old = choices["old"] if choices["old"] in judged else judged[0]
    new = choices["new"] if choices["new"] in judged else judged[1]
    if new == old:
        old = next(name for name in judged if name != new)
    difference = kept.made.difference(new, old)
    read = kept.read
    units, _ = changed.units_of(read.entries, read.rows, read.factors, new, old, paired=difference.paired)
    factors = tuple(sorted(units.factors, key=lambda name: not name.startswith("scenario.")))
    factor = choices["factor"] if choices["factor"] in factors else next(iter(factors), "")
    pairs: tuple[tuple[int, int], ...] = ()
    if difference.paired:
        ends = changed.changed(read.entries, new, old)
        pairs = tuple(zip(*(read.rows[places].tolist() for places in ends), strict=True))
    slices = changed.by_slice(units, factor) if factor else None
    worse = None
    if len(units) <= _MAX_SEARCHED or choices["search"] == [new, old]:
        worse = tuple(each for each in regressions.find(units) if each.confirmed)
    return Two(difference, slices, factor, factors, pairs, units, worse)


def _worse(units: Units) -> list[int]:
    """Returns the units of ``Two.pairs``, in the same order."""
    worse: Sequence[int] = ((units.failed_new == 1) & (units.failed_old == 0)).nonzero()[0].tolist()
    return list(worse)


def _queries(view: Any, kept: _Kept, two: Two) -> tuple[Mapping[str, Any], ...]:
    from loupe.brain.store.comparison import view as compare_view

    return tuple(compare_view.queries(view, kept.read, [two.difference.a, two.difference.b]))
