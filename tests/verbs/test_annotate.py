"""``loupe.annotate``: the App's own annotation asks for decisions, and other backends' answers become decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from reviewable import draw, fill, order

from loupe.brain.core.errors import InputError, LoupeError, NoSamples, UnknownName

pytestmark = pytest.mark.database


@pytest.fixture
def houses(dataset: Any, tmp_path: Any) -> Any:
    fill(dataset, draw(tmp_path, 20))
    return dataset


@pytest.fixture
def backend(houses: Any) -> Iterator[Any]:
    import annotation_backend
    import fiftyone as fo

    annotation_backend.register()
    yield annotation_backend
    fo.annotation_config.backends.pop(annotation_backend.NAME)


def test_the_app_asks_for_the_decision_and_for_the_boxes(houses: Any) -> None:
    import loupe

    result = loupe.annotate(houses, "watermark")
    assert (result.backend, result.field, result.key) == ("app", "review.watermark", "")
    assert result.fields == ("review.watermark", "overlays")
    assert result.n == len(order(houses, "watermark"))
    houses.reload()
    schema = houses.label_schemas["review.watermark"]
    assert (schema["component"], schema["classes"]) == ("radio", ["real", "false_alarm", "unsure"])
    assert houses.active_label_schemas[:2] == ["overlays", "review.watermark"]
    assert 'choose the tab "Annotate"' in repr(result)


def test_what_the_app_writes_is_a_decision(houses: Any) -> None:
    import fiftyone as fo

    import loupe

    loupe.annotate(houses, "blur")
    first = order(houses)[0]
    # as the App does it: a label, and neither who nor when
    sample = houses[first]
    sample["review.blur"] = fo.Classification(label="false_alarm")
    sample.save()
    (result,) = loupe.reviewed(houses, "blur")
    assert (result.false_alarms, result.by) == (1, {"": 1})


def test_a_schema_of_the_users_own_stays(houses: Any) -> None:
    import loupe

    own = {"type": "detections", "component": "text", "attributes": []}
    houses.update_label_schema("overlays", own)
    loupe.annotate(houses, "watermark")
    houses.reload()
    assert houses.label_schemas["overlays"]["component"] == "text"


def test_answers_of_a_backend_become_decisions(houses: Any, backend: Any) -> None:
    import loupe

    ids = order(houses)
    loupe.review(houses, "blur", {ids[0]: "real"})
    result = loupe.annotate(houses, "blur", backend=backend.NAME)
    assert (result.key, result.field, result.n) == ("loupe_review_blur_1", "annotated_blur", len(ids) - 1)
    assert sorted(backend.UPLOADED[result.key]) == sorted(ids[1:])
    assert not houses.has_field("review.blur.label") or houses.count("review.blur.label") == 1

    backend.ANSWERS.update({ids[1]: "real", ids[2]: "false_alarm", ids[3]: "unsure", ids[4]: "something else"})
    houses.load_annotations(result.key)
    done = loupe.review(houses, "blur", field="annotated_blur", by="team", note="from the tool")
    assert (done.written, done.real, done.false_alarms, done.unsure) == (3, 2, 1, 1)
    assert done.by["team"] == 3
    assert loupe.annotate(houses, "blur", backend=backend.NAME, only="unsure").key == "loupe_review_blur_2"


def test_a_backend_that_is_not_there_is_one_clear_error(houses: Any, backend: Any) -> None:
    import loupe

    with pytest.raises(LoupeError, match="did not take the samples: ConnectionError: nobody answers"):
        loupe.annotate(houses, "blur", backend=backend.NAME, options={"refuses": True})
    assert houses.list_annotation_runs() == []
    assert not houses.has_field("annotated_blur")


def test_what_cannot_be_annotated_is_refused(houses: Any, backend: Any) -> None:
    import loupe

    with pytest.raises(UnknownName, match=r"annotation backend 'cvta'\. Did you mean 'cvat'"):
        loupe.annotate(houses, "blur", backend="cvta")
    with pytest.raises(UnknownName, match="failure mode"):
        loupe.annotate(houses, "blurr")
    with pytest.raises(NoSamples, match="nothing here is unsure for blur"):
        loupe.annotate(houses, "blur", only="unsure")
    with pytest.raises(InputError, match="neither a key nor options"):
        loupe.annotate(houses, "blur", key="mine")
    loupe.annotate(houses, "blur", backend=backend.NAME, key="mine")
    with pytest.raises(InputError, match="no annotation run has yet, got 'mine'"):
        loupe.annotate(houses, "blur", backend=backend.NAME, key="mine")
    houses.set_values("annotated_watermark", ["mine"] * len(houses))
    with pytest.raises(InputError, match="of your own"):
        loupe.annotate(houses, "watermark", backend=backend.NAME)
    with pytest.raises(UnknownName, match="field 'annotated'"):
        loupe.review(houses, "blur", field="annotated")
    with pytest.raises(InputError, match="expected a field of classifications"):
        loupe.review(houses, "blur", field="prompt")
    with pytest.raises(InputError, match="got neither"):
        loupe.review(houses, "blur")
    with pytest.raises(InputError, match="got both"):
        loupe.review(houses, "blur", "real", field="annotated_blur")
