"""Looks closely at the pairs that are alike on their thumbnails: other entries in one form are seen there only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loupe.brain.core import machine
from loupe.brain.similarity import close_look
from loupe.brain.similarity.matching import Candidates, connected
from loupe.brain.similarity.thumbnail_similarity import SIDE, Thumbnails, aligned, turned

#: pairs above that are looked at: well below any threshold of use
LOOKED_AT = 0.7
#: where something differs that nothing explains, the similarity is at most that
_OTHER = 0.5
#: pictures with a preview of fewer pixels show little more than a thumbnail: they prove nothing of two others
_PROVES = 256 * 256
_AT_ONCE = 32

#: gives the preview of a place, or None where its file has gone
PreviewOf = Callable[[int], np.ndarray | None]


def verified(
    thumbs: Thumbnails,
    pairs: Candidates,
    similar: np.ndarray,
    look: PreviewOf,
    *,
    workers: int | None = None,
    step: Callable[[int, int], None] = lambda *_: None,
) -> np.ndarray:
    """Returns the (P,) similarities, those of pairs with an unexplained difference lowered to 0.5 at most.

    Only pairs above 0.7 are looked at, one of each that two candidates name, and none whose two are known to be the
    same as a third: k copies of one picture cost about k looks. A pair whose files have gone keeps its similarity.

    Args:
        thumbs: the thumbnails
        pairs: P candidates
        similar: (P,) float32, their similarities by thumbnails
        look: gives the previews; threads call it
        workers: threads; the number of cores by default
        step: called now and then with the numbers of pairs done and of all that are looked at
    """
    from concurrent.futures import ThreadPoolExecutor

    result = similar.copy()
    of_pair = _looked_at(pairs, similar)
    # neighbors in this order share a picture, whose preview is held
    waiting = sorted(of_pair)
    same: list[tuple[int, int]] = []
    group: dict[int, int] = {}

    def apart(pair: tuple[int, int]) -> float:
        best = max(of_pair[pair], key=lambda index: similar[index])
        a, b = int(pairs.a[best]), int(pairs.b[best])
        return _apart(thumbs, a, b, int(pairs.turn[best]), int(pairs.window[best]), look)

    def proves(place: int) -> bool:
        seen = look(place)
        return seen is not None and seen.shape[0] * seen.shape[1] >= _PROVES

    with ThreadPoolExecutor(workers or machine.cores()) as pool:
        for start in range(0, len(waiting), _AT_ONCE):
            part = waiting[start : start + _AT_ONCE]
            asked = [(a, b) for a, b in part if a not in group or group[a] != group.get(b, -1)]
            for pair, left in zip(asked, pool.map(apart, asked), strict=True):
                if left > 0:
                    lowered = _OTHER * (1 - left)
                    for index in of_pair[pair]:
                        result[index] = min(result[index], lowered)
                elif proves(pair[0]) and proves(pair[1]):
                    same.append(pair)
            group = {member: members[0] for members in connected(len(thumbs), same) for member in members}
            step(start + len(part), len(waiting))
    return result


def _looked_at(pairs: Candidates, similar: np.ndarray) -> dict[tuple[int, int], list[int]]:
    """Returns the places of the candidates of each two pictures that are alike by one of them; of no others."""
    low, high = np.minimum(pairs.a, pairs.b), np.maximum(pairs.a, pairs.b)
    keys = low * (int(high.max(initial=0)) + 1) + high
    of_pair: dict[tuple[int, int], list[int]] = {}
    for index in np.flatnonzero(np.isin(keys, keys[similar > LOOKED_AT])).tolist():
        of_pair.setdefault((int(low[index]), int(high[index])), []).append(index)
    return of_pair


def _apart(thumbs: Thumbnails, a: int, b: int, turn: int, window: int, look: PreviewOf) -> float:
    """Returns the share of the structure that differs unexplained; 0 where a file has gone."""
    first, second = look(a), look(b)
    if first is None or second is None:
        return 0.0
    _, warp = aligned(thumbs, a, b, turn, window)
    upright = np.ascontiguousarray(turned(second.transpose(2, 0, 1), turn).transpose(1, 2, 0))
    return close_look.unexplained(upright, first, close_look.in_sides(warp, (SIDE, SIDE)))
