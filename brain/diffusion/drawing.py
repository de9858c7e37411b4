"""Requests to images, with a loaded pipeline: the image of a request depends on nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.diffusion.quiet import quiet

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, eq=False)
class Drawer:
    """A loaded pipeline with its settings.

    Attributes:
        pipeline: of diffusers
        model: its name, for errors
        at_once: how many images a call draws
        settings: arguments of every call
        blank: what stands for "no negative prompt" where guidance is on only with one; None: nothing has to
        tokens: how much of a prompt the pipeline reads at most; None: as much as its text encoders
    """

    pipeline: Any
    model: str
    at_once: int
    settings: Mapping[str, Any]
    blank: str | None
    tokens: int | None

    def draw(self, requests: Sequence[Request]) -> list[Image]:
        """Returns an RGB image for each request; ``info`` has ``prompt_truncated``, and ``nsfw`` from a safety checker.

        Raises:
            InputError: the model draws other sizes than the one asked for
            ModelError: it does not fit into memory, or cannot draw with these settings
        """
        images: dict[int, Image] = {}
        # an empty negative prompt is not the same as none: several families have zeros for the latter
        parts = [
            [at for at, request in enumerate(requests) if bool(request.negative_prompt) is has] for has in (False, True)
        ]
        with quiet():
            for part in parts:
                for start in range(0, len(part), self.at_once):
                    chunk = part[start : start + self.at_once]
                    images |= zip(chunk, self._call([requests[at] for at in chunk]), strict=True)
        return [images[at] for at in range(len(requests))]

    def _call(self, requests: Sequence[Request]) -> list[Image]:
        import torch

        # always the same shape, see the generator's class; what is filled up is thrown away
        filled = [*requests, *[requests[-1]] * (self.at_once - len(requests))]
        extra: dict[str, Any] = {}
        negative = [request.negative_prompt or self.blank for request in filled]
        if negative[0] is not None:
            extra["negative_prompt"] = negative
        try:
            output = self.pipeline(
                prompt=[request.prompt for request in filled],
                # noise from the CPU is the same noise on every device
                generator=[torch.Generator("cpu").manual_seed(request.seed) for request in filled],
                output_type="pil",
                **self.settings,
                **extra,
            )
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.model} does not fit into the memory of {self.pipeline.device}: choose a smaller width and "
                "height, images_per_call=1, dtype='float16', memory='offload' or quantize='nf4'"
            ) from error
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.model} cannot draw with {dict(self.settings)}: {error}"[:1000]) from error
        flagged = output.get("nsfw_content_detected")
        images = []
        for position, request in enumerate(requests):
            image = output.images[position].convert("RGB")
            self._require_size(image)
            image.info = {"prompt_truncated": self._is_truncated(request)}
            if flagged is not None:
                image.info["nsfw"] = bool(flagged[position])
            images.append(image)
        return images

    def _require_size(self, image: Image) -> None:
        asked = self.settings.get("width", image.width), self.settings.get("height", image.height)
        if asked != image.size:
            raise InputError(
                f"expected {self.model} to draw {asked[0]} x {asked[1]} pixels, got {image.width} x {image.height}: it "
                "draws other sizes only, ask for that one"
            )

    def _is_truncated(self, request: Request) -> bool:
        """Returns whether every text encoder gets less than the whole of one of the prompts."""
        parts = [part for name, part in self.pipeline.components.items() if "tokenizer" in name and part is not None]
        # a processor of texts and images holds its tokenizer
        tokenizers = [getattr(part, "tokenizer", part) for part in parts]
        limits = [min(part.model_max_length, self.tokens or part.model_max_length) for part in tokenizers]
        return any(
            bool(tokenizers)
            and all(len(part(text).input_ids) > limit for part, limit in zip(tokenizers, limits, strict=True))
            for text in (request.prompt, request.negative_prompt)
        )
