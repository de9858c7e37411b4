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
#: what differs from one database to the next: it is made of the samples' ids
_DIGEST = re.compile(r"digest [0-9a-f]+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|(?<![\w.])\.\d+")


def _printed(notebook: Any) -> dict[str, str]:
    """Returns for each cell what it printed."""
    printed: dict[str, str] = {}
    for cell in notebook.cells:
        text = ""
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                text += output["text"]  # what is printed comes in one piece, or in several, wherever it is cut
            else:
                text += f"\n{output['data'].get('text/plain', '')}"
        printed[cell.id] = text.strip("\n")
    return {name: text for name, text in printed.items() if text}


def _words(text: str) -> str:
    """Returns a text without its numbers, their signs and columns."""
    return re.sub(r"\s+", " ", re.sub(r"[+-]#", "#", _NUMBER.sub("#", _DIGEST.sub("digest", text))))


def _numbers(text: str) -> list[float]:
    """Returns its numbers, without those of seconds and digests."""
    text = re.sub(r"[\d.]+ s\b", "", _DIGEST.sub("digest", text))
    return [float(number.replace(",", "")) for number in _NUMBER.findall(text)]


def _q(table: str, row: str) -> float:
    """Returns the q of a row of a table of rates."""
    line = next(line for line in table.splitlines() if line.startswith(row))
    return float(re.split(r"\s{2,}", line)[5].lstrip("< "))


def _interval(text: str) -> tuple[float, float]:
    """Returns the ends of the first interval in square brackets, in percent or points."""
    ends = re.search(r"\[([+-]?[\d.]+)(?: %)?, ([+-]?[\d.]+)(?: %)?\]", text)
    assert ends is not None, text
    return float(ends[1]), float(ends[2])


