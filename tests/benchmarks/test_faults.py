"""The fault campaign: it sees what is wrong, goes on where it was ended, and a sample of each kind comes out clean."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import campaign, tabled, world
from benchmarks.faults.result import Result
from loupe.brain.prompts import files as prompt_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Kinds that do nothing but write down that they were asked for; seed 7 of the second one fails."""
    asked: list[tuple[str, int]] = []

    def kind(name: str) -> Any:
        def case(_: Any, seed: int) -> Result:
            asked.append((name, seed))
            if name == "b" and seed == 7:
                raise RuntimeError("broken")
            return Result(name, lost=seed if name == "a" and seed > 8 else 0)

        return case

    @contextlib.contextmanager
    def nothing() -> Iterator[None]:
        yield None

    monkeypatch.setattr(campaign, "KINDS", {name: kind(name) for name in ("a", "b")})
    monkeypatch.setattr(campaign, "opened", nothing)
    return asked


def test_it_goes_on_where_it_was_ended(counted: list[tuple[str, int]], tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.jsonl"
    assert campaign.run(["a", "b"], range(2), path, minutes=0) == []
    campaign.run(["a"], range(2), path)
    with path.open("a") as file:
        file.write('{"kind": "b", "se')  # killed while it wrote
    path.write_text(path.read_text() + "\n")
    rows = campaign.run(["a", "b"], range(3), path)
    assert counted == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("a", 2), ("b", 2)]
    assert [(row["kind"], row["seed"]) for row in rows] == [(kind, seed) for seed in range(3) for kind in "ab"]
    campaign.run(["a"], [0], path, fresh=True)
    assert counted[6:] == [("a", 0)]
    assert len(path.read_text().splitlines()) == 1


def test_what_is_wrong_is_in_the_table_and_in_the_exit_status(
    counted: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.jsonl"
    campaign.print_campaign([], 3, 0, None, path, False)
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("all ")).split()[:6] == ["all", "6", "0", "0", "0", "0"]
    with pytest.raises(SystemExit):
        campaign.print_campaign([], 3, 7, None, path, False)
    printed = capsys.readouterr()
    lines = {line.split()[0]: line.split() for line in printed.out.splitlines() if line}
    assert lines["all"][1:6] == ["6", "9", "0", "0", "1"]
    assert "RuntimeError: broken" in printed.err


def test_a_reader_of_tables_that_is_wrong_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Place:
        def place(self) -> Path:
            return tmp_path

    for seed in (0, 1, 2, 4, 5, 6):
        assert not tabled.tabled(Place(), seed).wrong  # type: ignore[arg-type]
    read = prompt_files.read
    with monkeypatch.context() as patch:
        patch.setattr(prompt_files, "read", lambda path: read(path)[:-1])
        assert tabled.tabled(Place(), 0).lost  # type: ignore[arg-type]
    monkeypatch.setattr(prompt_files, "read", lambda path: path.read_text(encoding="ascii") and ())
    assert tabled.tabled(Place(), 2).dead  # type: ignore[arg-type]


@pytest.mark.database
@pytest.mark.slow
def test_what_is_lost_doubled_or_half_is_counted(database: str, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    paths = world.pictures(tmp_path, 12)
    with world.dataset(paths) as made, world.dataset(paths[::-1]) as other:
        for one_of_them in (made, other):
            loupe.check(one_of_them, ["exposure", "size"])
        wanted = world.state(made)
        assert wanted["the dataset"] == {"views": [], "results": []}
        assert len(wanted) == 12 + 1
        assert wanted["000.png"]["quality"]
        # in another order, with other ids: the same
        assert world.differences(wanted, world.state(other)) == []
        assert (world.doubled(made), world.half(made)) == (0, 0)

        made._sample_collection.update_one({"filepath": str(paths[0])}, {"$unset": {"quality": ""}})
        assert world.half(made) == 2
        assert world.differences(wanted, world.state(made)) == ["000.png: quality"]
        made._sample_collection.delete_one({"filepath": str(paths[1])})
        assert world.differences(wanted, world.state(made))[1] == "001.png: missing, or there twice"

        label = {"label": "dark", "check": "exposure"}
        other._sample_collection.update_one(
            {"filepath": str(paths[0])}, {"$push": {"failures.classifications": {"$each": [label, label]}}}
        )
        assert world.doubled(other) == 1
        other.add_sample(fo.Sample(filepath=str(paths[2])))
        assert world.doubled(other) == 2
        assert world.differences(wanted, world.state(other))[1] == "002.png: missing, or there twice"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_sample_of_each_kind_comes_out_clean(tmp_path: Path) -> None:
    """In processes and with a database of its own: that one is killed."""
    results = tmp_path / "results.jsonl"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIFTYONE_")}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.faults", "campaign", "--sample", "1", "--seed", "2"]
    done = subprocess.run(
        [*command, "--results", str(results)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=380
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row["kind"] for row in rows] == list(campaign.KINDS)


def test_every_threshold_that_the_campaign_sets_is_one_that_scores_can_reach() -> None:
    from benchmarks.faults.lines import LINES
    from benchmarks.faults.pairs import _PAIRS
    from loupe.brain.core import registry
    from loupe.brain.core.records import Threshold
    from loupe.brain.verbs.steps.flagging import parsed_thresholds

    given = [LINES["flag"].given, *(arguments or {} for pair in _PAIRS for _, arguments in pair)]
    thresholds = [each["thresholds"] for each in given if "thresholds" in each]
    assert len(thresholds) >= 4
    for named in thresholds:
        parsed_thresholds(
            {name: Threshold(*value, source="user") for name, value in named.items()}, registry.failures()
        )
