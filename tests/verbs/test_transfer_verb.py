"""What a synthetic dataset is worth as training data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import real_and_synthetic as made

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def sides(database: str, tmp_path: Path) -> Iterator[dict[str, Any]]:
    drawn = {"synthetic": (1, 160), "train": (2, 240), "test": (3, 160), "pool": (4, 300)}
    own = {name: made.dataset(tmp_path / name, seed, n) for name, (seed, n) in drawn.items()}
    yield own
    for dataset in own.values():
        dataset.delete()


def test_a_good_set_is_as_good_as_real_and_worth_about_its_number(sides: dict[str, Any]) -> None:
    import loupe

    result = loupe.test_transfer(sides["synthetic"], sides["train"], sides["test"], label="ground_truth")
    arms = {arm.name: arm for arm in result.matrix}
    assert result.classes == made.CLASSES
    assert arms["R→R"].n_train == arms["S→R"].n_train == 160
    assert arms["S→R"].n_test == 160
    assert result.utility.low < 1 < result.utility.high
    assert [n for n, _ in result.curve] == [30, 60, 90, 120, 180, 240]
    assert set(arms["S→R"].recall) == set(made.CLASSES)
    assert result.left_out == {}
    assert "utility" in str(result)
    assert not sides["synthetic"].has_field("realism")


def test_real_pictures_retrieved_from_a_pool_are_the_baseline(sides: dict[str, Any]) -> None:
    import loupe

    result = loupe.test_transfer(
        sides["synthetic"], sides["train"], sides["test"], label="ground_truth", pool=sides["pool"], learner="logistic"
    )
    retrieved = {arm.name: arm for arm in result.retrieved}
    assert retrieved["S→R"].n_train == 160
    # the nearest of another draw of the same classes do nearly as well
    assert retrieved["S→R"].accuracy.value > 0.6
    assert result.learner == "logistic"


def test_wrong_labels_lower_the_utility(sides: dict[str, Any]) -> None:
    import loupe

    synthetic = sides["synthetic"]
    given = synthetic.values("ground_truth.label")
    synthetic.set_values("ground_truth.label", [given[at + 1] if at % 8 < 3 else name for at, name in enumerate(given)])
    result = loupe.test_transfer(synthetic, sides["train"], sides["test"], label="ground_truth")
    assert result.utility.value < 0.85
    assert result.gap.low > 0


def test_classes_of_one_side_are_left_out_and_counted(sides: dict[str, Any]) -> None:
    import loupe

    synthetic = sides["synthetic"]
    synthetic.set_values(
        "ground_truth.label", ["fox" if name == "owl" else name for name in synthetic.values("ground_truth.label")]
    )
    result = loupe.test_transfer(synthetic, sides["train"], sides["test"], label="ground_truth")
    assert result.classes == ("cat", "dog", "pig")
    assert result.left_out == {"fox": 40, "owl": 100}


def test_names_that_differ_by_case_are_named(sides: dict[str, Any]) -> None:
    import loupe

    synthetic = sides["synthetic"]
    synthetic.set_values("ground_truth.label", [name.upper() for name in synthetic.values("ground_truth.label")])
    with pytest.raises(errors.InputError, match=r"got 0: synthetic CAT; DOG; OWL; PIG, .*; some differ by case only"):
        loupe.test_transfer(synthetic, sides["train"], sides["test"], label="ground_truth")


def test_sides_that_share_samples_and_too_few_are_refused(sides: dict[str, Any]) -> None:
    import loupe

    with pytest.raises(errors.InputError, match="got 240 that are both"):
        loupe.test_transfer(sides["synthetic"], sides["train"], sides["train"], label="ground_truth")
    with pytest.raises(errors.InputError, match="at least 50 real samples to test on, got 20"):
        loupe.test_transfer(sides["synthetic"], sides["train"], sides["test"][:20], label="ground_truth")
    with pytest.raises(errors.UnknownName, match="unknown learner 'discriminat'"):
        loupe.test_transfer(
            sides["synthetic"], sides["train"], sides["test"], label="ground_truth", learner="discriminat"
        )
    with pytest.raises(errors.UnknownName, match="field of labels 'class'"):
        loupe.test_transfer(sides["synthetic"], sides["train"], sides["test"], label="class")


def test_a_network_learns_from_the_pictures_themselves_without_vectors(
    sides: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe

    monkeypatch.setattr("loupe.brain.realism.cnn._MIN_STEPS", 20)
    monkeypatch.setattr("loupe.brain.realism.cnn._PASSES", 1)
    synthetic = sides["synthetic"]
    synthetic.clear_sample_field("embeddings")
    seen: list[str] = []
    given = (synthetic, sides["train"], sides["test"])
    settings = {"label": "ground_truth", "learner": "cnn", "device": "cpu"}
    result = loupe.test_transfer(*given, **settings, progress=lambda progress: seen.append(progress.message))
    assert result.learner == "cnn"
    assert {arm.n_train for arm in result.matrix if arm.name in ("R→R", "S→R")} == {160}
    assert [n for n, _ in result.curve] == [30, 60, 120, 240]
    assert {"reading pictures", "training networks"} <= set(seen)
    assert loupe.test_transfer(*given, **settings) == result

    def stop(progress: Any) -> None:
        if progress.message == "training networks":
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.test_transfer(*given, **settings, progress=stop)


def test_a_network_learns_from_pictures_retrieved_by_vectors_and_leaves_out_unreadable_ones(
    sides: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe

    monkeypatch.setattr("loupe.brain.realism.cnn._MIN_STEPS", 20)
    monkeypatch.setattr("loupe.brain.realism.cnn._PASSES", 1)
    broken = sides["synthetic"].first()
    Path(broken.filepath).write_bytes(b"no picture")
    settings = {"label": "ground_truth", "learner": "cnn", "device": "cpu", "pool": sides["pool"]}
    result = loupe.test_transfer(sides["synthetic"], sides["train"], sides["test"], **settings)
    assert {arm.n_train for arm in result.matrix if arm.name == "all S→R"} == {159}
    assert {arm.n_train for arm in result.retrieved if arm.name == "all S→R"} == {159}
