"""Images that came from elsewhere become samples, with the fields that their prompts need."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_images_become_samples(dataset: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from loupe.brain.store import imported
    from loupe.brain.store.imported import Imported

    assert imported.known_paths(dataset) == set()
    imported.prepare(dataset, [], generation=False)
    imported.add(dataset, [Imported("/nowhere/a.png")])
    assert dataset.has_field("prompt")
    assert not dataset.has_field("scenario")
    imported.prepare(dataset, ["time", "rain"], generation=False)
    imported.add(
        dataset, [Imported("/nowhere/b.png", "a fox", {"time": "night", "rain": "yes"}), Imported("/nowhere/c.png", "")]
    )
    imported.prepare(dataset, ["time", "camera"], generation=False)
    imported.add(dataset, [Imported("/nowhere/d.png", "a dog", {"time": "day", "camera": "low"})])
    assert dataset.values("filepath") == [f"/nowhere/{name}.png" for name in "abcd"]
    assert dataset.values("prompt") == [None, "a fox", "", "a dog"]
    assert dataset.values("scenario.time") == [None, "night", None, "day"]
    assert dataset.values("scenario.rain") == [None, "yes", None, None]
    assert dataset.values("scenario.camera") == [None, None, None, "low"]
    assert capsys.readouterr() == ("", ""), "the verb shows how far it is, not FiftyOne"
    assert dataset.get_field("scenario.camera").description == "The prompt's camera"
    assert imported.known_paths(dataset) == {f"/nowhere/{name}.png" for name in "abcd"}


def test_whatever_generate_keeps_of_a_picture_comes_back_with_its_file() -> None:
    from loupe.brain.provenance import own, records
    from loupe.brain.store import generated

    assert {name for name, _, _ in generated.parts()} <= set(own.OWN) | set(records.FIELDS)
