"""The report of an experiment: what follows, the arms side by side, whether the prettiest is the most useful."""

from __future__ import annotations

import math

from loupe.brain.core.experiment import ArmResult, Experiment, duration
from loupe.brain.core.realism import Estimate
from loupe.brain.core.shares import tenths
from loupe.brain.core.tables import Table
from loupe.brain.report.blocks import Bar, Bars, Block, Chart, Curve, Numbers, Page, Section, Text, top_of
from loupe.brain.report.contents import Examples


def page(result: Experiment, pictures: Examples, dataset: str, version: str) -> Page:
    """Returns the report of an experiment.

    Args:
        result: what came of it
        pictures: some of each arm, by its name
        dataset: the name of the dataset with the images
        version: Loupe's
    """
    plan = result.plan
    return Page(
        title="Which images train best?",
        subtitle=f"Dataset {dataset}: {len(plan.arms):,} arms of {len(plan.classes):,} classes, "
        f"against {plan.n_train:,} real samples, tested on {plan.n_test:,}",
        sections=(
            Section("What follows", tuple(_follows(result))),
            Section("The arms by use", tuple(_use(result, pictures))),
            Section("Pretty or useful", tuple(_charts(result))),
            Section("Side by side", (_measures(result),)),
            Section("What is in each set", tuple(_findings(result))),
            Section("How it was drawn", tuple(_plan(result))),
        ),
        made_by=f"Made by Loupe {version}. Utility: (accuracy - chance) / (that of real samples - chance), by frozen "
        "vectors; intervals are 95 %.",
    )


def section(result: Experiment, pictures: Examples) -> Section:
    """Returns the section of an experiment within another report."""
    blocks = [*_follows(result), *_use(result, pictures), *_charts(result)]
    return Section("Which images train best", (*blocks, _measures(result) if result.arms else result.plan.table()))


def _follows(result: Experiment) -> list[Block]:
    measured = [arm for arm in result.arms if arm.measured]
    numbers = [(f"{len(measured):,} of {len(result.arms):,}", "arms measured")]
    if measured:
        numbers.append((f"{measured[0].utility.value:.2f}", "the highest utility"))
        numbers.append((f"{result.real.value:.2f}", "accuracy with real samples"))
    blocks: list[Block] = [Numbers(tuple(numbers))] if result.arms else []
    blocks += [Text(sentence) for sentence in result.findings]
    return blocks + [Text(note, small=True) for note in result.notes]


def _use(result: Experiment, pictures: Examples) -> list[Block]:
    if not result.arms:
        return []
    letters = result.letters()
    bars = []
    for arm in result.arms:
        real = result.real.value
        ranks = f"rank {arm.rank}, tied: {letters[arm.name] or 'with none'}" if arm.measured else arm.reason
        bars.append(
            Bar(
                label=arm.name,
                hint=ranks,
                rate=arm.accuracy.value,
                low=arm.accuracy.low,
                high=arm.accuracy.high,
                note=f"utility {arm.utility} · worth {result.size_text(arm)} real samples"
                if arm.measured
                else "not measured",
                pictures=pictures.get(arm.name, ()),
                against=None if math.isnan(real) else real,
            )
        )
    top = top_of([each for bar in bars for each in (bar.high, bar.against or 0.0)])
    text = "Accuracy on real samples after training on each set; the mark is that of as many real ones. "
    text += "Those that share a letter are tied."
    return [Bars(tuple(bars), top), Text(text, small=True)]


def _charts(result: Experiment) -> list[Block]:
    """Returns use over looks, and the learning curve of real samples with the best and the worst set on it."""
    measured = [arm for arm in result.arms if arm.measured]
    blocks: list[Block] = []
    shown = (("precision", "How real each image looks"), ("recall", "How much of the real set is reached"))
    for name, title in shown:
        dots = [
            Curve(arm.name, ((_unit(getattr(arm, name).value), _unit(arm.accuracy.value)),))
            for arm in measured
            if not math.isnan(getattr(arm, name).value)
        ]
        if len(dots) > 1:
            words = f"{name} over a second real set (shown to 1)"
            blocks.append(Chart(f"Use by {name}: {title.lower()}", words, "accuracy on real samples", tuple(dots)))
    if result.curve and measured:
        full = result.curve[-1][0]
        real = Curve("real samples", tuple((n / full, _unit(own.value)) for n, own in result.curve))
        ends = [measured[0], *([measured[-1]] if len(measured) > 1 else [])]
        heights = [(arm.name, _unit(arm.accuracy.value)) for arm in ends]
        lines = tuple(Curve(name, ((0.0, height), (1.0, height))) for name, height in heights)
        words = f"share of {full:,} real samples"
        blocks.append(Chart("What real samples give", words, "accuracy on real samples", (real, *lines)))
    return blocks


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _measures(result: Experiment) -> Table:
    head = ("arm", "images", "failing", "precision", "recall", "density", "coverage", "Fréchet", "c2st", "real size")
    rows = [
        (
            arm.name,
            arm.n,
            _share(arm),
            *map(_span, (arm.precision, arm.recall, arm.density, arm.coverage)),
            "–" if math.isnan(arm.frechet) else f"{arm.frechet:.3g}",
            "–" if math.isnan(arm.c2st) else f"{arm.c2st:.2f}",
            result.size_text(arm),
        )
        for arm in result.arms
    ]
    return Table.of("Precision to coverage: over what a second real set has", head, rows)


def _share(arm: ArmResult) -> str:
    if math.isnan(arm.failing.value):
        return "not judged"
    failing = arm.failing
    return f"{tenths(failing.value)} ({tenths(failing.low)} to {tenths(failing.high)}), n {arm.judged:,}"


def _span(known: Estimate) -> str:
    if math.isnan(known.value):
        return "–"
    band = "" if math.isnan(known.low) else f" ({known.low:.2f} to {known.high:.2f})"
    return f"{known.value:.2f}{band}"


def _findings(result: Experiment) -> list[Block]:
    return [
        Text(f"{arm.name}. {finding}")
        for arm in result.arms
        for finding in arm.findings
    ]  # fmt: skip


def _plan(result: Experiment) -> list[Block]:
    if not result.arms:
        return [result.plan.table()]
    head = ("arm", "images", "seconds an image", "drawing in all", "cost in all", "first prompt")
    rows = [
        (
            arm.name,
            arm.drawn,
            "–" if math.isnan(arm.seconds) else f"{arm.seconds:.2g}",
            duration(arm.drawn * arm.seconds),
            "–" if math.isnan(arm.price) else f"{arm.drawn * arm.price:,.2f} US$",
            arm.prompt,
        )
        for arm in result.plan.arms
    ]
    return [Table.of("", head, rows), *(Text(note, small=True) for note in result.plan.notes)]
