"""The preference check: how well a picture answers its prompt, by a CLIP that was trained on what people chose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Output, SampleResult, Scores
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import clip

_HOW = 'name weights: Preference(pretrained="FILE"), e.g. HPS_v2.1_compressed.pt of HPSv2 (Apache-2.0)'


@dataclass(frozen=True)
class Preference(Check):
    """Preference: how well a picture answers its prompt in people's eyes.

    The cosine of the vectors of picture and prompt, by a CLIP that was trained on what people chose. With HPSv2's
    weights it is that score (which its makers write times 100); with plain CLIP weights it is CLIPScore's cosine. It
    ranks pictures of one prompt; between prompts it says more about these than about pictures. It follows taste, and
    misses hands, counts and letters. So it is no failure: there is no threshold. Loupe carries no such weights, and
    none was measured here.
    """

    name: ClassVar[str] = "preference"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Wu et al. 2023, arXiv:2306.09341 (HPSv2); Hessel et al. 2021, arXiv:2104.08718 (CLIPScore)"
    )
    license: ClassVar[str] = "Apache-2.0"  # of HPSv2's weights; other weights have their own
    needs: ClassVar[tuple[str, ...]] = ("prompt",)
    long_side: ClassVar[int | None] = clip.LONG_SIDE
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 4000.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("preference", "cosine", True, (-1.0, 1.0), "How well the picture answers its prompt: among its like."),
    )

    model: str = param("ViT-H-14", clip.MODEL_SENTENCE)
    pretrained: str = param("", clip.PRETRAINED_SENTENCE)

    def absent(self) -> str:
        """Returns that no weights are named, where none are."""
        return "" if self.pretrained or ":" in self.model else f"no weights are named: {_HOW}"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            InputError: no weights are named
            ModelError: the model cannot be loaded
            MissingDependency: open_clip is not installed
        """
        if absent := self.absent():
            raise InputError(f"expected weights, got none: {absent}")
        loaded = clip.load(self.model, self.pretrained, device)
        pictures, texts = loaded.pictures(), loaded.texts()

        def score(batch: ImageBatch) -> Scores:
            prompts = [str(prompt or "").strip() for prompt in batch.fields.get("prompt") or ("",) * len(batch)]
            cosines = (pictures(batch) * texts(prompts)).sum(1).clamp(-1, 1).tolist()
            results = [
                SampleResult({"preference": cosine}) if prompt else SampleResult({}, "the sample has no prompt")
                for cosine, prompt in zip(cosines, prompts, strict=True)
            ]
            return self.scores(results, batch.pixels.device)

        return score
