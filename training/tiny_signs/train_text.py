"""Stage 2: the text encoder learns to say which digit stands in which column of the sign.

A denoiser learns slowly which digit to draw, because most of its loss is about everything
else. So the text encoder first answers, through cross-attention from one learned query per
latent column, what stands there. The head that asks is thrown away afterwards (it only goes
on as a small anchor in stage 3); the embeddings keep the answer apart and easy to find.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from training.tiny_signs.common import Budget, learning_rate, load_state, save_state, seed_everything, set_learning_rate
from training.tiny_signs.models import LATENT_WIDTH, TEXT_WIDTH, build_text_encoder
from training.tiny_signs.signs import COLORS, SLOT_W, TIMES, WEATHERS, Sign, prompt_of, seen_sign, slot_left

BOARDLESS = 10
CLASSES = 11


def column_labels(text: str) -> list[int]:
    """Return the digit in each latent column of a sign that says ``text``, or ``BOARDLESS``."""
    labels = []
    for column in range(LATENT_WIDTH):
        slot = (column * 4 + 2 - slot_left(0, len(text))) // SLOT_W
        labels.append(int(text[slot]) if 0 <= slot < len(text) else BOARDLESS)
    return labels


def factor_labels(sign: Sign) -> list[int]:
    """Return the index of each factor's value."""
    return [COLORS.index(sign.color), TIMES.index(sign.time), WEATHERS.index(sign.weather)]


class ColumnReader(nn.Module):
    """Learned queries that read columns and factors out of the text states."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(LATENT_WIDTH + 1, TEXT_WIDTH) * 0.5)
        self.attention = nn.MultiheadAttention(TEXT_WIDTH, 4, batch_first=True)
        self.columns = nn.Linear(TEXT_WIDTH, CLASSES)
        self.factors = nn.ModuleList(nn.Linear(TEXT_WIDTH, len(f)) for f in (COLORS, TIMES, WEATHERS))

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return column logits (B, W, classes) and one tensor of logits per factor."""
        queries = self.queries.expand(states.shape[0], -1, -1)
        read, _ = self.attention(queries, states, states, need_weights=False)
        return self.columns(read[:, :-1]), [head(read[:, -1]) for head in self.factors]

    def loss(self, states: torch.Tensor, columns: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy of all answers."""
        logits, factor_logits = self(states)
        total = nn.functional.cross_entropy(logits.flatten(0, 1), columns.flatten())
        for index, logits_of_factor in enumerate(factor_logits):
            total = total + 0.2 * nn.functional.cross_entropy(logits_of_factor, factors[:, index])
        return total


def tokenize(tokenizer: CLIPTokenizer, signs: list[Sign]) -> torch.Tensor:
    """Return the padded token ids of the signs' prompts."""
    encoded = tokenizer(
        [prompt_of(sign) for sign in signs],
        padding="max_length",
        truncation=True,
        max_length=tokenizer.model_max_length,
        return_tensors="pt",
    )
    ids: torch.Tensor = encoded.input_ids
    return ids


def labels_of(signs: list[Sign]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the column labels and factor labels of the signs."""
    return torch.tensor([column_labels(s.text) for s in signs]), torch.tensor([factor_labels(s) for s in signs])


def train_text(
    out: Path, tokenizer: CLIPTokenizer, budget: Budget, seed: int, device: torch.device, batch: int = 128
) -> tuple[CLIPTextModel, ColumnReader]:
    """Train text encoder and reader within ``budget``; resumes from ``out/text.pt``."""
    rng = seed_everything(seed + 2)
    encoder = build_text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id).to(device)
    reader = ColumnReader().to(device)
    both = nn.ModuleList([encoder, reader])
    optimizer = torch.optim.AdamW(both.parameters(), lr=1e-3, weight_decay=0.01)
    step = 0
    if state := load_state(out / "text.pt"):
        both.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, budget.spent_before = int(state["step"]), float(state["seconds"])
    if budget.over(step):
        return encoder, reader
    signs = [seen_sign(rng) for _ in range(40000)]
    ids, (columns, factors) = tokenize(tokenizer, signs), labels_of(signs)
    rng = np.random.default_rng((seed, step))
    while not budget.over(step):
        set_learning_rate(optimizer, learning_rate(step, budget.progress(step), 1e-3))
        pick = torch.from_numpy(rng.integers(0, len(signs), batch))
        states = encoder(ids[pick].to(device)).last_hidden_state
        loss = reader.loss(states, columns[pick].to(device), factors[pick].to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 200 == 0 or budget.over(step):
            with torch.no_grad():
                logits, _ = reader(states)
                right = (logits.argmax(-1).cpu() == columns[pick]).float().mean().item()
            print(f"text step {step} {budget.spent():.0f}s loss {loss.item():.4f} columns {right:.4f}", flush=True)
            state = {"model": both.state_dict(), "optimizer": optimizer.state_dict()}
            save_state(out / "text.pt", {**state, "step": step, "seconds": budget.spent()})
    return encoder, reader
