"""Whole verbs on samples whose filepaths are addresses, with real servers on loopback."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from object_server import Objects, served
from PIL import Image, PngImagePlugin

import loupe
from loupe.brain.core.errors import InputError, NoSamples, OutputError, PromptError
from loupe.brain.media import fetching, settings

pytestmark = pytest.mark.database
_NAMES = (settings.ON, settings.CACHE, settings.CACHE_BYTES, settings.FILE_BYTES, settings.PRIVATE_HOSTS)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in _NAMES:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(fetching, "_wait", lambda seconds: None)
    loupe.remote_media(True, cache=tmp_path / "cache", private_hosts=["127.0.0.1"])
    yield tmp_path / "cache"
    fetching.forget()


@pytest.fixture
def web() -> Iterator[Objects]:
    with served() as objects:
        yield objects


@pytest.fixture
def bucket(web: Objects, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """Keys of the bucket ``pictures`` are paths below ``/pictures/``."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", web.url)
    for name, value in (("ACCESS_KEY_ID", "AKIA"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    return web


def _picture(seed: int, text: str | None = None) -> bytes:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    if text:
        info.add_text("parameters", text)
    Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def _add(dataset: Any, addresses: list[str]) -> None:
    """Samples whose filepaths are addresses: FiftyOne takes them as they are where a field is set."""
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=f"{at}.png") for at in range(len(addresses))], progress=False)
    dataset.set_values("filepath", addresses)


@pytest.fixture
def pictures(dataset: Any, web: Objects) -> Any:
    """Four pictures on the server, the last two the same."""
    for at in range(4):
        web.held[f"/{at}.png"] = _picture(min(at, 2))
    _add(dataset, [f"{web.url}/{at}.png?sig=secret" for at in range(4)])
    return dataset


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
    web.held["/1.png"] = _picture(9)
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
    run = loupe.check(pictures, ["readable", "sharpness"] if "readable" in _checks() else ["sharpness"])
    assert run.errors == 0
    assert sum(run.unknown.values()) >= 1
    first = pictures.first()
    assert any("got no object" in str(each.reason) for each in first["unknown"].classifications)


def _checks() -> set[str]:
    from loupe.brain.core import registry

    return set(registry.checks())


def test_an_address_that_fiftyone_made_a_path_of_is_read(dataset: Any, bucket: Objects) -> None:
    import fiftyone as fo

    bucket.held["/pictures/a b.png"] = _picture(1)
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
    loupe.flag(pictures, {"blur": loupe.Threshold("<", 1e9)}) if False else None
    path = loupe.report(pictures, tmp_path / "r.html")
    assert "secret" not in Path(path).read_text()


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


