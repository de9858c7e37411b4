"""Train the tiny-signs checkpoint from nothing: ``python -m training.tiny_signs.train --out runs/tiny-signs``.

Four stages, each with its own budget: autoencoder, text encoder, cache of latents, denoiser.
Run the same command again to go on where a run stopped. The result is exported by
``python -m training.tiny_signs.export``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.tiny_signs.common import Budget, pick_device
from training.tiny_signs.tokenizer import build_tokenizer
from training.tiny_signs.train_text import train_text
from training.tiny_signs.train_unet import build_cache, train_unet
from training.tiny_signs.train_vae import train_vae


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(description="Train the tiny-signs text-to-image checkpoint.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the resumable state")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 for torch's own choice")
    parser.add_argument("--vae-seconds", type=float, default=540.0)
    parser.add_argument("--vae-steps", type=int, default=0)
    parser.add_argument("--text-seconds", type=float, default=240.0)
    parser.add_argument("--text-steps", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=4200.0, help="for the denoiser")
    parser.add_argument("--steps", type=int, default=0, help="for the denoiser")
    parser.add_argument("--pool", type=int, default=40000, help="rendered signs behind the denoiser")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the four stages."""
    args = parse(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    vae = train_vae(args.out, Budget(args.vae_steps, args.vae_seconds), args.seed, device)
    tokenizer = build_tokenizer(args.out / "tokenizer")
    text = train_text(args.out, tokenizer, Budget(args.text_steps, args.text_seconds), args.seed, device)
    cache = build_cache(args.out / "latents.pt", vae, args.pool, args.seed, device)
    budget = Budget(args.steps, args.seconds)
    train_unet(args.out, tokenizer, text, cache, budget, args.seed, device, args.batch, args.lr)


if __name__ == "__main__":
    main()
