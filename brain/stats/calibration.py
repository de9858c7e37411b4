"""How well a score tells flawed pictures from clean ones, and where its threshold has to be for a wanted rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from loupe.brain.core.records import Output, Record, Scores, Threshold
from loupe.brain.core.shares import tenths, whole
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.stats.intervals import wilson
from loupe.brain.stats.risk import guaranteed_threshold, min_known

if TYPE_CHECKING:
    from loupe.brain.core.specs import Defect

#: below this AUROC a score is not said to tell flawed pictures from others
MIN_AUROC = 0.7


@dataclass(frozen=True)
class Share(Record):
    """How many of some pictures lie on the failing side of a threshold.

    Attributes:
        n: how many have a known score
        flagged: how many of them are on the failing side
        unknown: how many have no known score
        rate: flagged / n in [0, 1]; NaN when n is 0
        low, high: the 95 % interval of the rate; NaN when n is 0
    """

    n: int
    flagged: int
    unknown: int
    rate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{tenths(self.rate)} [{tenths(self.low)}, {tenths(self.high)}]" if self.n else "not known"


@dataclass(frozen=True)
class OperatingPoint(Record):
    """What a threshold does.

    Attributes:
        threshold: the threshold
        false_positive_rate: of the pictures as they are
        recall: of the copies with the defect, for each severity
    """

    threshold: Threshold
    false_positive_rate: Share
    recall: tuple[Share, ...]


@dataclass(frozen=True)
class CalibratedFailure(Record):
    """How well one failure mode is found in a set of pictures, measured by putting it into copies of them.

    Attributes:
        failure: the failure mode
        check: the check that flags it
        score: the check's output that is thresholded
        unit: of the severities
        severities: what was put in, the mildest first
        auroc: for each severity, how often a flawed copy scores worse than a picture as it is; NaN if not known
        current: with the dataset's own threshold, else the default one
        proposed: with the threshold for the wanted rate; None if none can be proposed
        reason: why none is proposed; empty if one is
        comparison: what the proposed threshold does against the current one, in a sentence; empty if none is proposed
        worse: whether the current one is no worse at the wanted rate: it keeps to that rate, or to the proposed one's,
            and finds more; or it flags fewer pictures as they are and finds no fewer flaws
    """

    failure: str
    check: str
    score: str
    unit: str
    severities: tuple[float, ...]
    auroc: tuple[float, ...]
    current: OperatingPoint
    proposed: OperatingPoint | None
    reason: str = ""
    comparison: str = ""
    worse: bool = False


@dataclass(frozen=True)
class Calibration(Record):
    """What ``calibrate`` measured.

    Attributes:
        key: the run's name on the dataset
        n: how many pictures were measured
        unreadable: how many further files could not be read
        wanted: the share of the pictures as they are that a proposed threshold may flag
        rows: the failure modes
        seconds: wall time
        device: where it ran
        params: the settings it ran with
        messages: up to 100 errors by sample id: files that cannot be read, checks and defects that broke on a picture
        verb: which verb ran
    """

    key: str
    n: int
    unreadable: int
    wanted: float
    rows: tuple[CalibratedFailure, ...]
    seconds: float = 0.0
    device: str = "cpu"
    params: Mapping[str, Any] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    verb: str = "calibrate"

    @property
    def thresholds(self) -> dict[str, Threshold]:
        """The proposed thresholds by failure mode, as ``flag`` takes them."""
        return {row.failure: row.proposed.threshold for row in self.rows if row.proposed}

    @property
    def worse(self) -> tuple[str, ...]:
        """The failure modes whose proposed threshold is worse than the one in use: keep that one."""
        return tuple(row.failure for row in self.rows if row.worse)

    def __repr__(self) -> str:
        head = (
            f"Calibration({self.key}: {self.n} pictures, {self.unreadable} unreadable, at most {tenths(self.wanted)} "
            f"wanted, {self.seconds:.1f} s on {self.device})"
        )
        lines: list[tuple[str, ...]] = [("", "threshold", "false positives", "recall, mildest first")]
        for row in self.rows:
            lines.append((row.failure, *_point(row.current)))
            lines.append(("  proposed", *_point(row.proposed)) if row.proposed else ("  none proposed", row.reason))
            if row.worse:
                lines.append(("  WARNING", row.comparison))
        widths = [max(len(line[at]) for line in lines if len(line) == 4) for at in range(3)]
        return "\n".join([head, *(_line(line, widths) for line in lines)])


def _point(point: OperatingPoint) -> tuple[str, str, str]:
    recall = " ".join(f"{whole(share.rate)}" if share.n else "?" for share in point.recall)
    return f"{point.threshold.op} {point.threshold.value:.4g}", str(point.false_positive_rate), recall


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)), *cells[3:]]).rstrip()


def spread(n: int, limit: int, seed: int) -> np.ndarray:
    """Returns 0 … n - 1 in the order in which to take them: first one out of each of ``limit`` equal parts, in random
    order, then the others, in random order.

    >>> sorted((spread(100, 4, seed=0)[:4] // 25).tolist())
    [0, 1, 2, 3]
    """
    rng = np.random.default_rng(seed)
    edges = np.arange(min(limit, n) + 1) * n // min(limit, n)
    first = rng.permutation(rng.integers(edges[:-1], edges[1:]))
    return np.concatenate([first, rng.permutation(np.setdiff1d(np.arange(n), first))])


def auroc(clean: np.ndarray, flawed: np.ndarray) -> float:
    """Returns the area under the ROC curve in [0, 1]: how often a flawed picture's score is above a clean one's.

    Half is chance; ties count half; NaN where either has no known score. By ranks, as Mann & Whitney, Annals of
    Mathematical Statistics 18 (1947).

    Args:
        clean: (N,) scores, higher is worse; NaN is left out
        flawed: (M,) scores

    >>> auroc(np.array([0.1, 0.2, 0.3]), np.array([0.25, 0.4]))
    0.8333333333333334
    """
    clean, flawed = clean[~np.isnan(clean)], flawed[~np.isnan(flawed)]
    if not len(clean) or not len(flawed):
        return math.nan
    ordered = np.sort(clean)
    below = np.searchsorted(ordered, flawed, "left") + np.searchsorted(ordered, flawed, "right")
    return float(below.mean() / (2 * len(clean)))


def threshold_for(clean: np.ndarray, op: Literal["<", ">"], rate: float) -> float:
    """Returns the threshold nearest to the clean scores that at most ``rate`` of them are beyond.

    It lies on a clean score: "beyond" is strictly above, or strictly below, so that this one does not fail.

    Args:
        clean: (N,) scores as stored; NaN is left out
        op: of the threshold
        rate: in [0, 1)

    Raises:
        ValueError: no known score

    >>> threshold_for(np.arange(100.0), ">", 0.02)
    97.0
    """
    ordered = np.sort(clean[~np.isnan(clean)])
    if not len(ordered):
        raise ValueError("expected at least one known score of a clean picture, got none")
    # the tiny addition keeps 0.01 * 300 = 2.9999999999999996 from being 2
    allowed = min(math.floor(rate * len(ordered) + 1e-9), len(ordered) - 1)
    return float(ordered[allowed] if op == "<" else ordered[-1 - allowed])


def propose(
    clean: np.ndarray, flawed: np.ndarray, op: Literal["<", ">"], rate: float
) -> tuple[Threshold, str] | tuple[None, str]:
    """Returns the threshold that flags a further clean picture by at most ``rate``, or None and why there is none.

    In expectation, by conformal risk control: see ``risk.guaranteed_threshold``.

    Args:
        clean: (N,) scores as stored; NaN is left out
        flawed: (M,) scores with the strongest defect; NaN is left out
        op: of the threshold
        rate: in (0, 1)

    >>> propose(np.arange(99.0), np.arange(90.0, 190.0), ">", 0.02)[0].value
    97.0
    >>> propose(np.arange(10.0), np.arange(20.0), ">", 0.02)[0] is None
    True
    """
    clean, flawed = clean[~np.isnan(clean)], flawed[~np.isnan(flawed)]
    if len(clean) < min_known(rate):
        return None, (
            f"a rate of {tenths(rate)} needs {min_known(rate)} known scores to choose from, got {len(clean)}: "
            "take more pictures, or a higher rate"
        )
    if not len(flawed):
        return None, "no copy with the strongest defect has a known score"
    worse = 1 if op == ">" else -1
    apart = auroc(worse * clean, worse * flawed)
    if apart < MIN_AUROC:
        return None, f"the score does not tell the strongest defect from these pictures: AUROC {apart:.2f}"
    value = guaranteed_threshold(clean, op, rate)
    if not math.isfinite(value) or Threshold(op, value).violates(flawed).mean() <= rate:
        return (
            None,
            f"too many of these pictures score as badly as the strongest defect: at {tenths(rate)} it is not found",
        )
    return Threshold(op, value), ""


def operating_point(threshold: Threshold, scores: np.ndarray) -> OperatingPoint:
    """Returns what a threshold does.

    Args:
        threshold: the threshold
        scores: (N, 1 + severities): of N pictures as they are, then with the defect at each severity; NaN as unknown
    """
    clean, *flawed = (share_of(threshold, column) for column in scores.T)
    return OperatingPoint(threshold, clean, tuple(flawed))


def compared(current: OperatingPoint, proposed: OperatingPoint, wanted: float) -> tuple[str, bool]:
    """Returns what a proposed threshold does against the current one, in a sentence, and whether it is worse.

    Both were measured on the same pictures with the same score: the one that flags more of them finds more flaws, too.
    So it is worse where the current one does as well at the rate that was asked for, or at its own.

    Args:
        current: the threshold in use
        proposed: the other one
        wanted: the share of the pictures as they are that may be flagged
    """
    mine, other = proposed.false_positive_rate, current.false_positive_rate
    finds, found_now = _share_found(proposed.recall), _share_found(current.recall)
    if not mine.n or not other.n or math.isnan(finds) or math.isnan(found_now):
        return "It cannot be compared with today's: too many scores are unknown.", False
    alike = mine.flagged == other.flagged and finds == found_now
    loses = finds < found_now and other.rate <= max(wanted, mine.rate)
    costs = finds <= found_now and mine.rate > other.rate
    worse = not alike and (loses or costs)
    if alike:
        verdict = "Does as today's does"
    elif worse:
        verdict = "WORSE than today's, which also keeps to the rate" if other.rate <= wanted else "WORSE than today's"
    elif mine.rate <= other.rate and finds >= found_now:
        verdict = "Better than today's"
    elif mine.rate < other.rate:
        verdict = "Stricter than today's: fewer false alarms, and fewer flaws found"
    else:
        verdict = "Laxer than today's: more flaws found, and more false alarms"
    facts = f"of the same {mine.n} pictures it flags {tenths(mine.rate)} and finds {whole(finds)} of the flaws, "
    facts += f"today's {tenths(other.rate)} and {whole(found_now)}"
    if mine.low > wanted:
        facts += f"; that is more than the {tenths(wanted)} that were asked for"
    return f"{verdict}: {facts}.", worse


def _share_found(recall: Iterable[Share]) -> float:
    """Returns the share of all flawed copies that are flagged, whatever the severity; NaN where none has a score."""
    shares = list(recall)
    n = sum(share.n for share in shares)
    return sum(share.flagged for share in shares) / n if n else math.nan


def share_of(threshold: Threshold, scores: np.ndarray) -> Share:
    """Returns how many of the (N,) scores fail, with the 95 % Wilson interval; NaN counts as unknown."""
    n = int((~np.isnan(scores)).sum())
    flagged = int(threshold.violates(scores).sum())
    low, high = wilson(flagged, n)
    return Share(n, flagged, len(scores) - n, flagged / n if n else math.nan, float(low), float(high))


def score(scorer: Callable[[ImageBatch], Scores], output: Output, pixels: np.ndarray, device: str = "cpu") -> float:
    """Returns one output for one (H, W, 3) uint8 picture; NaN where unknown."""
    import torch

    height, width = pixels.shape[:2]
    planes = torch.from_numpy(np.array(pixels)[None].transpose(0, 3, 1, 2)).to(device)
    return float(scorer(ImageBatch(("",), planes, ((width, height),)))[output.name][0])


def injected(
    defect: Defect, pixels: np.ndarray, seed: Iterable[int], severities: Iterable[float] | None = None
) -> list[np.ndarray]:
    """Returns a copy of the picture with the defect at each severity; the same seed places it the same."""
    entropy = list(seed)
    return [
        defect.inject(pixels, severity, np.random.default_rng(entropy))
        for severity in (defect.severities if severities is None else severities)
    ]
