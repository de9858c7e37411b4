"""Wrong masks are found, in the database and on disk, and written beside the masks, which stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database

N = 24


def pictures() -> list[tuple[np.ndarray, np.ndarray]]:
    """A cat in each picture, as given and as the model has it; some have another mask."""
    made = []
    for at in range(N):
        given, predicted = np.zeros((60, 80), np.uint8), np.zeros((60, 80), np.uint8)
        given[10:30, 10:40] = 2 if at == 7 else 0 if at == 2 else 1
        predicted[11:31, 10:40] = 1
        if at == 9:
            given[40:, :] = 255  # not labeled, whatever the model has there
            predicted[40:, :] = 2
        if at == 12:
            given[:] = 255
        made.append((given, np.kron(predicted, np.ones((2, 2), np.uint8)) if at == 11 else predicted))
    return made


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Half of the masks lie on disk; some pictures cannot be judged."""
    import fiftyone as fo

    dataset = fo.Dataset()
    samples = []
    for at, masks in enumerate(pictures()):
        labels: dict[str, Any] = {}
        for name, mask in zip(("truth", "model"), masks, strict=True):
            path = tmp_path / f"{name}{at}.png"
            Image.fromarray(mask).save(path)
            labels[name] = fo.Segmentation(mask_path=str(path)) if at % 2 else fo.Segmentation(mask=mask)
        heat = fo.Heatmap(map=np.full((60, 80), 0.1 if at == 2 else 0.9))
        samples.append(fo.Sample(filepath=str(tmp_path / f"{at}.png"), sure=heat, kind="day", **labels))
    Path(samples[13]["model"].mask_path).write_bytes(b"no mask")
    samples[14]["truth"] = samples[16]["model"] = None
    samples[18]["truth"] = fo.Segmentation(mask=np.full((60, 80), 0.5))
    dataset.add_samples(samples)
    dataset.mask_targets = {"truth": {1: 'a "cat" <b>', 2: "dog"}}
    dataset.save()
    yield dataset
    dataset.delete()


def test_wrong_masks_are_found_and_nothing_of_the_users_changes(dataset: Any) -> None:
    import loupe

    before = [sample.to_dict() for sample in dataset.select_fields(["truth", "model"])]
    made = loupe.find_label_issues(dataset, "truth", predictions="model")
    ids = dataset.values("id")
    listed = {ids.index(issue.id): (issue.given, issue.suggested) for issue in made.issues}
    assert listed == {2: ("background", 'a "cat" <b>'), 7: ("dog", 'a "cat" <b>')}
    assert (made.n, made.unknown, made.flagged.k, made.flagged.n) == (N - 5, 5, 2, N - 5)
    assert set(made.ids) == {ids[2], ids[7]}
    assert made.agreement["dog"] == 0
    assert 0.8 < made.agreement['a "cat" <b>'] < 0.95
    assert made.agreement["background"] > 0.9
    assert "2 of 19 masks in truth are probably wrong" in str(made)
    assert [sample.to_dict() for sample in dataset.select_fields(["truth", "model"])] == before
    # stored: the score on all, the failure and the suggestion on the issues, the reason on the others
    scores = dict(zip(ids, dataset.values("quality.mask_issue"), strict=True))
    assert [at for at in range(N) if scores[ids[at]] is None] == [12, 13, 14, 16, 18]
    assert scores[ids[2]] == pytest.approx(18 * 28 / (60 * 80), abs=0.01)
    assert scores[ids[9]] == 0
    reasons = dict(zip(ids, dataset.values("unknown.classifications.reason"), strict=True))
    assert [reasons[ids[at]][0] for at in (12, 13, 14, 16, 18)] == [
        "no labeled pixel",
        "the prediction cannot be read",
        "no mask",
        "no prediction",
        "the mask holds no whole numbers",
    ]
    flagged = dataset.match({"failures.classifications.label": "mask_issue"}).values("id")
    assert set(flagged) == set(made.ids) == set(dataset.exists("mask_issues").values("id"))
    assert dataset[ids[7]].mask_issues.label == 'a "cat" <b>'
    assert dataset[ids[7]].mask_issues.given == "dog"
    # a stricter threshold takes away what was written
    assert not loupe.find_label_issues(dataset, "truth", predictions="model", threshold=0.9).issues
    assert not dataset.exists("mask_issues").count()


def test_what_the_model_is_unsure_of_counts_for_less(dataset: Any) -> None:
    import loupe

    made = loupe.find_label_issues(dataset, "truth", predictions="model", probabilities="sure")
    assert made.ids == (dataset.values("id")[7],)


def test_a_picture_without_a_map_is_unknown_where_maps_are_asked_for(dataset: Any) -> None:
    import loupe

    sample = dataset.skip(7).first()
    sample["sure"] = None
    sample.save()
    made = loupe.find_label_issues(dataset, "truth", predictions="model", probabilities="sure")
    assert sample.id not in made.ids
    assert dataset[sample.id].unknown.classifications[0].reason == "no map"


def test_pixels_below_0_are_labeled_by_nobody(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    dataset.mask_targets = {}
    dataset.save()
    given, predicted = np.zeros((60, 80), np.int16), np.full((60, 80), 3, np.int16)
    given[:30], predicted[:, :40] = -1, -1
    sample = dataset.first()
    sample["truth"], sample["model"] = fo.Segmentation(mask=given), fo.Segmentation(mask=predicted)
    sample.save()
    issue = next(
        each for each in loupe.find_label_issues(dataset, "truth", predictions="model").issues if each.id == sample.id
    )
    assert (issue.given, issue.suggested) == ("0", "3")
    # a quarter of the pixels has a label on both sides, and all of those differ, but for an edge
    assert issue.score == pytest.approx(29 * 39 / (30 * 40))


def test_nothing_to_compare_is_an_error(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    dataset.set_values("model", [None] * N)
    with pytest.raises(InputError, match="none that can be compared: most often no prediction"):
        loupe.find_label_issues(dataset, "truth", predictions="model")


def test_bad_input(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, Stopped, UnknownName

    def find(samples: Any = dataset, predictions: Any = "model", **settings: Any) -> None:
        loupe.find_label_issues(samples, "truth", predictions=predictions, **settings)

    with pytest.raises(InputError, match=r"expected predictions .*predictions='model'"):
        find(predictions=None)
    with pytest.raises(InputError, match="'truth' for both"):
        find(predictions="truth")
    with pytest.raises(InputError, match="a Segmentation, but 'kind'"):
        find(predictions="kind")
    with pytest.raises(UnknownName, match="sure"):
        find(probabilities="shure")
    with pytest.raises(InputError, match="'kind' is none"):
        find(probabilities="kind")
    with pytest.raises(InputError, match="got an array"):
        find(probabilities=np.zeros((N, 2)))
    with pytest.raises(NoSamples):
        find(dataset.limit(0))

    def stop(progress: Any) -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        find(progress=stop)
    assert not dataset.has_field("mask_issues")
    dataset.mask_targets = {**dataset.mask_targets, "model": {1: "dog", 2: "cat"}}
    dataset.save()
    with pytest.raises(InputError, match=r"1 is .*cat.*, and 'dog' in 'model'"):
        find()
    import fiftyone as fo

    dataset.mask_targets = {}
    dataset.save()
    colors = dataset.first()
    colors["truth"] = fo.Segmentation(mask=np.zeros((60, 80, 3), np.uint8))
    colors.save()
    with pytest.raises(InputError, match="transform_segmentations"):
        find()
