"""Whether what was taken for a hand is one: several detectors are asked, which do not know of each other.

The palm detector takes feet, ears, elbows and folds of cloth for hands, too. So each crop is looked at again by the
palm detector, as it is and mirrored; by the landmark model, mirrored, turned and scaled; and by the body model, which
says where the wrists of people are. ``hand_crops`` returns all crops with who saw a hand in each, and why one cannot be
judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.measures.anatomy import glove_color
from loupe.brain.measures.anatomy.hand_shape import Steadiness, implausibility
from loupe.brain.measures.anatomy.owners import owner

if TYPE_CHECKING:
    from loupe.brain.core.records import Box
    from loupe.brain.measures.anatomy.hand_views import HandViews
    from loupe.brain.perception.landmarks.hand import Hand

#: who may see a hand: the palm detector in both views, the landmark model in all views, the body model at a wrist
SEERS = ("palm", "landmarks", "body")
#: so many of them have to see a hand for it to be judged, and for it to be ranked
MIN_JUDGED, MIN_RANKED = 2, 1
#: so many hands of a picture are looked at again, the surest: a crowd must not take longer than two seconds
MAX_LOOKS = 10
#: why a crop cannot be judged
SMALL = "smaller than {} pixels"
CROWD = "one of many hands: only the {} surest are looked at"
UNSURE = "the detectors do not agree that it is a hand"
ANIMAL = "it lies on an animal"
GLOVE = "may be a glove: it is {}"
#: how sure the landmark model has to be in each view, and the palm detector in both; chosen on half of the prompts of
#: the generated people (``python -m benchmarks.anatomy hand-crops``)
_SURE_LANDMARKS, _SURE_PALM = 0.9, 0.5
#: how far the body model's wrist may be from the hand's, in longer sides of the hand
_MAX_OFF_WRIST = 0.5


@dataclass(frozen=True, eq=False)
class HandCrop:
    """What was taken for a hand.

    Attributes:
        hand: its 21 points; ``hand_views.patch_of`` cuts it out upright
        seen_by: which of ``SEERS`` see a hand there; empty for one that is not looked at again. The palm detector is
            not asked where the other two agree
        steady: how far the landmark model's passes over it disagree; None where it is not looked at again
        implausibility: of ``hand_shape``, in [0, 1], worse where higher; NaN where it is not to be ranked
        reason: why it cannot be judged; empty where it is a hand that can be looked at
    """

    hand: Hand
    seen_by: tuple[str, ...] = ()
    steady: Steadiness | None = None
    implausibility: float = math.nan
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether it is a hand that can be looked at."""
        return not self.reason


def hand_crops(picture: np.ndarray, views: HandViews, min_side: int) -> tuple[list[HandCrop], int]:
    """Returns all that was taken for a hand, the surest first, and how many visible wrists of people have none.

    Args:
        picture: (H, W, 3) uint8 RGB
        views: finds the hands and the wrists, and looks at each hand from several sides
        min_side: of a hand's box, in pixels, the longer one: smaller ones are not looked at again

    Example:
        >>> crops, missed = hand_crops(picture, views, 40)  # doctest: +SKIP
        >>> [crop.reason or crop.seen_by for crop in crops]  # doctest: +SKIP
        [('palm', 'landmarks'), 'the detectors do not agree that it is a hand']
    """
    scene = views.scene(picture)
    colors = glove_color.glove_colors(picture, scene.hands)
    crops: list[HandCrop] = []
    looks = 0
    for hand, color in zip(scene.hands, colors, strict=True):
        side = max(hand.box[2:])
        if side < min_side:
            crops.append(HandCrop(hand, reason=SMALL.format(min_side)))
            continue
        if looks == MAX_LOOKS:
            crops.append(HandCrop(hand, reason=CROWD.format(MAX_LOOKS)))
            continue
        looks += 1
        steady = views.steadiness(picture, hand)
        seen_by = _seen_by(picture, views, hand, steady, scene.wrists)
        rank = implausibility(steady, hand.score) if len(seen_by) >= MIN_RANKED else math.nan
        crops.append(HandCrop(hand, seen_by, steady, rank, _reason(hand, seen_by, color, scene.objects)))
    return crops, scene.missed


def _seen_by(
    picture: np.ndarray, views: HandViews, hand: Hand, steady: Steadiness, wrists: np.ndarray
) -> tuple[str, ...]:
    off = np.linalg.norm(wrists - hand.points[0], axis=1).min(initial=np.inf)
    seen = {
        "landmarks": min(hand.presence, 1 - steady.absent) >= _SURE_LANDMARKS,
        "body": off < _MAX_OFF_WRIST * max(hand.box[2:]),
    }
    # it costs the most, and is not needed where the other two agree
    seen["palm"] = not all(seen.values()) and views.palm_again(picture, hand) >= _SURE_PALM
    return tuple(name for name in SEERS if seen[name])


def _reason(hand: Hand, seen_by: Sequence[str], color: str, objects: Sequence[Box]) -> str:
    if owner(hand, objects) == "animal":
        return ANIMAL
    # the color is told before the doubt: hardly any detector is sure of a glove
    if color:
        return GLOVE.format(color)
    return UNSURE if len(seen_by) < MIN_JUDGED else ""
