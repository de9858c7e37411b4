"""The stories of docs/ run from an empty database, and print what stands in them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stories import STORIES, run

#: the stored outputs are to be read in a diff, and no repository of pictures
_MAX_BYTES = 300_000
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|(?<![\w.])\.\d+")


def _printed(notebook: Any) -> dict[str, str]:
    """Returns for each cell what it printed."""
    printed: dict[str, str] = {}
    for cell in notebook.cells:
        outputs = cell.get("outputs", ())
        printed[cell.id] = "\n".join(
            output["text"] if output.output_type == "stream" else output["data"].get("text/plain", "")
            for output in outputs
        )
    return {name: text for name, text in printed.items() if text}


def _words(text: str) -> str:
    """Returns a text without its numbers and columns."""
    return re.sub(r"\s+", " ", _NUMBER.sub("#", text))


def _numbers(text: str) -> list[float]:
    """Returns its numbers, without those of seconds."""
    text = re.sub(r"[\d.]+ s\b", "", text)
    return [float(number.replace(",", "")) for number in _NUMBER.findall(text)]


def _q(table: str, row: str) -> float:
    """Returns the q of a row of a table of rates."""
    line = next(line for line in table.splitlines() if line.startswith(row))
    return float(re.split(r"\s{2,}", line)[5].lstrip("< "))


@pytest.fixture
def ran(database: str, tmp_path: Path) -> Iterator[Any]:
    """The story, run in a folder of its own."""
    import fiftyone as fo

    yield run(STORIES / "from_worst_slice_to_review.ipynb", tmp_path)
    if fo.dataset_exists("loupe-story"):
        fo.delete_dataset("loupe-story")


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.timeout(900)
def test_the_story_from_the_worst_slice_to_its_review_prints_what_stands_in_it(ran: Any, tmp_path: Path) -> None:
    import nbformat

    kept, now = _printed(nbformat.read(STORIES / "from_worst_slice_to_review.ipynb", as_version=4)), _printed(ran)
    assert list(now) == list(kept), "run `make stories` and read it"
    for name, text in kept.items():
        assert _words(now[name]) == _words(text), f"{name}: run `make stories`, and read whether the text still holds"
        # another processor draws a few pictures otherwise, and so a few are counted otherwise
        assert _numbers(now[name]) == pytest.approx(_numbers(text), rel=0.3, abs=5), name

    # what the text between the cells says
    assert _q(now["slice-digits"], "digits=4") < 0.05 < _q(now["slice-time"], "time=night")
    assert now["finding"].startswith("confirmed: Wrong letters: ")
    assert "of digits 4 pictures" in now["finding"]
    assert "no better threshold" in now["threshold"]
    assert "where others fail more than 20: nowhere" in now["compare"]
    low, high = (float(number) for number in re.findall(r"[+-][\d.]+(?=[,\]])", now["difference"]))
    assert low < 0 < high
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "House-number signs" in report
    assert "data:image" in report, "pictures of failures"


@pytest.mark.parametrize("notebook", sorted(STORIES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_story_is_small_and_has_been_run_and_leads_to_pages(notebook: Path) -> None:
    import nbformat

    story = nbformat.read(notebook, as_version=4)
    nbformat.validate(story)
    assert notebook.stat().st_size < _MAX_BYTES
    code = [cell for cell in story.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run from its first cell on"
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs
    assert {output.output_type for output in outputs} <= {"stream", "execute_result", "display_data"}
    assert not re.search(r"/home/|/tmp/|/work/|/Users/", str(story)), "a path of somebody's machine"
    for link in re.findall(r"\]\(([^)#]+)\)", "\n".join(cell.source for cell in story.cells)):
        assert link.startswith("https://") or (notebook.parent / link).exists(), link


def test_words_and_numbers_are_told_apart() -> None:
    assert _words("rate  5.0%\n (q = .013, 1,000)") == "rate #% (q = #, #)"
    assert _numbers("216 done, 46.2 s on cpu, q = .013 < 0.001, 1,000") == [216, 0.013, 0.001, 1000]
    assert math.isclose(_q("a\ndigits=4  t  40.5%  27.0% to 55.5%  3.50  < 0.001      17", "digits=4"), 0.001)
