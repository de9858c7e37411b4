"""The composition check: are the objects that the prompt asks for there, as many, as colored and where it says?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from loupe.brain.core.errors import LoupeError, PromptError
from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, known_backend, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.composition.calibrated import DECIDABLE

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.measures.composition.colors import Naming
    from loupe.brain.measures.composition.scene import Requirement, Scene
    from loupe.brain.perception.detectors.detection import Detection, Detector
    from loupe.brain.perception.vlm.base import Vlm
    from loupe.brain.prompts.spec import PromptSpec

_RULE = "a rule without a fit: likely wrong; what is not sure is unknown"
_VERDICTS = "likely wrong; of 77 held-out human verdicts of SpatialBench-UC it decides 37, 23 of 23 as the person did"
_MISSING = "likely wrong; YOLOX-nano flags 1 of 26 held-out ImageNet photos that show the thing, 371 of 389 that do not"
_THERE = "likely there; YOLOX-nano flags 12 of 389 held-out ImageNet photos without the thing, 23 of 26 that show it"
_BACKENDS = ("auto", "detector", "open_vocabulary")
_SURE = "flags none of the 53 it judges of 62 photos whose prompt names their subject, but was chosen on these"


def _output(name: str, description: str, provenance: str, threshold: float = 0.5) -> Output:
    return Output(
        name, "likelihood", False, (0.0, 1.0), description, Threshold(">", threshold, provenance=provenance), name
    )


@dataclass(frozen=True)
class Composition(Check):
    """Composition: is what the prompt asks for there, as many, and where it says.

    Compares what the prompt asks for (the sample's ``spec`` field, else the prompt by rules) with boxes: those in the
    field ``detections``, else those that a detector finds. Nouns that the detector has no label for are unknown,
    never missing. Three ways to judge: ``calibrated`` gives the likelihood of each failure and leaves open what is
    not sure; ``geneval`` and ``t2i_compbench`` are the published rules, on whatever boxes there are, with 0 and 1 and
    a missing object as a failure. An output is the worst of what it is about; a failure stands though others are
    unknown.

    Extra objects are people and animals that a wholly understood prompt gives no room for, whatever the mode.
    """

    name: ClassVar[str] = "composition"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = "GenEval, NeurIPS 2023; T2I-CompBench, NeurIPS 2023; SpatialBench-UC, 2026"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it compares the whole picture with its prompt"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)
    long_side: ClassVar[int | None] = 1024
    boxes_field: ClassVar[str | None] = "composition"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 11.0
    outputs: ClassVar[tuple[Output, ...]] = (
        _output("missing_object", "How likely an object is not there.", _MISSING),
        _output("wrong_count", "How likely there are more or fewer than asked for.", _RULE),
        _output("wrong_attribute", "How likely an object has another color than asked for.", _RULE),
        _output("wrong_relation", "How likely objects do not stand to each other as asked for.", _VERDICTS),
        _output("wrong_size", "How likely the wrong one of two objects is the larger one.", _RULE),
        _output("negation_violated", "How likely something is there that the prompt excludes.", _THERE),
        _output("extra_object", "Confidence in a person or animal the prompt gives no room for.", _SURE, 0.8),
        Output(
            "composition_score",
            "share",
            True,
            (0.0, 1.0),
            "calibrated: the share of what is known that is right; geneval: 1 if all is; t2i_compbench: its score.",
        ),
        Output(
            "composition_unknown",
            "share",
            False,
            (0.0, 1.0),
            "The share of what the prompt asks for that is not known.",
        ),
    )

    mode: str = param("calibrated", "How to judge", choices=("calibrated", "geneval", "t2i_compbench"))
    backend: str = param(
        "auto",
        "detector: YOLOX, COCO's 80 classes; open_vocabulary: asked by name; auto: that on a GPU, where it is here",
        choices=_BACKENDS,
    )
    vlm: str = param(
        "auto",
        "A vision-language model that has to agree: hub id or folder; auto: on a GPU, where it is here; empty: none",
    )
    detections: str = param("detections", "The sample's field of detections; empty: none")
    detector: str = param(
        "auto",
        "auto: the field, else the backend; field: only the field; nanodet: what auto comes to where YOLOX is not "
        "here; or the path of a YOLOX .onnx",
    )
    classes: str = param(
        "auto", "Labels that the field's detector knows, with commas; auto: COCO's and those that occur"
    )
    floor: float = param(0.5, "Confidence below which the field's detections were left out", low=0.0, high=1.0)
    confidence: float = param(0.25, "Confidence from which a detection shows where a thing is", low=0.0, high=1.0)
    sure: float = param(0.8, "How likely a verdict has to be; less is unknown", low=0.5, high=1.0)
    decidable: float = param(DECIDABLE, "How likely people would decide on a side, and so", low=0.0, high=1.0)

    def reads(self) -> tuple[str, ...]:
        """Returns the prompt's field, ``spec``, and the field of the detections where there is one."""
        return (*self.needs, "spec", *((self.detections,) if self.detections else ()))

    def abstains(self, fields: Mapping[str, Any]) -> str | None:
        """Returns why the prompt gives nothing to compare the picture with."""
        spec = _requested(fields)
        return spec if isinstance(spec, str) else None

    def resolved(self, device: str) -> Self:
        """Returns it with the backend that "auto" means there, and detector "field" where a model is not to be had.

        Raises:
            InputError: there is no such backend
        """
        from loupe.brain.perception.detectors import open_vocabulary
        from loupe.brain.perception.vlm.folder import DEFAULT, is_here

        known_backend(self.backend, _BACKENDS, {"offline": "detector", "gpu": "open_vocabulary"})
        backend = self.backend
        if backend == "auto":
            on_gpu = device.startswith("cuda") and open_vocabulary.available()
            backend = "open_vocabulary" if on_gpu else "detector"
        detector = self.detector
        if detector == "auto" and backend == "detector":
            model = _small_model()
            if isinstance(model, str):
                detector = "field"
            elif len(model) > 1:
                detector = "nanodet"  # the run records it, and judges again once the preferred one is here
        vlm = self.vlm
        if vlm == "auto":
            vlm = DEFAULT if backend == "open_vocabulary" and is_here(DEFAULT) else ""
        return replace(self, backend=backend, detector=detector, vlm=vlm)

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch. Where no model is to be had, samples without detections are
        unknown.

        Raises:
            InputError: there is no such backend
            ModelError: the model that is asked for by name cannot be loaded
            MissingDependency: onnxruntime or transformers is not installed
        """
        check = self.resolved(device)
        detector = check._detector(device)
        vlm = check._agreeing(device)

        def score(batch: ImageBatch) -> Scores:
            values = {name: batch.fields.get(name) or (None,) * len(batch) for name in check.reads()}
            results = []
            for place, size in enumerate(batch.sizes):
                picture = cache(lambda place=place: batch.pixels[place].permute(1, 2, 0).cpu().numpy())
                fields = {name: column[place] for name, column in values.items()}
                results.append(check._score(fields, picture, size, detector, vlm))
            return check.scores(results, batch.pixels.device)

        return score

    def _detector(self, device: str) -> Detector | str:
        """The detector, or why there is none."""
        from loupe.brain.perception.detectors import open_vocabulary, small, yolox

        if self.detector == "field":
            model = _small_model() if self.backend == "detector" else ""
            return f"the sample has no detections in the field {self.detections!r}" + (
                f", and {model}" if isinstance(model, str) and model else ""
            )
        if self.detector not in ("auto", "nanodet"):
            return yolox.load(Path(self.detector).expanduser())
        if self.backend == "open_vocabulary":
            return open_vocabulary.load(device)
        model = _small_model(small.NANODET if self.detector == "nanodet" else ())
        return model if isinstance(model, str) else small.load(model)

    def _agreeing(self, device: str) -> Vlm | None:
        if not self.vlm:
            return None
        from loupe.brain.perception.vlm.local import LocalVlm

        return LocalVlm(self.vlm, device=device)

    def _score(
        self,
        fields: Mapping[str, Any],
        picture: Callable[[], np.ndarray],
        size: tuple[int, int],
        detector: Detector | str,
        vlm: Vlm | None,
    ) -> SampleResult:
        from loupe.brain.measures.composition import agreement, geneval, rules, t2i_compbench

        spec = _requested(fields)
        if isinstance(spec, str):
            return SampleResult({}, spec)
        scene = self._scene(spec, fields.get(self.detections), picture, size, detector)
        if isinstance(scene, str):
            return SampleResult({}, scene)
        whole = math.nan
        if self.mode == "geneval":
            requirements, whole = geneval.requirements(spec, scene)
        elif self.mode == "t2i_compbench":
            requirements, whole = t2i_compbench.requirements(spec, scene, self.confidence)
        else:
            requirements = rules.requirements(spec, scene, self.sure, self.confidence, self.decidable)
            if vlm is not None:
                requirements = agreement.agreed(requirements, picture(), vlm)
            known = [requirement.violated for requirement in requirements if requirement.known]
            whole = sum(value <= 0.5 for value in known) / len(known) if known else math.nan
        requirements = (*requirements, rules.surplus(spec, scene, self.confidence))
        return SampleResult(
            *_values(requirements, whole, [output.name for output in self.outputs]), _boxes(requirements)
        )

    def _scene(
        self,
        spec: PromptSpec,
        given: Any,
        picture: Callable[[], np.ndarray],
        size: tuple[int, int],
        detector: Detector | str,
    ) -> Scene | str:
        """What was detected, or why nothing can be said."""
        from loupe.brain.measures.composition.colors import middle, name_color
        from loupe.brain.measures.composition.scene import Scene
        from loupe.brain.perception.detectors.detection import usable
        from loupe.brain.perception.detectors.vocabulary import COCO_80, LIVING, Vocabulary

        width, height = size
        if min(width, height) < 1:
            return "the picture has no size"
        if isinstance(given, (tuple, list)) and self.detector in ("auto", "field", "nanodet"):
            boxes: Sequence[Box] = [box for box in given if isinstance(box, Box)]
            detections = usable(boxes, width, height)
            if boxes and not detections:
                return "none of the sample's detections has a label and a place in the picture"
            labels = [detection.label for detection in detections]
            known = COCO_80 if self.classes == "auto" else [label.strip() for label in self.classes.split(",")]
            if self.classes == "auto" and any(Vocabulary(COCO_80).find(label) is None for label in labels):
                known = ()  # a detector of something else: what it would have detected is not known
            vocabulary = Vocabulary([*labels, *known])
            floor = min([self.floor, *(detection.score for detection in detections)])
        elif isinstance(detector, str):
            return detector
        else:
            nouns = [*(requested.name for requested in spec.objects), *spec.excluded, *LIVING]
            detections = usable(detector.find(picture(), nouns), width, height)
            vocabulary, floor = Vocabulary(detector.labels), detector.floor

        def color(detection: Detection) -> Naming:
            return name_color(middle(picture(), detection.bounds))

        return Scene(detections, vocabulary, width, height, floor, color)


def _small_model(names: Sequence[str] = ()) -> list[Path] | str:
    """Where the files of the small detector lie, or of the one that is named; or why it is not to be had."""
    from loupe.brain.perception import weights
    from loupe.brain.perception.detectors import small

    try:
        return [weights.path(name) for name in names or small.names()]
    except LoupeError as error:
        return str(error)


def _requested(fields: Mapping[str, Any]) -> PromptSpec | str:
    """What is asked for, or why there is nothing to compare the picture with."""
    from loupe.brain.prompts.cleaned import prompt_text
    from loupe.brain.prompts.metadata import spec_of

    text = prompt_text(fields.get("prompt"))
    if text is None:
        return "the sample has no prompt"
    try:
        spec = spec_of(text, fields.get("spec")) or "the prompt was not understood"
    except PromptError as error:
        return f"what is asked for cannot be read: {error}"
    if isinstance(spec, str) or spec.objects or spec.excluded:
        return spec
    return "the prompt names no objects"


def _values(
    requirements: Sequence[Requirement], whole: float, names: Sequence[str]
) -> tuple[dict[str, float], str | None]:
    """The worst of each failure, unknown where something of it is unknown and nothing is wrong; and why."""
    values: dict[str, float] = {"composition_score": whole}
    reasons: list[str] = []
    for name in names:
        of_failure = [requirement for requirement in requirements if requirement.failure == name]
        worst = max((requirement.violated for requirement in of_failure if requirement.known), default=math.nan)
        open_ = [requirement for requirement in of_failure if not requirement.known]
        if of_failure and not math.isnan(worst) and (not open_ or worst > 0.5):
            values[name] = min(max(worst, 0.0), 1.0)
        elif open_:
            reasons.append(f"{name}: {open_[0].reason}")
    requested = [requirement for requirement in requirements if requirement.failure != "extra_object"]
    if requested:
        values["composition_unknown"] = sum(not requirement.known for requirement in requested) / len(requested)
    none = [name for name in names if name not in values and not any(reason.startswith(name) for reason in reasons)]
    if none:
        reasons.append("the prompt asks for nothing that could be a " + ", ".join(none).replace("_", " "))
    if math.isnan(whole):
        reasons.append("composition_score: too little is known")
    return values, "; ".join(reasons) or None


def _boxes(requirements: Sequence[Requirement]) -> tuple[Box, ...]:
    """What is wrong or unknown, with where it is (the whole picture for what is not there), then what is as wanted."""
    boxes: list[Box] = []
    taken: set[tuple[float, ...]] = set()

    def rank(requirement: Requirement) -> tuple[bool, float]:
        return not requirement.known, -requirement.violated if requirement.known else 0.0

    for requirement in sorted(requirements, key=rank):
        wrong = requirement.known and requirement.violated > 0.5
        if requirement.known and not wrong and requirement.failure != "missing_object":
            continue
        label = requirement.failure if wrong else "as wanted" if requirement.known else "unknown"
        facts: dict[str, str | float] = {
            "wanted": requirement.wanted,
            "found": requirement.observed,
            "failure": requirement.failure,
        }
        if requirement.known:
            facts["violated"] = requirement.violated
        if requirement.reason:
            facts["reason"] = requirement.reason
        if not requirement.places and requirement.failure != "extra_object":
            boxes.append(Box(label, (0.0, 0.0, 1.0, 1.0), None, facts))
        for place in requirement.places:
            if not wrong and place in taken:
                continue
            taken.add(place)
            boxes.append(Box(label, place, requirement.confidence, facts))
    return tuple(boxes)
