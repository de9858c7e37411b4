"""The page of an experiment: every figure of its record, and nothing that is not known looks like one."""

from __future__ import annotations

import math
from dataclasses import replace

from loupe.brain.core.experiment import ArmResult, Experiment, ExperimentPlan, PlannedArm
from loupe.brain.core.realism import Estimate, Verdict
from loupe.brain.report import experiment as report
from loupe.brain.report import html, markdown, results
from loupe.brain.report.blocks import Bars, Chart, Page, Thumbnail

NAN = math.nan


def planned(name: str, **facts: float) -> PlannedArm:
    made = PlannedArm(name, "m", "class", NAN, 0, 100, 0, NAN, NAN, NAN, "a photo of a cat")
    return replace(made, **facts)  # type: ignore[arg-type]


def arm(name: str, accuracy: float, low: int = 1, high: int = 2) -> ArmResult:
    near = Estimate(accuracy, accuracy - 0.1, accuracy + 0.05)
    return ArmResult(
        *(name, "m", "class", NAN, 0, 100, Estimate(0.1, 0.05, 0.2), 90, near, near, near, near, 12.5, 0.7, near, near),
        Estimate(math.inf, 40, math.inf),
        low,
        high,
        (Verdict("SPECTRAL", "It is smooth", {}, "Look"),),
    )


def made() -> Experiment:
    plan = ExperimentPlan((planned("a", seconds=36.0, price=0.5), planned("b")), "kind", ("cat", "dog"), 50, 200, 100)
    broken = ArmResult("<b>broken", "m", "class", NAN, 0, reason="cannot be drawn: <i>no")
    curve = ((25, Estimate(0.5, 0.4, 0.6)), (200, Estimate(0.9, 0.8, 1.0)))
    return Experiment(
        *(plan, (arm("a", 0.8), arm("b", 0.6), broken), Estimate(0.9, 0.85, 0.95), 0.5, curve, (("a", "b"),)),
        ("The most useful is a.",),
        ("hog sees no meaning",),
    )


def test_bars_of_all_arms_with_real_samples_as_the_mark() -> None:
    page = report.page(made(), {"a": (Thumbnail("x", "x.png", b"\xff"),)}, "<u>set", "0")
    blocks = [block for section in page.sections for block in section.blocks]
    (bars,) = [block for block in blocks if isinstance(block, Bars)]
    assert [(bar.label, bar.rate, bar.against) for bar in bars.bars[:2]] == [("a", 0.8, 0.9), ("b", 0.6, 0.9)]
    assert bars.bars[0].hint == "rank 1–2, tied: a"
    assert "worth more than 200 real samples" in bars.bars[0].note
    assert [picture.id for picture in bars.bars[0].pictures] == ["x"]
    assert math.isnan(bars.bars[2].rate)
    assert bars.bars[2].hint == "cannot be drawn: <i>no"
    charts = {block.title: block for block in blocks if isinstance(block, Chart)}
    assert len(charts) == 3
    dots = charts["Use by precision: how real each image looks"].curves
    assert [(curve.name, curve.points) for curve in dots] == [("a", ((0.8, 0.8),)), ("b", ((0.6, 0.6),))]
    real, best, worst = charts["What real samples give"].curves
    assert real.points == ((0.125, 0.5), (1.0, 0.9))
    assert {best.points[0][1], worst.points[0][1]} == {0.8, 0.6}


def test_as_a_page_and_as_text() -> None:
    page = report.page(made(), {}, "<u>set", "0")
    drawn = html.draw(page)
    for absent in ("<u>set", "<b>broken", "<i>no", "nan"):
        assert absent not in drawn
    assert drawn.count('class="point c') == 4
    text = markdown.draw(page)
    for words in ("The most useful is a", "hog sees no meaning", "10.0 %", "n 90", "12.5", "SPECTRAL: It is smooth"):
        assert words in text
    assert "nan" not in text.replace("Dominance", "")


def test_in_a_report_of_a_dataset_it_is_a_section() -> None:
    section = results.section(made(), {})
    assert section.title == "Which images train best"
    assert "The most useful is a" in html.draw(Page("t", "s", (section,), ""))
    only = Experiment(made().plan)
    assert "a photo of a cat" in html.draw(Page("t", "s", (results.section(only, {}),), ""))


def test_a_plan_adds_up_and_says_what_is_not_known() -> None:
    plan = made().plan
    assert (plan.n, plan.missing, plan.cost) == (200, 200, 50.0)
    assert plan.hours == 1.0
    assert plan.unknown("seconds") == ("b",)
    words = "60 min of drawing, and of 1 of 2 arms that is not known; 50.00 US$, and of 1 of 2 arms that is not known; "
    assert words + "how large the files are is not known" in plan.sentence()
    drawn = replace(plan, arms=tuple(replace(each, drawn=100) for each in plan.arms))
    assert (drawn.missing, drawn.cost, drawn.hours) == (0, 0.0, 0.0)
    assert drawn.sentence().endswith("200 of them drawn already: nothing is left to draw")
    unknown = replace(plan, arms=(planned("a", drawn=100),))
    assert (unknown.cost, unknown.hours, unknown.unknown("price")) == (0.0, 0.0, ())
    free = replace(plan, arms=(planned("a", price=0.0),))
    assert "; no cost; " in free.sentence()
    assert "–" in str(plan.table().text())
