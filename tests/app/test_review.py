"""The panel "Review" in a real browser: decided by keyboard, undone, noted; in both themes and in a narrow window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from reviewable import draw, fill, order
from served import expect, fits, open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "to-review", 60


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with flagged pictures, every other one really blurred, and the panel open."""
    import fiftyone as fo

    dataset = fo.Dataset(NAME, persistent=True)
    fill(dataset, draw(tmp_path_factory.mktemp("houses"), N))
    dataset.set_values("embeddings", list(np.random.default_rng(0).normal(size=(N, 6))))
    with open_app(NAME, last=tmp_path_factory.mktemp("browser")) as opened:
        opened.open_panel("Review")
        opened.page.get_by_text("flagged reviewed").wait_for()
        yield opened
    dataset.delete()


def _dataset() -> Any:
    import fiftyone as fo

    dataset = fo.load_dataset(NAME)
    dataset.reload()
    return dataset


def _large(app: app_browser.App) -> Any:
    return app.page.locator('img[alt^="Blur:"], img[alt^="Watermark:"]').first


def _press(app: app_browser.App, key: str) -> None:
    """Presses a key, and waits until another picture is drawn."""
    before = _large(app).get_attribute("src")
    app.page.keyboard.press(key)
    _another(app, before)


def _another(app: app_browser.App, before: str | None) -> None:
    app.page.wait_for_function(
        """before => {
            const large = document.querySelector('img[alt^="Blur:"], img[alt^="Watermark:"]');
            return large && large.getAttribute('src') !== before && large.complete && large.naturalWidth > 0;
        }""",
        arg=before,
    )


def _number(app: app_browser.App) -> int:
    """Returns the number of the picture in front: its file has it."""
    return int(Path(_large(app).get_attribute("alt").rpartition(" ")[2]).stem)


def _close(app: app_browser.App) -> None:
    """Closes a sample's window by a click beside it."""
    app.page.mouse.click(12, 600)
    app.page.locator('[data-cy="modal"]').wait_for(state="detached")


def _decided() -> dict[str, str]:
    documents = _dataset()._sample_collection.find({"review.blur.label": {"$ne": None}}, ["review"])
    return {str(each["_id"]): each["review"]["blur"]["label"] for each in documents}


def _reads_well(app: app_browser.App) -> None:
    reads_well(app.page)
    fits(app.page, "1 r")


def test_pictures_are_decided_by_keys_and_undone(app: app_browser.App, tmp_path: Path) -> None:
    page, ids = app.page, order(_dataset())
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "dark.png")
    _reads_well(app)
    for key in ("1", "f", "u"):
        _press(app, key)
    assert _decided() == {ids[0]: "real", ids[1]: "false_alarm", ids[2]: "unsure"}
    page.get_by_text(f"3 of {len(ids)}").wait_for()
    expect(page.get_by_text("precision so far")).to_be_visible()
    _press(app, "z")
    assert _decided() == {ids[0]: "real", ids[1]: "false_alarm"}
    _press(app, "ArrowLeft")
    page.get_by_text("False alarm,", exact=False).first.wait_for()
    _press(app, "1")  # decided anew: what comes next is what is still open
    assert _decided() == {ids[0]: "real", ids[1]: "real"}
    _press(app, "Backspace")
    assert _decided() == {ids[0]: "real", ids[1]: "false_alarm"}
    _press(app, "ArrowRight")
    assert len(_decided()) == 2


def test_a_key_that_is_held_decides_one_picture(app: app_browser.App) -> None:
    page, before = app.page, len(_decided())
    source = _large(app).get_attribute("src")
    for _ in range(8):  # without a release between: the browser repeats the key
        page.keyboard.down("r")
    page.keyboard.up("r")
    _another(app, source)
    app_browser.settle(page)
    assert len(_decided()) == before + 1


def test_a_note_is_typed_and_kept_and_its_letters_decide_nothing(app: app_browser.App) -> None:
    page, before = app.page, _decided()
    page.keyboard.press("n")
    field = page.get_by_label("Note", exact=True)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Note"
    page.keyboard.type("ruf 123 <b>edge</b> z")
    expect(field).to_have_value("ruf 123 <b>edge</b> z")
    assert _decided() == before
    page.keyboard.press("Enter")
    _press(app, "2")
    notes = [note for note in _dataset().values("review.blur.note") if note]
    assert notes == ["ruf 123 <b>edge</b> z"]
    expect(field).to_have_value("")
    _press(app, "ArrowLeft")
    page.get_by_text("ruf 123 <b>edge</b> z").wait_for()
    _press(app, "ArrowRight")


def test_keys_are_the_samples_own_while_its_window_is_open(app: app_browser.App, tmp_path: Path) -> None:
    page, before = app.page, _decided()
    _large(app).click()
    page.locator('[data-cy="modal"]').wait_for()
    app_browser.settle(page)
    page.keyboard.press("1")
    page.keyboard.press("r")
    app_browser.settle(page)
    assert _decided() == before
    page.screenshot(path=tmp_path / "sample.png")
    _close(app)


def test_buttons_are_reached_by_tab_and_pressed_by_enter(app: app_browser.App) -> None:
    before = len(_decided())
    button = app.page.get_by_role("button", name="Real failure")
    source = _large(app).get_attribute("src")
    button.press("Enter")
    _another(app, source)
    assert len(_decided()) == before + 1
    source = _large(app).get_attribute("src")
    app.page.get_by_role("button", name=re.compile("^Unsure")).click()
    _another(app, source)
    assert len(_decided()) == before + 2


