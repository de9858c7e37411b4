"""A tiny CLIP with random weights, made on the spot: no internet is needed, and it knows nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def tiny_clip(folder: Path) -> Any:
    """Returns the embedder of such a model, whose files are written to a folder."""
    import open_clip
    import torch

    from loupe.brain.embedders.open_clip import OpenClip

    (folder / "tiny-words-clip.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder / "tiny-words-clip.json")
    torch.manual_seed(0)
    torch.save(open_clip.create_model("tiny-words-clip").eval().state_dict(), folder / "words.pt")
    return OpenClip(model="tiny-words-clip", pretrained=str(folder / "words.pt"))
