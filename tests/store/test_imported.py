"""Images that came from elsewhere become samples, with the fields that their prompts need."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_images_become_samples(dataset: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from loupe.brain.store import imported

    assert imported.known_paths(dataset) == set()
    imported.prepare(dataset, [])
    imported.add(dataset, [("/nowhere/a.png", None, {})])
    assert dataset.has_field("prompt")
    assert not dataset.has_field("scenario")
    imported.prepare(dataset, ["time", "rain"])
    imported.add(dataset, [("/nowhere/b.png", "a fox", {"time": "night", "rain": "yes"}), ("/nowhere/c.png", "", {})])
    imported.prepare(dataset, ["time", "camera"])
    imported.add(dataset, [("/nowhere/d.png", "a dog", {"time": "day", "camera": "low"})])
    assert dataset.values("filepath") == [f"/nowhere/{name}.png" for name in "abcd"]
    assert dataset.values("prompt") == [None, "a fox", "", "a dog"]
    assert dataset.values("scenario.time") == [None, "night", None, "day"]
    assert dataset.values("scenario.rain") == [None, "yes", None, None]
    assert dataset.values("scenario.camera") == [None, None, None, "low"]
    assert capsys.readouterr() == ("", ""), "the verb shows how far it is, not FiftyOne"
    assert dataset.get_field("scenario.camera").description == "The prompt's camera"
    assert imported.known_paths(dataset) == {f"/nowhere/{name}.png" for name in "abcd"}
