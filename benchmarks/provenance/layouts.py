"""Pictures as each tool writes them, made from facts that are known: what the readers are measured and tested on.

Each layout names where its format is written down. The prompts hold what breaks readers: commas, colons, quotes,
brackets, line breaks, the words "Negative prompt" and "Steps" within a sentence, other scripts, emoji.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.provenance.containers import SIZE, comment, exif, picture, png

_SUBJECTS = (
    "a red fox in the snow",
    'a sign that says "OPEN, 24: 7"',
    "portrait of a woman, (detailed eyes:1.2), [sketch|photo]",
    "two cats: one black, one white",
    "ein Haus am Fluß, Straße bei Nacht",
    "一只猫坐在窗边, 水彩",
    "рыба в море 🐟",
    "a photo of a man whose steps: 20, 30, 40 lead up",
    "a book titled 'negative prompt: a history'",
    "<b>bold</b> & a {cup}\nsecond line, more light",
    'C:\\temp\\new, backslashes and "quotes"',
)
_STYLES = ("", ", oil painting", ", 35mm film, f/1.8", ", <lora:detail:0.8>", " -- trending", ", 8k (best quality)")
_NEGATIVES = (
    "",
    "blurry, low quality",
    'text, (watermark:1.3), "logo"',
    "плохо, 低质量",
    "hands: bad, feet\nextra line",
)
_MODELS = ("v1-5-pruned", "sd_xl_base_1.0", "dreamshaper_8", "flux1-dev-fp8", "Juggernaut XL v9")


@dataclass(frozen=True)
class Facts:
    """What a picture was made from."""

    prompt: str
    negative_prompt: str
    seed: int
    model: str
    model_hash: str
    steps: int
    guidance: float

    def truth(self) -> dict[str, Any]:
        """Returns what a reader should say."""
        return {name: getattr(self, name) for name in ("prompt", "negative_prompt", "seed", "model")}


@dataclass(frozen=True)
class Case:
    """A file and what is true of it; None: the file does not tell.

    Attributes:
        layout: of which tool and kind
        path: the picture
        truth: prompt, negative_prompt, seed and model
    """

    layout: str
    path: Path
    truth: dict[str, Any]


def facts(rng: random.Random) -> Facts:
    """Returns facts to write."""
    return Facts(
        rng.choice(_SUBJECTS) + rng.choice(_STYLES),
        rng.choice(_NEGATIVES),
        rng.randrange(2**32),
        rng.choice(_MODELS),
        f"{rng.randrange(2**40):010x}",
        rng.randrange(1, 60),
        rng.randrange(2, 30) / 2,
    )


def infotext(given: Facts, version: str = "v1.10.1", more: str = "") -> str:
    """Returns A1111's text (stable-diffusion-webui, modules/processing.py: create_infotext)."""
    negative = f"\nNegative prompt: {given.negative_prompt}" if given.negative_prompt else ""
    quoted = json.dumps(given.model) if "," in given.model else given.model
    tail = f", Version: {version}" if version else ""
    return (
        f"{given.prompt}{negative}\nSteps: {given.steps}, Sampler: DPM++ 2M, Schedule type: Karras, "
        f"CFG scale: {given.guidance:g}, Seed: {given.seed}, Size: {SIZE[0]}x{SIZE[1]}, "
        f'Model hash: {given.model_hash}, Model: {quoted}, Lora hashes: "detail: 0123abcd, ink: 4567"{more}{tail}'
    )


def _jpeg(path: Path, block: bytes) -> Path:
    picture().save(path, exif=block)
    return path


