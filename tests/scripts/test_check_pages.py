"""The pages on what each group of checks finds, misses and abstains on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import check_pages
import numpy as np
import pytest
from pages.cases import SECTIONS, Case, Group
from pages.judging import section
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "checks"
#: the licenses of pictures that the docs may show
ALLOWED = ("MIT", "Apache-2.0", "CC BY 4.0")


def test_every_failure_mode_of_an_image_is_named_on_some_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))
    of_images = {name for name, (check, _) in registry.failures().items() if check in registry.checks()}
    assert {name for name in of_images if f"`{name}`" not in text} == set()


def test_each_group_has_its_page_and_is_linked() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(check_pages.GROUPS)
    above, _, table = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8").partition("<!-- checks -->")
    assert table
    assert set(re.findall(r"\]\(checks/([\w-]+)\.md\)", above)) == set(check_pages.GROUPS)


def test_every_linked_picture_exists_and_none_is_left_over() -> None:
    linked: list[str] = []
    for page in PAGES.glob("*.md"):
        mine = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
        assert mine
        linked += mine
    assert len(linked) == len(set(linked))
    assert set(linked) == {file.name for file in PAGES.iterdir() if file.suffix != ".md"}


def test_the_pictures_are_small() -> None:
    pictures = list(PAGES.glob("*.jpg"))
    assert sum(file.stat().st_size for file in pictures) < 2.5 * 2**20
    for file in pictures:
        with Image.open(file) as picture:
            assert max(picture.size) <= 360


def test_each_page_says_where_its_pictures_are_from() -> None:
    for name, group in check_pages.GROUPS.items():
        text = (PAGES / f"{name}.md").read_text(encoding="utf-8").partition("## Where the pictures are from")[2]
        lines = [line for line in text.splitlines() if line.startswith("- ")]
        assert lines
        assert all(any(license in line for license in ALLOWED) for line in lines)
        for case in group.cases:
            source, _, picture = case.picture.partition("/")
            assert source in ("drawn", "tiny") or any(picture in line for line in lines)


def test_each_page_has_hits_misses_and_unknowns() -> None:
    for group in check_pages.GROUPS.values():
        sections = {case.section for case in group.cases}
        assert {"Finds", "Misses", "Abstains"} <= sections <= set(SECTIONS)


@pytest.mark.parametrize(
    ("score", "flawed", "expected"),
    [
        (0.9, True, "Finds"),
        (0.9, False, "Flags wrongly"),
        (0.1, True, "Misses"),
        (0.1, False, ""),
        (float("nan"), True, "Abstains"),
    ],
)
def test_sections(score: float, flawed: bool, expected: str) -> None:
    output = registry.failures()["near_duplicate"][1]
    verdict = Verdict(Row("0", ""), {"near_duplicate": score}, {}, {}, {}, {})
    assert section(output, verdict, flawed) == expected


WALL = Case("Finds", "blur", "drawn/plate/OPEN", "Blurred.", "blur", 2)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the script with one group of these cases."""

    def run(*cases: Case, options: tuple[str, ...] = ()) -> int:
        monkeypatch.setattr(check_pages, "GROUPS", {"walls": Group("Walls", "Of walls.", cases)})
        return check_pages.main([str(tmp_path), *options], tmp_path / "out")

    return run


def test_a_page_is_made_and_then_fresh(made: Callable[..., int], tmp_path: Path) -> None:
    left = tmp_path / "out" / "walls-07-old.jpg"
    left.parent.mkdir()
    left.touch()
    assert made(WALL) == 0
    assert not left.exists()
    text = (tmp_path / "out" / "walls.md").read_text(encoding="utf-8")
    assert "Found: `blur`" in text
    assert "fails below" in text
    with Image.open(tmp_path / "out" / "walls-01-blur.jpg") as picture:
        assert np.asarray(picture).std() > 5
    assert made(WALL, options=("--check",)) == 0


def test_a_stale_page_is_reported(made: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert made(WALL) == 0
    assert made(replace(WALL, severity=1), options=("--check",)) == 1
    assert "walls.md is stale" in capsys.readouterr().err


def test_a_picture_in_the_wrong_section_is_refused(
    made: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert made(WALL, replace(WALL, section="Misses")) == 1
    message = capsys.readouterr().err
    assert "blur of drawn/plate/OPEN" in message
    assert "expected “Misses”, got “Finds”" in message
    assert not (tmp_path / "out").exists()


PAIR = Case(
    "Finds", "near_duplicate", "drawn/plate/OPEN", "Half as bright.", change=lambda pixels: pixels // 2, pair=True
)


def test_a_page_of_pairs_is_made_and_then_fresh(
    made: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Case("Misses", "near_duplicate", "drawn/plate/OPEN", "Another word.", other="drawn/plate/CLOSED")
    assert made(PAIR, other) == 0, capsys.readouterr().err
    text = (tmp_path / "out" / "walls.md").read_text(encoding="utf-8")
    assert text.index("Found: `near_duplicate`") < text.index("Missed: `near_duplicate`")
    with Image.open(tmp_path / "out" / "walls-01-near-duplicate.jpg") as picture:
        assert picture.width > 1.5 * picture.height
    assert made(PAIR, other, options=("--check",)) == 0
    assert made(PAIR, options=("--check",)) == 1


def test_each_page_has_the_words_of_its_cases() -> None:
    for name, group in check_pages.GROUPS.items():
        text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {group.title}\n")
        assert " ".join(group.text.split()) in text
        for number, case in enumerate(group.cases, 1):
            (caption,) = re.findall(rf"\({name}-{number:02}-[\w-]+\.jpg\)\n\n(.*)\n", text)
            assert f"`{case.failure}`" in caption
            assert " ".join(case.note.split()).replace("<", "&lt;") in caption


@pytest.mark.slow
def test_the_page_on_duplicates_is_fresh(shared_data: Path) -> None:
    assert check_pages.main([str(shared_data), "duplicates", "--check"]) == 0
