"""The first hour with one's own pictures, in a real browser: presets, model files, a tidy App, jobs that follow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "mine"


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie."""
    return tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="module")
def app(
    database: str, pictures: list[Path], shots: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[app_browser.App]:
    """The App with somebody's own pictures, which nobody has checked; no model file is here, and none can be had."""
    import fiftyone as fo

    own = {"LOUPE_WEIGHTS": str(tmp_path_factory.mktemp("weights")), "LOUPE_WEIGHTS_DIRS": "", "LOUPE_OFFLINE": "1"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    dataset = fo.Dataset(NAME, persistent=True)
    dataset.add_samples([fo.Sample(filepath=str(path), camera="mine") for path in pictures], progress=False)
    try:
        with open_app(NAME, last=shots) as opened:
            yield opened
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        dataset.delete()


def _choose(app: app_browser.App, form: Any, option: str) -> None:
    form.get_by_role("combobox").last.click()
    app.page.get_by_role("option", name=re.compile(f"^{option}")).click()


def test_the_form_has_presets_with_an_estimate_and_says_what_is_lacking(app: app_browser.App, shots: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: check images")
    form.get_by_text(re.compile(r"^About \d+ (s|min)")).wait_for()
    form.get_by_text("loupe worker").wait_for()
    page.screenshot(path=shots / "form_quick.png")
    _choose(app, form, "Generated pictures")
    form.get_by_text(re.compile("will be left out: \\d+ model files")).wait_for()
    assert "Apache-2.0" in form.inner_text()
    assert "hand_landmark_full" in form.inner_text()
    page.screenshot(path=shots / "form_generated.png")
    form.get_by_text("Download them first").click()
    form.get_by_text(re.compile("will be downloaded first")).wait_for()
    form.get_by_role("button", name="Check", exact=True).click()
    dialog = app.ended()
    dialog.locator(".MuiAlert-root").wait_for()
    app_browser.settle(page)
    page.screenshot(path=shots / "download_failed.png")
    reads_well(page)
    text = app.close(dialog)
    assert "LOUPE_OFFLINE" in text, "why, and what to do"


def _colors_of_labels(app: app_browser.App) -> set[str]:
    """Returns the colors, rgb(…), of the failures that stand on the grid."""
    colors: list[str] = app.page.evaluate(
        """() => [...document.querySelectorAll('[data-cy="tag-failures"]')].map(tag => tag.style.backgroundColor)"""
    )
    return set(colors)


def _family_colors() -> set[str]:
    from loupe.brain.store.workspace import _COLORS

    return {"rgb({}, {}, {})".format(*bytes.fromhex(color[1:])) for color in _COLORS.values()}


def _groups(app: app_browser.App) -> set[str]:
    """Returns the groups of the sidebar, as the page names them."""
    names: list[str] = app.page.evaluate(
        """() => [...document.querySelectorAll('[data-cy^="sidebar-group-entry-"]')]
            .map(group => group.dataset.cy.replace("-entry", "").toLowerCase())"""
    )
    return set(names)


def test_a_run_tidies_the_app_and_offers_a_workspace(app: app_browser.App, shots: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: check images")
    _choose(app, form, "Photos")
    app_browser.settle(page)
    form.get_by_role("button", name="Check", exact=True).click()
    dialog = app.ended()
    dialog.get_by_text("Checked").first.wait_for()
    app_browser.settle(page)
    page.screenshot(path=shots / "checked.png")
    # the page has not been loaded anew: the labels have their families' colors all the same, and nothing else is on
    page.locator('[data-cy="tag-failures"]').first.wait_for(state="attached")
    app_browser.settle(page)
    assert _colors_of_labels(app)
    assert _colors_of_labels(app) <= _family_colors()
    assert page.locator('[data-cy="tag-unknown"]').count() == 0
    assert "sidebar has new groups" in dialog.inner_text()
    dialog.get_by_role("button", name="Open the workspace").click()
    app_browser.settle(page)
    dialog.get_by_role("link", name="Load the page anew").click()
    page.get_by_text("fail in some way").wait_for()
    assert page.locator('[role="dialog"]:visible').count() == 0
    assert {"sidebar-group-quality", "sidebar-group-other"} <= _groups(app)
    assert "sidebar-group-primitives" not in _groups(app), "FiftyOne's own"
    assert _colors_of_labels(app) <= _family_colors()
    for label in ("Overview", "Failures by scenario", "Embeddings"):
        page.get_by_text(label, exact=True).first.wait_for()
    app_browser.settle(page, 2)
    page.screenshot(path=shots / "workspace.png")
    import fiftyone as fo

    dataset = fo.load_dataset(NAME)
    dataset.reload()
    assert dataset.app_config.active_fields.paths == ["failures"]
    reads_well(page)
    page.get_by_text("sample tags", exact=True).wait_for()
    page.get_by_text(re.compile("^unknown$", re.IGNORECASE)).first.wait_for(state="attached")
    app_browser.settle(page)
    page.screenshot(path=shots / "sidebar.png")
    # what is folded stands in the page all the same: the stored groups say what is
    folded = {group.name for group in dataset.app_config.sidebar_groups if not group.expanded}
    assert {"quality", "unknown"} <= folded


def test_jobs_follow_by_themselves_and_say_what_to_start(app: app_browser.App, shots: Path) -> None:
    import fiftyone as fo
    from operator_calls import execute

    import loupe
    from loupe.brain.store import jobs

    page, dataset = app.page, fo.load_dataset(NAME)
    app.open_panel("Background jobs")
    page.get_by_text("Nothing has been scheduled").wait_for()
    page.screenshot(path=shots / "jobs_none.png")
    execute("check", dataset, {"checks": ["halo"]}, request_delegation=True)
    page.get_by_text("1 job waits").wait_for()
    page.screenshot(path=shots / "jobs_waiting.png")
    worker = jobs.WorkerFacts("w", "gpubox", "gpubox", 1, "cuda:0")
    jobs.beat(worker)
    job = jobs.claim(worker)
    assert job is not None
    jobs._operations().update_one({"_id": job}, {"$set": {"status": {"progress": 0.4, "label": "checking: 4 of 10"}}})
    page.get_by_text("40 %").wait_for()
    page.screenshot(path=shots / "jobs_running.png")
    jobs.finish(job, "w", {"result": {"message": "Checked 10 images"}}, None)
    jobs.sign_off(worker)
    page.get_by_text("Checked 10 images").wait_for()
    app_browser.settle(page)
    page.screenshot(path=shots / "jobs_done.png")
    reads_well(page)
    page.get_by_role("button", name="Run again").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("canceled").wait_for()

    # a job that no living worker may take says why; a canceled one has its log
    laptop = jobs.WorkerFacts("l", "laptop", "laptop", 1, "cpu", loupe=loupe.__version__)
    jobs.beat(laptop)
    try:
        execute("check", dataset, {"checks": ["halo"], "device": "cuda"}, request_delegation=True)
        page.get_by_text("waits for a worker with the device cuda; alive: laptop (cpu)").wait_for()
        page.screenshot(path=shots / "jobs_no_gpu.png")
        lines = [f"2026-11-29 12:00:{at:02} INFO checking: {at} of 70, see <b>&</b> `here`" for at in range(60)]
        waiting = jobs.recent(dataset._doc.id)[0].id
        assert jobs.cancel(waiting)
        stopped = "2026-11-29 12:01:01 INFO stopped: somebody canceled this job (0.8 s)"
        jobs.write_log(waiting, "l", "\n".join([*lines, *lines[:9], stopped]), 9_000)
        page.get_by_role("button", name="Log", exact=True).click()
        page.get_by_text("stopped: somebody canceled this job").wait_for()
        page.get_by_text("… 10 earlier lines").wait_for()
        app_browser.settle(page)
        page.screenshot(path=shots / "jobs_log.png")
        page.set_viewport_size({"width": 900, "height": 700})
        app_browser.settle(page)
        wide = "element => element.scrollWidth <= element.clientWidth + 1"
        assert page.locator("pre", has_text="somebody canceled this job").evaluate(wide), "lines are broken"
        page.screenshot(path=shots / "jobs_log_narrow.png")
        page.set_viewport_size({"width": 1400, "height": 900})
        reads_well(page)
        page.get_by_role("button", name="Hide the log").click()
        page.get_by_text("stopped: somebody canceled this job").wait_for(state="detached")
    finally:
        jobs.sign_off(laptop)
