"""What is true of the shared pictures of ComfyUI's examples: read off their workflows by hand, node by node.

Of pictures with two passes the first is meant; its regions are a line each, in any order.
"""

from __future__ import annotations

from typing import Any

from benchmarks import data
from benchmarks.provenance.layouts import Case

FOLDER = "5_generated/comfyui_png_with_metadata"
LAYOUT = "shared ComfyUI"
_BAD = (
    "(hands), text, error, cropped, (worst quality:1.2), (low quality:1.2), normal quality, (jpeg artifacts:1.3), "
    "signature, watermark, username, blurry, artist name, monochrome, sketch, censorship, censor, (copyright:1.2), "
    "extra legs, (forehead mark) (depth of field) (emotionless) (penis)"
)
_TRUTH: dict[str, tuple[str, str, int, str]] = {
    "area_composition/workflow_night_evening_day_morning.png": (
        "(masterpiece) (best quality) beautiful landscape breathtaking amazing view nature photograph forest mountains "
        "ocean (sky) national park scenery\n(masterpiece) (best quality) morning sky\n"
        "(best quality) (evening:1.2) (sky:1.2) (clouds) (colorful) (HDR:1.2) (sunset:1.3)\n"
        "(best quality) (daytime:1.2) sky (blue)\n"
        "(best quality) (night:1.3) (darkness) sky (black) (stars:1.2) (galaxy:1.2) (space) (universe)",
        f"{_BAD} (pumpkin)",
        335608130539327,
        "Anything-V3.0.ckpt",
    ),
    "chroma/fennec_girl_hug.png": (
        "aesthetic 11, anime rpg game style, cute anime girl with massive fennec ears gigantic fennec ears "
        "and a big fluffy fox tail with long wavy blonde hair between eyes and large blue eyes blonde colored"
        " eyelashes wearing a long white gold trimmed sweater and an oversized black coat and blue jeans, she"
        " is very happy and hugging a fumo plushie of a cute anime girl with pink hair and cat ears and red "
        "eyes standing in a beautiful park with flowers and a blue sky with a large field in the background "
        "bright sunset HDR horizon",
        "low quality, bad anatomy, extra digits, missing digits, extra limbs, missing limbs",
        1084700453155415,
        "chroma-unlocked-v47-detail-calibrated.safetensors",
    ),
    "controlnet/controlnet_example.png": (
        "(solo) girl (flat chest:0.9), (fennec ears:1.1)\u00a0 (fox ears:1.1), (blonde hair:1.0), messy "
        "hair, sky clouds, standing in a grass field, (chibi), blue eyes",
        _BAD,
        1002496614778823,
        "Anything-V3.0.ckpt",
    ),
    "flux/flux_depth_lora_example.png": (
        "a photograph of a shark in the sea",
        "",
        91050358797301,
        "flux1-dev.safetensors",
    ),
    "inpaint/inpaint_example.png": (
        "closeup photograph of maine coon (cat:1.2) in the yosemite national park mountains nature",
        "watermark, text",
        1040111309094545,
        "512-inpainting-ema.safetensors",
    ),
    "lora/lora_multiple.png": (
        "masterpiece best quality girl",
        "bad hands",
        513173432917412,
        "v1-5-pruned-emaonly.ckpt",
    ),
    "sdturbo/sdxlturbo_example.png": (
        "beautiful landscape scenery glass bottle with a galaxy inside cute fennec fox snow HDR sunset",
        "text, watermark",
        0,
        "sd_xl_turbo_1.0_fp16.safetensors",
    ),
    "stable_cascade/stable_cascade__image_to_image.png": (
        "evening sunset scenery blue sky nature, glass bottle with a fizzy ice cold freezing rainbow liquid in it",
        "text, watermark",
        321653652654528,
        "stable_cascade_stage_c.safetensors",
    ),
}


def shared() -> list[Case]:
    """Returns the shared pictures with what is true of them.

    Raises:
        MissingData: they are not there
    """
    names = ("prompt", "negative_prompt", "seed", "model")
    cases = []
    for name, values in _TRUTH.items():
        truth: dict[str, Any] = dict(zip(names, values, strict=True))
        cases.append(Case(LAYOUT, data.required(FOLDER, name), truth))
    return cases
