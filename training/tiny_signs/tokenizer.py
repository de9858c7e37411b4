"""A real CLIP tokenizer whose merges make one token of each word of the sign grammar."""

from __future__ import annotations

import json
from pathlib import Path

from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from training.tiny_signs.signs import COLORS, TIMES, WEATHERS

MAX_LENGTH = 24
WORDS = ("a", "sign", "that", "says", '",', *COLORS, *TIMES, *WEATHERS)
BOS, EOS = "<|startoftext|>", "<|endoftext|>"


def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the vocabulary and the ordered merges: all bytes, and each word from its left.

    Longer words merge first: otherwise the "re" of "red" would break up "green".
    """
    base = list(bytes_to_unicode().values())
    tokens = base + [char + "</w>" for char in base]
    steps: list[tuple[int, tuple[str, str]]] = []
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        left = parts[0]
        for part in parts[1:]:
            steps.append((-len(word), (left, part)))
            left += part
            tokens.append(left)
    tokens += [BOS, EOS]
    merges = [pair for _, pair in sorted(steps, key=lambda step: step[0])]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}, list(dict.fromkeys(merges))


def build_tokenizer(folder: Path) -> CLIPTokenizer:
    """Write ``vocab.json`` and ``merges.txt`` below ``folder`` and return the tokenizer over them."""
    folder.mkdir(parents=True, exist_ok=True)
    vocab, merges = vocabulary()
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": MAX_LENGTH,
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": EOS,
        "unk_token": EOS,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return CLIPTokenizer.from_pretrained(folder)
