"""Shapes of ComfyUI's graphs, made from facts that are known, after the examples of ComfyUI and of the nodes' pages.

A truth of None: the graph does not hold it, and a reader has to say unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from benchmarks.provenance.containers import SIZE
from benchmarks.provenance.layouts import Facts

Json: TypeAlias = dict[str, Any]
Shape: TypeAlias = Callable[[Facts], tuple[Json, Json]]


class Drawing:
    """A graph that grows node by node."""

    def __init__(self) -> None:
        self.nodes: Json = {}

    def add(self, kind: str, /, slot: int = 0, **inputs: Any) -> list[Any]:
        """Adds a node; returns the link to its output."""
        name = str(len(self.nodes) + 3)
        self.nodes[name] = {"inputs": inputs, "class_type": kind, "_meta": {"title": kind}}
        return [name, slot]


def out(link: list[Any], slot: int) -> list[Any]:
    """Returns the link to another output of the same node."""
    return [link[0], slot]


def start(given: Facts) -> tuple[Drawing, list[Any], list[Any]]:
    """Returns a graph with a model and an empty picture."""
    drawing = Drawing()
    loader = drawing.add("CheckpointLoaderSimple", ckpt_name=given.model)
    latent = drawing.add("EmptyLatentImage", width=SIZE[0], height=SIZE[1], batch_size=1)
    return drawing, loader, latent


def sampler(
    drawing: Drawing, given: Facts, model: Any, positive: Any, negative: Any, latent: Any, **more: Any
) -> list[Any]:
    """Adds the usual sampler."""
    values = {
        "seed": given.seed,
        "steps": given.steps,
        "cfg": given.guidance,
        "sampler_name": "euler",
        "scheduler": "normal",
    }
    return drawing.add(
        "KSampler",
        **{**values, "denoise": 1.0, "model": model, "positive": positive, "negative": negative},
        **more,
        latent_image=latent,
    )


def saved(drawing: Drawing, latent: Any, loader: Any) -> Json:
    """Adds what decodes and saves, and returns the nodes."""
    decoded = drawing.add("VAEDecode", samples=latent, vae=out(loader, 2))
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=decoded)
    return drawing.nodes


def encoded(drawing: Drawing, loader: Any, text: Any) -> list[Any]:
    """Adds a text that is encoded."""
    return drawing.add("CLIPTextEncode", text=text, clip=out(loader, 1))


def plain(given: Facts) -> tuple[Json, Json]:
    """The default graph; the negative prompt's node comes first, as often."""
    drawing, loader, latent = start(given)
    negative, positive = encoded(drawing, loader, given.negative_prompt), encoded(drawing, loader, given.prompt)
    return saved(drawing, sampler(drawing, given, loader, positive, negative, latent), loader), given.truth()


def loras(given: Facts) -> tuple[Json, Json]:
    """LoRAs between the loader and all else."""
    drawing, loader, latent = start(given)
    first = drawing.add(
        "LoraLoader",
        lora_name="ink.safetensors",
        strength_model=0.7,
        strength_clip=1.0,
        model=loader,
        clip=out(loader, 1),
    )
    two = drawing.add(
        "Power Lora Loader (rgthree)",
        lora_1={"on": True, "lora": "b.safetensors", "strength": 0.5},
        model=first,
        clip=out(first, 1),
    )
    positive = drawing.add("CLIPTextEncode", text=given.prompt, clip=out(two, 1))
    negative = drawing.add("CLIPTextEncode", text=given.negative_prompt, clip=out(two, 1))
    return saved(drawing, sampler(drawing, given, two, positive, negative, latent), loader), given.truth()


def flux(given: Facts) -> tuple[Json, Json]:
    """SamplerCustomAdvanced with BasicGuider: no negative prompt."""
    drawing = Drawing()
    unet = drawing.add("UNETLoader", unet_name=given.model, weight_dtype="default")
    clip = drawing.add("DualCLIPLoader", clip_name1="t5xxl.safetensors", clip_name2="clip_l.safetensors", type="flux")
    text = drawing.add("CLIPTextEncode", text=given.prompt, clip=clip)
    guided = drawing.add("FluxGuidance", guidance=3.5, conditioning=text)
    shifted = drawing.add("ModelSamplingFlux", max_shift=1.15, base_shift=0.5, width=64, height=48, model=unet)
    guider = drawing.add("BasicGuider", model=shifted, conditioning=guided)
    noise = drawing.add("RandomNoise", noise_seed=given.seed)
    method = drawing.add("KSamplerSelect", sampler_name="euler")
    sigmas = drawing.add("BasicScheduler", scheduler="simple", steps=given.steps, denoise=1.0, model=shifted)
    latent = drawing.add("EmptySD3LatentImage", width=SIZE[0], height=SIZE[1], batch_size=1)
    drawn = drawing.add(
        "SamplerCustomAdvanced", noise=noise, guider=guider, sampler=method, sigmas=sigmas, latent_image=latent
    )
    vae = drawing.add("VAELoader", vae_name="ae.safetensors")
    decoded = drawing.add("VAEDecode", samples=drawn, vae=vae)
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=decoded)
    return drawing.nodes, {**given.truth(), "negative_prompt": ""}


