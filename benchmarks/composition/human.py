"""The human verdicts on relations, with the boxes that were found in the pictures.

SpatialBench-UC (Rostane 2026, CC BY 4.0): one person looked at 200 pictures of 132 prompts of the kind "A photo of a
cake to the left of a bed." and said PASS (83: both are there and stand as asked), FAIL (22: both are there and stand
otherwise) or UNDECIDABLE (95). The last one is not only what the picture leaves open: by the notes it is given where
an object is missing, where the two overlap or are centered, where they stand at the same height. So a missing object is
no FAIL of the relation, and what a detector calls missing was seen by the person where the verdict is PASS or FAIL.
Boxes (Faster R-CNN, from 0.5 on) are at hand for the 133 pictures of two of the three generators.

Object pairs with an even number were fitted on, the others are measured on; a pair has four prompts, so that no prompt
and no pair of objects is in both halves.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass

from benchmarks import data
from loupe.brain.core.records import Box
from loupe.brain.prompts.spec import PromptSpec, Relation, RequestedObject


@dataclass(frozen=True)
class Case:
    """A picture of SpatialBench-UC: what was asked, what was found, what the person and the checker there said."""

    number: int
    relation: str
    objects: tuple[str, str]
    boxes: tuple[Box, ...]
    human: str
    checker: str

    @property
    def fitted(self) -> bool:
        """Whether it belongs to the half that is fitted on: four prompts a pair, by the pair's number."""
        return self.number // 4 % 2 == 0

    @property
    def spec(self) -> PromptSpec:
        """What the prompt asks for."""
        first, second = self.objects
        prompt = f"A photo of a {first} {self.relation} a {second}."
        return PromptSpec(prompt, (RequestedObject(first), RequestedObject(second)), (Relation(0, self.relation, 1),))


def stored() -> list[Case]:
    """Returns all pictures with stored boxes; ``human`` is empty where nobody gave a verdict.

    Raises:
        MissingData: they are not there
    """
    folder = data.required("8_prompts/human_judgements/spatialbench_uc")
    with (folder / "audit_labels_filled.csv").open(encoding="utf-8") as file:
        verdicts = {row["sample_id"]: row["human_verdict"] for row in csv.DictReader(file)}
    cases = []
    for path in data.files(folder, "*_per_sample.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            facts = json.loads(line)
            boxes = []
            for detection in facts["detectors"]["primary"]["detections"]:
                left, top, right, bottom = (value / 512 for value in detection["box_xyxy"])
                boxes.append(Box(detection["label"], (left, top, right - left, bottom - top), detection["score"]))
            cases.append(
                Case(
                    int(re.findall(r"\d+", facts["prompt_id"])[-1]),
                    facts["relation"].replace("_", " "),
                    (facts["object_a"], facts["object_b"]),
                    tuple(boxes),
                    verdicts.get(facts["sample_id"], ""),
                    facts["verdict_raw"],
                )
            )
    return cases


def corners(box: Box) -> tuple[float, float, float, float]:
    """Returns left, top, right, bottom in a picture of 512 x 512."""
    x, y, width, height = box.bounds
    return x * 512, y * 512, (x + width) * 512, (y + height) * 512
