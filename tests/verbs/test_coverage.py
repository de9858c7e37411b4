"""What a set lacks is found, said with numbers, and its samples are found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, NoSamples, Stopped, UnknownName

pytestmark = pytest.mark.database

N = 400
CENTERS = np.random.default_rng(99).normal(size=(4, 12))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Cats are hardly ever out at night; dogs are small; cups stand on saucers; one kind of vector is missing."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    dataset = fo.Dataset()
    samples = []
    for number in range(N):
        kind = ["cat", "dog"][int(rng.random() < 0.4)]
        night = rng.random() < (0.02 if kind == "cat" else 0.4)
        boxes = [
            fo.Detection(label=kind, bounding_box=[0.1, 0.1, 0.5, 0.5] if kind == "cat" else [0.8, 0.8, 0.02, 0.02])
        ]
        if number % 20 == 0:
            boxes += [fo.Detection(label=name, bounding_box=[0.4, 0.4, 0.3, 0.3]) for name in ("cup", "saucer")]
        boxes += [fo.Detection(label="tree", bounding_box=[0.4, 0.4, 0.2, 0.2])] if rng.random() < 0.3 else []
        samples.append(
            fo.Sample(
                filepath=str(tmp_path / f"{number}.png"),
                kind=fo.Classification(label=kind) if number % 50 else None,
                objects=fo.Detections(detections=boxes),
                scenario=fo.DynamicEmbeddedDocument(time="night" if night else "day", place=f"p{rng.integers(2)}"),
                vectors=unit(CENTERS[[rng.integers(3)]] + 0.3 * rng.normal(size=(1, 12)))[0],
                level=float(rng.random()),
            )
        )
    dataset.add_samples(samples, dynamic=True, progress=False)
    yield dataset
    dataset.delete()


@pytest.fixture
def reference(database: str, tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(1)
    own = fo.Dataset()
    numbers = np.repeat(np.arange(4), 50)
    vectors = unit(CENTERS[numbers] + 0.3 * rng.normal(size=(200, 12)))
    own.add_samples(
        [
            fo.Sample(
                filepath=str(tmp_path / f"r{at}.png"),
                vectors=vector,
                kind=fo.Classification(label=f"kind {number}"),
                caption=f"picture {at} of kind {number}",
            )
            for at, (number, vector) in enumerate(zip(numbers, vectors, strict=True))
        ]
    )
    yield own
    own.delete()


def test_a_hidden_imbalance_is_named_and_its_samples_are_found(dataset: Any) -> None:
    import loupe

    made = loupe.coverage(dataset, ["scenario.time", "scenario.place"], label="kind")
    assert made.label == "kind"
    assert [cell.values for cell in made.below] == [(("kind", "cat"), ("scenario.time", "night"))]
    cell = made.below[0]
    kinds, times = dataset.values(["kind.label", "scenario.time"])
    both = [at for at in range(N) if kinds[at] == "cat" and times[at] == "night"]
    assert cell.n == len(both) < 10
    labeled = sum(kind is not None for kind in kinds)
    night = sum(kind is not None and time == "night" for kind, time in zip(kinds, times, strict=True))
    assert cell.expected == pytest.approx(kinds.count("cat") * night / labeled)
    ids = dataset.values("id")
    assert loupe.view_of(dataset, cell).values("id") == [ids[at] for at in both]
    assert made.balances[0].missing == N - labeled
    assert made.thin == 1
    assert made.thin_cells == (cell,)
    assert "cat × time=night" in made.sentences()[1]
    assert "cat × time=night" in repr(made)
    assert "fields" not in dataset.get_field_schema()
    assert dataset.list_runs() == ["loupe_coverage"]


def test_all_tables_count_what_is_there(dataset: Any) -> None:
    import loupe

    by = [
        loupe.Factor.field("scenario.time") * loupe.Factor.field("scenario.place"),
        loupe.Factor.field("level", bins=3),
    ]
    made = loupe.coverage(dataset, by, label="objects", min_samples=1000)
    assert [(table.kind, table.row, table.column) for table in made.tables] == [
        ("context", "objects", "scenario.time × scenario.place"),
        ("context", "objects", "level"),
        ("object", "objects", "objects size"),
        ("object", "objects", "objects position"),
        ("pair", "objects", "objects"),
    ]
    held = dataset.values("objects.detections.label")
    counts = dict(zip(made.tables[2].rows, made.tables[2].counts, strict=True))
    assert sum(counts["dog"]) == sum(own.count("dog") for own in held)
    assert len(made.thin_cells) == made.thin == 5 * (4 + 3)
    for cell in made.cells:
        if cell.kind != "object":
            assert len(loupe.view_of(dataset, cell)) == cell.n, cell
    small = next(cell for cell in made.above if cell.values[:2] == (("objects", "dog"), ("objects size", "small")))
    assert len(loupe.view_of(dataset, small)) == small.n == sum("dog" in own for own in held)
    assert ("objects", "saucer") in made.above[[cell.kind for cell in made.above].index("pair")].values


def test_without_a_label_the_contexts_are_crossed(dataset: Any) -> None:
    import loupe

    made = loupe.coverage(dataset, ["scenario.time", "scenario.place", "kind"])
    assert [(table.row, table.column) for table in made.tables] == [
        ("scenario.time", "scenario.place"),
        ("scenario.time", "kind"),
        ("scenario.place", "kind"),
    ]
    assert {frozenset(cell.values) for cell in made.below} == {frozenset([("scenario.time", "night"), ("kind", "cat")])}
    with pytest.raises(InputError, match="label="):
        made.sample_weights()
    with pytest.raises(UnknownName, match=r"scenario\.time"):
        made.class_weights(of="scenario.tame")


def test_pictures_of_one_prompt_count_as_few(dataset: Any) -> None:
    """A prompt's twenty cats by day are one cat by day: nothing is sure any more."""
    import loupe

    kinds, times = dataset.values(["kind.label", "scenario.time"])
    dataset.set_values(
        "prompt", [f"{kind} {time} {at % 4}" for at, (kind, time) in enumerate(zip(kinds, times, strict=True))]
    )
    alone = loupe.coverage(dataset, ["scenario.time"], label="kind", groups=())
    tied = loupe.coverage(dataset, ["scenario.time"], label="kind", groups=["prompt"])
    assert alone.below
    assert tied.groups < alone.groups == N
    assert all(cell.q > 0.05 or np.isnan(cell.q) for cell in tied.cells)


