"""A run that fails, in a real browser: the reason and what to do stand in the dialog, and nothing goes on for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from operator_calls import ALL, execute
from served import open_app

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "broken", 12

_WORDS = {"Words to tell apart": "day, night", "Field for the words": "filepath"}
_PROMPTS = {"Prompts": "a cup", "Model to draw with": "nobody/nothing"}

#: operator → its label and button, what is typed into which input, and what the reason names. The dataset has fields of
#: its owner's with names that Loupe writes to: nothing of it fails a form
FAILING: dict[str, tuple[str, str, dict[str, str], str]] = {
    "annotate": ("send to annotation", "Send", {}, "nothing here is open"),
    "augment": ("augment rare samples", "Augment", {}, "training samples alone"),
    "check": ("check images", "Check", {}, "'Rename sample field'"),
    "coverage": ("coverage and balance", "Look", {}, "no samples"),
    "decide_repairs": ("accept or undo repairs", "Decide", {}, "run 'Loupe: repair images' first"),
    "deduplicate": ("drop duplicates", "Decide", {}, "run 'Loupe: find duplicates' first"),
    "compare_to_real": ("compare to real images", "Compare", {}, "at least one sample"),
    "embed": ("embed images", "Embed", {"Field for the vectors": "filepath"}, "filepath"),
    "evaluate": ("evaluate models", "Evaluate", {"Positive class": "tiger"}, "Unknown class"),
    "experiment": ("try models and prompts", "Start", {}, "at least one sample"),
    "find_bias": ("find bias", "Compare", {}, "no samples|at least one sample"),
    "find_copies": (
        "find copies of a file",
        "Find",
        {"Image file to look for": "{text file}"},
        "'Rename sample field'",
    ),
    "find_drift": ("find drift", "Find", {}, "at least one sample"),
    "find_duplicates": ("find duplicates", "Find", {}, "'Rename sample field'"),
    "find_label_issues": ("find label issues", "Find", {}, "'Rename sample field'"),
    "find_leaks": ("find leaks", "Find", {}, "'Rename sample field'"),
    "find_memorized": ("find memorized images", "Find", {}, "at least one sample"),
    "find_clusters": ("find clusters", "Find", {"Field for the clusters": "filepath"}, "filepath"),
    "find_words": (
        "find words",
        "Find",
        {"Words to tell apart": "day, night", "Field for the words": "filepath"},
        "filepath",
    ),
    "find_outliers": ("find outliers", "Find", {}, "'Rename sample field'"),
    "find_shortcuts": ("find shortcuts", "Find", {}, "at least two classes"),
    "flag": ("set thresholds", "Flag", {}, "'Rename sample field'"),
    "generate": (
        "generate images",
        "Generate",
        _PROMPTS,
        "nobody/nothing",
    ),
    "import_images": ("import images", "Import", {"Folder of images": "{empty folder}"}, "Expected images"),
    # what somebody else changes while the form is open is what it runs on: see _spoil
    "jobs": ("background jobs", "Do it", {}, "is not there any more"),
    "calibrate": ("calibrate thresholds", "Calibrate", {}, "'Rename sample field'"),
    "rebalance": ("rebalance", "Draw", {}, "nothing has looked yet"),
    "relabel": ("put labels right", "Write", {"Field for corrected labels": "filepath"}, "filepath"),
    "more_like": ("more like this", "Show", {"What to look for": "a red sign"}, "'Loupe: embed images' made"),
    "repair": ("repair images", "Repair", {}, "no samples|at least one sample"),
    "report": ("write a report", "Write", {"Report to write": "/nowhere/at/all.html"}, "none at /nowhere"),
    "split": ("split the dataset", "Split", {"Names and shares of the splits": "train 0.8, test 0.8"}, "sum to 1"),
    "select": ("select samples", "Select", {"Number of samples": "100000"}, "that many can be chosen"),
    "slice": ("failure rates by scenario", "Show", {}, "no samples"),
    "scores": ("sort by failure score", "Sort", {}, "no samples"),
    "compare": ("compare models", "Compare", {}, "at least two to compare"),
    "review": ("decide for these samples", "Decide", {}, "Expected decisions or a field"),
    "discover_slices": ("find the worst slices", "Find", {}, "no samples"),
    "test_transfer": ("test transfer to real images", "Test", {}, "at least one sample"),
    "reviewed": ("what a review says", "Show", {}, "no samples"),
    "suggest_prompts": ("suggest prompts", "Suggest", {}, "nothing has looked yet"),
}


def _spoil(app: app_browser.App, form: Any, name: str) -> None:
    """Does what makes a form that was fine fail."""
    import fiftyone as fo

    from loupe.brain.store import jobs

    dataset = fo.load_dataset(NAME)
    if name == "augment":
        dataset.tag_samples("test")
    elif name == "calibrate":
        form.get_by_text("Apply the thresholds", exact=True).click()
    elif name == "compare":
        dataset.set_values("scenario.time", ["day"] * N)
    elif name == "jobs":
        form.get_by_role("combobox").first.click()
        app.page.get_by_role("option", name=re.compile("^Cancel a job")).click()
        form.get_by_text("Which job").wait_for()
        app_browser.settle(app.page)
        jobs._operations().delete_many({"dataset_id": dataset._doc.id})
    elif name in ("coverage", "discover_slices", "find_bias", "repair", "reviewed", "scores", "slice"):
        if name == "coverage":  # it reads more than the others to fill its form
            form.get_by_text("scenario.time").first.wait_for()
            app_browser.settle(app.page, 3)
        dataset.delete_samples(dataset.values("id"))


def _fill(dataset: Any, paths: list[str]) -> None:
    import fiftyone as fo

    for index, path in enumerate(paths):
        sample = fo.Sample(filepath=path, text="a caption", fingerprint="mine", failures="none")
        sample["checked"] = fo.DynamicEmbeddedDocument(sharpness="1")
        sample["quality"] = fo.DynamicEmbeddedDocument(sharpness=0.5)
        sample["vectors"] = np.ones(4)
        for name in ("ground_truth", "model"):
            sample[name] = fo.Classification(label="cat", confidence=0.5)
        sample["kind"] = fo.Classification(label="cup" if index % 3 else "pot")
        sample["scenario"] = fo.DynamicEmbeddedDocument(time="day" if index % 2 else "night")
        dataset.add_sample(sample, dynamic=True)


@pytest.fixture
def mended(app: app_browser.App) -> Iterator[None]:
    """Samples that a test deletes are added again after it; a form or dialog that it leaves open is closed."""
    import fiftyone as fo

    dataset = fo.load_dataset(NAME)
    paths = dataset.values("filepath")
    yield
    if not len(dataset):
        _fill(dataset, paths)
    dataset.untag_samples("test")
    if app.page.locator('[role="dialog"], [data-cy^="operators-prompt"]').count():
        app.open(NAME)


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with a dataset that every operator fails on."""
    import fiftyone as fo

    folder = tmp_path_factory.mktemp("broken")
    dataset, other = fo.Dataset(NAME, persistent=True), fo.Dataset("an empty one", persistent=True)
    paths = [folder / f"{index}.png" for index in range(N)]
    for path in paths:
        path.write_bytes(b"no image")
    _fill(dataset, [str(path) for path in paths])
    execute("check", dataset, {"checks": ["file"]}, request_delegation=True)
    with open_app(NAME, last=tmp_path_factory.mktemp("browser")) as opened:
        yield opened
    dataset.delete()
    other.delete()