class TestImport:
    @pytest.fixture
    def renders(self, bucket: Objects, monkeypatch: pytest.MonkeyPatch) -> Objects:
        from loupe.brain.media.s3 import S3

        bucket.held["/pictures/renders/a.png"] = _picture(1, "a red cat\nSteps: 20, Sampler: Euler a, Seed: 7")
        bucket.held["/pictures/renders/sub/b #1?.png"] = _picture(2)
        bucket.held["/pictures/renders/sub/b #1?.txt"] = b"a blue dog"
        bucket.held["/pictures/renders/c.png"] = _picture(3)
        bucket.held["/pictures/renders/d.png"] = _picture(4)
        bucket.held["/pictures/renders/notes.md"] = b"x"
        rows = io.StringIO()
        table = csv.writer(rows)
        table.writerows([["file", "prompt", "mood"], ["c.png", "a green bird", "calm"]])
        bucket.held["/pictures/renders/prompts.csv"] = rows.getvalue().encode()
        extra = ["renders/x/../y.png", "renders//z.png", "renders/folder/"]

        def listed(self: object, place: Any, recursive: bool) -> Iterator[str]:
            keys = [key.removeprefix("/pictures/") for key in bucket.held] + extra
            yield from (key for key in keys if key.startswith(place.key))

        monkeypatch.setattr(S3, "listed", listed)
        return bucket

    def test_a_folder_in_a_bucket(self, dataset: Any, renders: Objects) -> None:
        folder = "s3://pictures/renders/"
        run = loupe.import_images(dataset, folder, prompts="s3://pictures/renders/prompts.csv")
        assert run.n == 4
        assert run.errors == 2, run.messages
        assert all(
            "can be a file's name" in str(run.messages[f"s3://pictures/renders/{each}"])
            for each in ("x/../y.png", "/z.png")
        )
        paths = dict(zip(dataset.values("filepath"), dataset.values("prompt"), strict=True))
        assert paths == {
            "s3://pictures/renders/a.png": "a red cat",
            "s3://pictures/renders/c.png": "a green bird",
            "s3://pictures/renders/d.png": None,
            "s3://pictures/renders/sub/b #1?.png": "a blue dog",
        }
        by_path = dict(zip(dataset.values("filepath"), dataset.values("generation.seed"), strict=True))
        assert by_path["s3://pictures/renders/a.png"] == 7
        assert run.params["folder"] == "s3://pictures/renders/"
        assert loupe.check(dataset, ["sharpness"]).errors == 0
        again = loupe.import_images(dataset, "s3://pictures/renders", prompts="s3://pictures/renders/prompts.csv")
        assert (again.n, again.skipped) == (0, 4)

    def test_what_is_listed_and_may_not_be_read_comes_without_its_metadata(
        self, dataset: Any, renders: Objects
    ) -> None:
        renders.faults["/pictures/renders/a.png"] = 403
        run = loupe.import_images(dataset, "s3://pictures/renders")
        assert run.n == 4
        assert "no right to read it" in run.messages["s3://pictures/renders/a.png"]

    def test_a_table_may_name_images_by_their_addresses(self, dataset: Any, renders: Objects, tmp_path: Path) -> None:
        tmp_path = tmp_path / "renders"  # the cache lies beside it
        tmp_path.mkdir()
        (tmp_path / "here.png").write_bytes(_picture(9))
        renders.held["/signed.png"] = _picture(8)
        signed = f"{renders.url}/signed.png?X-Amz-Signature=secret"
        with (tmp_path / "p.csv").open("w", newline="") as file:
            csv.writer(file).writerows(
                [
                    ["filepath", "prompt", "mood"],
                    ["here.png", "a sheep", "calm"],
                    ["s3://pictures/renders/a.png", "a cat, says the table", "calm"],
                    ["s3://pictures/renders/sub/b #1?.png", "a dog", "odd"],
                    [signed, "a bird", "odd"],
                    ["s3://pictures/none.png", "nobody", "odd"],
                ]
            )
        run = loupe.import_images(dataset, tmp_path, prompts=tmp_path / "p.csv")
        assert (run.n, run.errors) == (5, 1), run.messages
        assert "got no object" in run.messages["s3://pictures/none.png"]
        columns = dataset.values(["filepath", "prompt", "scenario.mood", "generation.seed"])
        rows = {path: rest for path, *rest in zip(*columns, strict=True)}
        assert rows["s3://pictures/renders/a.png"] == ["a cat, says the table", "calm", 7]
        assert rows[signed] == ["a bird", "odd", None]
        assert rows["s3://pictures/renders/sub/b #1?.png"][0] == "a dog"
        assert rows[str(tmp_path / "here.png")][0] == "a sheep"
        assert "secret" not in json.dumps(run.to_dict(), default=str)
        assert loupe.import_images(dataset, tmp_path, prompts=tmp_path / "p.csv").skipped == 5
        assert loupe.check(dataset, ["sharpness"]).errors == 0, "one that is not there counts as unreadable"
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["here.png", "p.csv"]

    def test_a_table_of_addresses_alone_needs_no_image_in_the_folder(
        self, dataset: Any, renders: Objects, tmp_path: Path
    ) -> None:
        tmp_path = tmp_path / "renders"
        tmp_path.mkdir()
        table = tmp_path / "p.csv"
        table.write_text("file,prompt\ns3://pictures/renders/c.png,x\n")
        loupe.remote_media(False)
        asked = renders.asked.total()
        with pytest.raises(PromptError, match=r"got the address s3://pictures/renders/c\.png: .*remote_media\(True\)"):
            loupe.import_images(dataset, tmp_path, prompts=table)
        assert renders.asked.total() == asked
        loupe.remote_media(True)
        assert loupe.import_images(dataset, tmp_path, prompts=table).n == 1
        table.write_text("file,prompt\nftp://h.example/c.png,x\n")
        with pytest.raises(PromptError, match=r"begins with s3://.*got ftp://h\.example/c\.png"):
            loupe.import_images(dataset, tmp_path, prompts=table)

    def test_a_table_may_name_the_images_of_a_bucket_in_full(self, dataset: Any, renders: Objects) -> None:
        renders.held["/pictures/full.csv"] = b"file,prompt\ns3://pictures/renders/c.png,full\nd.png,short\n"
        run = loupe.import_images(dataset, "s3://pictures/renders", prompts="s3://pictures/full.csv")
        assert run.n == 4
        paths = dict(zip(dataset.values("filepath"), dataset.values("prompt"), strict=True))
        assert (paths["s3://pictures/renders/c.png"], paths["s3://pictures/renders/d.png"]) == ("full", "short")

    def test_a_folder_that_cannot_be_had(self, dataset: Any, renders: Objects) -> None:
        with pytest.raises(NoSamples, match="in s3://pictures/none, got none"):
            loupe.import_images(dataset, "s3://pictures/none")
        with pytest.raises(InputError, match="cannot be listed"):
            loupe.import_images(dataset, "https://h.example/renders")
        with pytest.raises(PromptError, match=r"got no object at s3://pictures/none\.csv"):
            loupe.import_images(dataset, "s3://pictures/renders", prompts="s3://pictures/none.csv")
        renders.held["/pictures/bad.csv"] = b"file,prompt\n/etc/passwd,x\n"
        with pytest.raises(PromptError) as error:
            loupe.import_images(dataset, "s3://pictures/renders", prompts="s3://pictures/bad.csv")
        assert "/tmp/" not in str(error.value), "the folder is told as it was given"
        loupe.remote_media(False)
        with pytest.raises(InputError, match=r"loupe\.remote_media\(True\)"):
            loupe.import_images(dataset, "s3://pictures/renders")
        assert len(dataset) == 0


