"""``import_images`` from a bucket."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from object_server import Objects
from remote import picture

import loupe
from loupe.brain.core.errors import InputError, NoSamples, PromptError

pytestmark = pytest.mark.database


class TestImport:
    @pytest.fixture
    def renders(self, bucket: Objects, monkeypatch: pytest.MonkeyPatch) -> Objects:
        from loupe.brain.media.s3 import S3

        bucket.held["/pictures/renders/a.png"] = picture(1, "a red cat\nSteps: 20, Sampler: Euler a, Seed: 7")
        bucket.held["/pictures/renders/sub/b #1?.png"] = picture(2)
        bucket.held["/pictures/renders/sub/b #1?.txt"] = b"a blue dog"
        bucket.held["/pictures/renders/c.png"] = picture(3)
        bucket.held["/pictures/renders/d.png"] = picture(4)
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
        (tmp_path / "here.png").write_bytes(picture(9))
        renders.held["/signed.png"] = picture(8)
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
