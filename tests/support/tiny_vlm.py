"""What the tests of the VLM on this machine share: a Qwen3-VL of a few thousand weights, and what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.local import LocalVlm

CONTROL = [
    f"<|{name}|>" for name in ("pad", "im_start", "im_end", "vision_start", "vision_end", "image_pad", "video_pad")
]
WORDS = (
    "[UNK] user assistant Yes No yes no YES look at the picture and answer with one word is it red blue dog , . ? : or"
)
TEMPLATE = """{% for message in messages %}<|im_start|>{{ message.role }}
{% for part in message.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>
{%- else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def picture(color: str, seed: int, height: int = 16, width: int = 16) -> np.ndarray:
    base = np.random.default_rng(seed).integers(0, 90, (height, width, 3))
    base[:, :, 0 if color == "red" else 2] += 150
    return base.astype(np.uint8)


def questions(n: int, seed: int = 0) -> list[Question]:
    """Pictures of other shapes, questions of other lengths, with and without examples; red and blue in turn."""
    made = []
    for index in range(n):
        examples = ((picture("red", 900, 16, 32), "yes"), (picture("blue", 901), "no")) if index % 5 == 4 else ()
        height, width = 16 + 16 * (index % 3), 16 + 8 * (index % 4)
        shown = picture(("red", "blue")[index % 2], seed + index, height, width)
        made.append(Question(f"is it red {'? ' * (index % 4)}?", shown, examples))
    return made


def right(n: int) -> list[str]:
    return [("yes", "no")[index % 2] for index in range(n)]


def build(folder: Path) -> None:
    """Writes a tiny Qwen3-VL with random weights and its processor, as a hub model is written."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )
    from transformers.models.qwen2_vl import Qwen2VLImageProcessor

    vocabulary = {word: index for index, word in enumerate(WORDS.split())}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.normalizer = normalizers.Replace("Look", "look")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="[UNK]",
        pad_token="<|pad|>",
        eos_token="<|im_end|>",
        extra_special_tokens=CONTROL,
    )
    images = Qwen2VLImageProcessor(patch_size=8, merge_size=2, size={"shortest_edge": 256, "longest_edge": 4096})
    processor = Qwen3VLProcessor(images, tokenizer, Qwen3VLVideoProcessor(), chat_template=TEMPLATE)
    image, video, start, end = (tokenizer.convert_tokens_to_ids(token) for token in (*CONTROL[5:], *CONTROL[3:5]))
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]},
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 4,
            "patch_size": 8,
            "out_hidden_size": 32,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    torch.manual_seed(0)
    Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)


def teach(folder: Path, texts: Sequence[str] = ()) -> None:
    """Trains the model in the folder to say Yes or No to "is it red?", and so to other questions, by the color alone.

    Through the VLM's own inputs.
    """
    import torch

    vlm = LocalVlm(str(folder))
    model, words = vlm._model.train(), vlm._processor.tokenizer
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    targets = torch.tensor([words.convert_tokens_to_ids(word.capitalize()) for word in right(20)])
    for step in range(40):
        asked = questions(20, seed=1000 * (step + 1))
        if texts:
            asked = [replace(each, text=texts[(step + at) % len(texts)]) for at, each in enumerate(asked)]
        logits = model(**vlm._inputs(asked), logits_to_keep=1).logits[:, 0]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, targets).backward()
        optimizer.step()
    model.eval().save_pretrained(folder)


def numbers(answers: Sequence[Answer]) -> np.ndarray:
    return np.array([[answer.yes, answer.mass] for answer in answers])
