"""The panel "Realism", run as the App runs it: what is drawn are the records that the verbs kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]


def opened(dataset: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.realism.panel import RealismPanel

    return PanelSession(RealismPanel(), dataset)


def texts(session: Any) -> str:
    return str(session.output)


@pytest.fixture(scope="module")
def sides(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A faulty synthetic dataset that was compared with a real one, class by class."""
    import real_and_synthetic as made
    from real_pictures import faulty, sharp

    import loupe

    folder = tmp_path_factory.mktemp("realism")
    real = made.dataset(folder / "real", 0, 300, draw=sharp)
    synthetic = faulty(folder / "synthetic", real)
    loupe.compare_to_real(synthetic, real, label="ground_truth", by="ground_truth")
    yield synthetic, real
    for dataset in (synthetic, real):
        dataset.delete()


def test_where_nothing_was_compared_it_says_what_to_do(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    assert "no samples here" in texts(opened(dataset))
    dataset.add_sample(fo.Sample(filepath="/nowhere/1.png"))
    session = opened(dataset)
    assert "have not been compared with real ones yet" in texts(session)
    session.call("on_compare")
    assert session.prompted == ["@loupe/loupe/compare_to_real"]


def test_what_is_drawn_are_the_records(sides: tuple[Any, Any]) -> None:
    from panel_session import within

    from loupe.brain.store import realism_kept
    from loupe.panels.realism import names

    synthetic, _ = sides
    session = opened(synthetic)
    made = realism_kept.load(synthetic).realism
    shown = session.properties()
    cards = [name for name in shown if name.startswith("finding")]
    assert len(cards) == len(made.findings) >= 2
    for card, verdict in zip(cards, made.findings, strict=True):
        assert within(shown, card, "name")["default" if "default" in within(shown, card, "name") else "view"]
        assert verdict.name.replace("_", " ") in str(shown[card]).replace("\\\\", "")
    ratios = {each.name: each.ratio for each in made.metrics["embeddings"]}
    drawn = shown["measures"]["view"]["data"][0]
    listed = [
        ratios.get(name) for title in names.GROUPS for name in (None, *names.GROUPS[title]) if name not in names.OF_THEMSELVES
    ]
    kept = [x for x, color in zip(drawn["x"], drawn["marker"]["symbol"], strict=True) if x is not None]
    assert any(x == pytest.approx(ratios["recall"]) for x in kept)
    assert len(listed) >= len(kept) - 2
    bars = shown["by"]["view"]["data"][0]["x"]
    assert bars == [each.ratio for _, each in made.lowest("coverage")]
    assert bars == sorted(bars)
    assert shown["spectra"]["view"]["data"][-1]["y"] == [10 * each for each in made.bands]
    points = shown["map"]["view"]["data"]
    assert sum(len(trace["x"]) for trace in points) == 300 + 240
    assert "Not known yet whether it trains as well" in texts(session)
    assert "nan" not in texts(session).lower()
