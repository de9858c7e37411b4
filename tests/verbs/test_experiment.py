"""``loupe.experiment``: arms by what they are worth; a plan before; what is wrong is said before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import experimenting as made
import pytest
from experimenting import CLASSES, PER_CLASS, Marks, given

import loupe
from loupe.brain.core.errors import InputError, OutputError, Stopped, UnknownName
from loupe.brain.core.records import Progress

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(scope="module")
def real(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    with made.real_sides(tmp_path_factory.mktemp("real")) as sides:
        yield sides


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the comparison with real images, which takes most of the time and has tests of its own."""
    from loupe.brain.core.realism import Realism, RealismMetric
    from loupe.brain.verbs.steps import experiment_steps

    names = ("precision", "recall", "density", "coverage", "frechet", "c2st")
    metrics = tuple(RealismMetric(name, 0.5, ratio=0.5, low=0.4, high=0.6) for name in names)
    monkeypatch.setattr(
        experiment_steps, "compare_to_real", lambda *_, **__: Realism(1, 1, 0, {"embeddings": metrics}, ())
    )


@pytest.fixture(scope="module")
def done(real: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any, Path, Path]]:
    """An experiment of two arms and one that breaks: its dataset, what came of it, its folder and its report."""
    import fiftyone as fo

    folder = tmp_path_factory.mktemp("done")
    dataset, page = fo.Dataset(), folder / "page.html"
    result = loupe.experiment(dataset, *real, **given(folder, models=[Marks(), Marks(breaks=True)]), report=page)
    yield dataset, result, folder, page
    dataset.delete()


def test_the_arms_stand_by_use_with_what_they_are(done: tuple[Any, ...]) -> None:
    result = done[1]
    first, second, *broken = result.arms
    assert (first.name, second.name) == ("marks · class · guidance 1", "marks · class · guidance 5")
    assert first.n == second.n == PER_CLASS * 3
    assert (first.rank, second.rank) == ("1", "2")
    # marks of one place and size are no training data, and look unlike real ones, too
    assert first.utility.low > second.utility.high
    assert first.recall.value > 0.7 > second.recall.value
    assert first.c2st < second.c2st
    assert result.tied == ()
    assert first.judged + second.judged == PER_CLASS * 6
    assert 0.5 < result.real.value <= 1
    assert result.chance == pytest.approx(1 / 3, abs=0.01)
    assert len(broken) == 2
    for arm in broken:
        assert arm.reason == "cannot be drawn: expected a model that can be loaded, got one that cannot"
        assert (arm.rank, arm.n, arm.measured) == ("–", 0, False)
    assert any("is also the most useful" in sentence for sentence in result.findings)
    assert any(sentence.startswith(broken[0].name) for sentence in result.findings)
    assert "not measured" in str(result)
    assert str(result).splitlines()[1].split()[:3] == ["rank", "arm", "images"]


def test_what_is_drawn_has_its_class_its_arm_and_its_prompt(done: tuple[Any, ...]) -> None:
    dataset = done[0]
    columns = dataset.values(["prompt", "kind.label", "scenario.class", "scenario.arm", "scenario.style"])
    assert len(columns[0]) == PER_CLASS * 6
    for prompt, label, asked, arm, style in zip(*columns, strict=True):
        assert label == asked
        assert prompt == f"a photo of a {label}"
        assert style == "class"
        assert arm.startswith("marks · class · guidance ")
    assert dataset.count_values("kind.label") == dict.fromkeys(CLASSES, PER_CLASS * 2)
    # the same noise for every guidance
    arms = [dataset.match({"scenario.arm": f"marks · class · guidance {at}"}) for at in (1, 5)]
    seeds = [set(arm.values("generation.seed")) for arm in arms]
    assert seeds[0] == seeds[1]
    assert len(seeds[0]) == PER_CLASS * 3


def test_the_figures_are_those_of_the_verbs_themselves(done: tuple[Any, ...], real: tuple[Any, Any]) -> None:
    dataset, result = done[:2]
    for arm in result.arms[:2]:
        view = dataset.match({"scenario.arm": arm.name})
        transfer = loupe.test_transfer(view, *real, label="kind")
        assert arm.utility.to_dict() == pytest.approx(transfer.utility.to_dict(), abs=0.05)
        realism = loupe.compare_to_real(view, real[0], label="kind")
        known = {each.name: each for each in realism.metrics["embeddings"]}
        assert arm.precision.value == pytest.approx(known["precision"].ratio, abs=0.05)
        assert arm.frechet == pytest.approx(known["frechet"].value, rel=1e-4)


