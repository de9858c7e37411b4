"""Whole verbs on samples whose filepaths are addresses, with real servers on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from object_server import Objects
from PIL import Image
from remote import picture

import loupe
from loupe.brain.core.errors import OutputError
from loupe.brain.media import fetching

pytestmark = pytest.mark.database


def test_a_check_reads_through_and_a_second_one_asks_for_versions_only(pictures: Any, web: Objects) -> None:
    run = loupe.check(pictures, ["sharpness", "exposure"])
    assert (run.n, run.errors) == (4, 0)
    assert all(pictures.values("quality.sharpness"))
    fetching.forget()
    web.asked.clear()
    again = loupe.check(pictures, ["sharpness", "exposure"])
    assert (again.n, again.skipped) == (0, 4)
    assert web.asked == {f"HEAD /{at}.png": 1 for at in range(4)}


def test_a_changed_object_is_judged_again(pictures: Any, web: Objects) -> None:
    loupe.check(pictures, ["sharpness"])
    before = pictures.values("quality.sharpness")
    web.held["/1.png"] = picture(9)
    fetching.forget()
    assert loupe.check(pictures, ["sharpness"]).n == 1
    after = pictures.values("quality.sharpness")
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True]


def test_the_scores_are_those_of_the_same_files_here(
    pictures: Any, web: Objects, new_dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    other = new_dataset()
    for at in range(4):
        (tmp_path / f"{at}.png").write_bytes(web.held[f"/{at}.png"])
    other.add_samples([fo.Sample(filepath=str(tmp_path / f"{at}.png")) for at in range(4)], progress=False)
    for each in (pictures, other):
        loupe.check(each, ["sharpness", "exposure", "bright"])
    for name in ("quality.sharpness", "quality.bright"):
        assert pictures.values(name) == other.values(name)


def test_what_cannot_be_had_now_keeps_what_was_known_of_it(pictures: Any, web: Objects) -> None:
    from loupe.brain.store import runs

    loupe.check(pictures, ["sharpness"])
    loupe.embed(pictures, embedder="hog", visualize=None, similarity=False)
    loupe.find_duplicates(pictures)

    def stored() -> list[Any]:
        names = ("sharpness", "embeddings", "fingerprint")
        checked = [{name: own.get(name) for name in names} for own in pictures.values("checked")]
        fields = ("quality.sharpness", "embeddings", "fingerprint")
        return [checked, *(list(map(str, pictures.values(name))) for name in fields)]

    before = stored()
    assert None not in before[0][0].values()
    web.faults.update({f"/{at}.png": 403 for at in range(4)})
    fetching.forget()
    run = loupe.check(pictures, ["sharpness"])
    assert (run.errors, dict(run.unknown)) == (4, {})
    assert all("no right to read it" in each and "secret" not in each for each in run.messages.values())
    assert loupe.embed(pictures, embedder="hog", visualize=None, similarity=False).errors == 4
    assert len(loupe.find_duplicates(pictures).pairs) == 1
    run_of_copies = runs.load(pictures, "loupe_find_duplicates_2")
    assert (run_of_copies["errors"], sum(run_of_copies["unknown"].values())) == (4, 0)
    assert all("no fingerprint: cannot fetch" in each for each in run_of_copies["messages"].values())
    assert stored() == before
    web.faults.clear()
    fetching.forget()
    assert loupe.check(pictures, ["sharpness"]).skipped == 4
    assert len(loupe.find_duplicates(pictures).pairs) == 1


def test_objects_keep_what_was_known_of_them(pictures: Any, web: Objects) -> None:
    import fiftyone as fo

    boxes = fo.Detections(detections=[fo.Detection(label="thing", bounding_box=[0.1, 0.1, 0.8, 0.8])])
    pictures.set_values("ground_truth", [boxes.copy() for _ in range(4)])
    asked = {"objects": "ground_truth"}
    loupe.check(pictures, ["sharpness"], **asked)
    loupe.embed(pictures, embedder="hog", visualize=None, similarity=False, **asked)
    before = list(map(str, pictures.values("ground_truth_objects")))
    web.faults.update({f"/{at}.png": 403 for at in range(4)})
    fetching.forget()
    assert loupe.check(pictures, ["sharpness"], **asked).errors == 4
    assert loupe.embed(pictures, embedder="hog", visualize=None, similarity=False, **asked).errors == 4
    assert list(map(str, pictures.values("ground_truth_objects"))) == before


def test_without_being_asked_for_nothing_is_fetched_and_nothing_is_judged(pictures: Any, web: Objects) -> None:
    loupe.remote_media(False)
    run = loupe.check(pictures)
    assert run.errors == 4
    assert all("loupe.remote_media(True)" in each for each in list(run.messages.values())[-4:])
    # of the set as a whole it is known that no size is known
    assert all(set(each) <= {"size"} for each in pictures.values("checked"))
    assert not any(pictures.values("failures.classifications"))
    assert not web.asked
    loupe.remote_media(True)
    assert loupe.check(pictures, ["sharpness"]).errors == 0


def test_a_missing_object_is_a_file_that_is_not_there(pictures: Any, web: Objects) -> None:
    del web.held["/0.png"]
    run = loupe.check(pictures, ["file", "sharpness"])
    assert run.errors == 0
    assert sum(run.unknown.values()) >= 1
    first = pictures.first()
    assert any("got no object" in str(each.reason) for each in first["unknown"].classifications)


def test_an_address_that_fiftyone_made_a_path_of_is_read(dataset: Any, bucket: Objects) -> None:
    import fiftyone as fo

    bucket.held["/pictures/a b.png"] = picture(1)
    sample = fo.Sample(filepath="s3://pictures/a b.png")
    assert sample.filepath.endswith("/s3:/pictures/a b.png"), "FiftyOne keeps addresses: the docs can say so"
    dataset.add_sample(sample)
    assert loupe.check(dataset, ["sharpness"]).errors == 0
    assert dataset.values("quality.sharpness") != [None]


def test_duplicates_are_those_of_the_bytes(pictures: Any) -> None:
    result = loupe.find_duplicates(pictures)
    ids = pictures.values("id")
    assert [(pair.id_a, pair.id_b, pair.kind) for pair in result.pairs] == [(ids[2], ids[3], "bytes")]


def test_a_report_shows_the_pictures_and_no_signature(pictures: Any, tmp_path: Path) -> None:
    loupe.check(pictures, ["sharpness"])
    loupe.flag(pictures, {"blur": loupe.Threshold("<", 1.0)})
    text = Path(loupe.report(pictures, tmp_path / "r.html")).read_text()
    assert text.count("<img") == 4
    assert "secret" not in text


def test_an_export_brings_the_files(pictures: Any, tmp_path: Path) -> None:
    loupe.embed(pictures, embedder="hog", visualize=None, similarity=False)
    chosen = loupe.select(pictures, 2)
    target = loupe.export_selection(pictures, chosen, tmp_path / "out", dataset_type="ImageDirectory")
    files = list(Path(target).rglob("*.png"))
    assert len(files) == 2
    assert all(not path.is_symlink() and Image.open(path).size == (128, 96) for path in files)
    with (Path(target) / "manifest.csv").open() as table:
        assert "secret" not in table.read()
    with pytest.raises(OutputError, match=r"on this machine to write to, got s3://pictures/out"):
        loupe.export_selection(pictures, chosen, "s3://pictures/out", dataset_type="ImageDirectory")


def test_what_is_drawn_stays_on_this_machine(dataset: Any) -> None:
    with pytest.raises(OutputError, match=r"on this machine to write to, got s3://pictures/out"):
        loupe.generate(dataset, ["a cat"], model="tiny-signs", output_dir="s3://pictures/out")


def test_a_panel_shows_what_is_kept_here(pictures: Any, web: Objects, bucket: Objects) -> None:
    from loupe.brain.store.review.queue import source_of

    web.held["/pictures/k.png"] = picture(1)
    assert source_of("s3://pictures/k.png") == "/media?filepath=s3%3A%2F%2Fpictures%2Fk.png"
    fetching.fetcher().prepare(fetching.parsed("s3://pictures/k.png"))
    assert source_of("s3://pictures/k.png").startswith("/media?filepath=%2F")
    assert source_of("/home/x/https:/h.example/a.png") == "https://h.example/a.png"


def test_a_run_says_nothing_of_what_opens_an_address(pictures: Any, web: Objects) -> None:
    web.faults["/0.png"] = 500
    run = loupe.check(pictures, ["sharpness"])
    assert run.errors == 1
    assert "secret" not in json.dumps(run.to_dict(), default=str)
