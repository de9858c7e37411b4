"""What the benchmarks share: where data lie, how a batch is made, what is printed, how a command ends."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import data, figures
from benchmarks.batches import batch_of
from benchmarks.commands import Family, each


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the data are looked for in."""
    monkeypatch.setenv("LOUPE_DATA", str(tmp_path))
    return tmp_path


def test_data_lie_beside_the_checkout_or_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOUPE_DATA", raising=False)
    assert data.at() == Path(__file__).resolve().parents[3] / "shared" / "data"
    monkeypatch.setenv("LOUPE_DATA", "/elsewhere")
    assert data.at("2_blur", "live") == Path("/elsewhere/2_blur/live")


def test_missing_data_are_named(folder: Path) -> None:
    with pytest.raises(data.MissingData, match=r"expected 1_real_photos at .*LOUPE_DATA"):
        data.required("1_real_photos")
    (folder / "1_real_photos").mkdir()
    assert data.required("1_real_photos") == folder / "1_real_photos"


def test_pictures_are_found_in_order_and_none_in_a_folder_that_is_missing(folder: Path) -> None:
    for name in ("b.png", "a.JPG", "deep/c.jpeg", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert [path.name for path in data.pictures(folder)] == ["a.JPG", "b.png", "c.jpeg"]
    assert [path.name for path in data.files(folder)] == ["a.JPG", "b.png", "notes.txt"]
    assert data.pictures(folder / "gone") == data.files(folder / "gone") == []


def test_photos_come_in_two_parts(folder: Path) -> None:
    place = folder / data.IMAGENET
    place.mkdir(parents=True)
    for index in range(5):
        (place / f"{index}.JPEG").touch()
    assert [path.stem for path in data.photos(0)] == ["0", "2", "4"]
    assert [path.stem for path in data.photos(1)] == ["1", "3"]
    assert len(data.photos()) == 5


def test_a_batch_has_each_picture_and_its_fields() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 3, 5, 3), dtype=np.uint8)
    batch = batch_of(pictures[0], Image.fromarray(pictures[1]), prompt=["a cat", "a dog"])
    assert np.array_equal(batch.pixels.numpy(), pictures.transpose(0, 3, 1, 2))
    assert batch.sizes == ((5, 3), (5, 3))
    assert len(set(batch.ids)) == 2
    assert batch.fields == {"prompt": ("a cat", "a dog")}


def test_a_batch_does_not_share_memory_with_its_pictures() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    batch = batch_of(picture)
    picture[:] = 255
    assert int(batch.pixels.max()) == 0


def test_tables_are_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    figures.header("check", "found")
    figures.row("blur", figures.share(3, 4))
    assert capsys.readouterr().out.splitlines() == [
        "| check | found |",
        "|---|---|",
        "| blur | 0.750 [0.301, 0.954] (3/4) |",
    ]
    figures.columns(("blur", "0.75", "many words"), (6, 5))
    assert capsys.readouterr().out == "blur   0.75  many words\n"
    assert figures.share(0, 0) == "– (0)"


def test_a_rank_correlation_has_its_interval() -> None:
    rng = np.random.default_rng(1)
    severities = rng.normal(size=40)
    text = figures.rank_correlation(severities + rng.normal(size=40), severities, np.random.default_rng(0))
    value, low, high = (float(word) for word in text.replace("[", "").replace(",", "").replace("]", "").split())
    assert -1 <= low < value < high <= 1
    assert low > 0


def family(ran: list[argparse.Namespace]) -> Family:
    """A family with two commands: of which one finds its data, and the other does not."""
    made = Family("cats", "Counts cats.")
    made.command("count", ran.append, "counts them").add_argument("-n", type=int, default=1)
    made.command("find", lambda _: data.required("cats") and None, "looks for them")
    return made


def test_a_command_gets_its_arguments_and_the_machine_is_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[argparse.Namespace] = []
    assert family(ran).main(["count", "-n", "3"]) == 0
    assert [(given.command, given.n) for given in ran] == [("count", 3)]
    assert "cores, Python" in capsys.readouterr().out


def test_missing_data_end_a_command_with_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder / "other"
    assert family([]).main(["find", "--data", str(other)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"expected cats at {other / 'cats'}, which is not there")
    assert output.err.count("\n") == 1
    (other / "cats").mkdir(parents=True)
    assert family([]).main(["find", "--data", str(other)]) == 0


def test_parts_without_data_are_left_out_and_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    each(lambda: figures.row("first"), lambda: data.required("cats") and None, lambda: figures.row("last"))
    first, _, skipped, last = capsys.readouterr().out.splitlines()
    assert (first, last) == ("| first |", "| last |")
    assert skipped.startswith("SKIPPED: expected cats at ")