def cfg_guider(given: Facts) -> tuple[Json, Json]:
    """SamplerCustomAdvanced with CFGGuider."""
    drawing, loader, latent = start(given)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
    guider = drawing.add("CFGGuider", cfg=given.guidance, model=loader, positive=positive, negative=negative)
    noise = drawing.add("RandomNoise", noise_seed=given.seed)
    method = drawing.add("KSamplerSelect", sampler_name="euler")
    sigmas = drawing.add("BasicScheduler", scheduler="simple", steps=given.steps, denoise=1.0, model=loader)
    drawn = drawing.add(
        "SamplerCustomAdvanced", noise=noise, guider=guider, sampler=method, sigmas=sigmas, latent_image=latent
    )
    return saved(drawing, drawn, loader), given.truth()


def zeroed(given: Facts) -> tuple[Json, Json]:
    """KSampler of Flux: the negative is the positive one, zeroed: there is none."""
    drawing, loader, latent = start(given)
    positive = encoded(drawing, loader, given.prompt)
    negative = drawing.add("ConditioningZeroOut", conditioning=positive)
    return saved(drawing, sampler(drawing, given, loader, positive, negative, latent), loader), {
        **given.truth(),
        "negative_prompt": "",
    }


def sdxl(given: Facts) -> tuple[Json, Json]:
    """SDXL with its two texts, base and refiner."""
    drawing, loader, latent = start(given)
    refiner = drawing.add("CheckpointLoaderSimple", ckpt_name="sd_xl_refiner_1.0.safetensors")
    size = {"width": 1024, "height": 1024, "crop_w": 0, "crop_h": 0, "target_width": 1024, "target_height": 1024}
    texts = [
        drawing.add("CLIPTextEncodeSDXL", **size, text_g=text, text_l=text, clip=out(loader, 1))
        for text in (given.prompt, given.negative_prompt)
    ]
    other = [
        drawing.add("CLIPTextEncodeSDXLRefiner", ascore=6.0, width=1024, height=1024, text=text, clip=out(refiner, 1))
        for text in (given.prompt, given.negative_prompt)
    ]
    common = {"steps": given.steps, "cfg": given.guidance, "sampler_name": "euler", "scheduler": "normal"}
    base = drawing.add(
        "KSamplerAdvanced",
        add_noise="enable",
        noise_seed=given.seed,
        **common,
        start_at_step=0,
        end_at_step=20,
        return_with_leftover_noise="enable",
        model=loader,
        positive=texts[0],
        negative=texts[1],
        latent_image=latent,
    )
    refined = drawing.add(
        "KSamplerAdvanced",
        add_noise="disable",
        noise_seed=0,
        **common,
        start_at_step=20,
        end_at_step=10000,
        return_with_leftover_noise="disable",
        model=refiner,
        positive=other[0],
        negative=other[1],
        latent_image=base,
    )
    return saved(drawing, refined, loader), given.truth()


def two_passes(given: Facts) -> tuple[Json, Json]:
    """A second pass over the enlarged latent, with other texts and another seed."""
    drawing, loader, latent = start(given)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
    first = sampler(drawing, given, loader, positive, negative, latent)
    larger = drawing.add("LatentUpscaleBy", upscale_method="nearest-exact", scale_by=1.5, samples=first)
    other = encoded(drawing, loader, "more detail")
    second = drawing.add(
        "KSampler",
        seed=1,
        steps=8,
        cfg=4.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
        denoise=0.5,
        model=loader,
        positive=other,
        negative=negative,
        latent_image=larger,
    )
    return saved(drawing, second, loader), given.truth()