@pytest.fixture
def ran(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[Any]:
    """What a story prints where it is run in a folder of its own; it is held against what stands in it."""
    import fiftyone as fo
    import nbformat

    story, name = request.param
    now = _printed(run(STORIES / f"{story}.ipynb", tmp_path))
    kept = _printed(nbformat.read(STORIES / f"{story}.ipynb", as_version=4))
    assert list(now) == list(kept), "run `make stories` and read it"
    for cell, text in kept.items():
        assert _words(now[cell]) == _words(text), f"{cell}: run `make stories`, and read whether the text still holds"
        # another processor draws a few pictures otherwise, and so a few are counted otherwise
        assert _numbers(now[cell]) == pytest.approx(_numbers(text), rel=0.3, abs=5), cell
    yield now
    for each in fo.list_datasets(f"{name}*"):
        fo.delete_dataset(each)


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("ran", [("from_worst_slice_to_review", "loupe-story")], indirect=True)
def test_the_story_from_the_worst_slice_to_its_review_prints_what_stands_in_it(
    ran: dict[str, str], tmp_path: Path
) -> None:
    now = ran
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


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("ran", [("from_noisy_digits_to_a_better_model", "loupe-story-digits")], indirect=True)
def test_the_story_from_noisy_digits_to_a_better_model_prints_what_stands_in_it(ran: dict[str, str]) -> None:
    # what the text between the cells says
    assert "0.96:   0 pairs" in ran["duplicates"]
    assert "0.98:  60 pairs" in ran["duplicates"]
    assert ran["gap"].startswith("60 groups; 20 groups stand in several splits")
    assert "60 pictures dropped" in ran["deduplicate"]
    assert "0 leaks left" in ran["deduplicate"]
    people = {name: float(rate) for name, rate in re.findall(r"person=(\w+) +label_issue +([\d.]+) %", ran["who"])}
    assert max(people.values()) == people["Cleo"] > 2 * sorted(people.values())[1]
    estimated, truth = ran["random"].splitlines()[1:3]
    low, high = _interval(estimated)
    now, first = (float(share) for share in re.findall(r"([\d.]+) %", truth))
    assert low < now < high
    assert now < first / 4
    cells = [line for line in ran["coverage"].splitlines() if "expected" in line]
    assert [line.partition(":")[0] for line in cells] == ["3 × scanner=B"]
    assert "times as many samples as 8" in ran["coverage"]
    assert "Leaks(0 pairs" in ran["leaks"]
    assert "no group stands in two splits" in ran["leaks"]
    assert _interval(ran["model"].splitlines()[-1])[0] > 0, "after is better than before"
    gains = {line.partition(":")[0]: _interval(line) for line in ran["steps"].splitlines()[1:]}
    middle = {name: sum(ends) / 2 for name, ends in gains.items()}
    assert gains["without copies"][1] < 2, "a model that has seen pictures of the exam does well in it"
    assert middle["labels and weights"] == max(middle.values())
    assert _interval(ran["seeds"].splitlines()[-1])[0] > 0
    assert _interval(ran["augment"].splitlines()[-1])[0] < 0, (
        "no better than weights; what is drawn depends on the samples' ids"
    )


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("ran", [("which_of_four_sets_is_useful", "loupe-story-four")], indirect=True)
def test_the_story_of_four_sets_prints_what_stands_in_it(ran: dict[str, str]) -> None:
    # what the text between the cells says
    assert "the best by precision: pretty" in ran["compare"]
    assert "the best by frechet: cheap" in ran["compare"]
    findings = {tuple(line.split(". ")[0].split(": ")) for line in ran["findings"].splitlines()}
    assert {("cheap", "LABEL_MISMATCH"), ("smooth", "SPECTRAL"), ("pretty", "COLLAPSE")} <= findings
    assert not [name for name, _ in findings if name == "crooked"]
    utility = {name: _interval(line) for name, line in re.findall(r"^(\w+) +(utility .*)$", ran["transfer"], re.M)}
    assert [name for name, (low, _) in utility.items() if low >= 0.85] == ["crooked"]
    tied = {line.partition(":")[0]: line.endswith("a tie") for line in ran["apart"].splitlines()}
    assert len(tied) == 6
    assert {names for names, tie in tied.items() if not tie} == {names for names in tied if "crooked" in names}
    missed = {kind: float(rate) for kind, rate in re.findall(r"background=(\w+) +not covered +([\d.]+) %", ran["why"])}
    assert max(missed, key=lambda kind: -missed[kind]) == "sky"
    assert sorted(missed.values())[1] > 5 * missed["sky"]
    assert set(re.findall(r" on (\w+)", ran["prompts"])) == {"wall", "bricks", "leaves"}
    assert _interval(ran["cure"].splitlines()[-1])[0] > 0


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
    # FiftyOne's `take` draws by the samples' ids, which are others each time: the same story would print other figures
    assert not [cell.id for cell in code if ".take(" in cell.source]
    assert not re.search(r"/home/|/tmp/|/work/|/Users/", str(story)), "a path of somebody's machine"
    for link in re.findall(r"\]\(([^)#]+)\)", "\n".join(cell.source for cell in story.cells)):
        assert link.startswith("https://") or (notebook.parent / link).exists(), link


@pytest.mark.slow
def test_a_cell_that_fails_ends_the_run(tmp_path: Path) -> None:
    import nbformat
    from nbclient.exceptions import CellExecutionError

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0"), nbformat.v4.new_code_cell("print(1)")])
    nbformat.write(made, tmp_path / "story.ipynb")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(tmp_path / "story.ipynb", tmp_path)


def test_words_and_numbers_are_told_apart() -> None:
    assert _words("rate  5.0 %\n (q = .013, 1,000)") == "rate # % (q = #, #)"
    assert _words("(digest a1f2)") == _words("(digest 99b)") == "(digest)"
    assert _numbers("216 done, 46.2 s on cpu, q = .013 < .001, 1,000") == [216, 0.013, 0.001, 1000]
    assert math.isclose(_q("a\ndigits=4  t  40.5 %  27.0 % to 55.5 %  3.50  < .001      17", "digits=4"), 0.001)
