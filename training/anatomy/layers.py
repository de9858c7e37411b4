"""What the landmark network itself sees of a hand, just before it says where the points are."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from loupe.brain.perception import weights
from loupe.brain.perception.landmarks import crop
from training.anatomy.crops import Crop

_NETWORK = "hand_landmark_full"
#: the features that all of the network's outputs are read from
WIDTH = 1152


@cache
def _interpreter() -> tuple[Any, int]:
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(str(weights.path(_NETWORK)), num_threads=1, experimental_preserve_all_tensors=True)
    made.allocate_tensors()
    # the pooled features are the one tensor of this shape that is no weight: those are read from the file
    pooled = [
        int(part["index"])
        for part in made.get_tensor_details()
        if tuple(part["shape"]) == (1, WIDTH) and "MatMul" not in part["name"]
    ]
    assert len(pooled) == 1, f"expected one tensor of 1 x {WIDTH}, got {len(pooled)}"
    return made, pooled[0]


def features(hand: Crop) -> np.ndarray:
    """Returns the network's last features of a hand: (1152,) float32."""
    interpreter, pooled = _interpreter()
    given = interpreter.get_input_details()[0]
    side = int(given["shape"][1])
    picture = crop.cut(hand.patch, hand.region, side, border=True).astype(np.float32) / 255
    interpreter.set_tensor(given["index"], picture[None])
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(pooled)).reshape(-1).copy()
