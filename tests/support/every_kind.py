"""A dataset with a field of every kind that can be sliced by, and values that are hard to name."""

from __future__ import annotations

import math
import sys
from datetime import date, datetime
from typing import Any

N = 48
TEXTS = (
    "day", "night", None, "", "(none)", '"(none)"', "None", "True", "1", "a.b", "$text", '"; {}', "it's", "{'$gt': 1}",
    "ü → 猫", "< 0.5", "[0, 1)", "/x/",
)  # fmt: skip
FLOATS = (None, math.nan, math.inf, -math.inf, 0.0, -0.0, 0.25, 0.5, 0.1 + 0.2, 1e-300, -7.5, sys.float_info.max)
INTS = (0, 1, None, -3, 2**40, 2, 3, 1)
CLASSES = ("cat", "dog", "$owl", "a.b", "猫")
TAGS = ((), ("train",), ("test",), ("train", "odd"), ("$x", "a.b"), ("猫", "train", "test"))
PROMPTS = (
    None, "", "a cat and three dogs", "exactly two owls next to a box, no people", 'a sign that says "OPEN $1.50"',
    "no text", "猫 in the rain", "rain, rain, $where {'a': 1} a.b", "one dog in front of a red house", "  ",
)  # fmt: skip
TIMES = (
    None, datetime(2026, 11, 28, 23, 59, 59), datetime(2026, 11, 29), datetime(1969, 12, 31, 5),
    datetime(2026, 1, 9, 23), datetime(2025, 11, 28),
)  # fmt: skip


def boxes(index: int) -> list[dict[str, Any]]:
    """The facts of a sample's boxes: of every size and place, some broken, attributes of every kind, or none."""
    listed = []
    for at, label in enumerate(labels(index)):
        side = (0.02, 0.1, 0.3, 0.9, 1.0)[(index + at) % 5]
        place = [((index * 7 + at * 3) % 10) / 10, ((index * 3 + at) % 11) / 10, side, side]
        facts: dict[str, Any] = {"label": label, "bounding_box": place if (index + at) % 9 else [0.1, 0.2]}
        facts["confidence"] = (0.25, None, 0.5, math.nan, 0.999, math.inf, -0.0)[(index + at) % 7]
        facts["occluded"] = (True, False, None)[(index + at) % 3]
        facts["crowd"] = (0, 2, None, 7)[(index * at) % 4]
        facts["view"] = ("front", "$side", "a.b", None)[(index + 2 * at) % 4]
        listed.append(facts)
    return listed


def labels(index: int) -> list[str | None]:
    """The classes of a sample's boxes: none, several, twice the same, one without a class."""
    count = index % 5
    return [None if index % 7 == 3 and at == 0 else CLASSES[(index + at * at) % len(CLASSES)] for at in range(count)]


def of_every_kind() -> Any:
    """Returns a dataset of 48 samples with a field of every kind; none of the tests changes it."""
    import fiftyone as fo

    made = fo.Dataset()
    kinds = {"text": fo.StringField, "flag": fo.BooleanField, "level": fo.IntField, "score": fo.FloatField}
    for path, kind in {**kinds, "guidance": fo.FloatField, "day": fo.DateField, "at": fo.DateTimeField}.items():
        made.add_sample_field(path, kind)
    made.add_sample_field("words", fo.ListField, subfield=fo.StringField)
    made.add_sample_field("ranks", fo.ListField, subfield=fo.IntField)
    made.add_sample_field("weights", fo.ListField, subfield=fo.FloatField)
    samples = []
    for index in range(N):
        sample = fo.Sample(filepath=f"/nowhere/{index:02}.png", tags=list(TAGS[index % len(TAGS)]))
        sample["text"] = TEXTS[index % len(TEXTS)]
        sample["flag"] = (True, False, None)[index % 3]
        sample["level"] = INTS[index % len(INTS)]
        sample["score"] = FLOATS[index % len(FLOATS)]
        sample["guidance"] = (7.5, 3.0, None, 5.25)[index % 4]
        sample["at"] = TIMES[index % len(TIMES)]
        sample["day"] = None if sample["at"] is None else date(*sample["at"].timetuple()[:3])
        sample["words"] = (None, [], ["x"], ["x", "y.z", "$"])[index % 4]
        sample["ranks"] = (None, [], [3], [1, 3, 3])[index % 4]
        sample["weights"] = (None, [0.5])[index % 2]
        sample["prompt"] = PROMPTS[index % len(PROMPTS)]
        sample["size"] = (0.1, 0.3, None, 0.95, 0.5, math.inf, 0.25)[index % 7]
        sample["quality"] = fo.DynamicEmbeddedDocument(
            overexposure=(0.1, 0.25, math.nan, 0.4, None, 0.6, 0.9)[index % 7]
        )
        sample["camera"] = fo.DynamicEmbeddedDocument(lens=fo.DynamicEmbeddedDocument(name="wide"))
        if index % 6:
            sample["truth"] = fo.Classification(label=CLASSES[index % 5] if index % 4 else None)
            sample["boxes"] = fo.Detections(
                detections=[fo.Detection(**{**facts, "bounding_box": [0, 0, 1, 1]}) for facts in boxes(index)]
            )
            sample["main"] = fo.Detection(**{**boxes(index)[0], "bounding_box": [0, 0, 1, 1]}) if boxes(index) else None
            sample["several"] = fo.Classifications(
                classifications=[fo.Classification(label=label) for label in labels(index + 1)]
            )
        if index % 5:
            width, height = ((640, 480), (480, 640), (333, 1000), (100 + index, 0))[index % 4]
            sample.metadata = fo.ImageMetadata(width=width, height=height, size_bytes=1000 + 37 * index, num_channels=3)
            sample.metadata.mime_type = ("image/png", "image/jpeg", None)[index % 3]
        samples.append(sample)
    made.add_samples(samples, progress=False)
    made.add_dynamic_sample_fields()
    # fields that are not there, and a document without its list
    raw = made._sample_collection
    raw.update_one({"_id": made.values("_id")[1]}, {"$unset": {"text": "", "score": "", "words": "", "tags": ""}})
    for index, sample_id in enumerate(made.values("_id")):  # FiftyOne itself takes no broken box
        for at, facts in enumerate(boxes(index) if index % 6 else ()):
            place = {f"boxes.detections.{at}.bounding_box": facts["bounding_box"]}
            raw.update_one(
                {"_id": sample_id}, {"$set": place | ({} if at else {"main.bounding_box": facts["bounding_box"]})}
            )
    raw.update_one({"_id": made.values("_id")[2]}, {"$set": {"boxes": {"_cls": "Detections"}}})
    made.reload()
    made.save_view("dogs", made.match({"truth.label": "dog"}))
    made.save_view("some $.猫", made.limit(20).skip(3))
    made.save_view("nothing", made.match({"text": "no such"}))
    return made
