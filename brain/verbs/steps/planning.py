"""Which checks of those that were chosen can run here: what ``check`` does of pictures and of objects."""

from __future__ import annotations

from collections.abc import Sequence

from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.specs import Check
from loupe.brain.perception import weights


def with_weights(specs: Sequence[Check]) -> tuple[list[Check], dict[str, str]]:
    """Returns the checks whose model files are there, and for each of the others why it cannot run.

    Raises:
        MissingWeights: no check is left
    """
    ready, absent = [], {}
    for spec in specs:
        if lacking := spec.absent() or weights.lacking(spec.weights()):
            absent[spec.name] = f"left out: {lacking}"
        else:
            ready.append(spec)
    if absent and not ready:
        raise MissingWeights("; ".join(f"{name}: {reason}" for name, reason in absent.items()))
    return ready, absent