def test_weights_are_written_only_when_asked_for(dataset: Any) -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    import loupe

    made = loupe.coverage(dataset, [], label="kind")
    assert not made.tables
    assert "weight" not in dataset.get_field_schema()
    loupe.coverage(dataset, [], label="kind", weights="weight")
    kinds, weights = dataset.values(["kind.label", "weight"])
    known = [kind for kind in kinds if kind is not None]
    assert [weight for weight in weights if weight is not None] == pytest.approx(
        compute_sample_weight("balanced", known)
    )
    assert [weight is None for weight in weights] == [kind is None for kind in kinds]
    assert made.sample_weights("effective")
    with pytest.raises(InputError, match="rename_sample_field"):
        loupe.coverage(dataset, [], label="kind", weights="level")
    with pytest.raises(InputError, match="expected a label"):
        loupe.coverage(dataset, ["kind"], weights="weight")
    assert sorted(dataset.list_runs()) == ["loupe_coverage", "loupe_coverage_1"]


def test_a_missing_region_of_the_reference_is_a_hole(dataset: Any, reference: Any) -> None:
    import loupe
    from loupe.brain.store import coverage as store

    made = loupe.coverage(dataset, ["scenario.time"], label="kind", reference=reference, embeddings="vectors")
    assert made.holes is not None
    hole = made.holes.holes[0]
    assert hole.mostly[0] == ("kind 3", pytest.approx(1.0, abs=0.1))
    assert hole.size >= 25
    assert hole.p <= 0.05
    assert made.holes.ratio < 0.95
    assert all("of kind 3" in text for text in hole.texts)
    assert len(hole.texts) == 5
    assert loupe.view_of(reference, hole).values("id") == list(hole.ids)
    assert "mostly kind 3" in repr(made)
    assert made.holes.notes == ()
    dataset.set_values("prompt", [f"prompt {at % 100}" for at in range(N)])
    tied = loupe.coverage(dataset, [], label="kind", reference=reference, embeddings="vectors").holes
    assert tied is not None
    assert tied.notes[0].startswith("100 of 400 samples count for what is covered")
    json.dumps(made.to_dict())
    store.keep(dataset, made)
    assert store.load(dataset) == made


