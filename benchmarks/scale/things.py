"""What is measured on a dataset of any size: the verbs that read and write whole columns, and the panels.

As a module of its own: ``python -m benchmarks.scale.things NAME DATASET``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.scale.processes import tell, timed

TESTS = Path(__file__).resolve().parents[2] / "tests"

Work = Callable[[], object]


def _flag_nothing(dataset: Any) -> Work:
    import loupe

    return lambda: loupe.flag(dataset)


def _flag_moved(dataset: Any) -> Work:
    import loupe

    own = loupe.flag(dataset[:100]).thresholds["blur"].value
    return lambda: loupe.flag(dataset, {"blur": 0.6 if own < 0.6 else 0.5})


def _slice(*by: str, failure: str | None = None) -> Callable[[Any], Work]:
    def prepared(dataset: Any) -> Work:
        import loupe

        return lambda: loupe.slice(dataset, list(by), failure=failure)

    return prepared


def _compare(dataset: Any) -> Work:
    import loupe

    return lambda: loupe.compare(dataset, "scenario.color", failure="blur")


def _scores(dataset: Any) -> Work:
    import loupe

    return lambda: loupe.scores(dataset, "blur")


def _worst(dataset: Any) -> Work:
    import loupe

    by = ["scenario.time", "scenario.weather", "scenario.color"]
    return lambda: loupe.discover_slices(dataset, failure="blur", by=by)


def _coverage(dataset: Any) -> Work:
    import loupe

    return lambda: loupe.coverage(dataset, ["scenario.weather", "scenario.color"])


def _split(dataset: Any) -> Work:
    import loupe

    return lambda: loupe.split(dataset, {"train": 0.8, "test": 0.2}, stratify="scenario.weather")


def _report(dataset: Any) -> Work:
    import loupe

    folder = Path(tempfile.mkdtemp())
    return lambda: loupe.report(dataset, folder / "report.html", by=["scenario.weather"], examples=0)


def _panel(name: str, *events: tuple[str, dict[str, Any]]) -> Callable[[Any], Work]:
    """Returns the work of opening a panel; with events, that of the last one after the others."""

    def prepared(dataset: Any) -> Work:
        sys.path[:0] = [str(TESTS), str(TESTS / "support")]
        from panel_session import PanelSession

        panel = _panel_class(name)
        if not events:
            return lambda: PanelSession(panel(), dataset)
        session = PanelSession(panel(), dataset)
        for method, params in events[:-1]:
            session.call(method, **params)
        method, params = events[-1]
        given = {key: value(session) if callable(value) else value for key, value in params.items()}
        return lambda: session.call(method, **given)

    return prepared


def _panel_class(name: str) -> Any:
    import importlib

    from loupe.panels.base import Panel

    module = importlib.import_module(f"loupe.panels.{name}.panel")
    own = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Panel)]
    return next(each for each in own if each.__module__ == module.__name__)


_BLUR = ("on_failure", {"value": "blur"})
_MOVE = ("on_move", {"value": 0.61, "path": lambda session: f"slider.blur__{session.state['turn']}"})

#: by name, what is prepared for a dataset and then timed; "nothing" is what a process takes that only opens the dataset
THINGS: dict[str, Callable[[Any], Work]] = {
    "nothing": lambda dataset: lambda: len(dataset),
    "flag": _flag_nothing,
    "flag_moved": _flag_moved,
    "slice": _slice("scenario.weather"),
    "slice_two": _slice("scenario.time", "scenario.weather", failure="blur"),
    "compare": _compare,
    "scores": _scores,
    "discover_slices": _worst,
    "coverage": _coverage,
    "split": _split,
    "report": _report,
    "overview": _panel("overview"),
    "thresholds": _panel("thresholds"),
    "thresholds_move": _panel("thresholds", _BLUR, _MOVE),
    "failures_by_scenario": _panel("failures_by_scenario"),
    "failures_by_scenario_click": _panel("failures_by_scenario", ("on_click", {"x": 1, "y": 2})),
    "review_failures": _panel("review_failures"),
    "duplicates": _panel("duplicates"),
}

#: how each is written in the table
TITLES = {
    "nothing": "open the dataset, nothing else",
    "flag": "flag, nothing changes",
    "flag_moved": "flag, blur's threshold moves",
    "slice": "slice by one factor, all failure modes",
    "slice_two": "slice by two factors, one failure mode",
    "compare": "compare four groups, one failure mode",
    "scores": "scores of one failure mode",
    "discover_slices": "discover_slices, three factors",
    "coverage": "coverage, two factors",
    "split": "split, stratified",
    "report": "report, without pictures",
    "overview": "panel Overview, opened",
    "thresholds": "panel Thresholds, opened",
    "thresholds_move": "panel Thresholds, the slider moves",
    "failures_by_scenario": "panel Failures by scenario, opened",
    "failures_by_scenario_click": "panel Failures by scenario, a click",
    "review_failures": "panel Review, opened",
    "duplicates": "panel Duplicates, opened, without groups",
}


def main() -> None:
    """Does one thing and tells what it took."""
    import fiftyone as fo

    import loupe  # noqa: F401  (what every user's process holds)

    dataset = fo.load_dataset(sys.argv[2])
    work = THINGS[sys.argv[1]](dataset)
    tell(timed(work))


if __name__ == "__main__":
    main()
