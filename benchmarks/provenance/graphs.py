"""Shapes of ComfyUI's graphs, made from facts that are known, after the examples of ComfyUI and of the nodes' pages.

A truth of None: the graph does not hold it, and a reader has to say unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from benchmarks.provenance.layouts import SIZE, Facts

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


def _start(given: Facts) -> tuple[Drawing, list[Any], list[Any]]:
    drawing = Drawing()
    loader = drawing.add("CheckpointLoaderSimple", ckpt_name=given.model)
    latent = drawing.add("EmptyLatentImage", width=SIZE[0], height=SIZE[1], batch_size=1)
    return drawing, loader, latent


def _sampler(
    drawing: Drawing, given: Facts, model: Any, positive: Any, negative: Any, latent: Any, **more: Any
) -> list[Any]:
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


def _saved(drawing: Drawing, latent: Any, loader: Any) -> Json:
    decoded = drawing.add("VAEDecode", samples=latent, vae=out(loader, 2))
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=decoded)
    return drawing.nodes


def _encoded(drawing: Drawing, loader: Any, text: Any) -> list[Any]:
    return drawing.add("CLIPTextEncode", text=text, clip=out(loader, 1))


def plain(given: Facts) -> tuple[Json, Json]:
    """The default graph; the negative prompt's node comes first, as often."""
    drawing, loader, latent = _start(given)
    negative, positive = _encoded(drawing, loader, given.negative_prompt), _encoded(drawing, loader, given.prompt)
    return _saved(drawing, _sampler(drawing, given, loader, positive, negative, latent), loader), given.truth()


def loras(given: Facts) -> tuple[Json, Json]:
    """LoRAs between the loader and all else."""
    drawing, loader, latent = _start(given)
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
    return _saved(drawing, _sampler(drawing, given, two, positive, negative, latent), loader), given.truth()


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
    sampler = drawing.add("KSamplerSelect", sampler_name="euler")
    sigmas = drawing.add("BasicScheduler", scheduler="simple", steps=given.steps, denoise=1.0, model=shifted)
    latent = drawing.add("EmptySD3LatentImage", width=SIZE[0], height=SIZE[1], batch_size=1)
    drawn = drawing.add(
        "SamplerCustomAdvanced", noise=noise, guider=guider, sampler=sampler, sigmas=sigmas, latent_image=latent
    )
    vae = drawing.add("VAELoader", vae_name="ae.safetensors")
    decoded = drawing.add("VAEDecode", samples=drawn, vae=vae)
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=decoded)
    return drawing.nodes, {**given.truth(), "negative_prompt": ""}


def cfg_guider(given: Facts) -> tuple[Json, Json]:
    """SamplerCustomAdvanced with CFGGuider."""
    drawing, loader, latent = _start(given)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
    guider = drawing.add("CFGGuider", cfg=given.guidance, model=loader, positive=positive, negative=negative)
    noise = drawing.add("RandomNoise", noise_seed=given.seed)
    sampler = drawing.add("KSamplerSelect", sampler_name="euler")
    sigmas = drawing.add("BasicScheduler", scheduler="simple", steps=given.steps, denoise=1.0, model=loader)
    drawn = drawing.add(
        "SamplerCustomAdvanced", noise=noise, guider=guider, sampler=sampler, sigmas=sigmas, latent_image=latent
    )
    return _saved(drawing, drawn, loader), given.truth()


def zeroed(given: Facts) -> tuple[Json, Json]:
    """KSampler of Flux: the negative is the positive one, zeroed: there is none."""
    drawing, loader, latent = _start(given)
    positive = _encoded(drawing, loader, given.prompt)
    negative = drawing.add("ConditioningZeroOut", conditioning=positive)
    return _saved(drawing, _sampler(drawing, given, loader, positive, negative, latent), loader), {
        **given.truth(),
        "negative_prompt": "",
    }


