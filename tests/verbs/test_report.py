"""The report tells what ``slice`` and the Overview tell, in a file that can be sent."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database

TIMES = ["day", "day", "night", "night", None]


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Ten pictures, five of them dark, checked and flagged."""
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset()
    noise = np.random.default_rng(0)
    for number in range(10):
        pixels = noise.integers(0, 255, (96, 128, 3), dtype=np.uint8)
        path = tmp_path / f"<{number}> & picture.png"
        Image.fromarray(pixels // 20 if number < 5 else pixels).save(path)
        dataset.add_sample(fo.Sample(filepath=str(path), time=TIMES[number % 5], site=["a|b", "<i>"][number % 2]))
    loupe.check(dataset, ["exposure"])
    yield dataset
    dataset.delete()


def test_the_numbers_are_those_of_slice(dataset: Any, tmp_path: Path) -> None:
    import loupe
    from loupe.brain.core.records import _plain

    path = loupe.report(dataset, tmp_path / "r.json", by=["time", "site"], title="mine")
    reported = json.loads(path.read_text())
    assert reported["generator"] == "Loupe"
    assert (reported["title"], reported["dataset"], reported["n"], reported["whole"]) == (
        "mine",
        dataset.name,
        10,
        True,
    )
    overall = {rate["failure"]: rate for rate in reported["overview"]["failing"]}
    assert overall["dark"]["failures"] == 5
    assert [table["factor"] for table in reported["tables"]] == ["time", "site"]
    for table in reported["tables"]:
        rates = {
            (rate["slice"]["values"][table["factor"]], rate["failure"]): rate for row in table["cells"] for rate in row
        }
        expected = {
            (rate.slice.values[table["factor"]], rate.failure): _plain(rate.to_dict())
            for rate in loupe.slice(dataset, table["factor"])
        }
        assert ("night", "dark") in rates or ("<i>", "dark") in rates
        for key, rate in rates.items():
            assert {name: rate[name] for name in ("n", "failures", "unknown", "unchecked", "rate", "low", "high")} == {
                name: expected[key][name] for name in ("n", "failures", "unknown", "unchecked", "rate", "low", "high")
            }


def test_the_page_has_examples_and_shows_names_as_they_are(dataset: Any, tmp_path: Path) -> None:
    import loupe

    text = loupe.report(dataset, tmp_path / "r.html", by="site", examples=3).read_text()
    assert len(re.findall("data:image/jpeg;base64", text)) == 3
    assert "&lt;i&gt;" in text
    assert "<i>" not in text.replace("<i>rate</i>", "")
    # the folders of the owner's machine are nobody else's business
    assert str(tmp_path) not in text
    bare = loupe.report(dataset, tmp_path / "bare.html", by=[], examples=0).read_text()
    assert "data:image" not in bare
    assert "Where it fails" not in bare


def test_a_product_of_factors_is_a_table_of_combinations(dataset: Any, tmp_path: Path) -> None:
    import loupe

    both = loupe.Factor.field("time") * loupe.Factor.field("site")
    (table,) = json.loads(loupe.report(dataset, tmp_path / "r.json", by=both).read_text())["tables"]
    assert table["factor"] == "time × site"
    assert sorted(table["values"]) == sorted(
        f"{time} × {site}" for time in ("day", "night", "(none)") for site in ("a|b", "<i>")
    )
    assert sum(row[0]["n"] for row in table["cells"]) == 10


def test_card_and_croissant(dataset: Any, tmp_path: Path) -> None:
    import mlcroissant
    import yaml

    import loupe

    card, facts = tmp_path / "README.md", tmp_path / "croissant.json"
    loupe.report(dataset, tmp_path / "r.md", card=card, croissant=facts, license="cc-by-4.0", title="A: set")
    head = yaml.safe_load(card.read_text().split("---")[1])
    assert (head["license"], head["pretty_name"], head["size_categories"]) == ("cc-by-4.0", "A: set", ["n<1K"])
    assert "5 of 10 judged" in card.read_text()
    read = mlcroissant.Dataset(jsonld=str(facts)).metadata
    assert read.name == "A: set"
    assert [field.name for field in read.record_sets[0].fields] == ["image", "filename"]
    assert "5 of 10 judged" in str(read.data_limitations)
    # both are Loupe's own, and are replaced
    loupe.report(dataset, tmp_path / "r.md", card=card, croissant=facts)
    assert "license" not in yaml.safe_load(card.read_text().split("---")[1])


def test_what_was_never_checked_is_said(database: str, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    Image.new("RGB", (64, 64)).save(tmp_path / "one.png")
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "one.png")))
    text = loupe.report(dataset, tmp_path / "r.html").read_text()
    assert "No check has judged any of these samples" in text
    assert "What fails" not in text
    dataset.delete()


def test_what_was_found_last_on_these_samples_is_in_it(dataset: Any, tmp_path: Path) -> None:
    import loupe

    loupe.discover_slices(dataset, by=["site"], min_samples=2, groups=())
    assert "Where it surely fails more" in loupe.report(dataset, tmp_path / "r.html").read_text()
    # of a view nothing was found yet
    assert "Where it surely fails more" not in loupe.report(dataset.limit(5), tmp_path / "r.html").read_text()
    assert "Where it surely fails more" not in loupe.report(dataset, tmp_path / "r.html", results=[]).read_text()


def test_bad_input_is_refused_before_anything_is_written(dataset: Any, tmp_path: Path) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, OutputError, UnknownName

    for path, more in (("r.pdf", {}), ("r", {}), ("r.html", {"examples": -1}), ("r.html", {"examples": True})):
        with pytest.raises(InputError, match="expected"):
            loupe.report(dataset, tmp_path / path, **more)
    with pytest.raises(UnknownName, match="tim"):
        loupe.report(dataset, tmp_path / "r.html", by="tim")
    with pytest.raises(NoSamples):
        loupe.report(dataset.limit(0), tmp_path / "r.html")
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(OutputError, match="did not write"):
        loupe.report(dataset, tmp_path / "mine.html")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".html") == ["mine.html"]


def test_a_page_that_is_too_large_has_fewer_pictures(dataset: Any, tmp_path: Path, monkeypatch: Any) -> None:
    import loupe

    full = loupe.report(dataset, tmp_path / "r.html", by=[], examples=5).stat().st_size
    monkeypatch.setattr(sys.modules["loupe.brain.verbs.report"], "MAX_BYTES", full - 1)
    text = loupe.report(dataset, tmp_path / "r.html", by=[], examples=5).read_text()
    assert len(text.encode()) < full
    assert len(re.findall("data:image/jpeg;base64", text)) == 4
