"""What a prompt asks for is no failure, whichever door is used, and wherever the threshold is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database

PROMPTS = ["a street, night", "a street, day", "a street, no night", None, "a sign. Negative prompt: night", "a room"]
#: which of them ask for darkness
ASKED = [True, False, False, False, False, False]


@pytest.fixture
def dark(dataset: Any, tmp_path: Path) -> Any:
    """Six dark pictures with prompts; the factor of the last one says that it is night."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    for index, prompt in enumerate(PROMPTS):
        pixels = rng.integers(0, 60, (48, 64, 3), dtype=np.uint8)
        path = tmp_path / f"{index}.png"
        Image.fromarray(pixels).save(path)
        dataset.add_sample(fo.Sample(filepath=str(path), prompt=prompt))
    return dataset


def _failing(dataset: Any) -> list[bool]:
    return ["dark" in (labels or ()) for labels in dataset.values("failures.classifications.label")]


def _reasons(dataset: Any) -> list[list[str]]:
    return [reasons or [] for reasons in dataset.values("unknown.classifications.reason")]


def test_check_says_so_and_keeps_the_score(dark: Any) -> None:
    import loupe

    run = loupe.check(dark, ["exposure"])
    assert dark.count("quality.brightness_p95") == len(PROMPTS), "the raw score is always stored"
    assert _failing(dark) == [not asked for asked in ASKED]
    assert _reasons(dark) == [['as asked: "night"'] * 2, [], [], [], [], []]  # low contrast at night, too
    assert run.as_asked == {"dark": 1, "low_contrast": 1}
    assert "dark: 1 as asked" in repr(run)
    (rate,) = loupe.slice(dark, [], failure="dark")
    assert (rate.failures, rate.n, rate.unknown) == (5, 5, 1), "the rate is over pictures for which it was not asked"


def test_no_threshold_brings_it_back(dark: Any) -> None:
    import loupe
    from loupe.brain.store import thresholds_view

    loupe.check(dark, ["exposure"])
    for value in (1.0, 0.0, 0.9, 0.5):
        flags = loupe.flag(dark, {"dark": value})
        assert not _failing(dark)[0]
        assert flags.as_asked["dark"] == 1
        assert flags.counts["dark"] == sum(_failing(dark))
        scored = thresholds_view.read(dark, "dark")
        shown = thresholds_view.preview(dark, "dark", scored, value=value, examples=9)
        assert shown.failing_by_used == shown.histogram.failed == flags.counts["dark"], "the panel's preview agrees"
        assert dark.first().id not in {example.id for example in shown.examples}
        side = thresholds_view.Side("dark", "<", value, "failing")
        assert len(dark.match(side.query())) == flags.counts["dark"]
    assert "as asked" in repr(flags)


def test_a_factor_asks_too_and_only_beside_a_prompt(dark: Any) -> None:
    import fiftyone as fo

    import loupe

    dark.add_sample_field("scenario", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    dark.add_sample_field("scenario.time", fo.StringField)
    times = [None, "day", None, "night", "no night", "night"]
    for sample, time in zip(dark.iter_samples(autosave=True), times, strict=True):
        sample["scenario"] = fo.DynamicEmbeddedDocument(time=time)
    loupe.check(dark, ["exposure"])
    assert _failing(dark) == [False, True, True, True, True, False]


def test_it_follows_the_prompt(dark: Any) -> None:
    import loupe

    loupe.check(dark, ["exposure"])
    before = dark.values("unknown.classifications.id")
    loupe.flag(dark)
    assert dark.values("unknown.classifications.id") == before, "nothing has changed, and nothing is written"
    prompts = ["a street", "at night", None, "in the dark", "a street", "fog"]
    dark.set_values("prompt", prompts)
    loupe.flag(dark)
    assert _failing(dark) == [True, False, True, False, True, True]
    assert [bool(reasons) for reasons in _reasons(dark)] == [False, True, False, True, False, True]
    loupe.check(dark, ["exposure"], resume=False)
    assert _failing(dark) == [True, False, True, False, True, True]
    dark.delete_sample_field("prompt")
    loupe.flag(dark)
    assert all(_failing(dark))
    assert not any(_reasons(dark))


def test_what_a_check_could_not_judge_stays_beside_it(dark: Any) -> None:
    import loupe

    loupe.check(dark, ["exposure", "motion_blur"])
    reasons = _reasons(dark)[0]
    assert 'as asked: "night"' in reasons
    assert any("motion blur" in reason for reason in reasons)
    run = loupe.check(dark, ["motion_blur"], resume=False)
    assert sorted(_reasons(dark)[0]) == sorted(reasons)
    (line,) = [line for line in repr(run).splitlines() if line.strip().startswith("motion_blur:")]
    assert "does not apply to any of 6 pictures: too small" in line
    assert "motion_blur 6" not in repr(run)


def test_without_prompts_nothing_is_read_or_declared(dark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.store import asked
    from loupe.brain.store.fields import ASKED as PATH

    dark.delete_sample_field("prompt")
    monkeypatch.setattr(asked, "as_asked", lambda _: pytest.fail("there is no prompt"))
    run = loupe.check(dark, ["exposure"])
    assert run.as_asked == {}
    assert all(_failing(dark))
    assert not dark.has_field(PATH)


def test_the_overview_and_the_shell_say_so_in_a_line(dark: Any) -> None:
    import loupe
    from loupe.brain.store import overview

    loupe.check(dark, ["exposure", "motion_blur"])
    shown = overview.read(dark)
    assert shown.as_asked == {"dark": 1, "low_contrast": 1}
    assert list(shown.inapplicable) == ["motion_blur"]
    assert shown.inapplicable["motion_blur"].startswith("does not apply to any of 6 pictures: too small")
    assert overview.notes(dark) == [
        f"motion_blur: {shown.inapplicable['motion_blur']}",
        "dark: 1 as asked",
        "low_contrast: 1 as asked",
    ]
    loupe.check(dark, ["exposure", "motion_blur"])  # everything was done already
    assert overview.notes(dark) == [
        f"motion_blur: {shown.inapplicable['motion_blur']}",
        "dark: 1 as asked",
        "low_contrast: 1 as asked",
    ]