def sdxl(given: Facts) -> tuple[Json, Json]:
    """SDXL with its two texts, base and refiner."""
    drawing, loader, latent = _start(given)
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
    return _saved(drawing, refined, loader), given.truth()


def two_passes(given: Facts) -> tuple[Json, Json]:
    """A second pass over the enlarged latent, with other texts and another seed."""
    drawing, loader, latent = _start(given)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
    first = _sampler(drawing, given, loader, positive, negative, latent)
    larger = drawing.add("LatentUpscaleBy", upscale_method="nearest-exact", scale_by=1.5, samples=first)
    other = _encoded(drawing, loader, "more detail")
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
    return _saved(drawing, second, loader), given.truth()


def model_upscale(given: Facts) -> tuple[Json, Json]:
    """Enlarged by a model, then a tiled pass."""
    drawing, loader, latent = _start(given)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
    decoded = drawing.add(
        "VAEDecode", samples=_sampler(drawing, given, loader, positive, negative, latent), vae=out(loader, 2)
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
    drawing, loader, latent = _start(given)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
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
    return _saved(drawing, _sampler(drawing, given, loader, applied, out(applied, 1), latent), loader), given.truth()


def unknown_pair(given: Facts) -> tuple[Json, Json]:
    """A node that nobody knows gives both on, and nothing says which output is which."""
    drawing, loader, latent = _start(given)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
    mixed = drawing.add("SomebodysConditioner", positive=positive, negative=negative, amount=0.3)
    truth = {**given.truth(), "prompt": None, "negative_prompt": None}
    return _saved(drawing, _sampler(drawing, given, loader, mixed, out(mixed, 1), latent), loader), truth


def regions(given: Facts) -> tuple[Json, Json]:
    """Two texts, combined."""
    drawing, loader, latent = _start(given)
    left, right = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, "a blue door")
    area = drawing.add("ConditioningSetArea", width=32, height=48, x=0, y=0, strength=1.0, conditioning=right)
    both = drawing.add("ConditioningCombine", conditioning_1=left, conditioning_2=area)
    negative = _encoded(drawing, loader, given.negative_prompt)
    truth = {**given.truth(), "prompt": f"{given.prompt}\na blue door"}
    return _saved(drawing, _sampler(drawing, given, loader, both, negative, latent), loader), truth


def concatenated(given: Facts) -> tuple[Json, Json]:
    """Texts put together before they are encoded, and conditionings after."""
    drawing, loader, latent = _start(given)
    start = drawing.add("PrimitiveStringMultiline", value=given.prompt)
    whole = drawing.add("StringConcatenate", string_a=start, string_b="soft light", delimiter=", ")
    first, second = _encoded(drawing, loader, whole), _encoded(drawing, loader, "a blue door")
    both = drawing.add("ConditioningConcat", conditioning_to=first, conditioning_from=second)
    negative = _encoded(drawing, loader, given.negative_prompt)
    truth = {**given.truth(), "prompt": f"{given.prompt}, soft light\na blue door"}
    return _saved(drawing, _sampler(drawing, given, loader, both, negative, latent), loader), truth


def primitives(given: Facts) -> tuple[Json, Json]:
    """Text, seed and number come from nodes; a reroute and a node that shows the text lie between."""
    drawing, loader, latent = _start(given)
    text = drawing.add("Text Multiline", text=given.prompt)
    shown = drawing.add("ShowText|pysssss", text=text)
    seed = drawing.add("PrimitiveInt", value=given.seed)
    positive = drawing.add("Reroute", **{"": _encoded(drawing, loader, shown)})
    negative = _encoded(drawing, loader, given.negative_prompt)
    drawn = _sampler(drawing, given, loader, positive, negative, latent)
    drawing.nodes[drawn[0]]["inputs"]["seed"] = seed
    return _saved(drawing, drawn, loader), given.truth()


