"""What is known of published text-to-image checkpoints: how they are meant to be drawn with, and their license.

A model's own folder says neither: a distilled model drawn with its pipeline's defaults takes fifty steps where it is
made for four, and no file tells that. What stands here is what a checkpoint's own page says; of others it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

from loupe.brain.core.records import Record


@dataclass(frozen=True)
class Checkpoint(Record):
    """A published checkpoint.

    Attributes:
        name: how its hub id begins, in lower case
        family: what its kind is called
        license: by its SPDX name where it has one, else as it is called; "" is unknown
        steps, guidance: what its page recommends; None: its pipeline's default
        size: (width, height) that it is made for; None: what its files or its pipeline say
        max_tokens: of a prompt, where it reads fewer than its pipeline's default
    """

    name: str
    family: str
    license: str = ""
    steps: int | None = None
    guidance: float | None = None
    size: tuple[int, int] | None = None
    max_tokens: int | None = None


_FLUX_1, _FLUX_2 = "FLUX.1 [dev] Non-Commercial License", "FLUX Non-Commercial License"
_OPEN_RAIL, _OPEN_RAIL_PP, _STABILITY = (
    "CreativeML-OpenRAIL-M",
    "CreativeML-OpenRAIL++-M",
    "Stability AI Community License",
)
_SD_35 = "Stable Diffusion 3.5"
_1024, _512 = (1024, 1024), (512, 512)

#: by the model cards at huggingface.co/<hub id> in November 2026; of several the longest name that fits counts
CHECKPOINTS = (
    Checkpoint("compvis/stable-diffusion-v1", "Stable Diffusion 1", _OPEN_RAIL, size=_512),
    Checkpoint("runwayml/stable-diffusion-v1-5", "Stable Diffusion 1", _OPEN_RAIL, size=_512),
    Checkpoint("stable-diffusion-v1-5/", "Stable Diffusion 1", _OPEN_RAIL, size=_512),
    Checkpoint("stabilityai/stable-diffusion-2", "Stable Diffusion 2", _OPEN_RAIL_PP),
    Checkpoint("stabilityai/stable-diffusion-xl-base", "Stable Diffusion XL", _OPEN_RAIL_PP, size=_1024),
    Checkpoint("stabilityai/sdxl-turbo", "Stable Diffusion XL", _STABILITY, 1, 0.0, _512),
    Checkpoint("stabilityai/stable-diffusion-3-medium", "Stable Diffusion 3", _STABILITY, 28, 7.0, _1024),
    Checkpoint("stabilityai/stable-diffusion-3.5-medium", _SD_35, _STABILITY, 40, 4.5, _1024),
    Checkpoint("stabilityai/stable-diffusion-3.5-large", _SD_35, _STABILITY, 28, 3.5, _1024),
    Checkpoint("stabilityai/stable-diffusion-3.5-large-turbo", _SD_35, _STABILITY, 4, 0.0, _1024),
    Checkpoint("black-forest-labs/flux.1-dev", "FLUX.1", _FLUX_1, 50, 3.5, _1024),
    Checkpoint("black-forest-labs/flux.1-schnell", "FLUX.1", "Apache-2.0", 4, None, _1024, max_tokens=256),
    Checkpoint("black-forest-labs/flux.1-krea-dev", "FLUX.1", _FLUX_1, 28, 4.5, _1024),
    Checkpoint("black-forest-labs/flux.2-dev", "FLUX.2", _FLUX_2, 50, 4.0, _1024),
    Checkpoint("black-forest-labs/flux.2-klein-4b", "FLUX.2", "Apache-2.0", 4, None, _1024),
    Checkpoint("black-forest-labs/flux.2-klein-9b", "FLUX.2", _FLUX_2, 4, None, _1024),
    Checkpoint("black-forest-labs/flux.2-klein-base-4b", "FLUX.2", "Apache-2.0", 50, 4.0, _1024),
    Checkpoint("black-forest-labs/flux.2-klein-base-9b", "FLUX.2", _FLUX_2, 50, 4.0, _1024),
    Checkpoint("qwen/qwen-image", "Qwen-Image", "Apache-2.0", 50, 4.0, (1328, 1328)),
    Checkpoint("tongyi-mai/z-image-turbo", "Z-Image", "Apache-2.0", 9, 0.0, _1024),
    Checkpoint("efficient-large-model/sana_", "Sana", "", 20, 4.5),
    Checkpoint("pixart-alpha/pixart-xl-2", "PixArt-α", _OPEN_RAIL_PP, 20, 4.5),
    Checkpoint("pixart-alpha/pixart-sigma", "PixArt-Σ", _OPEN_RAIL_PP, 20, 4.5),
    Checkpoint("alpha-vllm/lumina-image-2.0", "Lumina 2", "Apache-2.0", 50, 4.0, _1024),
    Checkpoint("kandinsky-community/kandinsky-2-2", "Kandinsky 2.2", "Apache-2.0"),
    Checkpoint("kandinsky-community/kandinsky-3", "Kandinsky 3", "Apache-2.0", 25, 3.0, _1024),
)  # fmt: skip

#: what a pipeline is called, for folders of any other name
_FAMILIES = {
    "StableDiffusion3": "Stable Diffusion 3",
    "StableDiffusionXL": "Stable Diffusion XL",
    "StableDiffusion": "Stable Diffusion",
    "Flux2": "FLUX.2",
    "Flux": "FLUX.1",
    "QwenImage": "Qwen-Image",
    "ZImage": "Z-Image",
    "Sana": "Sana",
    "PixArtAlpha": "PixArt-α",
    "PixArtSigma": "PixArt-Σ",
    "Lumina2": "Lumina 2",
    "Lumina": "Lumina",
    "KandinskyV22": "Kandinsky 2.2",
    "Kandinsky3": "Kandinsky 3",
    "Kandinsky": "Kandinsky 2.1",
}


def of(model: str, pipeline: str) -> Checkpoint:
    """Returns what is known of a model.

    Args:
        model: its hub id, or its folder
        pipeline: the class that its index names

    >>> of("black-forest-labs/FLUX.1-schnell", "FluxPipeline").steps
    4
    >>> of("/models/own", "Flux2KleinPipeline")
    Checkpoint(name='', family='FLUX.2', license='', steps=None, guidance=None, size=None, max_tokens=None)
    """
    fitting = [known for known in CHECKPOINTS if model.casefold().startswith(known.name)]
    if fitting:
        return max(fitting, key=lambda known: len(known.name))
    begins = next((start for start in _FAMILIES if pipeline.startswith(start)), None)
    return Checkpoint("", "" if begins is None else _FAMILIES[begins])
