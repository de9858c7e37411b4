"""Whether a part fails more often than the rest, and how many times as often: exact tests, also of clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def excess_p(
    failures: ArrayLike, n: ArrayLike, rest_failures: ArrayLike, rest_n: ArrayLike, design: ArrayLike = 1.0
) -> np.ndarray:
    """Returns the one-sided p-values, in [0, 1], of "the part does not fail more often than the rest": float64 arrays.

    Fisher's exact test, the tail of the hypergeometric distribution. Where samples come in clusters that share their
    fate, all counts are divided by the design effect first (J. N. K. Rao & A. J. Scott, Biometrics 48, 1992); a number
    of failures that is then not whole lies between the p-values of its neighbors, on a scale of logarithms. 1 where the
    part or the rest is empty.

    Args:
        failures, n: of the part: how many of its n samples failed
        rest_failures, rest_n: of the rest
        design: the design effect, at least 1: by how much clusters inflate the variance, see ``effective_n``

    >>> excess_p([3, 0], [3, 3], 1, 7).round(4).tolist()  # 1/30: all four failures among three and one of seven
    [0.0333, 1.0]
    """
    from scipy.stats import hypergeom

    k, size, rest_k, rest_size, scale = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (failures, n, rest_failures, rest_n, design))
    )
    scale = np.maximum(scale, 1.0)
    counts = [np.rint(each / scale).astype(np.int64) for each in (size, k + rest_k, size + rest_size)]
    part, failed, every = counts
    wanted = k / scale

    def tail(count: np.ndarray) -> np.ndarray:
        # what rounding makes impossible has no p-value of its own: the nearest that is possible is taken
        possible = np.clip(count, np.maximum(0, part + failed - every), np.minimum(part, failed))
        return np.asarray(hypergeom.sf(possible - 1, every, failed, part), dtype=np.float64)

    below = np.floor(wanted + 1e-9)
    share = np.clip(wanted - below, 0, 1)
    low, high = tail(below.astype(np.int64)), tail(below.astype(np.int64) + 1)
    tiny = np.finfo(np.float64).tiny
    p = np.exp((1 - share) * np.log(np.maximum(low, tiny)) + share * np.log(np.maximum(high, tiny)))
    return np.where((size > 0) & (rest_size > 0), np.clip(np.where(share < 1e-9, low, p), 0, 1), 1.0)


def risk_ratio(
    failures: float, n: float, rest_failures: float, rest_n: float, design: float = 1.0, rest_design: float = 1.0
) -> tuple[float, float, float]:
    """Returns how many times as often a part fails as the rest, and the ends of the 95 % interval: (ratio, low, high).

    The interval is that of the logarithm, with half a failure and half a sample added on each side, so that it is known
    for no failures, too (S. D. Walter, Biometrika 62, 1975). The ratio itself has nothing added: it is infinite where
    the rest never fails, and NaN where nothing fails or a side is empty.

    Args:
        failures, n: of the part
        rest_failures, rest_n: of the rest
        design, rest_design: the design effects of both, at least 1

    >>> tuple(round(each, 2) for each in risk_ratio(30, 100, 10, 100))
    (3.0, 1.52, 5.53)
    """
    if not n or not rest_n or not (failures or rest_failures):
        return float("nan"), float("nan"), float("nan")
    ratio = failures / n / (rest_failures / rest_n) if rest_failures else float("inf")
    logarithm = np.log((failures + 0.5) / (n + 0.5)) - np.log((rest_failures + 0.5) / (rest_n + 0.5))
    variance = max(design, 1.0) * (1 / (failures + 0.5) - 1 / (n + 0.5))
    variance += max(rest_design, 1.0) * (1 / (rest_failures + 0.5) - 1 / (rest_n + 0.5))
    half = 1.959963984540054 * np.sqrt(variance)
    return ratio, float(np.exp(logarithm - half)), float(np.exp(logarithm + half))