def test_marks_lie_over_the_picture(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.choose("Failure", "Watermark: 12")
    page.locator('img[alt="what the check saw"]').wait_for()
    app_browser.settle(page)
    boxes = page.evaluate(
        """() => ['img[alt^="Watermark:"]', 'img[alt="what the check saw"]'].map(name => {
            const image = document.querySelector(name), box = image.getBoundingClientRect();
            return [box.x, box.y, box.width, box.height, image.naturalWidth / image.naturalHeight];
        })"""
    )
    page.screenshot(path=tmp_path / "marks.png")
    assert boxes[0][:4] == pytest.approx(boxes[1][:4], abs=1)
    assert boxes[0][4] == pytest.approx(boxes[1][4], rel=0.01), "they have one shape, and so lie over each other"
    # a click on them is one on the picture
    page.mouse.click(boxes[1][0] + boxes[1][2] / 2, boxes[1][1] + boxes[1][3] / 2)
    page.locator('[data-cy="modal"]').wait_for()
    _close(app)
    app.choose("Failure", f"Blur: {len(order(_dataset()))}")
    page.locator('img[alt^="Blur:"]').wait_for()


def test_what_the_check_saw_is_shown_large_beside_the_picture(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.choose("Failure", "Watermark: 12")
    shown = page.locator('img[alt^="Close-up:"]')
    shown.wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "close_up.png")
    image, window = page.evaluate(
        """() => {
            const image = document.querySelector('img[alt^="Close-up:"]');
            let window = image.parentElement;
            while (getComputedStyle(window).overflow !== 'hidden') window = window.parentElement;
            const boxes = [image, window].map(each => each.getBoundingClientRect());
            return boxes.map(box => [box.x, box.y, box.width, box.height]);
        }"""
    )
    natural = page.evaluate(
        "() => (i => [i.naturalWidth, i.naturalHeight])(document.querySelector('img[alt^=\"Close-up:\"]'))"
    )
    # the mark, 0.1, 0.72, 0.35, 0.2 of the picture, lies in the window, and the picture keeps its shape
    assert image[2] / image[3] == pytest.approx(natural[0] / natural[1], rel=0.01)
    left, right = ((window[0] + part * window[2] - image[0]) / image[2] for part in (0, 1))
    top, bottom = ((window[1] + part * window[3] - image[1]) / image[3] for part in (0, 1))
    assert left <= 0.1
    assert right >= 0.45
    assert top <= 0.72
    assert bottom >= 0.92
    assert right - left < 0.9
    expect(page.get_by_text("watermark <i>").first).to_be_visible()
    _reads_well(app)
    app.choose("Failure", f"Blur: {len(order(_dataset()))}")
    page.locator('img[alt^="Blur:"]').wait_for()


def test_more_like_this_by_button_and_by_key(app: app_browser.App, tmp_path: Path) -> None:
    import loupe

    page = app.page
    ids = dict(zip(map(str, _dataset().values("filepath")), _dataset().values("id"), strict=True))
    front = next(each for path, each in ids.items() if int(Path(path).stem) == _number(app))
    expected = list(loupe.more_like(_dataset(), front, 24).ids)
    button = page.get_by_role("button", name="More like this")
    button.scroll_into_view_if_needed()
    source = _large(app).get_attribute("src")
    page.keyboard.press("m")
    app.wait_for_count(len(expected))
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "more_like.png")
    _reads_well(app)
    assert _large(app).get_attribute("src") == source, "the picture in front stays"
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)
    button.click()
    app.wait_for_count(len(expected))
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)


def test_a_better_threshold_comes_of_the_decisions_and_is_used(app: app_browser.App, tmp_path: Path) -> None:
    import loupe

    page, flagged = app.page, order(_dataset())
    # all but the last are decided elsewhere: the panel reads them anew
    names = dict(zip(_dataset().values("id"), _dataset().values("filepath"), strict=True))
    rest = {each: "real" if int(Path(names[each]).stem) % 2 else "false_alarm" for each in flagged[:-1]}
    loupe.review(_dataset(), "blur", rest, by="anna")
    page.get_by_role("button", name="Refresh").click()
    page.get_by_text(f"{len(flagged) - 1} of {len(flagged)}").wait_for()
    use = page.get_by_role("button", name="Use it and flag anew")
    use.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "offer.png")
    (result,) = loupe.reviewed(_dataset())
    assert result.offer.threshold is not None
    share = result.precision
    # the App's number is the SDK's
    assert page.get_by_text(
        f"{share.rate * 100:.0f} % [{round(share.low * 100)}, {round(share.high * 100)}]"
    ).is_visible()
    expect(page.get_by_text(f"{result.offer.threshold.value:.4g}").first).to_be_visible()
    use.click()
    page.get_by_text(f"of {result.offer.flags} flagged reviewed").wait_for()
    assert len(order(_dataset())) == result.offer.flags
    piles = page.get_by_role("button", name=re.compile(r"^\d+ real$"))
    count = int(piles.inner_text().split()[0])
    piles.click()
    app.wait_for_count(_dataset().count_values("review.blur.label")["real"])
    assert count <= app.count()
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)
    page.get_by_role("button", name="Send to annotation").click()
    page.get_by_text("Who asks", exact=False).first.wait_for()
    page.screenshot(path=tmp_path / "annotation.png")
    page.get_by_role("button", name="Cancel").click()


def test_it_reads_well_in_the_light_theme_and_in_a_narrow_window(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.choose("Which, in which order", "Passed, at random: gives the recall")
    _large(app).wait_for()
    page.set_viewport_size({"width": 1000, "height": 900})  # of which the panel has 350
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / "narrow.png")
    _reads_well(app)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.get_by_title("Light mode").click()
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / "light.png")
    _reads_well(app)
    before = _large(app).get_attribute("src")
    page.keyboard.press("2")
    _another(app, before)
