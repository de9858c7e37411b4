"""A bucket whose credentials have expired, a server that is down: what is known of its pictures stays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from object_server import Objects
from PIL import Image
from remote import add, picture

import loupe
from loupe.brain.media import fetching

pytestmark = pytest.mark.database


class TestWhatCannotBeHadNowCountsAsLastSeen:
    """A bucket whose credentials have expired, a server that is down: no label, group or vector is dropped for it."""

    @pytest.fixture
    def alike(self, dataset: Any, web: Objects) -> Any:
        """0 and 1 are equal, 2 is nearly 3, 4 is alone; the first three are of "train", the others of "test"."""
        for at, seed in enumerate((1, 1, 2, 2, 5)):
            web.held[f"/{at}.png"] = picture(seed)
        file = io.BytesIO()
        Image.open(io.BytesIO(picture(2))).save(file, "JPEG", quality=90)
        web.held["/3.png"] = file.getvalue()
        add(dataset, [f"{web.url}/{at}.png" for at in range(5)])
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
            (tmp_path / "new.png").write_bytes(picture(1))
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
            web.held[f"/{at}.png"] = picture(1 if at < 2 else 7)
        add(dataset, [f"{web.url}/{at}.png" for at in range(3)])
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
