"""``loupe.experiment``: what cannot be done is said before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import experimenting as made
import pytest
from experimenting import Marks, given

import loupe
from loupe.brain.core.errors import InputError, MissingWeights, PromptError, UnknownName

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(scope="module")
def real(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    with made.real_sides(tmp_path_factory.mktemp("real")) as sides:
        yield sides


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"models": []}, InputError, "at least one model, got none"),
        ({"models": [""]}, InputError, "expected a model: a name"),
        ({"models": {"model": ""}}, InputError, "expected a model in"),
        ({"models": {"generator": "difusion", "model": "x"}}, UnknownName, "Did you mean 'diffusion'"),
        ({"models": {"model": "tiny-signs", "stepss": 3}}, UnknownName, "Did you mean 'steps'"),
        ({"models": [Marks(), Marks()]}, InputError, "each arm once, got 'marks · class · guidance 1' twice"),
        ({"guidance": [1, 1.0]}, InputError, "each arm once"),
        ({"guidance": ["high"]}, InputError, "expected guidance to be numbers or None, got 'high'"),
        ({"guidance": [math.nan]}, InputError, "expected guidance to be numbers or None"),
        ({"guidance": 3}, InputError, "expected guidance to be a list"),
        ({"guidance": []}, InputError, "expected guidance to be a list"),
        ({"seeds": [-1]}, InputError, "expected seeds to be whole numbers"),
        ({"seeds": []}, InputError, "expected seeds to be whole numbers"),
        ({"styles": ["klass"]}, UnknownName, "Did you mean 'class'"),
        ({"styles": ["a {thing} {class}"]}, PromptError, "expected factors with values for {thing}"),
        ({"per_class": 4}, InputError, "per_class to be a whole number of at least 5, got 4"),
        ({"per_class": True}, InputError, "per_class to be a whole number, got True"),
        ({"per_class": 10**9}, InputError, "expected at most 1,000,000 images"),
        ({"classes": ["bar", "rign"]}, UnknownName, "Did you mean 'ring'"),
        ({"classes": ["bar"]}, InputError, "at least two classes"),
        ({"classes": "bar"}, InputError, "at least two classes"),
        ({"label": "knid"}, UnknownName, "Did you mean 'kind'"),
        ({"label": "prompt"}, InputError, "expected label to be a field of its own"),
        ({"label": "caption"}, InputError, "expected at least 600 real samples of 120 classes to train on, got 120"),
        ({"options": {"stepss": 3}}, UnknownName, "unknown setting of marks 'stepss'"),
        ({"checks": ["sharpnes"]}, UnknownName, "Did you mean 'sharpness'"),
        ({"embedder": "hogg"}, UnknownName, "Did you mean 'hog'"),
        ({"measure": -1}, InputError, "expected measure to be a whole number from 0 to 100"),
        ({"report": "page.pdf"}, InputError, "expected a path that ends in .html"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_drawn(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path, changed: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind) as raised:
        loupe.experiment(dataset, *real, **given(tmp_path, **changed))
    assert says in str(raised.value)
    assert len(dataset) == 0
    assert dataset.list_runs() == []


@pytest.mark.parametrize("embedder", ["hogg", "efficientnet_lite"])
def test_a_plan_that_draws_looks_for_the_embedder_first(
    real: tuple[Any, Any], dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: str
) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", "")
    with pytest.raises((UnknownName, MissingWeights), match=r"'hog'|loupe weights get efficientnet_lite0"):
        loupe.experiment(dataset, *real, **given(tmp_path, embedder=embedder), dry_run=True, measure=1)
    assert len(dataset) == 0


def test_an_image_to_test_on_is_not_one_to_train_on(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    train, test = real
    asked = given(tmp_path)
    with pytest.raises(InputError, match=r"got 120 samples that are in both, e\.g\. .*: loupe\.split"):
        loupe.experiment(dataset, test, test, **asked)
    copied = fo.Dataset()
    copied.add_samples([fo.Sample(filepath=each.filepath, kind=each.kind) for each in train[:60]], progress=False)
    with pytest.raises(InputError, match="got 60 files that are in both"):
        loupe.experiment(dataset, train, copied, **asked)
    # the same pictures in other files have the same vectors: said before anything is drawn
    for at, sample in enumerate(copied.iter_samples(autosave=True)):
        copy = tmp_path / f"{at}.png"
        copy.write_bytes(Path(sample.filepath).read_bytes())
        sample["filepath"] = str(copy)
    with pytest.raises(InputError, match=r"got 60 with the very same vector, .*loupe\.find_leaks"):
        loupe.experiment(dataset, train, copied, **asked)
    assert len(dataset) == 0
    copied.delete()


def test_real_sides_that_are_too_small_or_empty(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    train, test = real
    asked = given(tmp_path)
    with pytest.raises(loupe.errors.NoSamples):
        loupe.experiment(dataset, train, test.limit(0), **asked)
    with pytest.raises(InputError, match="expected at least 50 real samples of these classes to test on, got 30"):
        loupe.experiment(dataset, train, test.limit(30), **asked)
    with pytest.raises(InputError, match="expected at least 15 real samples of 3 classes to train on, got 12"):
        loupe.experiment(dataset, train.limit(12), test, **asked)
    bars = train.match({"kind.label": {"$ne": "ring"}})
    plan = loupe.experiment(dataset, bars, test, **asked, dry_run=True).plan
    assert plan.classes == ("bar", "cross")
    assert plan.notes == ("not drawn, as one real side lacks them: ring",)


def test_fields_of_the_users_own_stand_in_no_way(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    dataset.add_sample_field("kind", made_field("string"))
    with pytest.raises(InputError, match="expected 'kind' to be Classification as on the real samples, but here it is"):
        loupe.experiment(dataset, *real, **given(tmp_path))
    dataset.delete_sample_field("kind")
    dataset.add_sample_field("scenario", made_field("string"))
    with pytest.raises(InputError, match="rename_sample_field"):
        loupe.experiment(dataset, *real, **given(tmp_path))


def made_field(kind: str) -> Any:
    import fiftyone as fo

    return {"string": fo.StringField}[kind]


def test_vectors_of_another_embedder_are_said_before(real: tuple[Any, Any], dataset: Any, tmp_path: Path) -> None:
    from loupe.brain.embedders.hog import Hog

    path = tmp_path / "one.png"
    import fiftyone as fo
    from PIL import Image

    Image.new("RGB", (32, 32)).save(path)
    dataset.add_sample(fo.Sample(filepath=str(path)))
    other = replace(Hog(), **{next(iter(Hog().params())): 16})
    loupe.embed(dataset, embedder=other, visualize=None, similarity=False)
    with pytest.raises(InputError, match="those of the images here are of"):
        loupe.experiment(dataset, *real, **given(tmp_path))
    assert len(dataset) == 1
