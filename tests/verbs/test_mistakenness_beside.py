"""FiftyOne's mistakenness stands beside label issues; what docs/label_issues.md says of it is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

N = 60


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    centers = 2 * rng.normal(size=(2, 16))
    dataset, samples = fo.Dataset(), []
    for at in range(N):
        true = ["cat", "dog"][at % 2]
        given = "dog" if at == 4 else true
        samples.append(
            fo.Sample(
                filepath=str(tmp_path / f"{at}.png"),
                label=None if at == 6 else fo.Classification(label=given),
                model=None if at == 8 else fo.Classification(label=true, confidence=0.95),
                several=fo.Classifications(classifications=[fo.Classification(label=given)]),
                several_model=fo.Classifications(classifications=[fo.Classification(label=true, confidence=0.9)]),
                embeddings=(centers[at % 2] + 0.5 * rng.normal(size=16)).astype(np.float32),
            )
        )
    dataset.add_samples(samples)
    yield dataset
    dataset.delete()


def test_both_stand_side_by_side_and_neither_changes_the_labels(dataset: Any) -> None:
    import fiftyone.brain as fob

    import loupe

    before = dataset.values("label.label")
    fob.compute_mistakenness(dataset, "model", label_field="label", progress=False)
    made = loupe.find_label_issues(dataset, "label")
    ids = dataset.values("id")
    assert made.ids == (ids[4],)
    mistakenness = np.array(dataset.values("mistakenness"), dtype=float)
    assert np.argmax(np.where(np.arange(N) == 8, 0, mistakenness)) == 4
    assert mistakenness[4] == pytest.approx(0.975)
    assert dataset.values("label.label") == before
    # both are sorted and filtered by in one view
    both = dataset.match({"mistakenness": {"$gt": 0.5}, "quality.label_issue": {"$gt": 0.2}})
    assert both.values("id") == [ids[4]]


def test_what_is_said_of_its_traps_is_so(dataset: Any) -> None:
    import fiftyone.brain as fob

    fob.compute_mistakenness(dataset, "model", label_field="label", progress=False)
    mistakenness = dataset.values("mistakenness")
    # without a label it is as if the label were right; without a prediction as if it were wrong
    assert mistakenness[6] == pytest.approx(0.025)
    assert mistakenness[8] == 1.0
    # several classes a sample: it looks for one confidence, and there is none
    with pytest.raises(AttributeError):
        fob.compute_mistakenness(
            dataset, "several_model", label_field="several", mistakenness_field="of_several", progress=False
        )
