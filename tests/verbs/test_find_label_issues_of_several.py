"""Several classes a sample: what is wrongly given is told from what is missing, and the labels stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

CLASSES, N = ["bee", "cow", "elk"], 300
#: by sample: what is wrongly given, and what is missing
ADDED, MISSED = {3: "elk", 51: "bee", 140: "cow"}, {30: "bee", 75: "cow"}
UNLABELED, WITHOUT_VECTOR, NONE = 10, 20, 60


def truth() -> np.ndarray:
    table = np.random.default_rng(1).random((N, 3)) < 0.35
    for at, name in ADDED.items():
        table[at, CLASSES.index(name)] = False
    for at, name in MISSED.items():
        table[at, CLASSES.index(name)] = True
    table[NONE] = False
    return table


def given(table: np.ndarray) -> list[list[str]]:
    names = [[CLASSES[at] for at in np.flatnonzero(row)] for row in table]
    for at, name in ADDED.items():
        names[at] = [*names[at], name]
    for at, name in MISSED.items():
        names[at].remove(name)
    return names


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    centers, table = 2 * rng.normal(size=(3, 40)), truth()
    vectors = table @ centers + 0.3 * rng.normal(size=(N, 40))
    dataset = fo.Dataset()
    samples = []
    for at, names in enumerate(given(table)):
        labels = fo.Classifications(classifications=[fo.Classification(label=name) for name in names])
        samples.append(
            fo.Sample(
                filepath=str(tmp_path / f"{at}.png"),
                labels=labels if at != UNLABELED else None,
                embeddings=vectors[at].astype(np.float32) if at != WITHOUT_VECTOR else None,
            )
        )
    dataset.add_samples(samples)
    yield dataset
    dataset.delete()


def by_place(dataset: Any, made: Any) -> dict[int, Any]:
    order = {sample_id: at for at, sample_id in enumerate(dataset.values("id"))}
    return {order[issue.id]: issue for issue in made.issues}


def test_wrong_and_missing_classes_are_told_apart_and_the_labels_stay(dataset: Any) -> None:
    import loupe

    before = dataset.values("labels.classifications.label")
    made = loupe.find_label_issues(dataset, "labels")
    issues = by_place(dataset, made)
    assert set(issues) == {*ADDED, *MISSED}
    for at, issue in issues.items():
        assert issue.wrong == ((ADDED[at],) if at in ADDED else ())
        assert issue.missing == ((MISSED[at],) if at in MISSED else ())
        assert sorted(issue.suggested.split(", ")) == [CLASSES[c] for c in np.flatnonzero(truth()[at])] or (
            issue.suggested == "(no class)"
        )
        assert issue.reason.split(" (")[0] == (f"{ADDED[at]} is wrong" if at in ADDED else f"{MISSED[at]} is missing")
    assert (made.kind, made.n, made.unknown) == ("classes", N - 2, 2)
    assert (made.noise.k, made.noise.n) == (5, N - 2)
    assert 0.003 < made.expected < 0.05
    assert {each.name: (each.wrong.k, each.missing.k) for each in made.by_class} == {
        "bee": (1, 1),
        "cow": (1, 1),
        "elk": (1, 0),
    }
    assert "have a class in labels that is probably wrong, or lack one" in made.sentences()[0]
    assert dataset.values("labels.classifications.label") == before
    scores = loupe.scores(dataset, "label_issue")
    assert np.flatnonzero(np.isnan(scores)).tolist() == [UNLABELED, WITHOUT_VECTOR]
    assert scores[NONE] < 0.2
    worst = dataset[made.ids[0]]
    assert worst.label_issues.label == made.issues[0].suggested
    assert (tuple(worst.label_issues.wrong), tuple(worst.label_issues.missing)) == (
        made.issues[0].wrong,
        made.issues[0].missing,
    )
    failed = dataset.match({"failures.classifications.label": "label_issue"}).values("id")
    assert set(failed) == set(made.ids) == set(dataset.exists("label_issues").values("id"))


def test_probabilities_need_not_sum_to_one(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    table = np.where(truth(), 0.97, 0.01)
    made = loupe.find_label_issues(dataset, "labels", probabilities=table, classes=CLASSES)
    assert set(by_place(dataset, made)) == {*ADDED, *MISSED}
    assert (made.source, made.unknown) == ("given probabilities", 1)
    for bad, match in (
        (np.where(table > 0.5, np.nan, table), "NaN"),
        (table * 9, "sigmoid"),
        (table - 0.2, "0 to 1"),
        (table[:, :2], "shape"),
    ):
        with pytest.raises(InputError, match=match):
            loupe.find_label_issues(dataset, "labels", probabilities=bad, classes=CLASSES)
    with pytest.raises(InputError, match="none for 'elk'"):
        loupe.find_label_issues(dataset, "labels", probabilities=table, classes=["bee", "cow", "emu"])
    with pytest.raises(InputError, match="'bee' twice"):
        loupe.find_label_issues(dataset, "labels", probabilities=table, classes=[*CLASSES, "bee"])


def test_a_models_predictions_count_instead_of_the_vectors(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, UnknownName

    predicted = [
        fo.Classifications(
            classifications=[fo.Classification(label=CLASSES[c], confidence=0.97) for c in np.flatnonzero(row)]
        )
        for row in truth()
    ]
    dataset.add_sample_field("model", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classifications)
    dataset.set_values("model", predicted)
    made = loupe.find_label_issues(dataset, "labels", predictions="model")
    assert set(by_place(dataset, made)) == {*ADDED, *MISSED}
    assert made.source == "the predictions of model"
    with pytest.raises(UnknownName, match="model"):
        loupe.find_label_issues(dataset, "labels", predictions="modle")
    with pytest.raises(InputError, match="kind of the labels"):
        loupe.find_label_issues(dataset, "labels", predictions="embeddings")
    with pytest.raises(InputError, match="got both"):
        loupe.find_label_issues(dataset, "labels", predictions="model", probabilities=truth() * 1.0)
    dataset.set_values("model.classifications.confidence", [[None] * len(each.classifications) for each in predicted])
    with pytest.raises(InputError, match="confidence from 0 to 1"):
        loupe.find_label_issues(dataset, "labels", predictions="model")


def test_rare_classes_duplicates_and_names(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    names = dataset.values("labels.classifications.label")
    names[0], names[1] = ["Bee", "gnu"], ["gnu"]
    dataset.set_values(
        "labels",
        [
            None if own is None else fo.Classifications(classifications=[fo.Classification(label=name) for name in own])
            for own in names
        ],
    )
    ids = dataset.values("id")
    dataset.add_sample_field("duplicate_group", fo.StringField)
    dataset.set_values("duplicate_group", ["g" if at in (NONE, 1) else None for at in range(N)])
    dataset.classes["labels"] = [*CLASSES, "yak"]
    dataset.save()
    made = loupe.find_label_issues(dataset, "labels")
    assert made.rare == ("Bee", "gnu")
    assert made.same_names == (("Bee", "bee"),)
    assert made.empty == ("yak",)
    assert made.duplicates == {"g": {ids[1]: "gnu", ids[NONE]: "(no class)"}}
    # of two classes that nobody can judge nothing is reported
    assert not any({"Bee", "gnu"} & {*issue.wrong, *issue.missing} for issue in made.issues)


def test_bad_input(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    with pytest.raises(NoSamples):
        loupe.find_label_issues(dataset.limit(0), "labels")
    with pytest.raises(UnknownName, match="labels"):
        loupe.find_label_issues(dataset, "lables")
    # fewer samples with each class than folds
    with pytest.raises(InputError, match="fewer folds"):
        loupe.find_label_issues(dataset.limit(4), "labels")
    # everybody has the same
    same = fo.Classifications(classifications=[fo.Classification(label="bee")])
    dataset.set_values("labels", [same] * N)
    with pytest.raises(InputError, match="others have not"):
        loupe.find_label_issues(dataset, "labels")
    dataset.set_values("labels", [None] * N)
    with pytest.raises(InputError, match="got none"):
        loupe.find_label_issues(dataset, "labels")
    with pytest.raises(InputError, match="at least one class"):
        loupe.find_label_issues(dataset, "labels", probabilities=np.zeros((N, 0)))
    dataset.set_values("labels", [fo.Classifications()] * N)
    with pytest.raises(InputError, match="got none"):
        loupe.find_label_issues(dataset, "labels")


def test_odd_names_are_kept(dataset: Any) -> None:
    import loupe

    odd = {"bee": "a.b $x", "cow": "<b>cow</b>, \"q\" 'r'", "elk": "\N{SPIDER}"}
    names = dataset.values("labels.classifications.label")
    dataset.set_values(
        "labels.classifications.label", [own if own is None else [odd[name] for name in own] for own in names]
    )
    made = loupe.find_label_issues(dataset, "labels")
    issues = by_place(dataset, made)
    assert set(issues) == {*ADDED, *MISSED}
    assert issues[51].wrong == ("a.b $x",)
    assert tuple(dataset[issues[75].id].label_issues.missing) == (odd["cow"],)