def test_a_panel_shows_what_is_kept_here(pictures: Any, web: Objects, bucket: Objects) -> None:
    from loupe.brain.store.review.queue import source_of

    web.held["/pictures/k.png"] = _picture(1)
    assert source_of("s3://pictures/k.png") == "/media?filepath=s3%3A%2F%2Fpictures%2Fk.png"
    fetching.fetcher().prepare(fetching.parsed("s3://pictures/k.png"))
    assert source_of("s3://pictures/k.png").startswith("/media?filepath=%2F")
    assert source_of("/home/x/https:/h.example/a.png") == "https://h.example/a.png"


def test_a_run_says_nothing_of_what_opens_an_address(pictures: Any, web: Objects) -> None:
    web.faults["/0.png"] = 500
    run = loupe.check(pictures, ["sharpness"])
    assert run.errors == 1
    assert "secret" not in json.dumps(run.to_dict(), default=str)


class TestWhatCannotBeHadNowCountsAsLastSeen:
    """A bucket whose credentials have expired, a server that is down: no label, group or vector is dropped for it."""

    @pytest.fixture
    def alike(self, dataset: Any, web: Objects) -> Any:
        """0 and 1 are equal, 2 is nearly 3, 4 is alone; the first three are of "train", the others of "test"."""
        for at, seed in enumerate((1, 1, 2, 2, 5)):
            web.held[f"/{at}.png"] = _picture(seed)
        file = io.BytesIO()
        Image.open(io.BytesIO(_picture(2))).save(file, "JPEG", quality=90)
        web.held["/3.png"] = file.getvalue()
        _add(dataset, [f"{web.url}/{at}.png" for at in range(5)])
        dataset.set_values("split", ["train", "test", "train", "test", "train"])
        return dataset

    def _gone(self, web: Objects, *places: int) -> None:
        for at in places:
            web.faults[f"/{at}.png"] = 403
        fetching.forget()

    @pytest.mark.parametrize("resume", [True, False])
    @pytest.mark.parametrize("gone", [(0,), (2, 3), (0, 1, 2, 3, 4)])
    def test_duplicates(self, alike: Any, web: Objects, gone: tuple[int, ...], resume: bool) -> None:
        fields = [
            "quality.exact_duplicate",
            "quality.near_duplicate",
            "duplicate_group",
            "failures.classifications.label",
        ]
        first = loupe.find_duplicates(alike)
        before = alike.values(fields)
        assert len(first.pairs) == 2
        self._gone(web, *gone)
        second = loupe.find_duplicates(alike, resume=resume)
        assert second.pairs == first.pairs
        assert second.groups == first.groups
        alike.reload()
        assert alike.values(fields) == before
        assert not any(own and own.classifications for own in alike.values("unknown"))
        web.faults.clear()
        fetching.forget()
        assert loupe.find_duplicates(alike).pairs == first.pairs

    def test_one_that_was_never_seen_is_an_error_of_the_run(self, alike: Any, web: Objects) -> None:
        self._gone(web, 0)
        assert len(loupe.find_duplicates(alike).pairs) == 1
        from loupe.brain.store import runs

        kept = runs.load(alike, "loupe_find_duplicates_1")
        assert kept["errors"] == 1
        assert all("no right to read it" in each for each in kept["messages"].values())
        assert alike.values("quality.exact_duplicate")[0] is None

    def test_leaks_and_memorized_and_copies(self, alike: Any, web: Objects, tmp_path: Path) -> None:
        def asked() -> list[Any]:
            generated, reference = alike.match({"split": "train"}), alike.match({"split": "test"})
            (tmp_path / "new.png").write_bytes(_picture(1))
            return [
                loupe.find_leaks(alike, splits="split").pairs,
                loupe.find_memorized(generated, reference).pairs,
                [(pair.id_b, pair.kind) for pair in loupe.find_copies(alike, tmp_path / "new.png")],
                alike.values(["quality.leak", "quality.memorized"]),
            ]

        before = asked()
        assert [len(part) for part in before[:3]] == [2, 2, 2]
        self._gone(web, 0, 3)
        assert asked() == before

    def test_objects_keep_their_groups_and_their_scores(self, dataset: Any, web: Objects) -> None:
        import fiftyone as fo

        for at in range(3):
            web.held[f"/{at}.png"] = _picture(1 if at < 2 else 7)
        _add(dataset, [f"{web.url}/{at}.png" for at in range(3)])
        box = [fo.Detections(detections=[fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.6, 0.7])]) for _ in range(3)]
        dataset.set_values("boxes", box)
        loupe.check(dataset, ["sharpness"], objects="boxes")
        first = loupe.find_duplicates(dataset, objects="boxes")
        mirror = "boxes_objects.detections"
        fields = [f"{mirror}.{name}" for name in ("sharpness", "exact_duplicate", "near_duplicate", "duplicate_group")]
        before = dataset.values(fields)
        assert len(first.pairs) == 1
        self._gone(web, 0, 2)
        loupe.find_duplicates(dataset, objects="boxes")
        after = dataset.values(fields)
        assert [[column[at] for at in (0, 2)] for column in after] == [
            [column[at] for at in (0, 2)] for column in before
        ]

    def test_vectors(self, alike: Any, web: Objects) -> None:
        loupe.embed(alike, embedder="hog", visualize=None, similarity=False)
        before = alike.values("embeddings")
        self._gone(web, 0, 3)
        assert loupe.embed(alike, embedder="hog", visualize=None, similarity=False).errors == 2
        assert all(np.array_equal(a, b) for a, b in zip(alike.values("embeddings"), before, strict=True))
