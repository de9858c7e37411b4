"""What is known of a line, as numbers that a weighted sum can be made of."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from loupe.brain.core.strings import comparable
from loupe.brain.measures.overlays.finding import LineCandidate, slant

#: what owners write
_OWNED = re.compile(
    r"[©®™@]|\(c\)|\bcopy?right|www|https?:|\.(?:com?|net|org|de|fr|uk|ca|cn|jp|nl|io|info)\b|photo|stock|sample|"
    r"preview|proof|all rights|gett[yv]|shutter|alamy|dreamstime|123rf|版权|著作権|图库",
    re.IGNORECASE,
)
#: what clocks, cameras and players write
_TIME = re.compile(
    r"(?<!\d)(?:\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?!\d)|(?:19|20)?\d\d\s?[-/.'’]\s?\d{1,2}\s?[-/.]\s?(?:19|20)?\d{1,2}(?!\d)|"
    r"'\d\d\s\d{1,2}\s\d{1,2})|\bREC\b|\b(?:AM|PM)\b"
)

#: what road signs, doors and street corners say
_POSTED = re.compile(
    r"stop|halt|yield|give way|one ?way|detour|slow|danger|caution|warning|dead end|do not enter|road closed|"
    r"speed limit|(?:no|keep) [a-z]+(?: [a-z]+)?|exit(?: \d+ ?[a-z]?)?|open|closed|push|pull|entrance|private|school|"
    r"taxi|police|bus stop|parking|(?:[a-z.]+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|blvd|highway)\.?|"
    r"[a-z. ]{3,} \d{1,3}(?: ?(?:km|mi|m))?|\d{1,3} ?(?:km|mi)",
    re.IGNORECASE,
)


def posted(text: str) -> bool:
    """Returns whether a line is, as a whole, what road signs, doors and street corners say.

    >>> posted("SPEED LIMIT"), posted("Mill Lane"), posted("Stop the car now")
    (True, True, False)
    """
    return _POSTED.fullmatch(text.strip()) is not None


def owned(text: str) -> bool:
    """Returns whether a line names an owner: an address, a copyright, a stock library's word.

    >>> owned("www.pixa.net"), owned("FRESH BREAD")
    (True, False)
    """
    return _OWNED.search(text) is not None


def timed(text: str) -> bool:
    """Returns whether a line has a date or a time of day.

    >>> timed("2021-03-04 12:30"), timed("1:02 / 4:59"), timed("427")
    (True, True, False)
    """
    return _TIME.search(text) is not None


def features(candidate: LineCandidate, shape: tuple[int, int], read: bool) -> dict[str, float]:
    """Returns the numbers of one line, each about in [0, 1]; 1 is "very much so".

    Args:
        candidate: the line
        shape: (H, W) of the picture
        read: whether it was read; what depends on the text is taken as usual where not

    The numbers: ``level`` (0 where it slants by 45 degrees), ``upright`` (written up or down), ``edge_y`` and
    ``edge_x`` (0 at the border, 1 a fifth of the picture away), ``corner`` (near both), ``centred``, ``height`` and
    ``width`` of the picture's, ``sure`` of the detector, ``faint``, ``legible``, ``long`` (letters), ``owned``,
    ``timed``, ``posted``, ``even`` (one color), ``lively`` (on an uneven ground), ``blend`` (half transparent),
    ``misfit``, ``strong`` (contrast), ``gray`` (ink without a hue), ``thin``, ``printed`` (opaque on an even ground, as
    print is on a board), ``crisp``, ``plate`` (stands on an even rectangle with straight ends), ``bar`` (which reaches
    the picture's border), ``twins`` and ``mates``.
    """
    height, width = shape
    region = candidate.region
    low, high = region.corners.min(0), region.corners.max(0)
    gap_x = max(0.0, min(float(low[0]), width - float(high[0]))) / width
    gap_y = max(0.0, min(float(low[1]), height - float(high[1]))) / height
    middle = abs(float(low[0] + high[0]) / 2 / width - 0.5)
    angle = abs(slant(region))
    letters = len(comparable(candidate.text))
    ink, plate = candidate.ink, candidate.plate
    values = {
        "level": 1 - min(1.0, min(angle, 90 - min(angle, 90)) / 10),
        "upright": float(angle > 60),
        "edge_y": min(1.0, gap_y / 0.2),
        "edge_x": min(1.0, gap_x / 0.2),
        "corner": math.exp(-(gap_x**2 + gap_y**2) / 0.06**2),
        "centred": math.exp(-((middle / 0.05) ** 2)),
        "height": min(1.0, region.height / height / 0.2),
        "width": min(1.0, region.width / width),
        "sure": region.confidence,
        "faint": float(candidate.faint),
        "legible": candidate.confidence if read else 0.9,
        "long": min(1.0, letters / 10) if read else 0.6,
        "owned": float(read and owned(candidate.text)),
        "timed": float(read and timed(candidate.text)),
        "posted": float(read and posted(candidate.text)),
        "even": 0.0 if ink is None else math.exp(-3 * ink.spread),
        "lively": 0.0 if ink is None else min(1.0, ink.behind),
        "blend": 0.0 if ink is None or math.isnan(ink.opacity) else 1 - ink.opacity,
        "misfit": 0.5 if ink is None else min(1.0, ink.misfit),
        "strong": 0.0 if ink is None else min(1.0, abs(ink.contrast) / 150),
        "grey": 0.0 if ink is None else 1 - ink.saturation,
        "thin": 0.0 if ink is None else 1 - min(1.0, ink.share / 0.4),
        "plate": 0.0 if plate is None else plate.straight * math.exp(-plate.spread / 4),
        "bar": 0.0 if plate is None else plate.straight * min(1.0, plate.borders / 2),
        "twins": min(1.0, candidate.twins / 4),
        "mates": min(1.0, candidate.mates / 6),
        "crisp": candidate.crisp,
    }
    # print on a board or a page: opaque, strong, on an even ground; what is blended in is seldom all three
    values["printed"] = (1 - values["lively"]) * values["strong"] * (1 - values["blend"])
    return values


def likelihood(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Returns the logistic function of the weighted sum, in [0, 1]; the weight of ``""`` is added.

    >>> likelihood({"corner": 1.0}, {"": -1.0, "corner": 1.0})
    0.5
    """
    total = weights.get("", 0.0) + sum(weight * values[name] for name, weight in weights.items() if name)
    return 1 / (1 + math.exp(-min(max(total, -30.0), 30.0)))


def crowded(lines: Sequence[LineCandidate], shape: tuple[int, int]) -> bool:
    """Returns whether a picture is a page: so many different lines that none can be said to be laid over it."""
    own = [line for line in lines if not line.faint and line.twins == 0]
    area = sum(line.region.width * line.region.height for line in own)
    return len(own) >= 20 or (len(own) >= 8 and area > 0.25 * shape[0] * shape[1])