def test_each_operator_is_driven() -> None:
    assert set(FAILING) == set(ALL)


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("name", FAILING)
def test_a_failing_run_shows_why_and_what_to_do(app: app_browser.App, tmp_path: Path, name: str) -> None:
    label, button, typed, reason = FAILING[name]
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no image")
    given = {"{text file}": str(tmp_path / "text.txt"), "{empty folder}": str(tmp_path / "empty")}
    form = app.open_operator(f"Loupe: {label}")
    app_browser.settle(app.page)
    _spoil(app, form, name)
    for title, text in typed.items():
        field(form, title).fill(given.get(text, text))
    app_browser.settle(app.page)  # the App asks for the form again half a second after the last key
    form.get_by_role("button", name=button, exact=True).click()
    dialog = app.ended()
    dialog.locator(".MuiAlert-root").wait_for()
    app_browser.settle(app.page)  # what the App draws late leaves it there
    app.page.screenshot(path=tmp_path / f"{name}.png")
    assert dialog.locator('[role="progressbar"]').count() == 0
    alerts, text = dialog.locator(".MuiAlert-root").count(), app.page.locator("body").inner_text()
    assert re.search(reason, app.close(dialog))
    assert alerts == 1
    assert "Operation failed" not in text


def field(form: Any, title: str) -> Any:
    """Returns the text field below a title."""
    return form.locator(f"xpath=.//*[text()='{title}']/following::*[self::input or self::textarea][1]")
