"""Each public function on each kind of samples that FiftyOne has: it works, or one clear error leaves all as it was."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from collections_of_all_kinds import KINDS, fill
from rebalancing import Shapes
from repairs import Lamp

from loupe.brain.core.errors import LoupeError

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class World:
    """What calls need beside the samples: datasets of pictures, results on the first of them, and a picture."""

    pictures: Any
    real: Any
    test: Any
    coverage: Any
    selection: Any
    like: Any
    file: str


Call = Callable[[Any, World, Path], Any]


def _calls() -> dict[str, Call]:
    """Returns a call of each public function with samples in each place that takes some."""

    import loupe
    from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion

    wanted = SuggestedPrompts((Suggestion("a disk", {"shape": "disk"}, 1, "disks"),))
    drift = {"min_samples": 5, "permutations": 99}
    return {
        "annotate": lambda s, w, f: loupe.annotate(s, "dark"),
        "augment": lambda s, w, f: loupe.augment(s, train=["train", "test"], output_dir=f / "made"),
        "calibrate": lambda s, w, f: loupe.calibrate(s, ["dark"]),
        "check": lambda s, w, f: loupe.check(s, ["exposure", "size"]),
        "check objects": lambda s, w, f: loupe.check(s, ["exposure"], objects="boxes"),
        "compare": lambda s, w, f: loupe.compare(s, failure="dark"),
        "compare_to_real": lambda s, w, f: loupe.compare_to_real(s, w.real, spectra=False),
        "compare_to_real real": lambda s, w, f: loupe.compare_to_real(w.real, s, spectra=False),
        "coverage": lambda s, w, f: loupe.coverage(s, ["scenario.time"], label="ground_truth"),
        "coverage reference": lambda s, w, f: loupe.coverage(
            w.real, ["scenario.time"], label="ground_truth", reference=s
        ),
        "decide_repairs": lambda s, w, f: loupe.decide_repairs(s, "accept"),
        "deduplicate": lambda s, w, f: loupe.deduplicate(s),
        "discover_slices": lambda s, w, f: loupe.discover_slices(s, failure="dark", min_samples=5),
        "duplicate_objects_view": lambda s, w, f: loupe.duplicate_objects_view(s, "boxes"),
        "embed": lambda s, w, f: loupe.embed(s, embedder="hog", visualize=None, similarity=False, field="hog"),
        "evaluate": lambda s, w, f: loupe.evaluate(s, "model", "ground_truth"),
        "evaluate boxes": lambda s, w, f: loupe.evaluate(s, "boxes_of_model", "boxes", by="scenario.time"),
        "experiment": lambda s, w, f: loupe.experiment(s, w.real, w.test, label="ground_truth", dry_run=True),
        "experiment train": lambda s, w, f: loupe.experiment(w.real, s, w.test, label="ground_truth", dry_run=True),
        "experiment test": lambda s, w, f: loupe.experiment(w.real, w.test, s, label="ground_truth", dry_run=True),
        "export_selection": lambda s, w, f: loupe.export_selection(s, w.selection, f / "made"),
        "find_bias": lambda s, w, f: loupe.find_bias(s, "scenario.time", label="ground_truth", min_samples=2),
        "find_clusters": lambda s, w, f: loupe.find_clusters(s, 2),
        "find_copies": lambda s, w, f: loupe.find_copies(s, w.file),
        "find_drift": lambda s, w, f: loupe.find_drift(s, reference=w.real, **drift),
        "find_drift reference": lambda s, w, f: loupe.find_drift(w.real, reference=s, **drift),
        "find_duplicates": lambda s, w, f: loupe.find_duplicates(s),
        "find_duplicates objects": lambda s, w, f: loupe.find_duplicates(s, objects="boxes"),
        "find_label_issues": lambda s, w, f: loupe.find_label_issues(s, "ground_truth", folds=2),
        "find_label_issues boxes": lambda s, w, f: loupe.find_label_issues(s, "boxes", predictions="boxes_of_model"),
        "find_leaks": lambda s, w, f: loupe.find_leaks(s, splits=["train", "test"]),
        "find_memorized": lambda s, w, f: loupe.find_memorized(s, w.real),
        "find_memorized reference": lambda s, w, f: loupe.find_memorized(w.real, s),
        "find_outliers": lambda s, w, f: loupe.find_outliers(s),
        "find_shortcuts": lambda s, w, f: loupe.find_shortcuts(s, "ground_truth", permutations=99, min_samples=5),
        "find_words": lambda s, w, f: loupe.find_words(s, ["day", "night"]),
        "flag": lambda s, w, f: loupe.flag(s),
        "flag objects": lambda s, w, f: loupe.flag(s, objects="boxes"),
        "generate": lambda s, w, f: loupe.generate(s, ["a frame"], model=Shapes(), output_dir=f / "made"),
        "generate source": lambda s, w, f: loupe.generate(
            w.test, source=s, model=Lamp(), strength=0.5, output_dir=f / "made"
        ),
        "import_images": lambda s, w, f: loupe.import_images(s, Path(w.file).parent),
        "kept_view": lambda s, w, f: loupe.kept_view(s),
        "migrate": lambda s, w, f: loupe.migrate(s),
        "more_like": lambda s, w, f: loupe.more_like(s, w.pictures.first().id),
        "more_like text": lambda s, w, f: loupe.more_like(s, "a cat"),
        "more_like query": lambda s, w, f: loupe.more_like(w.real, s),
        "rebalance": lambda s, w, f: loupe.rebalance(
            s, wanted, model=Shapes(dark=0.0), checks=["exposure"], output_dir=f / "made"
        ),
        "rebalance reference": lambda s, w, f: loupe.rebalance(
            w.real, wanted, model=Shapes(dark=0.0), label="ground_truth", reference=s, dry_run=True
        ),
        "rebalanced_view": lambda s, w, f: loupe.rebalanced_view(s),
        "relabel": lambda s, w, f: loupe.relabel(s, "ground_truth"),
        "repair": lambda s, w, f: loupe.repair(s, failure="dark", model=Lamp(), attempts=1, output_dir=f / "made"),
        "report": lambda s, w, f: loupe.report(s, f / "report.html"),
        "review": lambda s, w, f: loupe.review(s, "dark", "real"),
        "reviewed": lambda s, w, f: loupe.reviewed(s),
        "scores": lambda s, w, f: loupe.scores(s, "dark"),
        "select": lambda s, w, f: loupe.select(s, 4, without=[]),
        "select keep": lambda s, w, f: loupe.select(w.real, 4, keep=s, without=[], save_as=None),
        "select export": lambda s, w, f: loupe.select(s, 4, without=[], export_dir=str(f / "made")),
        "slice": lambda s, w, f: loupe.slice(s, "scenario.time"),
        "slice objects": lambda s, w, f: loupe.slice(s, "scenario.time", objects="boxes"),
        "split": lambda s, w, f: loupe.split(s, {"a": 0.5, "b": 0.5}, stratify="ground_truth", groups="prompt"),
        "suggest_prompts": lambda s, w, f: loupe.suggest_prompts(w.coverage, s),
        "suggest_prompts source": lambda s, w, f: loupe.suggest_prompts(s),
        "test_transfer": lambda s, w, f: loupe.test_transfer(s, w.real, w.test, label="ground_truth"),
        "test_transfer train": lambda s, w, f: loupe.test_transfer(w.real, s, w.test, label="ground_truth"),
        "test_transfer test": lambda s, w, f: loupe.test_transfer(w.real, w.test, s, label="ground_truth"),
        "verify_split": lambda s, w, f: loupe.verify_split(s, groups="prompt"),
        "view_of": lambda s, w, f: loupe.view_of(s, w.like),
        "with_repairs": lambda s, w, f: loupe.with_repairs(s),
    }


#: what a kind that is refused can be given to all the same, and why it says something else
OTHERWISE = {
    "migrate": "it is of the dataset, whichever view leads there",
    "duplicate_objects_view": "nobody has compared objects there",
    "suggest_prompts": "it goes by what was found before",
    "suggest_prompts source": "nothing was found there",
    **dict.fromkeys(("kept_view", "rebalanced_view", "view_of", "with_repairs"), "a view of nothing is a view"),
    **dict.fromkeys(("more_like query", "select keep"), "ids of another dataset, or none"),
    **dict.fromkeys(("scores", "slice", "verify_split"), "fields that are not there"),
    **dict.fromkeys(("experiment", "generate", "import_images", "rebalance"), "a new dataset is where they begin"),
}


@pytest.fixture(scope="module")
def world(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    import fiftyone as fo

    import loupe

    folder = tmp_path_factory.mktemp("world")
    made = [fill(fo.Dataset(), folder / str(seed), seed) for seed in range(3)]
    twin = made[0].clone()
    coverage = loupe.coverage(twin, ["scenario.time"], label="ground_truth", groups=())
    selection = loupe.select(twin, 4, without=[])
    like = loupe.more_like(made[0], made[0].first().id)
    yield World(*made, coverage, selection, like, str(folder / "0" / "00.png"))
    for dataset in (*made, twin):
        dataset.delete()


def _stored(dataset: Any) -> str:
    """Returns all that the database holds of a dataset, as a text."""
    import fiftyone.core.odm as odm

    database = odm.get_db_conn()
    document = database["datasets"].find_one({"_id": dataset._doc.id}) or {}
    document.pop("last_loaded_at", None)
    held = [document, *database[dataset._doc.sample_collection_name].find()]
    held += database["runs"].find({"_id": {"$in": list(document.get("runs", {}).values())}})
    return json.dumps(held, default=str, sort_keys=True)


def _problem(call: Call, samples: Any, world: World, folder: Path, refused: str) -> str:
    """Returns what is wrong with what a call does, or says; nothing where it is fine.

    Args:
        call: the call
        samples: what it is given
        world: what else it is given
        folder: an empty one
        refused: what has to stand in the reason why it is refused; empty: it may be taken
    """
    import fiftyone as fo

    root = samples if isinstance(samples, fo.Dataset) else samples._root_dataset
    datasets = (root, world.pictures, world.real, world.test)
    before, names = [_stored(each) for each in datasets], fo.list_datasets()
    try:
        call(samples, world, folder)
    except LoupeError as error:
        if [_stored(each) for each in datasets] != before:
            return f"something was left in a dataset: {error}"
        if fo.list_datasets() != names or any(folder.iterdir()):
            return f"something was left behind: {error}"
        return "" if refused in str(error) else f"says nothing of {refused}: {error}"
    except Exception as error:
        return repr(error)
    return "was taken" if refused else ""


def test_each_public_function_that_takes_samples_is_called(database: str) -> None:
    import loupe
    from loupe.brain.api import PUBLIC

    kinds = ("Samples", "fo.Dataset", "SampleCollection")
    taking = {
        name
        for name in PUBLIC
        if inspect.isfunction(function := getattr(loupe, name))
        and any(kind in str(inspect.signature(function)) for kind in kinds)
    }
    assert taking == {name.partition(" ")[0] for name in _calls()}


#: of those that every function takes these are tried with all tests; the others take a minute each
OFTEN = ("saved view", "odd names")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if KINDS[kind].refused or kind in OFTEN else pytest.mark.long) for kind in KINDS],
)
def test_it_works_or_says_why_and_leaves_all_as_it_was(world: World, tmp_path: Path, kind: str) -> None:
    made, wrong = None, []
    for number, (name, call) in enumerate(_calls().items()):
        if made is None:
            made = KINDS[kind].make(world.pictures.clone(), tmp_path / f"kind{number}")
        folder = tmp_path / str(number)
        folder.mkdir()
        refused = "" if name in OTHERWISE else KINDS[kind].refused
        if problem := _problem(call, made, world, folder, refused):
            wrong.append(f"{name}: {problem}")
        if not refused:  # what is refused changes nothing, and is made once
            made = None
    assert not wrong, "\n".join(wrong)
