"""Write the trained state as a Stable Diffusion folder: ``python -m training.tiny_signs.export --run … --to …``.

The weights are half-precision safetensors. Files are replaced one by one, each in one
rename, so that a reader of an older export never sees half a file.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from training.tiny_signs.common import load_state
from training.tiny_signs.models import build_scheduler, build_text_encoder, build_vae
from training.tiny_signs.tokenizer import build_tokenizer
from training.tiny_signs.train_text import ColumnReader
from training.tiny_signs.train_unet import Cache, load_average

LIMIT_BYTES = 12_000_000


def assemble(run: Path) -> StableDiffusionPipeline:
    """Return the pipeline over the averaged weights of ``run``."""
    tokenizer = build_tokenizer(run / "tokenizer")
    encoder = build_text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id)
    model = load_average(run, (encoder, ColumnReader()))
    vae_state, cache_state = load_state(run / "vae.pt"), load_state(run / "latents.pt")
    if vae_state is None or cache_state is None:
        raise FileNotFoundError(f"stages 1 and 3 have not run in {run}")
    vae = build_vae()
    vae.load_state_dict(vae_state["model"])
    vae.register_to_config(scaling_factor=round(Cache(cache_state["latents"], []).scaling_factor, 6))
    return StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=model.encoder.eval(),
        tokenizer=tokenizer,
        unet=model.unet.eval(),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )


def _clean_configs(folder: Path) -> None:
    """Drop the paths of the training machine, and let the text encoder load in single precision."""
    for path in folder.rglob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            continue
        for key in ("_name_or_path", "name_or_path", "local_files_only", "is_local"):
            content.pop(key, None)
        if path.parent.name == "text_encoder":
            content["dtype"] = "float32"
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def export(run: Path, to: Path) -> int:
    """Write the folder and return the size of its weights in bytes."""
    pipeline = assemble(run).to(torch.float16)
    to.mkdir(parents=True, exist_ok=True)
    weights = 0
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".export-") as temporary:
        staged = Path(temporary)
        pipeline.save_pretrained(staged, safe_serialization=True)
        vocabulary = run / "tokenizer"
        for name in ("vocab.json", "merges.txt"):
            (staged / "tokenizer" / name).write_bytes((vocabulary / name).read_bytes())
        _clean_configs(staged)
        for path in sorted(p for p in staged.rglob("*") if p.is_file()):
            if path.suffix == ".safetensors":
                weights += path.stat().st_size
            path.chmod(0o644)
            target = to / path.relative_to(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
    if weights > LIMIT_BYTES:
        raise ValueError(f"the weights take {weights} bytes, more than {LIMIT_BYTES}")
    return weights


def main() -> None:
    """Export and print the size."""
    parser = argparse.ArgumentParser(description="Export the trained tiny-signs state as a pipeline folder.")
    parser.add_argument("--run", type=Path, required=True, help="the folder that training wrote")
    parser.add_argument("--to", type=Path, default=Path("models/tiny-signs"))
    args = parser.parse_args()
    print(f"{export(args.run, args.to) / 1e6:.2f} MB of weights in {args.to}")


if __name__ == "__main__":
    main()
