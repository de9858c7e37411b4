"""Wrong labels are found and written beside the labels, which stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

CLASSES, N = ["bee", "cow", "elk"], 300
WRONG = {3: "cow", 50: "bee", 120: "cow", 200: "bee", 299: "cow"}


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Three clusters of vectors; five samples have another class's label, one has none, one no vector."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    centers = 2 * rng.normal(size=(3, 16))
    dataset = fo.Dataset()
    for at in range(N):
        true = at % 3
        dataset.add_sample(
            fo.Sample(
                filepath=str(tmp_path / f"{at}.png"),
                label=fo.Classification(label=WRONG.get(at, CLASSES[true])) if at != 10 else None,
                text=WRONG.get(at, CLASSES[true]),
                embeddings=(centers[true] + rng.normal(size=16)).astype(np.float32) if at != 20 else None,
            )
        )
    yield dataset
    dataset.delete()


def places(dataset: Any, ids: tuple[str, ...]) -> list[int]:
    order = {sample_id: at for at, sample_id in enumerate(dataset.values("id"))}
    return [order[each] for each in ids]


@pytest.mark.parametrize("label", ["label", "text"])
def test_wrong_labels_are_found_and_nothing_of_the_users_changes(dataset: Any, label: str) -> None:
    import loupe

    before = dataset.values("text"), dataset.values("label.label")
    made = loupe.find_label_issues(dataset, label)
    assert set(places(dataset, made.ids)) == set(WRONG) - ({10} if label == "label" else set())
    assert [issue.score for issue in made.issues] == sorted((issue.score for issue in made.issues), reverse=True)
    for issue in made.issues:
        at = places(dataset, (issue.id,))[0]
        assert (issue.given, issue.suggested) == (WRONG[at], CLASSES[at % 3])
    assert made.unknown == (2 if label == "label" else 1)
    assert made.n == N - made.unknown
    assert (made.noise.k, made.noise.n) == (5, made.n)
    assert (dataset.values("text"), dataset.values("label.label")) == before
    # stored: the score on all, the failure and the suggestion on the issues
    scores = loupe.scores(dataset, "label_issue")
    assert np.isnan(scores).sum() == made.unknown
    flagged = dataset.match({"failures.classifications.label": "label_issue"}).values("id")
    assert set(flagged) == set(made.ids) == set(dataset.exists("label_issues").values("id"))
    worst = dataset[made.ids[0]]
    assert worst.label_issues.label == made.issues[0].suggested
    assert worst.label_issues.given == made.issues[0].given
    assert "%" in worst.label_issues.reason
    assert "probably wrong" in repr(made)


def test_the_threshold_is_data(dataset: Any) -> None:
    import loupe

    assert dataset.has_field("label_issues") is False
    assert len(loupe.find_label_issues(dataset, "text", threshold=1.0).ids) == 0
    assert not dataset.exists("label_issues").count()
    lax = loupe.find_label_issues(dataset, "text", threshold=0.2)
    assert len(lax.ids) == 5


def test_suggestions_are_not_judged_and_judge_nothing(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    loupe.find_label_issues(dataset, "text")
    before = dataset.values("label_issues.label")
    with pytest.raises(InputError, match="of your own, got 'label_issues'"):
        loupe.find_label_issues(dataset, "label_issues")
    with pytest.raises(InputError, match="of your own, got 'label_issues'"):
        loupe.find_label_issues(dataset, "text", predictions="label_issues")
    assert dataset.values("label_issues.label") == before


def test_given_probabilities_count_instead_of_the_vectors(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError

    table = np.full((N, 3), 0.05)
    table[np.arange(N), np.arange(N) % 3] = 0.9
    made = loupe.find_label_issues(dataset, "text", probabilities=table, classes=CLASSES)
    assert set(places(dataset, made.ids)) == set(WRONG)
    assert all(0.5 < issue.score <= 1 for issue in made.issues)
    assert 0.005 < made.expected < 0.05
    assert made.source == "given probabilities"
    dataset.add_sample_field("p", fo.VectorField)
    dataset.set_values("p", [row if at != 7 else None for at, row in enumerate(table)])
    again = loupe.find_label_issues(dataset, "text", probabilities="p")
    assert (set(again.ids), again.unknown) == (set(made.ids), 1)
    # two samples a class are enough for a model that knows it: only a probe needs the others
    few = loupe.find_label_issues(dataset.limit(6), "text", probabilities="p")
    assert (few.n, few.rare) == (6, ())
    with pytest.raises(InputError, match=r"no probability|none for 'elk'"):
        loupe.find_label_issues(dataset, "text", probabilities=table, classes=["bee", "cow", "emu"])
    with pytest.raises(InputError, match="shape"):
        loupe.find_label_issues(dataset, "text", probabilities=table[:10])


def test_duplicates_names_and_rare_classes_are_told(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    ids = dataset.values("id")
    names = dataset.values("text")
    names[0], names[1], names[2] = "Bee", "gnu", "elk"
    dataset.set_values("text", names)
    dataset.add_sample_field("duplicate_group", fo.StringField)
    dataset.set_values("duplicate_group", ["g" if at in (4, 5) else None for at in range(N)])
    dataset.default_classes = [*CLASSES, "Bee", "gnu", "yak"]
    made = loupe.find_label_issues(dataset, "text")
    assert made.same_names == (("Bee", "bee"),)
    assert set(made.rare) == {"Bee", "gnu"}
    assert made.empty == ("yak",)
    assert made.duplicates == {"g": {ids[4]: names[4], ids[5]: names[5]}}
    assert any("one class: 'Bee', 'bee'" in sentence for sentence in made.sentences())


def test_bad_input(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    with pytest.raises(UnknownName, match="label"):
        loupe.find_label_issues(dataset, "labl")
    with pytest.raises(InputError, match=r"expected a field of labels, .*VectorField"):
        loupe.find_label_issues(dataset, "embeddings")
    with pytest.raises(UnknownName, match="embeddings"):
        loupe.find_label_issues(dataset, "text", embeddings="vectors")
    with pytest.raises(InputError, match="at least two classes"):
        loupe.find_label_issues(dataset.match({"text": "bee"}), "text")
    with pytest.raises(InputError, match="folds"):
        loupe.find_label_issues(dataset, "text", folds=1)
    with pytest.raises(NoSamples):
        loupe.find_label_issues(dataset.limit(0), "text")
    for threshold in (1.5, float("nan"), True, "0.2"):
        with pytest.raises(InputError, match=r"threshold (in \[0, 1\]|to be a number)"):
            loupe.find_label_issues(dataset, "text", threshold=threshold)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'label' for both"):
        loupe.find_label_issues(dataset, "label", predictions="label")
    assert not dataset.has_field("quality")
    dataset.add_sample_field("label_issues", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    dataset.set_values("label_issues", [fo.Classification(label="mine")] * N)
    with pytest.raises(InputError, match="label_issues"):
        loupe.find_label_issues(dataset, "text")
    assert dataset.values("label_issues.label") == ["mine"] * N


def test_vectors_of_shapes_only_are_refused(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    dataset.info["loupe"] = {"embedders": {"embeddings": {"name": "hog", "version": 1}}}
    dataset.save()
    with pytest.raises(InputError, match="efficientnet_lite0"):
        loupe.find_label_issues(dataset, "text")


def test_a_class_that_nothing_else_has_is_unknown_not_wrong(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    names = dataset.values("text")
    names[0] = "gnu"
    dataset.set_values("text", names)
    made = loupe.find_label_issues(dataset, "text")
    assert places(dataset, made.ids).count(0) == 0
    assert made.rare == ("gnu",)
    first = dataset.first()
    assert first.quality.label_issue is None
    assert "too few other samples" in first.unknown.classifications[0].reason
    # so is one that is in a single group: whoever is left out of a fold, all of it is
    dataset.add_sample_field("scene", fo.StringField)
    dataset.set_values("scene", ["elks" if name == "elk" else str(at) for at, name in enumerate(names)])
    grouped = loupe.find_label_issues(dataset.match({"text": {"$ne": "gnu"}}), "text", groups="scene", folds=2)
    assert "elk" in grouped.rare
    assert all(issue.given != "elk" for issue in grouped.issues)


def test_more_classes_than_samples_can_tell(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    dataset.set_values("text", [f"class {at}" for at in range(N)])
    with pytest.raises(InputError, match=r"at least two classes .* got 0"):
        loupe.find_label_issues(dataset, "text")
    dataset.set_values("text", [None] * N)
    with pytest.raises(InputError, match="at least two classes"):
        loupe.find_label_issues(dataset, "text")


def test_ten_thousand_classes(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    names = [f"class {at}" for at in range(10_000)]
    given = [names[7 * (at % 100)] for at in range(N)]
    given[5] = names[9]
    dataset.set_values("text", given)
    table = np.full((N, 10_000), 1e-5)
    table[np.arange(N), [7 * (at % 100) for at in range(N)]] = 1 - 9999e-5
    made = loupe.find_label_issues(dataset, "text", probabilities=table, classes=names)
    assert places(dataset, made.ids) == [5]
    assert made.issues[0].suggested == names[35]
    with pytest.raises(InputError, match="sum to 1"):
        loupe.find_label_issues(dataset, "text", probabilities=0.5 * table, classes=names)
    with pytest.raises(InputError, match=r"NaN or infinity on 300 of 300"):
        loupe.find_label_issues(dataset, "text", probabilities=table * np.nan, classes=names)


def test_a_models_predictions_count_instead_of_the_vectors(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError

    def predicted(**more: Any) -> list[Any]:
        return [fo.Classification(label=CLASSES[at % 3], confidence=0.9, **more) for at in range(N)]

    dataset.add_sample_field("model", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    dataset.set_values("model", predicted())
    made = loupe.find_label_issues(dataset, "label", predictions="model")
    assert set(places(dataset, made.ids)) == set(WRONG)
    assert made.source == "the predictions of model"
    # the logits know what the confidence does not: which class is second
    logits = np.zeros((N, 3))
    logits[np.arange(N), np.arange(N) % 3] = 4
    logits[3] = [3.9, -4, 4]
    dataset.set_values("model", [fo.Classification(label="bee", confidence=0.9, logits=row) for row in logits])
    ordered = loupe.find_label_issues(dataset, "label", predictions="model", classes=CLASSES)
    assert next(issue.suggested for issue in ordered.issues if places(dataset, (issue.id,)) == [3]) == "elk"
    dataset.set_values("model", [None] * N)
    with pytest.raises(InputError, match="none with both"):
        loupe.find_label_issues(dataset, "label", predictions="model")
    dataset.set_values("model", [fo.Classification(label="bee")] * N)
    with pytest.raises(InputError, match="confidence from 0 to 1"):
        loupe.find_label_issues(dataset, "label", predictions="model")
