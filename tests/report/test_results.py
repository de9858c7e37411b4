"""What verbs found has a section each, in the words and numbers of their records."""

from __future__ import annotations

import math

from loupe.brain.core.comparison import Comparison, Standing
from loupe.brain.core.findings import Finding, SliceFindings
from loupe.brain.core.results import Flags, Rate, Slice
from loupe.brain.labels.box_records import BoxIssue, BoxIssues
from loupe.brain.labels.mask_records import MaskIssue, MaskIssues
from loupe.brain.labels.records import LabelIssue, LabelIssues
from loupe.brain.report import html, results
from loupe.brain.report.blocks import Bars, Page, Section, Text, Thumbnail
from loupe.brain.stats.intervals import Proportion


def rate_of(failures: int, n: int, **values: str) -> Rate:
    own = Proportion.of(failures, n)
    return Rate(Slice(values), "blur", n, failures, 0, 0, own.rate, own.low, own.high)


def finding_of(failures: int, rest: int) -> Finding:
    return Finding(
        slice=Slice({"time": "night"}),
        failure="blur",
        rate=rate_of(failures, 100, time="night"),
        rest=rate_of(rest, 1000),
        lift=3.0,
        lift_low=2.0,
        lift_high=4.0,
        p=0.001,
        q=0.002,
        confirmed=True,
        whole=rate_of(2 * failures, 200, time="night"),
        examples=("a", "b"),
        factors=({"name": "time", "kind": "text"},),
    )


def made_of(*findings: Finding, message: str = "") -> SliceFindings:
    return SliceFindings(findings, (), 2000, {"blur": 2000}, {}, {}, 3, 99, 2000, ("time",), (), message)


def drawn(section: Section) -> str:
    return html.draw(Page("t", "s", (section,), ""))


def test_a_finding_is_a_bar_against_the_rest_with_its_sentence_and_pictures() -> None:
    finding = finding_of(30, 100)
    made = results.section(made_of(finding), {finding.key: (Thumbnail("a", "a.png", b"\xff"),)})
    (bars,) = [block for block in made.blocks if isinstance(block, Bars)]
    (bar,) = bars.bars
    assert (bar.rate, bar.against, bar.label) == (0.3, 0.1, "night")
    assert bar.hint == finding.sentence
    assert "30 of 100 judged" in bar.note
    assert "rest 10 %" in bar.note
    assert [picture.id for picture in bar.pictures] == ["a"]
    assert 'class="mark"' in drawn(made)


def test_nothing_found_says_why() -> None:
    made = results.section(made_of(message="Nothing fails more often than chance."), {})
    assert [block.text for block in made.blocks if isinstance(block, Text)] == ["Nothing fails more often than chance."]


def test_a_comparison_says_ranks_and_ties() -> None:
    standings = tuple(
        Standing(name, rate_of(failures, 100), 100.0, low, high)
        for name, failures, low, high in (("old", 5, 1, 2), ("new", 9, 1, 2), ("odd", 50, 3, 3))
    )
    made = results.section(Comparison("model", "blur", standings, (), (("old", "new"), ("odd",))), {})
    (bars,) = [block for block in made.blocks if isinstance(block, Bars)]
    assert [(bar.label, bar.hint) for bar in bars.bars] == [
        ("old", "rank 1–2, tied: a"),
        ("new", "rank 1–2, tied: a"),
        ("odd", "rank 3, tied: b"),
    ]
    assert made.title == "By model"


def test_label_issues_are_sentences_and_a_table() -> None:
    issue = LabelIssue("id", "c<a>t", "dog", 0.9, 0.8, "dog 80 %")
    made = LabelIssues("gt", (issue,), 10, 0, Proportion.of(1, 10), 0.12, (), {}, (), (), (), "a probe over embeddings")
    page = drawn(results.section(made, {}))
    assert "1 of 10 labels in gt are probably wrong" in page
    assert "c&lt;a&gt;t" in page


def test_box_and_mask_issues_are_sentences_and_a_table() -> None:
    box = BoxIssue("id", "swapped", "box", "c<a>t", "dog", (0, 0, 1, 1), 0.9, None, "dog, where c<a>t is given")
    made = BoxIssues(
        "gt", "m", (box,), 10, 30, 4, 0, Proportion.of(1, 10), {"swapped": 1}, (), {"id": 2}, (), ("a note",)
    )
    page = drawn(results.section(made, {}))
    for words in (
        "1 of 10 samples have boxes in gt that are probably wrong",
        "1 swapped",
        "Of 4 boxes m says",
        "a note",
    ):
        assert words in page
    assert "2 boxes on 1 samples" in page
    assert "c&lt;a&gt;t" in page
    mask = MaskIssue("id", "c<a>t", "dog", 0.2, 0.1, "10.0 % of the picture is c<a>t, and dog by the model")
    masks = MaskIssues("gt", "m", (mask,), 10, 0, Proportion.of(1, 10), {"c<a>t": 0.4, "dog": 0.9})
    page = drawn(results.section(masks, {}))
    assert "1 of 10 masks in gt are probably wrong" in page
    assert "c&lt;a&gt;t (40 %)" in page


def test_what_is_not_known_here_prints_as_its_table() -> None:
    made = results.section(Flags({"blur": 3}, {}, {}), {})
    assert made.title == "Flags"
    assert "3 failures flagged" in drawn(made)


def test_numbers_that_are_none_are_no_words() -> None:
    empty = Rate(Slice({}), "blur", 0, 0, 3, 0, math.nan, math.nan, math.nan)
    standings = (Standing("new", empty, 0.0, None, None),)
    page = drawn(results.section(Comparison("model", "blur", standings, (), ()), {}))
    assert "not judged" in page
    assert ">nan" not in page