def test_the_same_call_does_nothing_again(
    done: tuple[Any, ...], real: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.verbs.steps import experiment_steps

    dataset, result, folder, _ = done
    monkeypatch.setattr(Marks, "image", None)
    monkeypatch.setattr(experiment_steps, "compare_to_real", None)
    again = loupe.experiment(dataset, *real, **given(folder, models=[Marks(), Marks(breaks=True)]))
    assert [arm.to_dict() for arm in again.arms] == [arm.to_dict() for arm in result.arms]
    assert again.findings == result.findings
    runs = {key for key in dataset.list_runs() if key.startswith("loupe_experiment")}
    assert {"loupe_experiment", "loupe_experiment_1", "loupe_experiment_2"} <= runs


def test_the_page_tells_all_of_it_and_needs_nothing_else(done: tuple[Any, ...]) -> None:
    _, result, _, page = done
    text = page.read_text(encoding="utf-8")
    for words in ("What follows", "Pretty or useful", "Side by side", "How it was drawn", "marks · class · guidance 5"):
        assert words in text
    assert text.count("data:image/jpeg") >= 10
    assert "<script" not in text
    assert 'class="point c0"' in text
    assert 'src="http' not in text
    assert result.findings[0].split(":")[0] in text


def test_a_plan_says_how_many_how_long_and_at_what_cost(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    asked = given(tmp_path, models=[Marks(), Marks(cents=3.0)], styles=["class", "a {class}"], seeds=[0, 1])
    result = loupe.experiment(dataset, *real, **asked, dry_run=True)
    plan = result.plan
    assert (len(plan.arms), plan.n, plan.missing) == (16, 16 * PER_CLASS * 3, 16 * PER_CLASS * 3)
    assert (plan.n_train, plan.n_test, plan.classes) == (150, 120, CLASSES)
    assert math.isnan(plan.hours)
    assert plan.cost == pytest.approx(8 * PER_CLASS * 3 * 0.03)
    assert "16 arms × 3 classes × 24 = 1,152 images: how long drawing takes is not known; 17.28 US$" in str(result)
    # what comes after drawing has a pace of its own; vectors were made of the real images before
    assert set(plan.after) >= {"vectors", "comparing and training"}
    assert plan.after["comparing and training"] > 1
    assert plan.after_hours > 0
    assert plan.free > 0
    assert result.arms == ()
    # nothing is written, and nothing is left behind
    assert len(dataset) == 0
    assert not dataset.has_field("scenario")
    assert dataset.list_runs() == []
    assert not (tmp_path / "drawn").exists()


def test_dates_stand_in_the_table_and_few_models_tell_nothing(
    real: tuple[Any, Any], done: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, _, folder, _ = done
    monkeypatch.setattr(Marks, "image", None)
    asked = given(folder, models=[Marks(), Marks(breaks=True)])
    made = loupe.experiment(dataset, *real, **asked, released={"marks": "2026-03"})
    assert {arm.released for arm in made.arms} == {"2026-03"}
    assert "released" in made.table().head
    assert "Whether newer models are less useful 1 dated models do not tell" in str(made)
    for wrong, says in (
        (["2026"], "expected released to be a mapping"),
        ({"marks": "May"}, "2024-06"),
        ({"x": "2026"}, "x"),
    ):
        with pytest.raises((InputError, UnknownName), match=says):
            loupe.experiment(dataset, *real, **asked, released=wrong, dry_run=True)


def test_a_price_that_nobody_knows_is_not_nothing(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    both = [Marks(cents=-1), Marks(cents=2.0)]
    plan = loupe.experiment(dataset, *real, **given(tmp_path, models=both), dry_run=True).plan
    assert plan.unknown("price") == ("marks · class · guidance 1 · cents -1", "marks · class · guidance 5 · cents -1")
    assert "US$, and of 2 of 4 arms that is not known" in plan.sentence()
    with pytest.raises(InputError, match="expected the price of an image by marks to be at least 0"):
        loupe.experiment(dataset, *real, **given(tmp_path, models=Marks(cents=math.inf)), dry_run=True)
    plan = loupe.experiment(dataset, *real, **given(tmp_path, models=both[0]), dry_run=True).plan
    assert math.isnan(plan.cost)
    assert "what it costs is not known" in plan.sentence()


def test_a_few_images_tell_how_long_it_takes_and_are_kept(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    asked = given(tmp_path, models=[Marks(pause=0.02), Marks(breaks=True)])
    plan = loupe.experiment(dataset, *real, **asked, dry_run=True, measure=3).plan
    assert len(dataset) == 6
    slow = [arm for arm in plan.arms if arm.drawn == 3]
    assert len(slow) == 2
    for arm in slow:
        assert 0.015 < arm.seconds < 1
        assert arm.size > 100
        assert arm.missing == PER_CLASS * 3 - 3
    assert any("cannot be drawn" in note for note in plan.notes)
    # an arm of a model of which another arm was drawn takes as long
    more = loupe.experiment(dataset, *real, **{**asked, "guidance": [1, 5, 9]}, dry_run=True).plan
    assert more.arms[2].drawn == 0
    assert more.arms[2].seconds == max(arm.seconds for arm in more.arms[:2])


@pytest.mark.usefixtures("quick")
def test_more_of_a_class_and_further_arms_add_to_what_is_there(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path
) -> None:
    loupe.experiment(dataset, *real, **given(tmp_path, guidance=[1], checks=None))
    first = set(dataset.values("id"))
    more = loupe.experiment(dataset, *real, **given(tmp_path, guidance=[1, 5], per_class=30, checks=None))
    assert [arm.n for arm in more.arms] == [90, 90]
    assert first < set(dataset.values("id"))
    assert len(dataset) == 180
    # fewer are the first of the more, and the others stay
    fewer = loupe.experiment(dataset, *real, **given(tmp_path, guidance=[1], checks=None))
    assert [arm.n for arm in fewer.arms] == [PER_CLASS * 3]
    assert len(dataset) == 180


@pytest.mark.usefixtures("quick")
def test_a_model_that_changed_under_its_name_is_not_mixed_with_what_it_was(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.verbs.steps import experiment_arms

    monkeypatch.setattr(experiment_arms, "_UNNAMED", {*experiment_arms._UNNAMED, "turn"})
    for turn in (1, 2, 1):
        asked = given(tmp_path, models=Marks(turn=turn), guidance=[1], checks=None)
        result = loupe.experiment(dataset, *real, **asked)
        assert [arm.n for arm in result.arms] == [PER_CLASS * 3]
    assert len(dataset) == 2 * PER_CLASS * 3


@pytest.mark.usefixtures("quick")
def test_thresholds_of_now_say_what_fails(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    asked = given(tmp_path, guidance=[1], checks=["exposure"])
    assert loupe.experiment(dataset, *real, **asked).arms[0].failing.value < 0.5
    loupe.flag(dataset, {"dark": 1.0})
    assert loupe.experiment(dataset, *real, **asked).arms[0].failing.value == 1


@pytest.mark.usefixtures("quick")
def test_captions_of_the_real_images_are_prompts(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    asked = given(tmp_path, styles=["class", "caption"], guidance=[1], captions="caption", checks=None)
    result = loupe.experiment(dataset, *real, **asked)
    assert {arm.style for arm in result.arms} == {"class", "caption"}
    prompts = dataset.match({"scenario.style": "caption"}).values(["prompt", "kind.label"])
    known = set(real[0].values("caption"))
    assert all(prompt in known and f"of a {label}," in prompt for prompt, label in zip(*prompts, strict=True))
    with pytest.raises(InputError, match="expected captions=, a field of texts"):
        loupe.experiment(dataset, *real, **{**asked, "captions": None})
    with pytest.raises(UnknownName, match="unknown field of captions 'captoin'"):
        loupe.experiment(dataset, *real, **{**asked, "captions": "captoin"})


@pytest.mark.usefixtures("quick")
def test_a_users_class_is_never_changed(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    asked = given(tmp_path, guidance=[1], checks=None)
    loupe.experiment(dataset, *real, **asked)
    sample = dataset.first()
    own = "ring" if sample.kind.label != "ring" else "bar"
    sample["kind"] = fo.Classification(label=own)
    sample.save()
    loupe.experiment(dataset, *real, **asked)
    sample.reload()
    assert sample.kind.label == own


def test_a_stop_keeps_what_is_done(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        steps.append(step)
        if step.message == "generating" and step.done >= 96:
            raise Stopped("enough")

    steps: list[Progress] = []
    with pytest.raises(Stopped):
        loupe.experiment(dataset, *real, **given(tmp_path), progress=stop)
    assert len(dataset) >= 96
    # how far it has come is counted over all arms
    drawing = [step for step in steps if step.message == "generating"]
    assert {step.total for step in drawing} == {PER_CLASS * 6}
    assert [step.done for step in drawing] == sorted(step.done for step in drawing)
    assert not [key for key in dataset.list_runs() if key.startswith("loupe_experiment")]


def test_a_full_disk_ends_it_with_what_to_do(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.engine import output_folder

    write, calls = output_folder.write, []

    def full(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 20:
            raise OSError(28, "No space left on device")
        return write(*arguments)

    monkeypatch.setattr(output_folder, "write", full)
    # no arm's fault: it does not go on with the next
    with pytest.raises(OutputError, match=r"the disk is full\. 20 of 72 images are there"):
        loupe.experiment(dataset, *real, **given(tmp_path))
    assert len(dataset) == 20
    monkeypatch.setattr(output_folder, "write", write)
    from loupe.brain.store.experiment import datasets as experiments

    monkeypatch.setattr(experiments.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(OutputError, match="MB free for the images, got 0 MB: free some"):
        loupe.experiment(dataset, *real, **given(tmp_path))
    assert len(dataset) == 20


def test_where_every_arm_fails_the_reasons_are_the_error(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected an arm that can be drawn, got none\. .*one that cannot"):
        loupe.experiment(dataset, *real, **given(tmp_path, models=Marks(breaks=True)))


@pytest.mark.usefixtures("quick")
def test_a_model_that_breaks_in_any_way_is_named(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = Marks.image

    def image(self: Marks, request: Any) -> Any:
        if self.guidance == 5:
            raise RuntimeError("<b>out of luck")
        return drawn(self, request)

    monkeypatch.setattr(Marks, "image", image)
    page = tmp_path / "page.html"
    result = loupe.experiment(dataset, *real, **given(tmp_path, checks=None), report=page)
    assert result.arms[0].measured
    assert result.arms[1].reason == "cannot be drawn: RuntimeError: <b>out of luck"
    assert "<b>out" not in page.read_text(encoding="utf-8")


def test_a_model_without_guidance_is_drawn_once(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from noise import Noise

    plan = loupe.experiment(dataset, *real, **given(tmp_path, models=[Noise(), Marks()]), dry_run=True).plan
    names = ["noise · class", "marks · class · guidance 1", "marks · class · guidance 5"]
    assert [arm.name for arm in plan.arms] == names
    assert plan.notes == ("noise takes no guidance, so it is drawn once",)
    assert math.isnan(plan.arms[0].price), "nobody has said what it costs"


def test_folders_of_one_name_are_told_apart(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    places = [tmp_path / "a" / "model", tmp_path / "b" / "model"]
    for place in places:
        place.mkdir(parents=True)
    plan = loupe.experiment(dataset, *real, **given(tmp_path, models=places, guidance=[3]), dry_run=True).plan
    assert [arm.name for arm in plan.arms] == [f"{place} · class · guidance 3" for place in places]
    plan = loupe.experiment(dataset, *real, **given(tmp_path, models=places[0], guidance=[3]), dry_run=True).plan
    assert plan.arms[0].name == "model · class · guidance 3"


@pytest.mark.usefixtures("quick")
def test_names_with_anything_in_them_are_drawn_and_found_again(dataset: Any, tmp_path: Path, new_dataset: Any) -> None:
    import fiftyone as fo

    odd = {"bar": 'b."$<i>', "cross": "c 🦉", "ring": "r{x}"}
    sides = made.real(tmp_path / "a", 1, 90), made.real(tmp_path / "b", 2, 90)
    for side in sides:
        side.set_values("kind", [fo.Classification(label=odd[name]) for name in side.values("kind.label")])
    words = {value: key for key, value in odd.items()}
    asked = given(tmp_path, guidance=[1], names=words, styles={'s."$<i>🦉': "a {class}"}, checks=None)
    page = tmp_path / "page.html"
    result = loupe.experiment(dataset, *sides, **asked, report=page)
    assert result.arms[0].measured
    assert dataset.count_values("kind.label") == dict.fromkeys(odd.values(), PER_CLASS)
    assert "<i>🦉" not in page.read_text(encoding="utf-8")
    again = loupe.experiment(dataset, *sides, **asked)
    assert again.arms[0].to_dict() == result.arms[0].to_dict()
    assert len(dataset) == PER_CLASS * 3
    for side in sides:
        side.delete()
