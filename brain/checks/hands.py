"""Whether the hands have as many fingers as hands have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.records import Output, Points, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import vlm_questions
from loupe.brain.perception.detectors import small

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.measures.anatomy.fingers import Count
    from loupe.brain.measures.anatomy.hand_crops import HandCrop
    from loupe.brain.measures.anatomy.hand_shape import Shape
    from loupe.brain.measures.anatomy.hand_views import HandViews
    from loupe.brain.perception.landmarks.hand import Hand
    from loupe.brain.perception.vlm.base import Vlm

_LONG_SIDE = 1280
#: so many hands of a picture are looked at, the surest: a crowd must not take minutes
MAX = 24
#: landmarks that are less plausible are too unsteady to compare an outline with: of 25 real hands with an injected
#: defect that was found (even-numbered files of the sign digits) none has more than 0.15
UNSTEADY = 0.25
#: smaller hands are not ranked, in pixels: their landmarks wander whether they are sound or not. Rank correlation with
#: experts over 80 generated pictures: 0.48 of the 50 with hands that large, 0.38 of the 64 with hands of 40 pixels
_MIN_RANKED_SIDE = 60
_UNRANKED = f"hand_implausibility: no hand is {_MIN_RANKED_SIDE} pixels large"
_BASIS = (
    "between the scores of sound hands, at most 0.1, and of malformed ones, at least 0.6; flags 2 of 240 sign digits: "
    "0.8 %, at 95 % at most 3.0 %"
)


@dataclass(frozen=True)
class Hands(Check):
    """Hands: fingers too many or too few.

    MediaPipe finds the hands and draws 21 points into each, always those of a sound hand. It also finds hands in feet,
    ears and folds of cloth: so two detectors of three have to see a hand in each crop (``anatomy/hand_crops.py``). One
    of them looks for the wrists of people, of whom a detector of COCO's classes finds more where its file is here. Then
    the fingers are counted in the hand's outline (``anatomy/fingers.py``) and compared with those that the points see
    stretched out. That is possible for hands seen from the front or the back, with a finger stretched out, before a
    ground that does not look like skin. Fists, hands seen from the side, hands that hold something, that touch skin or
    lie on it, hands on animals, hands of a color that no skin has (``glove_color.py``) and hands smaller than
    ``min_side`` are unknown, and so are all but the ten surest: of most pictures of people nothing is said. Drawn and
    carved hands are not told from real ones. Fingers grown together are mostly unknown, too: fingers that are held
    together look the same, and a finger too many at a hand that is half closed looks like another sound hand.

    ``hand_malformed`` is that of the worst hand that was judged; ``hands_judged`` says how many of ``hands`` were.
    ``hand_implausibility`` is a rank for human eyes, not a verdict: it says how far the models disagree with themselves
    over mirrored, turned and scaled views (``anatomy/hand_shape.py``), on average over what is at least 60 pixels large
    and what a detector takes for a hand at a second look. Blur raises it, too.

    Backend "vlm" also asks a vision-language model one question for each artifact about each hand that is large enough;
    the worst yes counts. It then judges closed hands, too. Its probabilities have not been calibrated.
    """

    name: ClassVar[str] = "hands"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = "Landmarks: Zhang et al., MediaPipe Hands, 2020, https://arxiv.org/abs/2006.10214"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it looks for hands in the whole picture, with the arms that they hang on"
    long_side: ClassVar[int | None] = _LONG_SIDE
    points_field: ClassVar[str | None] = "hands"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 480.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            "hand_malformed",
            "score",
            False,
            (0.0, 1.0),
            "How malformed the worst hand is: by its number of fingers, or by the VLM.",
            Threshold(">", 0.5, provenance=_BASIS),
            "hand_malformed",
        ),
        Output(
            "hand_implausibility",
            "score",
            False,
            (0.0, 1.0),
            "How far the landmarks of the hands change from view to view, on average: a rank, no verdict.",
        ),
        Output("hands", "hands", None, (0.0, float(MAX)), f"How many hands were found, at most {MAX}."),
        Output("hands_judged", "hands", None, (0.0, float(MAX)), "How many of the hands were judged."),
        Output("hands_missed", "wrists", False, (0.0, 128.0), "Visible wrists at which no hand was found."),
    )

    backend: str = param(
        "auto",
        "landmarks: by landmarks and outline; vlm: also asks a VLM about each hand; auto: vlm where it can be had",
        choices=vlm_questions.BACKENDS,
    )
    vlm: str = param(vlm_questions.VLM, vlm_questions.VLM_SENTENCE)
    examples: str = param("", vlm_questions.EXAMPLES_SENTENCE)
    levels: int = param(
        3, "How many sizes of regions are searched: each further one finds hands half as large", low=1, high=5
    )
    people: str = param(
        "auto",
        "detector: looks at each person for hands; none: at the nearest ones; auto: detector where its file is here",
        choices=small.CHOICES,
    )
    min_side: int = param(40, "Hands smaller than this, in pixels of at most 1280, are unknown", low=30, high=1280)

    def weights(self) -> tuple[str, ...]:
        """Returns the names of MediaPipe's models for hands and bodies, and of the detector where it is chosen."""
        from loupe.brain.measures.anatomy.hand_views import FILES

        return (*FILES, *(small.names() if self.people == "detector" else ()))

    def resolved(self, device: str) -> Self:
        """Returns the check with each "auto" replaced.

        The backend is "vlm" on a CUDA device with the VLM's weights, else "landmarks"; people are looked for by the
        "detector" where a file of one is here, else not ("none").
        """
        backend = vlm_questions.resolved(self.backend, device, self.vlm)
        return replace(self, backend=backend, people=small.resolved(self.people))

    def reentrant(self) -> bool:
        """Returns True, but for backend "vlm", whose model may keep state."""
        return self.resolved("cpu").backend != "vlm"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            InputError: there is no such backend, or no such way to look for people
            MissingWeights: MediaPipe's weights, or the detector's, are not on this machine
            MissingDependency: ai-edge-litert or onnxruntime is not installed
            ModelError: the VLM of backend "vlm" cannot be loaded
        """
        from loupe.brain.measures.anatomy.hand_views import FILES, HandViews

        find = small.finder(self.people)
        _, vlm = vlm_questions.start(self.backend, self.vlm, FILES, device, self.examples)
        views = HandViews(levels=self.levels, max_hands=MAX, find_objects=find)

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.at(_LONG_SIDE).pixels.permute(0, 2, 3, 1).cpu().numpy()
            results = [score_picture(picture, views, vlm, self.min_side) for picture in pictures]
            return self.scores(results, batch.pixels.device)

        return score


@dataclass(frozen=True)
class _Verdict:
    score: float  # NaN: unknown
    reason: str
    implausibility: float
    count: Count | None = None
    form: Shape | None = None


def score_picture(picture: np.ndarray, views: HandViews, vlm: Vlm | None, min_side: int) -> SampleResult:
    """Returns what is said of one picture.

    Args:
        picture: (H, W, 3) uint8 RGB
        views: finds the hands, and sees each of them from several sides
        vlm: is asked about each hand that is large enough; None: the outline alone decides
        min_side: of a hand's box, in pixels, the longer one
    """
    from loupe.brain.measures.anatomy.hand_crops import hand_crops

    crops, missed = hand_crops(picture, views, min_side)
    hands = [crop.hand for crop in crops]
    verdicts = [_by_outline(picture, crop) for crop in crops]
    if vlm is not None:
        asked = [index for index, crop in enumerate(crops) if crop.usable]
        for index, verdict in zip(asked, _asked(picture, [hands[i] for i in asked], vlm), strict=True):
            verdicts[index] = _worse(verdicts[index], *verdict)
    scores = [verdict.score for verdict in verdicts if not math.isnan(verdict.score)]
    ranks = [
        crop.implausibility
        for crop in crops
        if max(crop.hand.box[2:]) >= _MIN_RANKED_SIDE and not math.isnan(crop.implausibility)
    ]
    values = {
        "hand_malformed": max(scores, default=math.nan),
        "hand_implausibility": sum(ranks) / len(ranks) if ranks else math.nan,
        "hands": float(len(hands)),
        "hands_judged": float(len(scores)),
        "hands_missed": float(missed),
    }
    pair = _pair(hands, verdicts)
    points = tuple(_evidence(crop, verdict, pair) for crop, verdict in zip(crops, verdicts, strict=True))
    reason = None if ranks else _UNRANKED
    return SampleResult(values, reason if scores else _why(verdicts, missed), points=points)


def _pair(hands: Sequence[Hand], verdicts: Sequence[_Verdict]) -> float:
    """How far the bones of two hands differ that are the only counted ones of a picture, else NaN."""
    from loupe.brain.measures.anatomy.hand_shape import apart

    counted = [hand for hand, verdict in zip(hands, verdicts, strict=True) if verdict.count is not None]
    return apart(counted[0].world, counted[1].world) if len(counted) == 2 else math.nan


def _why(verdicts: Sequence[_Verdict], missed: int) -> str:
    if not verdicts:
        return f"no hand seen, though {missed} visible wrists are" if missed else "no hand seen"
    reasons = [verdict.reason for verdict in verdicts]
    usual = max(sorted(set(reasons)), key=reasons.count)
    return f"none of {len(verdicts)} hands can be judged: {usual}" if len(verdicts) > 1 else f"the hand: {usual}"


def _by_outline(picture: np.ndarray, crop: HandCrop) -> _Verdict:
    from loupe.brain.measures.anatomy import fingers
    from loupe.brain.measures.anatomy.hand_shape import shape
    from loupe.brain.measures.anatomy.hand_views import patch_of

    hand, rank = crop.hand, crop.implausibility
    form = None if crop.steady is None else shape(hand.world, hand.points)
    if not crop.usable:
        return _Verdict(math.nan, crop.reason, rank, None, form)
    places = hand.points[2:]
    if (places < 0).any() or (places > hand.size).any():
        return _Verdict(math.nan, "cut off by the picture's edge", rank, None, form)
    if rank > UNSTEADY:
        return _Verdict(math.nan, "the landmarks are not steady", rank, None, form)
    count = fingers.count(*patch_of(picture, hand, fingers.SIDE))
    if count.seen is None:
        return _Verdict(math.nan, count.reason, rank, None, form)
    if not count.wrong:
        return _Verdict(0.4 * rank, f"{count.seen} fingers stretched out, as many as expected", rank, count, form)
    reason = f"{count.seen} fingers stretched out, {_expected(count)} expected"
    return _Verdict(0.6 + 0.4 * rank, reason, rank, count, form)


def _asked(picture: np.ndarray, hands: Sequence[Hand], vlm: Vlm) -> list[tuple[float, str]]:
    from loupe.brain.perception.landmarks.hand import hand_region

    crops = [vlm_questions.cut(picture, hand_region(hand.points).scaled(1.1)) for hand in hands]
    answers = vlm_questions.worst(vlm, crops, "hand_malformed")
    return [(answer.score, answer.name.replace("_", " ") or answer.reason) for answer in answers]


def _worse(verdict: _Verdict, score: float, artifact: str) -> _Verdict:
    """The worse of what the outline and what the VLM say; the one that says something where the other does not."""
    if math.isnan(score) or verdict.score >= score:
        return verdict
    return replace(verdict, score=score, reason=f"the VLM was asked for {artifact}: {score:.2f}")


def _expected(count: Count) -> str:
    return (
        str(count.max_expected)
        if count.min_expected == count.max_expected
        else f"{count.min_expected} to {count.max_expected}"
    )


def _evidence(crop: HandCrop, verdict: _Verdict, pair: float) -> Points:
    hand = crop.hand
    known = not math.isnan(verdict.score)
    facts: dict[str, str | float] = {
        "verdict": "unknown" if not known else "malformed" if verdict.score > 0.5 else "sound",
        "reason": verdict.reason,
        "side": hand.side,
    }
    if crop.steady is not None:
        facts["seen_by"] = ", ".join(crop.seen_by) or "none"
    if verdict.form is not None:
        form = verdict.form
        facts |= {"bones_off": form.bones, "bent_too_far": form.bent, "fingers_crossed": float(form.crossed)}
    if known:
        facts["score"] = verdict.score
    if not math.isnan(verdict.implausibility):
        facts["implausibility"] = verdict.implausibility
    if verdict.count is not None and not math.isnan(pair):
        facts["bones_apart"] = pair
    if verdict.count is not None and verdict.count.seen is not None:
        facts |= {"fingers_seen": float(verdict.count.seen), "fingers_expected": _expected(verdict.count)}
    return hand.to_points("hand", **facts)
