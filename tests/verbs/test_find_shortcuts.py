"""Shortcuts of a dataset: what is read, what is left out, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

N = 360
KINDS = ["dog", "cat", "elk"]


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Dogs are blurred, elks are PNGs, and half of the cats have no noise score; folders are the classes."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    dataset = fo.Dataset()
    dataset.add_sample_field("quality", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    for name in ("sharpness", "noise", "constant", "label_issue", "box_issue", "mask_issue", "leak"):
        dataset.add_sample_field(f"quality.{name}", fo.FloatField)
    samples = []
    for at in range(N):
        kind = KINDS[at % 3]
        kept = "png" if kind == "elk" and rng.random() < 0.8 else "jpg"
        sample = fo.Sample(
            filepath=str(tmp_path / f"site{rng.integers(0, 4)}" / kind / f"{at}.{kept}"),
            label=fo.Classification(label=kind) if at != 7 else None,
            kind=kind,
            split="val" if rng.random() < 0.3 else "train",
            price=float(rng.random()),
            taken_at=datetime(2026, 1, 1) + timedelta(hours=at),
            embeddings=rng.normal(size=16).astype(np.float32),
            metadata=fo.ImageMetadata(
                width=int(rng.integers(400, 500)), height=400, size_bytes=int(rng.integers(1000, 9000)), num_channels=3
            ),
            tags=[str(rng.integers(0, 3)), *(["dogs only"] if kind == "dog" else [])],
        )
        sample["quality"] = fo.DynamicEmbeddedDocument(
            sharpness=float(rng.normal() - 2.5 * (kind == "dog")),
            noise=None if kind == "cat" and rng.random() < 0.5 else float(rng.random()),
            constant=1.0,
            label_issue=float(kind == "dog"),
            box_issue=float(kind == "cat"),
            mask_issue=float(kind == "elk"),
            leak=float(sample.split == "val"),
        )
        samples.append(sample)
    dataset.add_samples(samples, progress=False)
    yield dataset
    dataset.delete()


def test_what_gives_classes_away_is_found(dataset: Any) -> None:
    import loupe

    before = list(dataset.get_field_schema(flat=True))
    made = loupe.find_shortcuts(dataset, "label", permutations=199)
    assert {(each.name, each.label, each.shape) for each in made.findings} == {
        ("quality.sharpness", "dog", "lower"),
        ("file format", "elk", "categories"),
        ("quality.noise", "cat", "missing"),
    }
    assert (made.n, made.unlabeled, made.is_split) == (N - 1, 1, False)
    assert made.classes == {"dog": 120, "elk": 120, "cat": 119}
    listed = {each.name for each in made.properties}
    # the folder by class is how labels are kept, and the scores of wrong labels are made of them
    assert listed >= {"width", "file size", "aspect", "folder", "quality.sharpness"}
    assert not listed & {"quality.constant", "height", "channels", "label"}
    assert not {name for name in listed if name.endswith("_issue")}
    assert "quality.leak" in listed
    assert any("quality.constant" in note for note in made.notes)
    folder = next(each for each in made.properties if each.name == "folder")
    assert folder.worst.auroc < 0.6
    assert made.together is not None
    assert made.together.accuracy.rate > 0.6
    assert made.together.p < 1e-6
    assert made.order is not None
    assert made.order.vectors == "embeddings"
    labels = dict(zip(*dataset.values(["id", "kind"]), strict=True))
    for finding in made.findings:
        assert {labels[each] for each in finding.examples} == {finding.label}
    assert len(dataset.select(made.ids)) == len(made.ids) > 20
    json.dumps(made.to_dict())
    text = repr(made)
    assert "3 shortcuts to label" in text
    assert "a model that sees only" in text
    # nothing is written
    assert list(dataset.get_field_schema(flat=True)) == before
    assert dataset.list_runs() == []


def test_a_split_of_other_conditions_is_a_leak_of_conditions(dataset: Any) -> None:
    import loupe

    split = dataset.values("split")
    sharpness = [
        value + 2 * (name == "val") for value, name in zip(dataset.values("quality.sharpness"), split, strict=True)
    ]
    dataset.set_values("quality.sharpness", sharpness)
    made = loupe.find_shortcuts(dataset, "split", embeddings="", permutations=199)
    assert made.is_split
    # leaks are looked for between splits: their score is made of these. That of wrong labels is not
    assert {each.name for each in made.properties} >= {"quality.label_issue"}
    (finding,) = made.findings
    assert (finding.name, finding.label) == ("quality.sharpness", "val")
    assert any("loupe.split" in sentence for sentence in made.sentences())
    assert made.order is not None
    assert made.order.vectors == ""
    tagged = loupe.find_shortcuts(dataset, loupe.Factor.field("split"), embeddings="", permutations=199)
    assert tagged.findings == made.findings


def test_factors_that_are_asked_for(dataset: Any) -> None:
    import loupe

    made = loupe.find_shortcuts(dataset, "kind", by=["price", loupe.Factor.tags()], embeddings="", permutations=199)
    assert {("tags=dogs only", "dog")} <= {(each.name, each.label) for each in made.findings}
    listed = {each.name: each.kind for each in made.properties}
    assert listed["price"] == "number"
    assert "tags=1" in listed


def test_an_order_by_time(dataset: Any) -> None:
    import loupe

    made = loupe.find_shortcuts(dataset, "label", order="taken_at", embeddings="", permutations=99)
    assert made.order is not None
    assert (made.order.by, made.order.repeats.k) == ("taken_at", 0)
    by_kind = dataset.sort_by("kind")
    stored = loupe.find_shortcuts(by_kind, "label", permutations=99)
    assert stored.order is not None
    assert any("labels depend on the stored order" in each for each in stored.sentences())
    assert stored.order.within_p > 0.05


def test_groups_move_together(dataset: Any) -> None:
    import loupe

    dataset.set_values("prompt", [f"a {kind}" for kind in dataset.values("kind")])
    made = loupe.find_shortcuts(dataset, "kind", embeddings="", permutations=99)
    assert (made.groups, made.findings) == (3, ())
    assert any("only 3 groups" in note for note in made.notes)
    assert loupe.find_shortcuts(dataset, "kind", groups=[], embeddings="", permutations=99).findings


def test_names_with_anything_in_them(dataset: Any) -> None:
    import loupe

    odd = {"dog": "a.b$ 'x' \"y\" <b>", "cat": "🐈", "elk": "(none)"}
    dataset.set_values("kind", [odd[kind] for kind in dataset.values("kind")])
    made = loupe.find_shortcuts(dataset, "kind", embeddings="", permutations=99)
    assert {each.label for each in made.findings} == {odd["dog"], odd["cat"], '"(none)"'}
    assert "<b>" not in made._repr_html_()


def test_what_cannot_be_done_is_said(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    def find(label: Any = "label", samples: Any = None, **more: Any) -> Any:
        return loupe.find_shortcuts(dataset if samples is None else samples, label, permutations=99, **more)

    with pytest.raises(InputError, match="into bins first"):
        find("price")
    assert find(loupe.Factor.field("price", bins=2), embeddings="").classes
    with pytest.raises(UnknownName, match="'label'"):
        find("labl")
    with pytest.raises(InputError, match="at least two classes"):
        find(samples=dataset.match({"kind": "dog"}))
    with pytest.raises(InputError, match="at least 20 samples"):
        find(samples=dataset.limit(9))
    with pytest.raises(InputError, match="at least 20 samples"):
        find("filepath")
    with pytest.raises(NoSamples):
        find(samples=dataset.limit(0))
    with pytest.raises(InputError, match="one class a sample"):
        find(loupe.Factor.tags())
    with pytest.raises(InputError, match="one field or factor"):
        find(["label", "split"])
    with pytest.raises(InputError, match="dates, times or numbers"):
        find(order="kind")
    with pytest.raises(UnknownName, match="vectors"):
        find(embeddings="nothing")
    with pytest.raises(UnknownName):
        find(groups=["nothing"])
    with pytest.raises(UnknownName):
        find(by="nothing")
    for name, value in (("min_auroc", 0.2), ("fdr", 0), ("min_samples", 1), ("seed", -1), ("min_auroc", True)):
        with pytest.raises(InputError, match=f"expected {name}"):
            find(**{name: value})
    with pytest.raises(InputError, match="permutations"):
        loupe.find_shortcuts(dataset, "label", permutations=5)
    several = fo.Dataset()
    several.add_samples([fo.Sample(filepath=f"/{at}.png", kind=str(at % 2)) for at in range(60)], progress=False)
    made = loupe.find_shortcuts(several, "kind", permutations=99)
    # nothing but one folder and one format
    assert made.properties == ()
    assert made.together is None
    assert any("no properties" in note for note in made.notes)
    several.delete()


def test_stopping(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import Stopped

    def stop(progress: Any) -> None:
        if progress.message == "permuting labels":
            raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.find_shortcuts(dataset, "label", progress=stop)