def test_vectors_that_cannot_be_compared_are_said(dataset: Any, reference: Any) -> None:
    import loupe

    given: dict[str, Any] = {"label": "kind", "reference": reference, "embeddings": "vectors"}
    broken = dataset.values("vectors")
    broken[:3] = [None, np.full(12, np.nan), np.zeros(12)]
    dataset.set_values("vectors", broken)
    made = loupe.coverage(dataset, [], **given)
    assert made.holes is not None
    assert "3 samples could not be compared" in made.holes.notes[0]
    with pytest.raises(UnknownName, match="vectors"):
        loupe.coverage(dataset, [], **{**given, "embeddings": "vector"})
    with pytest.raises(InputError, match="without the samples themselves"):
        loupe.coverage(dataset, [], **{**given, "reference": dataset.limit(50)})
    with pytest.raises(UnknownName, match="caption"):
        loupe.coverage(dataset, [], captions="captain", **given)
    with pytest.raises(InputError, match="field of texts"):
        loupe.coverage(dataset, [], captions="vectors", **given)
    with pytest.raises(NoSamples):
        loupe.coverage(dataset, [], **{**given, "reference": reference.limit(0)})
    reference.set_values("vectors", [np.ones(5)] * len(reference))
    with pytest.raises(InputError, match="one embedder"):
        loupe.coverage(dataset, [], **given)


def test_vectors_of_two_embedders_are_refused(dataset: Any, reference: Any) -> None:
    import loupe
    from loupe.brain.store import runs

    runs.set_settings(dataset, {"embedders.vectors": {"name": "hog", "version": "1"}})
    runs.set_settings(reference, {"embedders.vectors": {"name": "open_clip", "version": "1"}})
    with pytest.raises(InputError, match=r"of hog .* of open_clip"):
        loupe.coverage(dataset, [], reference=reference, embeddings="vectors")


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"by": ["scenario.tim"]}, UnknownName, "scenario.time"),
        ({"by": [3]}, InputError, "field paths or factors"),
        ({"by": [], "label": "knid"}, UnknownName, "kind"),
        ({"by": ["vectors"]}, InputError, "slice"),
        ({"by": [], "min_samples": 0}, InputError, "min_samples"),
        ({"by": [], "far": 0.5}, InputError, "far"),
        ({"by": [], "fdr": 0}, InputError, "fdr"),
        ({"by": [], "seed": -1}, InputError, "seed"),
        ({"by": ["filepath"], "label": "filepath", "weights": "a.b"}, InputError, "letters"),
    ],
)
def test_bad_input_is_one_clear_error(dataset: Any, given: dict[str, Any], error: type[Exception], text: str) -> None:
    import loupe

    with pytest.raises(error, match=text):
        loupe.coverage(dataset, **given)
    assert dataset.list_runs() == []


def test_odd_names_one_class_and_no_classes(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    odd = ['a "quoted" one', "$oid", "a.b", "<b>bold</b>", "🐈", "(none)", "x" * 3000]
    dataset.set_values("odd", [fo.Classification(label=odd[at % 7]) for at in range(N)])
    made = loupe.coverage(dataset, ["scenario.time"], label="odd", min_samples=1000)
    for cell in made.thin_cells:
        assert len(loupe.view_of(dataset, cell)) == cell.n
    assert "<b>bold" in repr(made)
    assert "<b>" not in made._repr_html_()
    from loupe.brain.store import coverage as store

    assert store.load(dataset) == made
    dataset.set_values("odd", [fo.Classification(label="only")] * N)
    one_class = loupe.coverage(dataset, ["scenario.time"], label="odd")
    assert (one_class.below, one_class.tested) == ((), 0)
    assert one_class.class_weights() == {"only": 1.0}
    dataset.set_values("odd", [None] * N)
    none = loupe.coverage(dataset, ["scenario.time"], label="odd")
    assert none.balances[0].missing == N
    with pytest.raises(InputError, match="expected classes to weigh"):
        none.class_weights()
    with pytest.raises(NoSamples):
        loupe.coverage(dataset.limit(0), [], label="odd")
    assert loupe.coverage(dataset.limit(1), ["scenario.time"], label="kind").tested == 0
    with pytest.raises(InputError, match="patches"):
        loupe.coverage(dataset.to_patches("objects"), [], label="objects")


def test_a_call_that_is_stopped_keeps_nothing(dataset: Any) -> None:
    import loupe

    def stop(progress: loupe.Progress) -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.coverage(dataset, [], label="kind", weights="weight", progress=stop)
    assert dataset.list_runs() == []
    assert "weight" not in dataset.get_field_schema()
