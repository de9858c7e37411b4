"""``loupe.rebalance`` draws until enough passes, and only what passes counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rebalancing as made
from rebalancing import Shapes

import loupe
from loupe.brain.core.errors import InputError, MissingWeights, OutputError, Stopped, UnknownName
from loupe.brain.core.records import Progress
from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion

pytestmark = [pytest.mark.database, pytest.mark.slow]

TARGET = 8


@pytest.fixture
def shapes(new_dataset: Callable[[], Any], tmp_path: Path) -> Any:
    return made.fill(new_dataset(), tmp_path / "own")


@pytest.fixture
def how(tmp_path: Path) -> dict[str, Any]:
    return {"target": TARGET, "model": Shapes(), "checks": ["exposure"], "output_dir": tmp_path / "drawn"}


def cell(dataset: Any) -> Any:
    return made.lacking(dataset).below[0]


def test_it_stops_at_the_target_and_only_what_passes_counts(shapes: Any, how: dict[str, Any]) -> None:
    from loupe.brain.store import columns

    before = {each.id: each.to_dict() for each in shapes}
    lacking = cell(shapes)
    result = loupe.rebalance(shapes, lacking, **how)
    (own,) = result.cells
    assert (own.end, own.target, own.present, own.counts) == ("reached", TARGET, 2, TARGET - 2)
    assert own.drawn == len(shapes) - len(before) == own.counts + own.spare + own.fails
    assert (own.fails, dict(own.failures), own.unknown) == (own.fails, {"dark": own.fails}, 0)
    assert own.fails > 0
    view = loupe.rebalanced_view(shapes)
    assert len(view) == len(before) + own.counts
    assert len(loupe.view_of(view, lacking)) == TARGET
    assert "scenario.rebalance_draw" not in columns.factors(shapes), "it tells single pictures apart"
    drawn = shapes.match({"rebalance.key": own.key})
    statuses = drawn.count_values("rebalance.status")
    assert statuses == {"counts": own.counts, "fails": own.fails, **({"spare": own.spare} if own.spare else {})}
    failing = drawn.match({"rebalance.status": "fails"})
    assert set(failing.values("rebalance.reason")) == {"dark"}
    assert not any(drawn.match({"rebalance.status": "counts"}).values("failures.classifications"))
    assert sorted(drawn.values("rebalance.number")) == list(range(own.drawn))
    # the rate is that of the draws up to the one that reached the target
    answers = dict(zip(*drawn.values(["rebalance.number", "rebalance.status"]), strict=True))
    last = max(at for at, status in answers.items() if status == "counts")
    assert (own.rate.k, own.rate.n) == (own.counts, last + 1)
    for sample_id, facts in before.items():
        now = shapes[sample_id].to_dict()
        assert {name: now[name] for name in ("prompt", "kind", "scenario", "filepath")} == {
            name: facts[name] for name in ("prompt", "kind", "scenario", "filepath")
        }
    assert result.view in shapes.list_saved_views()
    assert len(shapes.load_saved_view(result.view)) == len(view)


def test_the_same_call_does_nothing_and_a_larger_target_goes_on(shapes: Any, how: dict[str, Any]) -> None:
    lacking = made.lacking(shapes).below
    first = loupe.rebalance(shapes, lacking, **how)
    n, runs = len(shapes), shapes.list_runs()
    times = shapes.values("last_modified_at")
    again = loupe.rebalance(shapes, lacking, **how)
    assert (again.to_dict(), len(shapes)) == (first.to_dict(), n)
    assert shapes.values("last_modified_at") == times
    assert not any(key.startswith("loupe_generate") for key in set(shapes.list_runs()) - set(runs))
    more = loupe.rebalance(shapes, lacking, **{**how, "target": TARGET + 6})
    assert (more.cells[0].counts, more.cells[0].key) == (TARGET + 4, first.cells[0].key)
    assert len(shapes) == n + more.cells[0].drawn - first.cells[0].drawn
    alone = loupe.rebalance(shapes, lacking, **{**how, "target": TARGET + 6})
    assert alone.to_dict() == more.to_dict()
    fewer = loupe.rebalance(shapes, lacking, **{**how, "target": 1})
    assert (fewer.cells[0].end, fewer.cells[0].counts, len(shapes)) == ("reached", 0, n + more.drawn - first.drawn)


def test_a_target_below_what_is_there(shapes: Any, how: dict[str, Any]) -> None:
    n = len(shapes)
    result = loupe.rebalance(shapes, cell(shapes), **{**how, "target": 2})
    assert (result.reached, result.drawn, len(shapes)) == (True, 0, n)
    assert result.cells[0].sentence == "frame × time=dawn: 2 of 2 samples count"


def test_a_plan_writes_nothing(shapes: Any, how: dict[str, Any]) -> None:
    lacking = cell(shapes)
    schema, runs, n = list(shapes.get_field_schema(flat=True)), shapes.list_runs(), len(shapes)
    plan = loupe.rebalance(shapes, lacking, dry_run=True, **how)
    assert (list(shapes.get_field_schema(flat=True)), shapes.list_runs(), len(shapes)) == (schema, runs, n)
    assert plan.planned
    assert "6 samples that count are lacking, how many of the pictures pass is not known of all, at most 120" in str(
        plan
    )
    assert math.isnan(plan.seconds)
    loupe.rebalance(shapes, lacking, **how)
    further = loupe.rebalance(shapes, lacking, dry_run=True, **{**how, "target": 30})
    (own,) = further.cells
    mid, few, many = own.to_draw
    assert mid == pytest.approx(own.lacking / own.rate.rate)
    assert few < mid < many
    assert further.cost == 0
    assert further.seconds > 0


def test_own_pictures_that_fail_do_not_count(shapes: Any, how: dict[str, Any]) -> None:
    """One of the two rare ones is too dark: what was checked counts where it passes."""
    from PIL import Image

    lacking = cell(shapes)
    rare = loupe.view_of(shapes, lacking)
    path = rare.first().filepath
    Image.new("RGB", (48, 48), (2, 2, 2)).save(path)
    assert loupe.rebalance(shapes, lacking, dry_run=True, **how).cells[0].present == 2, "nobody has checked it"
    loupe.check(rare, ["exposure"])
    assert loupe.rebalance(shapes, lacking, dry_run=True, **how).cells[0].present == 1


def test_it_has_to_show_the_class_that_was_asked_for(shapes: Any, how: dict[str, Any]) -> None:
    loupe.embed(shapes, embedder="hog", visualize=None, similarity=False)
    # a reference that tells the two, without the rare cell's own lack
    result = loupe.rebalance(
        shapes, cell(shapes), label="scenario.shape", **{**how, "model": Shapes(dark=0.0, other=0.5)}
    )
    (own,) = result.cells
    assert own.end == "reached"
    assert own.failures.keys() == {"label"}
    assert result.agreement.rate > 0.95
    drawn = shapes.match({"rebalance.key": own.key})
    assert set(drawn.match({"rebalance.status": "fails"}).values("rebalance.reason")) == {"label: it looks like disk"}
    for sample in drawn:
        assert (sample.rebalance.agreement > 0.5) == (sample.rebalance.status != "fails")
        assert _is_frame(sample) == (sample.rebalance.status != "fails"), "by what was drawn, not by the classifier"


def _is_frame(sample: Any) -> bool:
    import numpy as np

    rng = np.random.default_rng(sample.generation.seed)
    _, other = rng.random(2)
    return bool(other >= 0.5)


def test_a_class_field_of_the_users_gets_the_class_of_what_passes(
    shapes: Any, how: dict[str, Any], new_dataset: Callable[[], Any], tmp_path: Path
) -> None:
    loupe.embed(shapes, embedder="hog", visualize=None, similarity=False)
    lacking = loupe.coverage(shapes, ["scenario.time"], label="kind", groups=()).below[0]
    result = loupe.rebalance(shapes, lacking, label="kind", **how)
    drawn = shapes.match({"rebalance.key": result.cells[0].key})
    assert set(drawn.match({"rebalance.status": "fails"}).values("kind.label")) == {None}
    assert set(drawn.match({"rebalance.status": {"$ne": "fails"}}).values("kind.label")) == {"frame"}
    assert result.reached
    # another dataset has nothing of it: how many there are is what the coverage says
    other = new_dataset()
    moved = loupe.rebalance(other, lacking, label="kind", reference=shapes, **{**how, "output_dir": tmp_path / "other"})
    assert (moved.cells[0].present, moved.cells[0].counts) == (2, TARGET - 2)
    assert set(loupe.rebalanced_view(other).values("kind.label")) == {"frame"}


def test_silence_does_not_count_unless_that_is_said(shapes: Any, how: dict[str, Any]) -> None:
    lacking = cell(shapes)
    checks = ["exposure", "motion_blur"]  # which says nothing of 48 pixels
    strict = loupe.rebalance(shapes, lacking, **{**how, "checks": checks})
    (own,) = strict.cells
    assert (own.end, own.counts) == ("undecided", 0)
    assert own.doubts == {"motion_blur": own.unknown}
    assert "motion_blur cannot tell: leave that check out, or let its silence pass with allow_unknown" in own.sentence
    n = len(shapes)
    allowed = loupe.rebalance(shapes, lacking, **{**how, "checks": checks}, allow_unknown=["motion_blur"])
    assert allowed.reached
    assert len(shapes) == n, "what was drawn for it is there already, and counts now"
    # a check that does not apply is no doubt: no text is asked for
    plain = loupe.rebalance(shapes, lacking, **{**how, "checks": ["exposure", "text"]})
    assert plain.reached


@pytest.mark.parametrize(("dark", "end"), [(1.0, "limit"), (0.93, "limit")])
def test_a_cell_that_nobody_can_draw_ends(shapes: Any, how: dict[str, Any], dark: float, end: str) -> None:
    lacking = cell(shapes)
    result = loupe.rebalance(shapes, lacking, max_draws=40, **{**how, "model": Shapes(dark=dark)})
    (own,) = result.cells
    assert own.end == end
    assert own.drawn == own.rate.n == 40
    assert own.rate.k == own.counts < TARGET - 2
    assert f"{own.counts} of 40 passed: this generator cannot draw this often enough" in str(result)
    n = len(shapes)
    again = loupe.rebalance(shapes, lacking, max_draws=40, **{**how, "model": Shapes(dark=dark)})
    assert again.to_dict() == result.to_dict()
    assert len(shapes) == n


def test_none_passes_and_none_will(shapes: Any, how: dict[str, Any]) -> None:
    result = loupe.rebalance(shapes, cell(shapes), **{**how, "target": 40, "max_draws": 150, "model": Shapes(dark=1.0)})
    (own,) = result.cells
    assert own.end == "hopeless"
    assert own.drawn < 100
    assert f"none of {own.drawn} passed: this generator cannot draw this" in own.sentence


def test_what_costs_is_not_drawn_beyond_the_target(shapes: Any, how: dict[str, Any]) -> None:
    priced, lacking = Shapes(dark=0.4, cents=4), cell(shapes)
    plan = loupe.rebalance(shapes, lacking, dry_run=True, **{**how, "model": priced})
    assert math.isnan(plan.cost), "how many pass is not known"
    result = loupe.rebalance(shapes, lacking, **{**how, "model": priced})
    assert result.reached
    assert result.cells[0].spare == 0
    further = loupe.rebalance(shapes, lacking, dry_run=True, **{**how, "model": priced, "target": 20})
    assert further.cost == pytest.approx(0.04 * further.cells[0].to_draw[0])


def test_slices_that_fail_and_prompts_of_ones_own(shapes: Any, how: dict[str, Any], tmp_path: Path) -> None:
    prompts = SuggestedPrompts(
        (
            Suggestion("a disk at midnight", {"shape": "disk", "time": "midnight"}, 3, "disks"),
            Suggestion("a disk, midnight", {"shape": "disk", "time": "midnight"}, 2, "disks"),
        )
    )
    result = loupe.rebalance(shapes, prompts, **how)
    (own,) = result.cells
    assert (own.where, own.target, own.counts) == ("disks", 5, 5)
    drawn = shapes.match({"rebalance.key": own.key})
    assert set(drawn.values("prompt")) == {"a disk at midnight", "a disk, midnight"}
    assert set(drawn.values("scenario.time")) == {"midnight"}


def test_names_of_all_kinds(new_dataset: Callable[[], Any], how: dict[str, Any]) -> None:
    names = ('a "quoted" $name', "dots.and.more", "<b>bold</b> 🎈")
    prompts = SuggestedPrompts(tuple(Suggestion(f"a disk {name}", {"scene": name}, 2, f"for {name}") for name in names))
    dataset = new_dataset()
    result = loupe.rebalance(dataset, prompts, **{**how, "target": None})
    assert result.reached
    assert [each.where for each in result.cells] == [f"for {name}" for name in names]
    view = loupe.rebalanced_view(dataset)
    assert view.count_values("scenario.scene") == dict.fromkeys(names, 2)
    n = len(dataset)
    assert loupe.rebalance(dataset, prompts, **{**how, "target": None}).to_dict() == result.to_dict()
    assert len(dataset) == n


def test_captions_and_a_template(shapes: Any, how: dict[str, Any]) -> None:
    lacking = cell(shapes)
    shapes.set_values("sentence", [f"one {each} seen at {time}" for each, time in _scenes(shapes)])
    captioned = loupe.rebalance(shapes, lacking, captions="sentence", **how)
    assert set(captioned.cells[0].prompts) == {"one frame seen at dawn"}
    filled = loupe.rebalance(shapes, lacking, template="{shape} by {time}", **how)
    assert filled.cells[0].prompts == ("frame by dawn",)
    assert filled.cells[0].key != captioned.cells[0].key
    with pytest.raises(UnknownName, match="field of captions 'sentense'"):
        loupe.rebalance(shapes, lacking, captions="sentense", **how)
    with pytest.raises(InputError, match="a field of texts"):
        loupe.rebalance(shapes, lacking, captions="kind", **how)


def _scenes(dataset: Any) -> list[tuple[str, str]]:
    return list(zip(*dataset.values(["scenario.shape", "scenario.time"]), strict=True))


def test_without_prompts_a_template_is_filled(shapes: Any, how: dict[str, Any]) -> None:
    lacking = cell(shapes)
    shapes.delete_sample_field("prompt")
    assert loupe.rebalance(shapes, lacking, **how).cells[0].prompts == ("a photo of a frame, dawn",)


def test_what_was_found_last(shapes: Any, how: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"call loupe\.coverage"):
        loupe.rebalance(shapes, **how)
    made.lacking(shapes)
    assert loupe.rebalance(shapes, **how).cells[0].where == "frame × time=dawn"


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"target": 0}, InputError, "target to be a whole number from 1"),
        ({"target": 2.5}, InputError, "target to be a whole number"),
        ({"max_draws": True}, InputError, "max_draws to be a whole number"),
        ({"seed": -1}, InputError, "seed to be a whole number"),
        ({"checks": None}, InputError, "neither checks nor a label"),
        ({"checks": ["sharpnes"]}, UnknownName, "sharpness"),
        ({"allow_unknown": "text"}, InputError, "True, False or a list of checks"),
        ({"allow_unknown": ["sharpnes"]}, UnknownName, "sharpness"),
        ({"budget": 3.0}, InputError, "shapes draws here and costs nothing but time"),
        ({"model": "tiny-sings", "budget": math.nan}, InputError, "budget to be a number"),
        ({"label": "kindd"}, UnknownName, "embeddings"),
        ({"model": 7}, InputError, "expected a model"),
    ],
)
def test_bad_input(shapes: Any, how: dict[str, Any], given: dict[str, Any], error: Any, match: str) -> None:
    n, schema = len(shapes), list(shapes.get_field_schema(flat=True))
    lacking = cell(shapes)
    with pytest.raises(error, match=match):
        loupe.rebalance(shapes, lacking, **{**how, **given})
    assert (len(shapes), list(shapes.get_field_schema(flat=True))) == (n, schema)


def test_a_view_is_no_place_for_new_pictures(shapes: Any, how: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="dataset"):
        loupe.rebalance(shapes.limit(3), cell(shapes), **how)


def test_a_field_of_the_users_own_is_not_written_to(shapes: Any, how: dict[str, Any]) -> None:
    shapes.set_values("rebalance", ["mine"] * len(shapes))
    with pytest.raises(InputError, match=r"fields of your own.*'rebalance'"):
        loupe.rebalance(shapes, cell(shapes), **how)
    assert set(shapes.values("rebalance")) == {"mine"}


def test_checks_whose_models_are_missing(shapes: Any, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loupe.brain.verbs.steps.planning.weights.lacking", lambda names: "no file" if names else "")
    lacking = cell(shapes)
    with pytest.raises(MissingWeights):
        loupe.rebalance(shapes, lacking, **{**how, "checks": ["hands"]})
    result = loupe.rebalance(shapes, lacking, **{**how, "checks": ["hands", "exposure"]})
    assert (result.gate, result.reached) == (("exposure",), True)
    assert "hands: left out: no file" in str(result)


def test_stopped_and_a_folder_that_cannot_be_written(shapes: Any, how: dict[str, Any], tmp_path: Path) -> None:
    lacking = cell(shapes)

    def stop(step: Progress) -> None:
        if step.message.startswith("generating 4"):
            raise Stopped("enough")

    n = len(shapes)
    with pytest.raises(Stopped):
        loupe.rebalance(shapes, lacking, progress=stop, **{**how, "model": Shapes(batch_size=4)})
    assert n < len(shapes) < n + 12
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(OutputError):
        loupe.rebalance(shapes, lacking, **{**how, "output_dir": blocked})
    after = loupe.rebalance(shapes, lacking, **{**how, "model": Shapes(batch_size=8)})
    assert after.reached
    keys = shapes.match({"generation.key": {"$ne": None}}).values("generation.key")
    assert len(keys) == len(set(keys)) == after.drawn


def test_a_record_of_plain_values(shapes: Any, how: dict[str, Any]) -> None:
    import json

    from loupe.brain.store import rebalance as store

    result = loupe.rebalance(shapes, cell(shapes), **how)
    assert loupe.Rebalanced.from_dict(json.loads(json.dumps(result.to_dict()))).to_dict() == result.to_dict()
    assert store.load(shapes).to_dict() == result.to_dict()  # type: ignore[union-attr]
