"""The NSFW check: is the picture sexually explicit?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core.records import Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import open_nsfw, weights

_LONG_SIDE = 512


@dataclass(frozen=True)
class Nsfw(Check):
    """NSFW: sexually explicit pictures, by OpenNSFW.

    A likelihood by a network of 2016 that was trained on photos: its makers call pictures above 0.8 explicit with high
    probability, those below 0.2 safe, and say of those between that it depends on what one is after. It knows no
    violence, no drawings and no context, and what it misses was not measured here: no explicit picture is at hand.
    Bare skin close up, as of wrestlers, babies and dishes, may be taken for more. It decides nothing about people.
    """

    name: ClassVar[str] = "nsfw"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Yahoo's open_nsfw, 2016: https://github.com/yahoo/open_nsfw"
    license: ClassVar[str] = "BSD-2-Clause"
    whole_picture: ClassVar[str] = "it was trained on whole pictures"
    long_side: ClassVar[int | None] = _LONG_SIDE
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 30.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            "nsfw",
            "likelihood",
            False,
            (0.0, 1.0),
            "How likely the picture is sexually explicit.",
            Threshold(">", 0.8, provenance="its makers' line for explicit with high probability"),
            "nsfw",
        ),
    )

    def weights(self) -> tuple[str, ...]:
        """Returns the name of the network's file."""
        return (open_nsfw.WEIGHTS,)

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch; the network runs on the CPU.

        Raises:
            MissingWeights: its file is not here
            MissingDependency: onnxruntime is not installed
            ModelError: the file holds something else
        """
        likelihood = open_nsfw.load(weights.path(open_nsfw.WEIGHTS))

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.at(_LONG_SIDE).pixels.permute(0, 2, 3, 1).cpu().numpy()
            results = [SampleResult({"nsfw": likelihood(picture)}) for picture in pictures]
            return self.scores(results, batch.pixels.device)

        return score
