"""Every verb that writes keeps a run of what it did; one that is left by an error keeps none."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real_and_synthetic
from PIL import Image
from rebalancing import Shapes
from scenes import scene

from loupe.brain.core.errors import DatabaseGone, InputError, NoSamples, NotReadNow, Stopped

pytestmark = pytest.mark.database

#: verbs that keep no run of that kind: they write nothing to samples, or what says itself who wrote it and when
WITHOUT_RUN = {
    *("annotate", "compare", "discover_slices", "evaluate", "find_bias", "find_copies", "find_drift", "find_shortcuts"),
    *("more_like", "report", "review", "reviewed", "scores", "slice", "suggest_prompts"),
}

#: what verbs keep beside their runs, each under one key, for their panels
FACTS = {
    "repair": {"loupe_check_1"},
    "decide_repairs": {"loupe_check_1", "loupe_repair_1"},
    "coverage": {"loupe_coverage"},
    "compare_to_real": {"loupe_realism"},
    "test_transfer": {"loupe_transfer"},
}


def calls() -> dict[str, Callable[[Any, Path], Any]]:
    import fiftyone as fo

    import loupe

    def reference(folder: Path) -> Any:
        samples = fo.Dataset()
        Image.fromarray(scene(50)).save(folder / "reference.png")
        samples.add_sample(fo.Sample(filepath=str(folder / "reference.png")))
        return samples

    def words(samples: Any, folder: Path) -> Any:
        from tiny_clip import tiny_clip

        loupe.embed(samples, embedder=tiny_clip(folder), field="clip", visualize=None, similarity=False)
        return loupe.find_words(samples, ["day", "night"], embeddings="clip")

    def duplicated(samples: Any) -> Any:
        from duplicated import put_groups

        put_groups(samples, [at // 2 for at in range(12)])
        return samples

    def wanted() -> Any:
        from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion

        return SuggestedPrompts((Suggestion("a disk", {"shape": "disk"}, 2, "disks"),))

    def lit(samples: Any, folder: Path) -> Any:
        from repairs import Lamp, darkened

        if not samples.has_field("repaired"):
            darkened(samples, folder / "dark")
        loupe.repair(samples, failure="dark", model=Lamp(how="always"), output_dir=folder / "lit")
        return samples

    def labeled(samples: Any) -> Any:
        samples.set_values("kind", ["cat", "dog"] * 6)
        return samples

    def real(samples: Any, folder: Path, *sizes: int) -> list[Any]:
        vectors = real_and_synthetic.vectors(1, 12)[0]
        samples.set_values("embeddings", list(vectors))
        samples.set_values("ground_truth", [fo.Classification(label=label) for label in ("cat", "dog") * 6])
        return [real_and_synthetic.dataset(folder / f"real{at}", at, n) for at, n in enumerate(sizes)]

    return {
        "augment": lambda samples, folder: loupe.augment(
            samples, per_sample=1, train=["train", "test"], output_dir=folder / "made"
        ),
        "coverage": lambda samples, _: loupe.coverage(labeled(samples), [], label="kind", weights="weight"),
        "calibrate": lambda samples, _: loupe.calibrate(samples, ["dark"]),
        "check": lambda samples, _: loupe.check(samples, ["exposure"]),
        "deduplicate": lambda samples, _: loupe.deduplicate(duplicated(samples)),
        "compare_to_real": lambda samples, folder: loupe.compare_to_real(samples, *real(samples, folder, 24)),
        "test_transfer": lambda samples, folder: loupe.test_transfer(
            samples, *real(samples, folder, 48, 120), label="ground_truth"
        ),
        "embed": lambda samples, _: loupe.embed(samples, embedder="hog", visualize=None, similarity=False),
        # it keeps the runs of the verbs that it calls, too: see test_experiment.py
        "experiment": lambda samples, folder: loupe.experiment(samples, *real(samples, folder, 48, 120), label="label"),
        "find_duplicates": lambda samples, _: loupe.find_duplicates(samples),
        "find_label_issues": lambda samples, _: loupe.find_label_issues(labeled(samples), "kind", embeddings="vectors"),
        # it keeps the runs of the verbs that it calls, too: see test_rebalance.py
        "rebalance": lambda samples, folder: loupe.rebalance(
            samples, wanted(), model=Shapes(dark=0.0), checks=["exposure"], output_dir=folder / "drawn"
        ),
        "repair": lit,
        "decide_repairs": lambda samples, folder: loupe.decide_repairs(
            samples if samples.has_field("repaired") else lit(samples, folder), "undo"
        ),
        "relabel": lambda samples, _: loupe.relabel(labeled(samples), "kind"),
        "select": lambda samples, _: loupe.select(samples, 4, embeddings="vectors"),
        "split": lambda samples, _: loupe.split(samples, {"a": 0.5, "b": 0.5}, groups=[], field="half"),
        "find_leaks": lambda samples, _: loupe.find_leaks(samples, splits=["train", "test"]),
        "find_memorized": lambda samples, folder: loupe.find_memorized(samples, reference(folder)),
        "find_clusters": lambda samples, _: loupe.find_clusters(samples, 2, embeddings="vectors"),
        "find_outliers": lambda samples, _: loupe.find_outliers(samples, field="vectors"),
        "find_words": words,
        "flag": lambda samples, _: loupe.flag(samples, {"dark": 0.2}),
        "generate": lambda samples, folder: loupe.generate(
            samples, ["a red sign that says 7"], steps=1, output_dir=folder / "drawn"
        ),
        "import_images": lambda samples, folder: loupe.import_images(samples, folder),
    }


@pytest.fixture
def twelve(dataset: Any, tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(3)
    for index in range(12):
        path = tmp_path / f"{index:02}.png"
        Image.fromarray(scene(index)).save(path)
        sample = fo.Sample(filepath=str(path), vectors=rng.normal(size=8), tags=["train" if index % 2 else "test"])
        dataset.add_sample(sample)
    return dataset


def test_the_list_of_verbs_is_whole() -> None:
    from loupe.brain import api

    verbs = {name for name, module in api.PUBLIC.items() if module.startswith("loupe.brain.verbs.")}
    assert verbs == calls().keys() | WITHOUT_RUN


def test_the_fault_campaign_disturbs_every_verb_that_writes() -> None:
    from benchmarks.faults.lines import LINES, WITHOUT_LINE

    assert calls().keys() == LINES.keys() | WITHOUT_LINE.keys()
    assert not LINES.keys() & WITHOUT_LINE.keys()


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb",
    [
        *("augment", "calibrate", "check", "compare_to_real", "coverage", "deduplicate", "embed", "find_duplicates"),
        *("find_clusters", "find_label_issues", "find_leaks", "find_memorized", "find_outliers", "flag", "generate"),
        *("decide_repairs", "import_images", "relabel", "repair", "select", "split", "test_transfer"),
    ],
)
def test_a_verb_that_writes_keeps_one_run(verb: str, twelve: Any, tmp_path: Path) -> None:
    from loupe.brain.store import runs

    calls()[verb](twelve, tmp_path)
    kept = [key for key in twelve.list_runs() if key.startswith("loupe_") and "_pairs" not in key]
    assert set(kept) - {f"loupe_{verb}_1"} == FACTS.get(verb, set())
    kept = [key for key in kept if key not in FACTS.get(verb, set())]
    assert kept == [f"loupe_{verb}_1"]
    facts = runs.load(twelve, kept[0])
    assert facts["verb"] == verb
    assert facts["seconds"] > 0
    assert facts["n"] == {"generate": 1, "import_images": 0, "repair": 4, "decide_repairs": 4}.get(verb, 12)
    assert facts["params"]
    calls()[verb](twelve, tmp_path)
    again = {key for key in twelve.list_runs() if key.startswith("loupe_") and "_pairs" not in key}
    assert again == {f"loupe_{verb}_1", f"loupe_{verb}_2"} | FACTS.get(verb, set())


def test_what_a_run_says_of_its_settings(twelve: Any) -> None:
    import loupe
    from loupe.brain.store import runs

    loupe.find_leaks(twelve, splits=["train", "test"], threshold=0.9)
    facts = runs.load(twelve, "loupe_find_leaks_1")
    assert facts["params"]["splits"] == ["train", "test"]
    assert facts["params"]["threshold"] == 0.9
    loupe.flag(twelve, {"leak": 0.8})
    flagged = runs.load(twelve, "loupe_flag_1")["params"]
    assert flagged["given"] == ["leak"]
    assert flagged["thresholds"]["leak"]["value"] == 0.8
    assert flagged["counts"]["leak"] == 0


def test_a_verb_that_is_stopped_keeps_no_run(twelve: Any) -> None:
    import loupe

    def stop(progress: loupe.Progress) -> None:
        raise Stopped("enough")

    for call in (loupe.check, loupe.find_duplicates):
        with pytest.raises(Stopped):
            call(twelve, progress=stop)
    assert twelve.list_runs() == []


def test_samples_are_looked_at_before_anything_else(twelve: Any, tmp_path: Path) -> None:
    from loupe.brain.verbs.lifecycle import running

    with pytest.raises(NoSamples), running(twelve.limit(0), "check", None):
        raise AssertionError("the verb began")
    with pytest.raises(InputError, match="dataset or view"), running([1], "check", None):
        raise AssertionError("the verb began")
    with pytest.raises(InputError, match="device 'cuda:99'"), running(twelve, "check", None, device="cuda:99"):
        raise AssertionError("the verb began")
    with running(twelve.limit(0), "generate", None, needs="nothing") as verb:
        assert (verb.device, verb.verb) == ("cpu", "generate")


def test_a_database_that_goes_away_is_one_clear_error(twelve: Any) -> None:
    from pymongo.errors import ServerSelectionTimeoutError

    from loupe.brain.verbs.lifecycle import running

    with pytest.raises(DatabaseGone, match="repeat the same call"), running(twelve, "check", None):
        raise ServerSelectionTimeoutError("no servers")


def test_what_a_killed_database_lost_is_one_clear_error_and_a_deleted_dataset_another(twelve: Any) -> None:
    from fiftyone.core import odm

    from loupe.brain.verbs.lifecycle import running

    twelve.save_view("mine", twelve.limit(1))
    odm.get_db_conn()["views"].delete_many({})  # written in the last instant before it was killed
    with pytest.raises(DatabaseGone, match="repeat the same call"), running(twelve, "check", None):
        twelve.update_saved_view_info("mine", {"description": "another"})

    def deleted() -> None:
        odm.get_db_conn()["datasets"].delete_one({"_id": twelve._doc.id})
        twelve.description = "another"

    with pytest.raises(InputError, match="was deleted"), running(twelve, "check", None):
        deleted()


def test_storage_that_fails_is_one_clear_error(twelve: Any, tmp_path: Path) -> None:
    from loupe.brain.verbs.lifecycle import running

    folder = str(tmp_path / "a\udcff")
    for number in (errno.ESTALE, errno.EIO, errno.ETIMEDOUT):
        with (
            pytest.raises(NotReadNow, match=r"cannot be read now \(.*\): .*a\\udcff\. The same call again"),
            running(twelve, "check", None),
        ):
            raise OSError(number, os.strerror(number), folder)
    for other in (OSError(errno.ENOENT, "no such file", folder), TimeoutError(errno.ETIMEDOUT, "a service is slow")):
        with pytest.raises(type(other), match=r"no such file|is slow") as raised, running(twelve, "check", None):
            raise other
        assert raised.value is other


def test_errors_are_counted_and_a_hundred_are_kept(twelve: Any) -> None:
    from loupe.brain.verbs.lifecycle import running

    with running(twelve, "check", None) as verb:
        run = verb.finish(
            12, params={"a": 1}, errors={str(index): "broke" for index in range(130)}, messages={"text": "left out"}
        )
    assert (run.errors, len(run.messages), run.messages["text"]) == (130, 101, "left out")
    assert "100" not in run.messages


def test_verbs_take_the_dataset_first_and_progress_last() -> None:
    import loupe

    for name in calls().keys() | WITHOUT_RUN:
        parameters = inspect.signature(getattr(loupe, name)).parameters
        assert next(iter(parameters)) in ("samples", "dataset", "synthetic", "source")
        if "progress" in parameters:
            assert list(parameters)[-1] == "progress"
