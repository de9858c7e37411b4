"""Which embedder ``auto`` is: the best that is here, or the one that a field has already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def filled(dataset: Any, pictures: list[Path]) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures])
    return dataset


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The embedders that are here; each of them makes the vectors of hog, in a color of its own."""
    from loupe.brain.embedders.efficientnet_lite import EfficientNetLite
    from loupe.brain.embedders.hog import Hog
    from loupe.brain.embedders.open_clip import OpenClip

    names: set[str] = set()
    for spec, color in ((OpenClip, 0.8), (EfficientNetLite, 0.6)):

        def absent(self: Any) -> str:
            return "" if self.name in names else f"get {self.name}"

        def load(self: Any, device: str, color: float = color) -> Any:
            assert self.name in names
            return Hog(color=color).load(device)

        monkeypatch.setattr(spec, "absent", absent)
        monkeypatch.setattr(spec, "load", load)
    return names


def made_by(dataset: Any, field: str = "embeddings") -> str:
    dataset.reload()
    return str(dataset.info["loupe"]["embedders"][field]["name"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"open_clip", "efficientnet_lite"}, "open_clip"),
        ({"efficientnet_lite"}, "efficientnet_lite"),
    ],
)
def test_auto_takes_the_best_that_is_here_and_the_dataset_knows_which(
    filled: Any, here: set[str], names: set[str], expected: str, recwarn: pytest.WarningsRecorder
) -> None:
    import loupe

    here.update(names)
    run = loupe.embed(filled, visualize=None)
    assert run.params["embedder"]["name"] == expected == made_by(filled)
    assert not run.messages
    assert not [warning for warning in recwarn if "embedding with" in str(warning.message)]


def test_the_offline_embedder_is_taken_with_a_warning_that_says_what_to_get(filled: Any, here: set[str]) -> None:
    import loupe

    message = "no basis for label issues, outliers or realism. get efficientnet_lite; or: get open_clip"
    with pytest.warns(UserWarning, match=message):
        run = loupe.embed(filled, visualize=None)
    assert run.params["embedder"]["name"] == "hog" == made_by(filled)
    assert message in run.messages["embedder"]
    assert len(filled.exists("embeddings")) == 8


def test_auto_goes_on_with_what_the_field_has(filled: Any, here: set[str]) -> None:
    import loupe

    here.add("efficientnet_lite")
    loupe.embed(filled[:5], visualize=None)
    here.add("open_clip")
    run = loupe.embed(filled, visualize=None)
    assert (run.n, run.skipped) == (3, 5)
    assert made_by(filled) == "efficientnet_lite"
    # another field is another matter, and what is asked for by name is done
    assert loupe.embed(filled, field="other", visualize=None).params["embedder"]["name"] == "open_clip"
    assert loupe.embed(filled, embedder="open_clip", visualize=None).n == 8
    assert made_by(filled) == "open_clip"
    here.clear()
    with pytest.raises(errors.MissingWeights, match=r"holds vectors of open_clip.*get open_clip"):
        loupe.embed(filled, visualize=None)
    assert made_by(filled) == "open_clip"
    assert len(filled.exists("embeddings")) == 8


def test_auto_goes_on_with_the_same_parameters(filled: Any, here: set[str]) -> None:
    import loupe
    from loupe.brain.embedders.open_clip import OpenClip

    here.add("open_clip")
    loupe.embed(filled[:5], embedder=OpenClip(model="ViT-L-14"), visualize=None)
    run = loupe.embed(filled, visualize=None)
    assert (run.n, run.skipped, run.params["embedder"]["model"]) == (3, 5, "ViT-L-14")


def test_a_whole_dataset_leaves_the_offline_embedder_behind_once_it_can_and_a_view_does_not(
    filled: Any, here: set[str]
) -> None:
    import loupe

    with pytest.warns(UserWarning, match="hog"):
        loupe.embed(filled[:5], visualize=None)
    here.add("efficientnet_lite")
    with pytest.warns(UserWarning, match="hog"):
        assert loupe.embed(filled[3:], visualize=None).n == 3
    assert loupe.embed(filled.view(), visualize=None).n == 8
    assert made_by(filled) == "efficientnet_lite"


def test_which_embedder_it_was_is_known_of_a_run_that_was_stopped_and_of_an_earlier_version(
    filled: Any, here: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.engine import reader

    monkeypatch.setattr(reader, "CHUNK", 3)

    def stop(step: loupe.Progress) -> None:
        if step.done >= 3:
            raise errors.Stopped("enough")

    here.add("efficientnet_lite")
    with pytest.raises(errors.Stopped):
        loupe.embed(filled, visualize=None, progress=stop)
    assert made_by(filled) == "efficientnet_lite"
    loupe.embed(filled, visualize=None)
    settings = dict(filled.info["loupe"])
    del settings["embedders"]
    filled.info["loupe"] = settings
    filled.save()
    assert loupe.embed(filled, visualize=None).n == 0
    assert made_by(filled) == "efficientnet_lite"


def test_a_field_that_was_deleted_is_forgotten(filled: Any, here: set[str]) -> None:
    import loupe

    here.add("efficientnet_lite")
    loupe.embed(filled, visualize=None)
    filled.delete_sample_field("embeddings")
    here.add("open_clip")
    assert loupe.embed(filled, visualize=None).params["embedder"]["name"] == "open_clip"