def language_model(given: Facts) -> tuple[Json, Json]:
    """A language model makes the text when it runs: what it was given is not the prompt."""
    drawing, loader, latent = _start(given)
    made = drawing.add("OllamaGenerate", prompt=f"describe {given.prompt}", model="llama3", url="http://127.0.0.1")
    shown = drawing.add("ShowText|pysssss", text=made, text_0="from the run before")
    positive, negative = _encoded(drawing, loader, shown), _encoded(drawing, loader, given.negative_prompt)
    return _saved(drawing, _sampler(drawing, given, loader, positive, negative, latent), loader), {
        **given.truth(),
        "prompt": None,
    }


def wildcards(given: Facts) -> tuple[Json, Json]:
    """Impact Pack's wildcards: the text that was made of them stands beside."""
    drawing, loader, latent = _start(given)
    made = drawing.add(
        "ImpactWildcardProcessor",
        wildcard_text="__animal__ in snow",
        populated_text=given.prompt,
        mode="populate",
        seed=3,
    )
    positive, negative = _encoded(drawing, loader, made), _encoded(drawing, loader, given.negative_prompt)
    return _saved(drawing, _sampler(drawing, given, loader, positive, negative, latent), loader), given.truth()


def styler(given: Facts) -> tuple[Json, Json]:
    """A styler puts its template around both texts when it runs."""
    drawing, loader, latent = _start(given)
    styled = drawing.add(
        "SDXLPromptStyler",
        text_positive=given.prompt,
        text_negative=given.negative_prompt,
        style="sai-anime",
        log_prompt="No",
    )
    positive, negative = _encoded(drawing, loader, styled), _encoded(drawing, loader, out(styled, 1))
    truth = {**given.truth(), "prompt": None, "negative_prompt": None}
    return _saved(drawing, _sampler(drawing, given, loader, positive, negative, latent), loader), truth


def efficient(given: Facts) -> tuple[Json, Json]:
    """Efficiency nodes: loader and texts in one."""
    drawing = Drawing()
    loader = drawing.add(
        "Efficient Loader",
        ckpt_name=given.model,
        vae_name="Baked VAE",
        clip_skip=-1,
        lora_name="None",
        lora_model_strength=1.0,
        lora_clip_strength=1.0,
        positive=given.prompt,
        negative=given.negative_prompt,
        token_normalization="none",
        weight_interpretation="comfy",
        empty_latent_width=SIZE[0],
        empty_latent_height=SIZE[1],
        batch_size=1,
    )
    drawn = drawing.add(
        "KSampler (Efficient)",
        seed=given.seed,
        steps=given.steps,
        cfg=given.guidance,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
        preview_method="auto",
        vae_decode="true",
        model=loader,
        positive=out(loader, 1),
        negative=out(loader, 2),
        latent_image=out(loader, 3),
        optional_vae=out(loader, 4),
    )
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=out(drawn, 5))
    return drawing.nodes, given.truth()


def pipes(given: Facts) -> tuple[Json, Json]:
    """Impact Pack's pipes, then a detailer."""
    drawing, loader, latent = _start(given)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
    pipe = drawing.add(
        "ToBasicPipe", model=loader, clip=out(loader, 1), vae=out(loader, 2), positive=positive, negative=negative
    )
    drawn = drawing.add(
        "ImpactKSamplerBasicPipe",
        seed=given.seed,
        steps=given.steps,
        cfg=given.guidance,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
        basic_pipe=pipe,
        latent_image=latent,
    )
    decoded = drawing.add("VAEDecode", samples=out(drawn, 1), vae=out(drawn, 2))
    detailed = drawing.add(
        "FaceDetailer",
        guide_size=512,
        seed=77,
        steps=20,
        cfg=8.0,
        sampler_name="euler",
        scheduler="normal",
        denoise=0.5,
        image=decoded,
        model=loader,
        clip=out(loader, 1),
        vae=out(loader, 2),
        positive=positive,
        negative=negative,
    )
    drawing.add("SaveImage", filename_prefix="ComfyUI", images=detailed)
    return drawing.nodes, given.truth()