def model_upscale(given: Facts) -> tuple[Json, Json]:
    """Enlarged by a model, then a tiled pass."""
    drawing, loader, latent = start(given)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
    decoded = drawing.add(
        "VAEDecode", samples=sampler(drawing, given, loader, positive, negative, latent), vae=out(loader, 2)
    )
    upscaler = drawing.add("UpscaleModelLoader", model_name="4x-UltraSharp.pth")
    tiled = drawing.add(
        "UltimateSDUpscale",
        upscale_by=2,
        seed=5,
        steps=10,
        cfg=4.0,
        sampler_name="euler",
        scheduler="normal",
        denoise=0.2,
        image=decoded,
        model=loader,
        positive=positive,
        negative=negative,
        vae=out(loader, 2),
        upscale_model=upscaler,
    )
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=tiled)
    return drawing.nodes, given.truth()


def controlnet(given: Facts) -> tuple[Json, Json]:
    """ControlNetApplyAdvanced gives both on: sd-parsers and others read both texts at both ends."""
    drawing, loader, latent = start(given)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
    image = drawing.add("LoadImage", image="pose.png")
    net = drawing.add("ControlNetLoader", control_net_name="openpose.safetensors")
    applied = drawing.add(
        "ControlNetApplyAdvanced",
        strength=0.8,
        start_percent=0.0,
        end_percent=1.0,
        positive=positive,
        negative=negative,
        control_net=net,
        image=image,
    )
    return saved(drawing, sampler(drawing, given, loader, applied, out(applied, 1), latent), loader), given.truth()


def unknown_pair(given: Facts) -> tuple[Json, Json]:
    """A node that nobody knows gives both on, and nothing says which output is which."""
    drawing, loader, latent = start(given)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
    mixed = drawing.add("SomebodysConditioner", positive=positive, negative=negative, amount=0.3)
    truth = {**given.truth(), "prompt": None, "negative_prompt": None}
    return saved(drawing, sampler(drawing, given, loader, mixed, out(mixed, 1), latent), loader), truth


def regions(given: Facts) -> tuple[Json, Json]:
    """Two texts, combined."""
    drawing, loader, latent = start(given)
    left, right = encoded(drawing, loader, given.prompt), encoded(drawing, loader, "a blue door")
    area = drawing.add("ConditioningSetArea", width=32, height=48, x=0, y=0, strength=1.0, conditioning=right)
    both = drawing.add("ConditioningCombine", conditioning_1=left, conditioning_2=area)
    negative = encoded(drawing, loader, given.negative_prompt)
    truth = {**given.truth(), "prompt": f"{given.prompt}\na blue door"}
    return saved(drawing, sampler(drawing, given, loader, both, negative, latent), loader), truth


def concatenated(given: Facts) -> tuple[Json, Json]:
    """Texts put together before they are encoded, and conditionings after."""
    drawing, loader, latent = start(given)
    begin = drawing.add("PrimitiveStringMultiline", value=given.prompt)
    whole = drawing.add("StringConcatenate", string_a=begin, string_b="soft light", delimiter=", ")
    first, second = encoded(drawing, loader, whole), encoded(drawing, loader, "a blue door")
    both = drawing.add("ConditioningConcat", conditioning_to=first, conditioning_from=second)
    negative = encoded(drawing, loader, given.negative_prompt)
    truth = {**given.truth(), "prompt": f"{given.prompt}, soft light\na blue door"}
    return saved(drawing, sampler(drawing, given, loader, both, negative, latent), loader), truth


def primitives(given: Facts) -> tuple[Json, Json]:
    """Text, seed and number come from nodes; a reroute and a node that shows the text lie between."""
    drawing, loader, latent = start(given)
    text = drawing.add("Text Multiline", text=given.prompt)
    shown = drawing.add("ShowText|pysssss", text=text)
    seed = drawing.add("PrimitiveInt", value=given.seed)
    positive = drawing.add("Reroute", **{"": encoded(drawing, loader, shown)})
    negative = encoded(drawing, loader, given.negative_prompt)
    drawn = sampler(drawing, given, loader, positive, negative, latent)
    drawing.nodes[drawn[0]]["inputs"]["seed"] = seed
    return saved(drawing, drawn, loader), given.truth()


SHAPES: dict[str, Shape] = {
    "plain": plain,
    "LoRAs": loras,
    "Flux": flux,
    "CFGGuider": cfg_guider,
    "zeroed": zeroed,
    "SDXL, refiner": sdxl,
    "two passes": two_passes,
    "model upscale": model_upscale,
    "ControlNet": controlnet,
    "unknown pair": unknown_pair,
    "regions": regions,
    "concatenated": concatenated,
    "primitives": primitives,
}
