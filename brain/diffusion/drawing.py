"""Requests to images, with a loaded pipeline: the image of a request depends on nothing beside it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loupe.brain.core import interrupts
from loupe.brain.core.errors import InputError, LoupeError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.diffusion.conditioned import Pipelines, Way, arguments, pipeline_of, way_of
from loupe.brain.diffusion.controlnets import without_chance
from loupe.brain.diffusion.loading import require_size
from loupe.brain.diffusion.quiet import quiet

if TYPE_CHECKING:
    from PIL.Image import Image


_GUIDING = ("guidance_scale", "true_cfg_scale")


@dataclass(frozen=True, eq=False)
class Drawer:
    """A loaded model with its settings.

    Attributes:
        pipelines: what of it draws from what
        model: its name, for errors
        at_once: how many images a call draws
        settings: arguments of every call
        blank: what stands for "no negative prompt" where guidance is on only with one; None: nothing has to
        tokens: how much of a prompt the pipeline reads at most; None: as much as its text encoders
    """

    pipelines: Pipelines
    model: str
    at_once: int
    settings: Mapping[str, Any]
    blank: str | None
    tokens: int | None

    def draw(self, requests: Sequence[Request]) -> list[Image]:
        """Returns an RGB image for each request; ``info`` has ``prompt_truncated``, and ``nsfw`` from a safety checker.

        Raises:
            InputError: the model draws other sizes than the one asked for, or does not take such a picture
            ModelError: it does not fit into memory, or cannot draw with these settings
        """
        alike: dict[tuple[Way, bool], list[int]] = {}
        for at, request in enumerate(requests):
            # an empty negative prompt is not the same as none: several families have zeros for the latter
            alike.setdefault((way_of(self.pipelines, request), bool(request.negative_prompt)), []).append(at)
        images: dict[int, Image] = {}
        with quiet():
            for (way, _), places in alike.items():
                for start in range(0, len(places), self.at_once):
                    part = places[start : start + self.at_once]
                    images |= zip(part, self._call([requests[at] for at in part], way), strict=True)
        return [images[at] for at in range(len(requests))]

    def _call(self, requests: Sequence[Request], way: Way) -> list[Image]:
        import torch

        # always the same shape, see the generator's class; what is filled up is thrown away
        filled = [*requests, *[requests[-1]] * (self.at_once - len(requests))]
        pipeline = pipeline_of(self.pipelines, way)
        settings = self._settings(pipeline, way)
        settings |= arguments(pipeline, filled, way, settings.get("num_inference_steps"))
        negative = [request.negative_prompt or self.blank for request in filled]
        if negative[0] is not None:
            settings["negative_prompt"] = negative
        self._require_taken(pipeline, requests, settings)
        try:
            with without_chance(pipeline):
                output = pipeline(
                    prompt=[request.prompt for request in filled],
                    # noise from the CPU is the same noise on every device
                    generator=[torch.Generator("cpu").manual_seed(request.seed) for request in filled],
                    output_type="pil",
                    **_stoppable(pipeline, settings),
                )
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.model} does not fit into the memory of {pipeline.device}: choose a smaller width and "
                "height, images_per_call=1, dtype='float16', placement='offload' or quantize='nf4'"
            ) from error
        except LoupeError:
            raise
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.model} cannot draw with {dict(self.settings)}: {error}"[:1000]) from error
        flagged = output.get("nsfw_content_detected")
        images = []
        for position, request in enumerate(requests):
            image = output.images[position].convert("RGB")
            self._require_size(image, settings)
            image.info = {"prompt_truncated": self._is_truncated(pipeline, request)}
            if flagged is not None:
                image.info["nsfw"] = bool(flagged[position])
            images.append(image)
        return images

    def _settings(self, pipeline: Any, way: Way) -> dict[str, Any]:
        if way.size is None:
            if way.asked is None:
                return dict(self.settings)
            require_size(pipeline, self.model, *way.asked)
            return {**self.settings, "width": way.asked[0], "height": way.asked[1]}
        # the picture says how large the image is; not every pipeline of a family takes the same
        known = inspect.signature(pipeline.__call__).parameters.keys() - {"width", "height"}
        return {name: value for name, value in self.settings.items() if name in known}

    def _require_taken(self, pipeline: Any, requests: Sequence[Request], settings: dict[str, Any]) -> None:
        """Raises an error where a pipeline of the family does not take what guides its others; leaves a blank out."""
        known = inspect.signature(pipeline.__call__).parameters
        lost = [name for name in _GUIDING if name in self.settings and name not in known]
        if lost or ("negative_prompt" not in known and any(request.negative_prompt for request in requests)):
            raise InputError(
                f"expected no {lost[0] if lost else 'negative prompt'} of {self.model} from what this begins with: its "
                f"{type(pipeline).__name__} takes none; leave it out"
            )
        if "negative_prompt" not in known:
            settings.pop("negative_prompt", None)

    def _require_size(self, image: Image, settings: Mapping[str, Any]) -> None:
        asked = settings.get("width", image.width), settings.get("height", image.height)
        if asked != image.size:
            raise InputError(
                f"expected {self.model} to draw {asked[0]} x {asked[1]} pixels, got {image.width} x {image.height}: it "
                "draws other sizes only, ask for that one"
            )

    def _is_truncated(self, pipeline: Any, request: Request) -> bool:
        """Returns whether every text encoder gets less than the whole of one of the prompts."""
        parts = [part for name, part in pipeline.components.items() if "tokenizer" in name and part is not None]
        # a processor of texts and images holds its tokenizer
        tokenizers = [getattr(part, "tokenizer", part) for part in parts]
        limits = [min(part.model_max_length, self.tokens or part.model_max_length) for part in tokenizers]
        return any(
            bool(tokenizers)
            and all(len(part(text).input_ids) > limit for part, limit in zip(tokenizers, limits, strict=True))
            for text in (request.prompt, request.negative_prompt)
        )


def _stoppable(pipeline: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of a call that can be stopped between two steps, as far as the pipeline lets us in there."""
    if "callback_on_step_end" not in inspect.signature(pipeline.__call__).parameters:
        return dict(settings)
    own = settings.get("callback_on_step_end")

    def after_step(pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        interrupts.point()
        # without one of our own no number changes
        changed: dict[str, Any] = values if own is None else own(pipe, step, timestep, values)
        return changed

    return {**settings, "callback_on_step_end": after_step}