def custom(given: Facts) -> tuple[Json, Json]:
    """Nodes that nobody knows, with inputs as everybody names them."""
    drawing = Drawing()
    loader = drawing.add("SomebodysLoader", ckpt_name=given.model, precision="fp8")
    positive = drawing.add("SomebodysEncoder", text=given.prompt, strength=1.0, clip=out(loader, 1))
    negative = drawing.add("SomebodysEncoder", text=given.negative_prompt, strength=1.0, clip=out(loader, 1))
    latent = drawing.add("SomebodysLatent", ratio="4:3")
    drawn = drawing.add(
        "SomebodysSampler",
        seed=given.seed,
        steps=given.steps,
        cfg=given.guidance,
        model=loader,
        positive=positive,
        negative=negative,
        latent=latent,
    )
    decoded = drawing.add("SomebodysDecoder", latent=drawn, vae=out(loader, 2))
    drawing.add("SomebodysSaver", images=decoded, path="out")
    return drawing.nodes, given.truth()


def two_savers(given: Facts) -> tuple[Json, Json]:
    """Two pictures in one graph, saved under the same name: their texts differ, their model does not."""
    drawing, loader, latent = _start(given)
    negative = _encoded(drawing, loader, given.negative_prompt)
    for text in (given.prompt, "another picture"):
        drawn = _sampler(drawing, given, loader, _encoded(drawing, loader, text), negative, latent)
        _saved(drawing, drawn, loader)
    return drawing.nodes, {**given.truth(), "prompt": None}


def named_savers(given: Facts) -> tuple[Json, Json]:
    """Two pictures in one graph: the name of the file tells which it is."""
    drawing, loader, latent = _start(given)
    negative = _encoded(drawing, loader, given.negative_prompt)
    for text, prefix in ((given.prompt, "ComfyUI_named"), ("another picture", "other/second")):
        drawn = _sampler(drawing, given, loader, _encoded(drawing, loader, text), negative, latent)
        decoded = drawing.add("VAEDecode", samples=drawn, vae=out(loader, 2))
        drawing.add("SaveImage", filename_prefix=prefix, images=decoded)
    return drawing.nodes, given.truth()


def merged_models(given: Facts) -> tuple[Json, Json]:
    """Two models merged: no file is the model."""
    drawing, loader, latent = _start(given)
    other = drawing.add("CheckpointLoaderSimple", ckpt_name="other.safetensors")
    both = drawing.add("ModelMergeSimple", ratio=0.5, model1=loader, model2=other)
    positive, negative = _encoded(drawing, loader, given.prompt), _encoded(drawing, loader, given.negative_prompt)
    return _saved(drawing, _sampler(drawing, given, both, positive, negative, latent), loader), {
        **given.truth(),
        "model": None,
    }


def cyclic(given: Facts) -> tuple[Json, Json]:
    """A graph that leads back to itself, as no editor makes it."""
    drawing, loader, latent = _start(given)
    first = drawing.add("ConditioningSetArea", width=1, height=1, x=0, y=0, strength=1.0, conditioning=["0", 0])
    second = drawing.add("ConditioningSetArea", width=1, height=1, x=0, y=0, strength=1.0, conditioning=first)
    drawing.nodes[first[0]]["inputs"]["conditioning"] = second
    negative = _encoded(drawing, loader, given.negative_prompt)
    return _saved(drawing, _sampler(drawing, given, loader, first, negative, latent), loader), {
        **given.truth(),
        "prompt": None,
    }


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
    "language model": language_model,
    "wildcards": wildcards,
    "styler": styler,
    "efficient": efficient,
    "pipes": pipes,
    "custom nodes": custom,
    "two savers": two_savers,
    "named savers": named_savers,
    "merged models": merged_models,
    "cyclic": cyclic,
}
