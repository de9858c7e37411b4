"""Selections keep to what they were asked for, are saved with their recipe, and can be replayed and exported."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database

N = 120
CLASSES = ("cat", "dog", "newt")


def fill(dataset: Any, folder: Path, n: int = N, names: Any = None) -> None:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    samples = []
    for at in range(n):
        path = folder / (names(at) if names else f"{at}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (at, 0, 0)).save(path, format="PNG")
        kind = int(rng.choice(3, p=[0.6, 0.3, 0.1]))
        samples.append(
            fo.Sample(
                filepath=str(path),
                label=fo.Classification(label=CLASSES[kind]),
                model=fo.Classification(label=CLASSES[kind], confidence=float(rng.random())),
                embeddings=rng.normal(size=6) + 4 * np.eye(6)[kind],
                time="day" if at % 2 else "night",
                prompt=f"prompt {at // 3}",
                split=["train", "train", "val", "test"][at % 4],
                margin=float(at),
                tags=["val"] if at % 10 == 0 else [],
                kinds=[name for name in ("in", "out") if rng.random() < 0.6],
            )
        )
    dataset.add_samples(samples)


@pytest.fixture
def filled(dataset: Any, tmp_path: Path) -> Any:
    fill(dataset, tmp_path)
    return dataset


STRATEGIES = {
    "diverse": {},
    "facility_location": {},
    "representative": {},
    "balanced": {"per": "label"},
    "typical": {"label": "label"},
    "hard": {"score": "-margin"},
    "random": {},
}


def test_all_strategies_are_tried() -> None:
    from loupe.brain.selection.choose import STRATEGIES as KNOWN

    assert set(STRATEGIES) == set(KNOWN)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_selection_is_whole_and_saved_with_its_recipe(filled: Any, name: str) -> None:
    import loupe

    made = loupe.select(filled, 20, strategy=name, **STRATEGIES[name])
    assert len(made.ids) == len(set(made.ids)) == 20
    assert filled.load_saved_view(made.view).values("id") == list(made.ids)
    assert sum(made.dropped.values()) == N - 20
    assert {each.name for each in made.measures} == {"radius", "mean distance", "discrepancy"}
    json.dumps(made.to_dict())
    assert "20 of 120 samples chosen" in repr(made)
    again = loupe.select(filled, recipe=json.loads(json.dumps(made.recipe)), save_as=None)
    assert again.ids == made.ids
    assert again.view is None
    by_name = loupe.select(filled, recipe=made.view)
    assert by_name.ids == made.ids
    # the same choice by the same recipe is saved once
    assert by_name.view == made.view
    assert loupe.select(filled, 19, strategy=name, **STRATEGIES[name]).view == f"{made.view} 2"
    assert len(loupe.select(filled, np.int64(12), recipe=made.recipe, save_as=None).ids) == 12


def test_the_hardest_and_the_most_unsure_come_first(filled: Any) -> None:
    import loupe

    def margins(**asked: Any) -> list[float]:
        ids = loupe.select(filled, 3, strategy="hard", save_as=None, **asked).ids
        return [float(filled[each].margin) for each in ids]

    assert margins(score="+margin") == [119, 118, 117]
    assert margins(score="-margin") == [0, 1, 2]
    confidence = dict(zip(*filled.values(["id", "model.confidence"]), strict=True))
    made = loupe.select(filled, 3, strategy="hard", score="model", save_as=None)
    assert [confidence[each] for each in made.ids] == sorted(confidence.values())[:3]
    probe = loupe.select(filled, 5, strategy="hard", label="label", save_as=None)
    assert "probe" in probe.notes[0]


def test_logits_decide_by_their_margin(filled: Any) -> None:
    import loupe

    for at, sample in enumerate(filled):
        sample.model.logits = [0.0, 1.0 + at, -3.0]
        sample.save()
    made = loupe.select(filled, 2, strategy="hard", score="model", save_as=None)
    assert list(made.ids) == filled.values("id")[:2]


def test_loupes_own_scores_know_their_worse_way(filled: Any) -> None:
    import loupe

    loupe.check(filled, ["exposure"])
    filled.set_values("quality.contrast", [at / N for at in range(N)])
    made = loupe.select(filled, 2, strategy="hard", score="quality.contrast", without=[], save_as=None)
    assert list(made.ids) == filled.values("id")[:2]
    filled.set_values("quality.contrast", [None, *(at / N for at in range(1, N))])
    made = loupe.select(filled, 2, strategy="hard", score="quality.contrast", without=[], save_as=None)
    assert list(made.ids) == filled.values("id")[1:3]
    assert made.dropped["no quality.contrast"] == 1


def test_balance_over_one_and_over_two(filled: Any) -> None:
    import loupe

    made = loupe.select(filled, 18, strategy="balanced", per="label")
    assert set(made.counts["label"].values()) == {6}
    assert made.available["label"] == dict(Counter(filled.values("label.label")))
    both = loupe.select(filled, 18, strategy="balanced", per=["label", "time"])
    pairs = Counter(zip(*filled.select(list(both.ids)).values(["label.label", "time"]), strict=True))
    every = Counter(zip(*filled.values(["label.label", "time"]), strict=True))
    assert min(every.values()) == 2
    assert sorted(pairs.values()) == [2, 3, 3, 3, 3, 4]
    assert all(count >= min(3, every[pair]) for pair, count in pairs.items())
    several = loupe.select(filled, 18, strategy="balanced", per="kinds")
    assert abs(several.counts["kinds"]["in"] - several.counts["kinds"]["out"]) <= 1
    assert several.dropped["no kinds"] == sum(not each for each in filled.values("kinds"))


def test_the_others_take_in_proportion(filled: Any) -> None:
    import loupe

    made = loupe.select(filled, 40, strategy={"diverse": 0.5, "random": 0.5}, per="label")
    for name, count in made.available["label"].items():
        assert abs(made.counts["label"][name] - count / 3) <= 2


def test_groups_splits_failures_and_what_is_kept(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    flagged = filled.values("id")[4]
    sample = filled[flagged]
    sample["failures"] = fo.Classifications(classifications=[fo.Classification(label="blur")])
    sample.save()
    kept = [filled.values("id")[at] for at in (0, 1)]
    made = loupe.select(filled, 15, groups="prompt", split="split", keep=kept)
    own = filled.select(list(made.ids))
    assert not set(made.ids) & {*kept, flagged}
    assert set(own.values("split")) == {"train"}
    assert max(Counter(own.values("prompt")).values()) == 1
    assert "prompt 0" not in own.values("prompt")
    assert made.kept == 2
    assert made.dropped["chosen already"] == 2
    assert made.dropped["flagged blur"] == 1
    assert made.dropped["in val"] == made.dropped["in test"] == 30
    assert made.dropped["of a group that has its share"] > 0
    assert sum(made.dropped.values()) == N - 15
    tags = loupe.select(filled, 100, split="tags", without=[], save_as=None)
    assert not any("val" in own for own in filled.select(list(tags.ids)).values("tags"))
    assert "flagged blur" not in tags.dropped


def test_what_is_kept_may_be_outside_of_the_view(filled: Any) -> None:
    import loupe

    first = loupe.select(filled.limit(60), 10)
    rest = filled.skip(60)
    by_view = loupe.select(rest, 10, keep=first.view, save_as=None)
    by_ids = loupe.select(rest, 10, keep=first.ids, save_as=None)
    alone = loupe.select(rest, 10, save_as=None)
    assert by_view.ids == by_ids.ids != alone.ids
    assert set(by_view.ids) <= set(rest.values("id"))
    assert by_view.n == 60
    assert by_view.kept == 10
    assert sum(by_view.dropped.values()) == 50


def test_without_vectors_only_what_needs_none(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, UnknownName

    filled.delete_sample_field("embeddings")
    assert loupe.select(filled, 10, strategy="random").measures == ()
    assert len(loupe.select(filled, 0.25, strategy="balanced", per="label").ids) == 30
    with pytest.raises(InputError, match=r"run loupe\.embed first"):
        loupe.select(filled, 10)
    with pytest.raises(UnknownName, match="vectors"):
        loupe.select(filled, 10, embeddings="vectors")


def test_vectors_that_are_not_usable_are_left_out_by_name(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    vectors = filled.values("embeddings")
    vectors[0], vectors[1], vectors[2] = None, np.full(6, np.nan), np.zeros(6)
    filled.set_values("embeddings", vectors)
    made = loupe.select(filled, 117)
    assert made.dropped == {"no vector": 1, "a vector with NaN or infinity": 1, "a vector of zeros": 1}
    with pytest.raises(InputError, match="at most 117"):
        loupe.select(filled, 118)
    filled.set_values("embeddings", [np.ones(6)] * N)
    copies = loupe.select(filled, 10)
    assert "9 of the chosen are copies" in copies.notes[0]
    assert copies.measures[0].value == pytest.approx(0, abs=1e-3)
    for name in ("representative", "facility_location", "typical"):
        assert len(set(loupe.select(filled, 10, strategy=name).ids)) == 10


def test_whoever_has_no_rank_is_not_chosen_by_it(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    margins = filled.values("margin")
    margins[:4] = [None, float("nan"), float("inf"), -float("inf")]
    filled.set_values("margin", margins)
    for score in ("+margin", "-margin"):
        made = loupe.select(filled, N - 4, strategy="hard", score=score)
        assert made.dropped == {"no margin": 4}
    labels = filled.values("label")
    filled.set_values("label", [None, None, *labels[2:]])
    made = loupe.select(filled, N - 2, strategy="typical", label="label")
    assert made.dropped == {"no label": 2}
    with pytest.raises(InputError, match=rf"at most {N - 2}.*\. Left out of {N}: 2 no label$"):
        loupe.select(filled, N - 1, strategy="typical", label="label")


@pytest.mark.parametrize("name", ["eval", "holdout", "held-out", " Dev ", "TESTING"])
def test_whatever_a_held_out_split_is_called_nothing_of_it_is_chosen(filled: Any, name: str) -> None:
    import loupe

    filled.set_values("split", [name if at % 3 else "train" for at in range(N)])
    made = loupe.select(filled, 5, strategy="random", split="split")
    assert made.dropped == {f"in {name}": N - N // 3, "not chosen": N // 3 - 5}


def test_odd_requests_are_refused(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    def refused(kind: type[Exception], words: str, *given: Any, **asked: Any) -> None:
        with pytest.raises(kind, match=words):
            loupe.select(filled, *given, **asked)
        assert filled.list_saved_views() == []
        assert filled.list_runs() == []

    for n in (None, 0, -1, True, 1.5, float("nan"), "5"):
        refused(InputError, "expected n(, a whole| to be a) number", n)
    refused(InputError, "at most 120: that many can be chosen. Got 121", 121)
    refused(InputError, "sum to 1", 5, strategy={"diverse": 0.5})
    refused(UnknownName, "strategy", 5, strategy="farthest")
    refused(InputError, "expected per with 'balanced'", 5, strategy="balanced")
    refused(InputError, "expected score or label", 5, strategy="hard")
    refused(InputError, "high ones are hard", 5, strategy="hard", score="margin")
    refused(UnknownName, "margin", 5, strategy="hard", score="margins")
    refused(InputError, "numbers or of predicted classes", 5, strategy="hard", score="time")
    refused(UnknownName, "failure mode", 5, without="blurr")
    refused(UnknownName, "field", 5, split="splits")
    refused(UnknownName, "saved view", 5, keep="nothing")
    refused(InputError, "ids of this dataset", 5, keep=["0" * 24, "x"])
    refused(InputError, "at least 1", 5, max_per_group=0)
    for seed in (-1, 1.5, True, "0"):
        refused(InputError, "expected seed to be a whole number", 5, seed=seed)
    refused(InputError, "several", 5, per="kinds")
    refused(InputError, "beside a recipe, got strategy", strategy="random", recipe={})
    refused(InputError, "expected recipe to be a mapping", recipe=[])
    refused(InputError, "without embeddings", recipe={"n": 3})
    refused(UnknownName, "dataset type", 5, export_dir="x", export_type="Nonsense")
    filled.set_field("label.label", "cat").save()
    refused(InputError, "at least two classes", 5, strategy="hard", label="label")
    with pytest.raises(NoSamples):
        loupe.select(filled.limit(0), 5)
    with pytest.raises(InputError, match="name"):
        loupe.select(filled.name, 5)


def test_a_recipe_asks_for_the_vectors_it_was_made_with(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    loupe.embed(filled, embedder="hog", field="shapes", visualize=None, similarity=False)
    made = loupe.select(filled, 5, embeddings="shapes")
    assert made.recipe["embedder"]["name"] == "hog"
    assert "no meaning" in made.notes[0]
    other = {**made.recipe, "embedder": {"name": "open_clip"}}
    with pytest.raises(InputError, match=r"open_clip.*got those of hog"):
        loupe.select(filled, recipe=other)


def test_a_recipe_holds_factors(filled: Any) -> None:
    import loupe

    by = loupe.Factor.field("margin", bins=[40, 80], names=["low", "mid", "high"])
    made = loupe.select(filled, 18, strategy="balanced", per=[by, "time"])
    assert set(made.counts["margin"].values()) == {6}
    assert loupe.select(filled, recipe=json.loads(json.dumps(made.recipe))).ids == made.ids


HOSTILE = ("../../up", "a b'c\"d$e", "name.with.dots", "émoji 🎉", "=cmd()", "<b>bold</b>", "same")


@pytest.mark.parametrize(
    "kind", ["ImageDirectory", "ImageClassificationDirectoryTree", "FiftyOneDataset", "fiftyone.types.CSVDataset"]
)
def test_an_export_stays_in_its_folder_and_says_what_was_dropped(
    dataset: Any, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone.core.collections as collections

    import loupe

    warned: list[str] = []
    monkeypatch.setattr(collections.logger, "warning", lambda text, *_: warned.append(text))
    # names that are alike in several folders, and names that are not only letters
    fill(dataset, tmp_path / "a" / "b" / "in", 42, lambda at: f"{at}/{HOSTILE[at % 7].replace('../../', '')}.png")
    target = tmp_path / "x" / "export"
    made = loupe.select(
        dataset, 14, strategy="typical", label="label", split="split", export_dir=str(target), export_type=kind
    )
    assert made.exported == str(target)
    assert not [each for each in warned if "already exists" in each], "a folder that was not there"
    rows = list(csv.DictReader((target / "manifest.csv").open(encoding="utf-8")))
    kept = [row for row in rows if row["status"] == "kept"]
    assert [row["id"] for row in kept] == list(made.ids)
    assert [row["filepath"] for row in kept] == dataset.select(list(made.ids), ordered=True).values("filepath")
    assert {row["loupe"] for row in rows} == {loupe.__version__}
    assert Counter(row["reason"] for row in rows if row["status"] == "dropped") == made.dropped
    if "CSV" not in kind or kept[0]["exported"]:
        assert len({row["exported"] for row in kept}) == 14
        for row in kept:
            assert (target / row["exported"]).read_bytes() == Path(row["filepath"]).read_bytes()
    assert json.loads((target / "recipe.json").read_text(encoding="utf-8"))["recipe"] == json.loads(
        json.dumps(made.recipe)
    )
    written = {each for each in (tmp_path / "x").rglob("*") if each.is_file()}
    assert all(target in each.parents for each in written)
    assert not any(each.is_symlink() for each in written)


def test_labels_that_lead_out_of_the_folder_are_refused(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, OutputError

    fill(dataset, tmp_path / "in", 6)
    names = fo.list_datasets()
    made = loupe.select(dataset, 6, strategy="random")
    dataset.set_values("label.label", ["../../evil", "a/b", "..", "c", "d", "e"])
    tree = "ImageClassificationDirectoryTree"
    with pytest.raises(InputError, match="names of folders"):
        loupe.export_selection(dataset, made, tmp_path / "out", dataset_type=tree, label_field="label")
    assert not (tmp_path / "out").exists()
    loupe.export_selection(dataset, made, tmp_path / "out")
    with pytest.raises(OutputError, match="empty folder"):
        loupe.export_selection(dataset, made, tmp_path / "out")
    Path(dataset.first().filepath).unlink()
    with pytest.raises(OutputError, match="no such file"):
        loupe.export_selection(dataset, made, tmp_path / "out2")
    dataset.delete_samples([made.ids[0]])
    with pytest.raises(InputError, match="not in these samples"):
        loupe.export_selection(dataset, made, tmp_path / "out3")
    assert fo.list_datasets() == names


def test_a_selection_that_is_stopped_leaves_nothing(filled: Any) -> None:
    import loupe
    from loupe.brain.core.errors import Stopped

    def stop(progress: loupe.Progress) -> None:
        if "choosing" in progress.message:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.select(filled, 5, progress=stop)
    assert filled.list_saved_views() == []
    assert filled.list_runs() == []
