"""Shapes of ComfyUI's graphs that hold less than they seem to, or more than others read of them."""

from __future__ import annotations

from benchmarks.provenance.containers import SIZE
from benchmarks.provenance.graphs import Drawing, Json, Shape, encoded, out, sampler, saved, start
from benchmarks.provenance.layouts import Facts


def language_model(given: Facts) -> tuple[Json, Json]:
    """A language model makes the text when it runs: what it was given is not the prompt."""
    drawing, loader, latent = start(given)
    made = drawing.add("OllamaGenerate", prompt=f"describe {given.prompt}", model="llama3", url="http://127.0.0.1")
    shown = drawing.add("ShowText|pysssss", text=made, text_0="from the run before")
    positive, negative = encoded(drawing, loader, shown), encoded(drawing, loader, given.negative_prompt)
    return saved(drawing, sampler(drawing, given, loader, positive, negative, latent), loader), {
        **given.truth(),
        "prompt": None,
    }


def wildcards(given: Facts) -> tuple[Json, Json]:
    """Impact Pack's wildcards: the text that was made of them stands beside."""
    drawing, loader, latent = start(given)
    made = drawing.add(
        "ImpactWildcardProcessor",
        wildcard_text="__animal__ in snow",
        populated_text=given.prompt,
        mode="populate",
        seed=3,
    )
    positive, negative = encoded(drawing, loader, made), encoded(drawing, loader, given.negative_prompt)
    return saved(drawing, sampler(drawing, given, loader, positive, negative, latent), loader), given.truth()


def styler(given: Facts) -> tuple[Json, Json]:
    """A styler puts its template around both texts when it runs."""
    drawing, loader, latent = start(given)
    styled = drawing.add(
        "SDXLPromptStyler",
        text_positive=given.prompt,
        text_negative=given.negative_prompt,
        style="sai-anime",
        log_prompt="No",
    )
    positive, negative = encoded(drawing, loader, styled), encoded(drawing, loader, out(styled, 1))
    truth = {**given.truth(), "prompt": None, "negative_prompt": None}
    return saved(drawing, sampler(drawing, given, loader, positive, negative, latent), loader), truth


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
    drawing, loader, latent = start(given)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
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
    drawing, loader, latent = start(given)
    negative = encoded(drawing, loader, given.negative_prompt)
    for text in (given.prompt, "another picture"):
        drawn = sampler(drawing, given, loader, encoded(drawing, loader, text), negative, latent)
        saved(drawing, drawn, loader)
    return drawing.nodes, {**given.truth(), "prompt": None}


def named_savers(given: Facts) -> tuple[Json, Json]:
    """Two pictures in one graph: the name of the file tells which it is."""
    drawing, loader, latent = start(given)
    negative = encoded(drawing, loader, given.negative_prompt)
    for text, prefix in ((given.prompt, "ComfyUI_named"), ("another picture", "other/second")):
        drawn = sampler(drawing, given, loader, encoded(drawing, loader, text), negative, latent)
        decoded = drawing.add("VAEDecode", samples=drawn, vae=out(loader, 2))
        drawing.add("SaveImage", filename_prefix=prefix, images=decoded)
    return drawing.nodes, given.truth()


def merged_models(given: Facts) -> tuple[Json, Json]:
    """Two models merged: no file is the model."""
    drawing, loader, latent = start(given)
    other = drawing.add("CheckpointLoaderSimple", ckpt_name="other.safetensors")
    both = drawing.add("ModelMergeSimple", ratio=0.5, model1=loader, model2=other)
    positive, negative = encoded(drawing, loader, given.prompt), encoded(drawing, loader, given.negative_prompt)
    return saved(drawing, sampler(drawing, given, both, positive, negative, latent), loader), {
        **given.truth(),
        "model": None,
    }


def cyclic(given: Facts) -> tuple[Json, Json]:
    """A graph that leads back to itself, as no editor makes it."""
    drawing, loader, latent = start(given)
    first = drawing.add("ConditioningSetArea", width=1, height=1, x=0, y=0, strength=1.0, conditioning=["0", 0])
    second = drawing.add("ConditioningSetArea", width=1, height=1, x=0, y=0, strength=1.0, conditioning=first)
    drawing.nodes[first[0]]["inputs"]["conditioning"] = second
    negative = encoded(drawing, loader, given.negative_prompt)
    return saved(drawing, sampler(drawing, given, loader, first, negative, latent), loader), {
        **given.truth(),
        "prompt": None,
    }


SHAPES: dict[str, Shape] = {
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