def _a1111(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    text, truth = infotext(given), given.truth()
    for kind in ("tEXt", "iTXt", "zTXt"):
        yield f"A1111 PNG {kind}", png(folder / f"a1111_{kind}.png", {"parameters": text}, kind), truth
    for little in (True, False):
        for order in ("utf-16-be", "utf-16-le"):
            name = f"{'II' if little else 'MM'}_{order}"
            block = exif(comment(text, order=order), little)
            yield f"A1111 JPEG {name}", _jpeg(folder / f"a1111_{name}.jpg", block), truth
    block = exif(comment(text))
    yield "A1111 WebP", _jpeg(folder / "a1111.webp", block), truth
    yield "A1111 JPEG ASCII", _jpeg(folder / "a1111_ascii.jpg", exif(comment(text, "ASCII"), False)), truth
    path = folder / "a1111_sidecar.jpg"
    picture().save(path)
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
    yield "A1111 .txt", path, truth
    yield "Forge PNG", png(folder / "forge.png", {"parameters": infotext(given, "f2.0.1v1.10.1-previous-1")}), truth
    hires = (
        ", Hires upscale: 2, Hires upscaler: 4x-UltraSharp, Denoising strength: 0.4, ADetailer model: hand_yolov8n.pt"
    )
    yield "A1111 hires", png(folder / "hires.png", {"parameters": infotext(given, more=hires)}), truth


def _fooocus(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Fooocus, modules/meta_parser.py and modules/private_logger.py."""
    value = {
        "prompt": given.prompt,
        "negative_prompt": given.negative_prompt,
        "styles": "['Fooocus V2']",
        "performance": "Speed",
        "steps": given.steps,
        "resolution": f"({SIZE[0]}, {SIZE[1]})",
        "guidance_scale": given.guidance,
        "sharpness": 2.0,
        "base_model": given.model,
        "base_model_hash": given.model_hash,
        "sampler": "dpmpp_2m_sde_gpu",
        "scheduler": "karras",
        "seed": str(given.seed),
        "loras": [["sd_xl_offset", 0.1, "4852686128"]],
        "version": "Fooocus v2.5.5",
    }
    text = json.dumps(value)
    yield "Fooocus PNG", png(folder / "fooocus.png", {"parameters": text, "fooocus_scheme": "fooocus"}), given.truth()
    yield "Fooocus JPEG", _jpeg(folder / "fooocus.jpg", exif(comment(text))), given.truth()
    own = {"parameters": infotext(given, "Fooocus v2.5.5"), "fooocus_scheme": "a1111"}
    yield "Fooocus PNG a1111", png(folder / "fooocus_a1111.png", own), given.truth()


def _invokeai(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """InvokeAI, invokeai/app/invocations/metadata.py (CoreMetadataInvocation), and versions 2 and 1."""
    value = {
        "app_version": "5.4.2",
        "generation_mode": "sdxl_txt2img",
        "positive_prompt": given.prompt,
        "negative_prompt": given.negative_prompt,
        "width": SIZE[0],
        "height": SIZE[1],
        "seed": given.seed,
        "cfg_scale": given.guidance,
        "steps": given.steps,
        "scheduler": "dpmpp_2m_k",
        "model": {
            "key": "x",
            "hash": f"blake3:{given.model_hash}",
            "name": given.model,
            "base": "sdxl",
            "type": "main",
        },
        "loras": [{"model": {"name": "ink"}, "weight": 0.7}],
    }
    yield "InvokeAI 3+", png(folder / "invoke.png", {"invokeai_metadata": json.dumps(value)}), given.truth()
    plain = given.prompt.replace("[", "(").replace("]", ")").replace("\n", " ").replace("  ", " ")
    negative = given.negative_prompt.replace("\n", " ")
    prompt = f"{plain} [{negative}]" if negative else plain
    truth = {**given.truth(), "prompt": plain, "negative_prompt": negative}
    image = {
        "prompt": [{"prompt": prompt, "weight": 1.0}],
        "steps": given.steps,
        "cfg_scale": given.guidance,
        "sampler": "k_lms",
        "seed": given.seed,
        "width": SIZE[0],
        "height": SIZE[1],
        "type": "txt2img",
    }
    old = {
        "model": "stable diffusion",
        "model_weights": given.model,
        "model_hash": given.model_hash,
        "app_id": "invoke-ai/InvokeAI",
        "app_version": "2.3.5",
        "image": image,
    }
    yield "InvokeAI 2", png(folder / "invoke2.png", {"sd-metadata": json.dumps(old)}), truth
    command = f'"{prompt}" -s {given.steps} -S {given.seed} -W {SIZE[0]} -H {SIZE[1]} -C {given.guidance:g} -A k_lms'
    yield "InvokeAI 1", png(folder / "invoke1.png", {"Dream": command}), {**truth, "model": None}


def novelai_texts(given: Facts, version: int = 3) -> dict[str, str]:
    """Returns NovelAI's texts (NovelAI/novelai-image-metadata)."""
    value: dict[str, Any] = {
        "prompt": given.prompt,
        "steps": given.steps,
        "height": SIZE[1],
        "width": SIZE[0],
        "scale": given.guidance,
        "uncond_scale": 1.0,
        "seed": given.seed,
        "n_samples": 1,
        "sampler": "k_euler_ancestral",
        "noise_schedule": "native",
        "uc": given.negative_prompt,
        "request_type": "PromptGenerateRequest",
    }
    if version == 4:
        value["v4_prompt"] = {"caption": {"base_caption": given.prompt, "char_captions": []}, "use_coords": False}
        value["v4_negative_prompt"] = {"caption": {"base_caption": given.negative_prompt, "char_captions": []}}
    return {
        "Title": "NovelAI generated image",
        "Description": given.prompt,
        "Software": "NovelAI",
        "Source": "NovelAI Diffusion V4 37442FCA" if version == 4 else "Stable Diffusion XL C1E1DE52",
        "Generation time": "3.14",
        "Comment": json.dumps(value),
    }


def _novelai(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    from loupe.brain.provenance.stealth import hidden

    truth = {**given.truth(), "model": "Stable Diffusion XL"}
    yield "NovelAI PNG", png(folder / "novelai.png", novelai_texts(given)), truth
    four = {**truth, "model": "NovelAI Diffusion V4"}
    yield "NovelAI 4 PNG", png(folder / "novelai4.png", novelai_texts(given, 4)), four
    base = np.random.default_rng(1).integers(0, 256, (160, 160, 4), np.uint8)
    text = json.dumps(
        novelai_texts(given) | {"Comment": json.loads(novelai_texts(given)["Comment"]) | {"width": 160, "height": 160}}
    )
    path = folder / "novelai_stealth.png"
    Image.fromarray(hidden(base, text), "RGBA").save(path)
    yield "NovelAI alpha", path, truth
    path = folder / "stealth_a1111.png"
    Image.fromarray(hidden(base, infotext(given)), "RGBA").save(path)
    yield "A1111 alpha", path, given.truth()


def _swarmui(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """SwarmUI, docs/Image Metadata Format.md."""
    value = {
        "sui_image_params": {
            "prompt": given.prompt,
            **({"negativeprompt": given.negative_prompt} if given.negative_prompt else {}),
            "model": given.model,
            "seed": given.seed,
            "steps": given.steps,
            "cfgscale": given.guidance,
            "aspectratio": "Custom",
            "width": SIZE[0],
            "height": SIZE[1],
            "sampler": "euler",
            "scheduler": "normal",
            "loras": ["ink"],
            "loraweights": ["0.7"],
            "swarm_version": "0.9.6.2",
        },
        "sui_extra_data": {"date": "2025-05-01", "generation_time": "1.0 sec"},
        "sui_models": [{"name": f"{given.model}.safetensors", "param": "model", "hash": f"0x{given.model_hash}"}],
    }
    text = json.dumps(value, indent=2)
    yield "SwarmUI PNG", png(folder / "swarm.png", {"parameters": text}), given.truth()
    yield "SwarmUI JPEG", _jpeg(folder / "swarm.jpg", exif(comment(text, order="utf-16-le"))), given.truth()


def _draw_things(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Draw Things, as stable-diffusion-prompt-reader's format/drawthings.py reads it."""
    from xml.sax.saxutils import escape

    value = {
        "c": given.prompt,
        "uc": given.negative_prompt,
        "model": given.model,
        "sampler": "DPM++ 2M Karras",
        "scale": given.guidance,
        "seed": given.seed,
        "seed_mode": "Scale Alike",
        "size": f"{SIZE[0]}x{SIZE[1]}",
        "steps": given.steps,
        "strength": 1.0,
        "lora": [{"model": "ink.ckpt", "weight": 0.6}],
        "v2": {"seed": given.seed},
    }
    # the negative prompt stands in this text, too, after a dash
    text = (
        f"{given.prompt}\n-{given.negative_prompt}\nSteps: {given.steps}, Sampler: DPM++ 2M Karras, Guidance Scale: 7.0"
    )
    text += f", Seed: {given.seed}, Size: {SIZE[0]}x{SIZE[1]}, Model: {given.model}, Strength: 1.0"
    packet = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>Draw Things</xmp:CreatorTool>
<exif:UserComment><rdf:Alt>
<rdf:li xml:lang="x-default">{escape(json.dumps(value))}</rdf:li></rdf:Alt></exif:UserComment>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
    yield "Draw Things PNG", png(folder / "draw.png", {"XML:com.adobe.xmp": packet}, "iTXt"), given.truth()


def _hosted(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Midjourney's PNGs as its site gives them; its and DALL·E's file names, which do not hold the whole prompt."""
    job = "0f8b4c1e-1111-2222-3333-444455556666"
    negative = given.negative_prompt.replace("\n", " ")
    prompt = f"{given.prompt} --ar 4:3{f' --no {negative}' if negative else ''} --seed {given.seed} --v 6.1"
    truth = {"prompt": prompt, "negative_prompt": negative, "seed": given.seed, "model": "Midjourney 6.1"}
    texts = {"Description": f"{prompt} Job ID: {job}", "Author": "ann", "Creation Time": "Mon, 01 Jan 2024"}
    yield "Midjourney PNG", png(folder / "midjourney.png", texts, "iTXt"), truth
    nothing = dict.fromkeys(truth)
    yield "Midjourney name", png(folder / f"ann_a_red_fox_in_snow_{job}_2.png", {}), nothing
    yield "DALL·E name", png(folder / "DALL·E 2024-01-05 12.34.56 - A red fox in the snow.png", {}), nothing


def _beside(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Easy Diffusion's JSON (its wiki, "Metadata") and the same as YAML."""
    import yaml

    value = {
        "prompt": given.prompt,
        "negative_prompt": given.negative_prompt,
        "seed": given.seed,
        "use_stable_diffusion_model": given.model,
        "num_inference_steps": given.steps,
        "guidance_scale": given.guidance,
        "sampler_name": "euler_a",
        "width": SIZE[0],
        "height": SIZE[1],
    }
    for ending in ("json", "yaml"):
        path = folder / f"beside_{ending}.png"
        picture().save(path)
        text = json.dumps(value) if ending == "json" else yaml.safe_dump(value, allow_unicode=True)
        path.with_suffix(f".{ending}").write_text(text, encoding="utf-8")
        yield f"sidecar .{ending}", path, given.truth()


def _comfyui(folder: Path, given: Facts) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """ComfyUI, nodes.py: SaveImage; WebP: comfy_extras/nodes_images.py."""
    from benchmarks.provenance import graphs, odd_graphs
    from benchmarks.provenance.editor import workflow

    shapes = {**graphs.SHAPES, **odd_graphs.SHAPES}
    for name, shape in shapes.items():
        graph, truth = shape(given)
        safe = "named" if name == "named savers" else name.replace(" ", "_").replace(",", "")
        texts = {"prompt": json.dumps(graph), "workflow": json.dumps(workflow(graph))}
        yield f"ComfyUI {name}", png(folder / f"ComfyUI_{safe}_00001_.png", texts), truth
        if name in ("plain", "ControlNet", "Flux", "two passes", "SDXL, refiner", "language model"):
            path = folder / f"editor_{safe}.json.png"
            yield f"ComfyUI editor {name}", png(path, {"workflow": texts["workflow"]}), truth
    graph, truth = shapes["plain"](given)
    webp = Image.Exif()
    webp[0x0110], webp[0x010F] = f"prompt:{json.dumps(graph)}", f"workflow:{json.dumps(workflow(graph))}"
    path = folder / "comfy.webp"
    picture().save(path, exif=webp)
    yield "ComfyUI WebP", path, truth


_LAYOUTS: tuple[Callable[[Path, Facts], Iterator[tuple[str, Path, dict[str, Any]]]], ...] = (
    *(_a1111, _fooocus, _invokeai, _novelai, _swarmui, _draw_things, _hosted, _beside, _comfyui),
)


def cases(folder: Path, count: int, seed: int = 0) -> list[Case]:
    """Writes each layout ``count`` times into folders of their own and returns the files with what is true of them."""
    rng = random.Random(seed)
    listed = []
    for number in range(count):
        own = folder / f"{number:03}"
        own.mkdir(parents=True)
        given = facts(rng)
        for layout in _LAYOUTS:
            listed += [Case(name, path, truth) for name, path, truth in layout(own, given)]
    return listed
