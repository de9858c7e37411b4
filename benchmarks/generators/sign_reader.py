"""An independent model that reads the digits of a tiny-signs picture.

It is trained on rendered signs of real handwritten digits only, the train split, legible or
not, never on a generated picture. One softmax per 4-pixel column says "no digit" or which
digit has its middle there, so doubled, missing and additional digits are read as they stand.
``python -m benchmarks.generators reader`` prints how well it reads signs of held-out digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn

from benchmarks.figures import share
from training.tiny_signs.signs import (
    COLORS,
    HEIGHT,
    SLOT_W,
    TIMES,
    WEATHERS,
    WIDTH,
    Sign,
    prompt_of,
    random_sign,
    render,
    slot_left,
)

COLUMNS = WIDTH // 4
BLANK = 10
ABSTAIN_BELOW = 0.6
VERSION = 1


@dataclass(frozen=True)
class Reading:
    """What the model reads, and how sure it is (0..1) of its least sure digit."""

    text: str
    confidence: float

    @property
    def sure(self) -> bool:
        """Return whether the model stands by the reading."""
        return self.confidence >= ABSTAIN_BELOW


class ColumnNet(nn.Module):
    """A small convolutional net from 32x96 pictures to one class per 4-pixel column."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.Conv2d(48, 64, 3, stride=(2, 1), padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
        )
        self.across = nn.Sequential(
            nn.Conv1d(64 * (HEIGHT // 8), 128, 1),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv1d(128, 128, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(128, BLANK + 1, 1),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, columns) for NCHW pixels in 0..1, each picture stretched to its own range."""
        low, high = pixels.amin((1, 2, 3), keepdim=True), pixels.amax((1, 2, 3), keepdim=True)
        features = self.body((pixels - low) / (high - low + 0.02) - 0.5)
        logits: torch.Tensor = self.across(features.flatten(1, 2))
        return logits


def _targets(text: str, middles: list[float]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return class weights and loss weights per column; columns between digit and gap do not count."""
    classes = np.zeros((BLANK + 1, COLUMNS), np.float32)
    classes[BLANK] = 1.0
    counts = np.ones(COLUMNS, np.float32)
    for char, middle in zip(text, middles, strict=True):
        if char == " ":
            continue
        distance = np.abs(np.arange(COLUMNS) * 4 + 2 - middle)
        classes[:, distance <= 4] = 0.0
        classes[int(char), distance <= 4] = 1.0
        counts[(distance > 4) & (distance < 7)] = 0.0
    return classes, counts


def _example(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Return one training picture with its column targets."""
    sign = random_sign(rng, plain=0.2)
    text = "".join(" " if rng.random() < 0.08 else char for char in sign.text)
    sign = Sign(sign.color, text, sign.time, sign.weather)
    seed = int(rng.integers(1 << 31))
    picture = render(sign, np.random.default_rng(seed), "train", legible=rng.random() < 0.4)
    middles = [slot_left(i, len(text)) + SLOT_W / 2 for i in range(len(text))]
    classes, counts = _targets(text, middles)
    kind = rng.random()
    if len(text) == 4 and kind < 0.12:  # a fifth digit, squeezed in
        extra = Sign(sign.color, str(rng.integers(10)), sign.time, sign.weather)
        inserted = render(extra, rng, "train", legible=False)[:, 38:58]
        wide = np.concatenate([picture[:, :88], inserted, picture[:, 88:]], 1)
        picture = cv2.resize(wide, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8)
        squeeze = WIDTH / (WIDTH + 20)
        return picture, *_targets(text + extra.text, [m * squeeze for m in [*middles, 98.0]])
    if kind < 0.3:  # something between two digits: nobody can be sure
        other_text = "".join(" " if c == " " else str(rng.integers(10)) for c in text)
        other = render(
            Sign(sign.color, other_text, sign.time, sign.weather), np.random.default_rng(seed), "train", False
        )
        share = float(rng.uniform(0.3, 0.7))
        picture = np.rint(picture * (1 - share) + other * np.float32(share)).astype(np.uint8)
        classes = classes * (1 - share) + _targets(other_text, middles)[0] * share
    if kind > 0.4:  # moved and squeezed a little
        scale, shift = float(rng.uniform(0.88, 1.08)), float(rng.uniform(-5, 5))
        move = np.float32([[scale, 0, 48 * (1 - scale) + shift], [0, 1, rng.uniform(-1.5, 1.5)]])
        picture = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
        classes, counts = _targets(text, [scale * m + float(move[0, 2]) for m in middles])
    return picture, classes, counts


def _augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the pictures with noise, some blurred: generated pictures are softer than rendered ones."""
    count = len(pixels)
    soft = nn.functional.avg_pool2d(nn.functional.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    mix = torch.rand(count, 1, 1, 1, generator=generator) * (torch.rand(count, 1, 1, 1, generator=generator) < 0.6)
    pixels = pixels * (1 - mix) + soft * mix
    contrast = pixels.std((1, 2, 3), keepdim=True)
    level = torch.rand(count, 1, 1, 1, generator=generator) * 0.25 * contrast
    return pixels + torch.randn(pixels.shape, generator=generator) * level


class SignReader:
    """Reads signs; see :func:`load_reader`."""

    def __init__(self, net: ColumnNet) -> None:
        self.net = net.eval()

    @torch.no_grad()
    def read(self, pixels: NDArray[np.uint8]) -> list[Reading]:
        """Return one reading per picture of an (N, H, W, 3) stack; other sizes are resized."""
        if pixels.ndim != 4 or pixels.shape[-1] != 3:
            raise ValueError(f"expected pictures as (N, H, W, 3), got {pixels.shape}")
        if pixels.shape[1:3] != (HEIGHT, WIDTH):
            size = (WIDTH, HEIGHT)
            pixels = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pixels]).astype(np.uint8)
        readings: list[Reading] = []
        for start in range(0, len(pixels), 256):
            batch = torch.from_numpy(pixels[start : start + 256]).permute(0, 3, 1, 2).float() / 255
            readings += [_decode(p) for p in self.net(batch).softmax(1).numpy()]
        return readings


def _decode(probabilities: NDArray[np.float32]) -> Reading:
    """Return the reading of one picture's column probabilities (classes, columns)."""
    filled = probabilities[:BLANK].sum(0) > 0.5
    text, confidence, start = "", 1.0, 0
    while start < COLUMNS:
        if not filled[start]:
            start += 1
            continue
        end = start
        while end < COLUMNS and filled[end]:
            end += 1
        pieces = max(1, round((end - start) / 5 + 0.1))  # a run as wide as two slots is two digits that touch
        for part in np.array_split(np.arange(start, end), pieces):
            votes = probabilities[:BLANK, part].sum(1)
            digit = int(votes.argmax())
            text += str(digit)
            confidence = min(confidence, float(votes[digit] / votes.sum()), float(1 - probabilities[BLANK, part].min()))
        start = end
    return Reading(text, confidence)


def train_reader(steps: int = 700, pool: int = 9000, batch: int = 48, seed: int = 0) -> SignReader:
    """Train a reader on the CPU, seeded."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ColumnNet()
        generator = torch.Generator().manual_seed(seed)
        examples = [_example(rng) for _ in range(pool)]
        pixels = torch.from_numpy(np.stack([e[0] for e in examples])).permute(0, 3, 1, 2)
        classes, counts = (torch.from_numpy(np.stack([e[i] for e in examples])) for i in (1, 2))
        optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
        net.train()
        for _ in range(steps):
            pick = torch.from_numpy(rng.integers(0, pool, batch))
            logits = net(_augment(pixels[pick].float() / 255, generator))
            each = -(classes[pick] * logits.log_softmax(1)).sum(1)
            loss = (each * counts[pick]).sum() / counts[pick].sum()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
    return SignReader(net)


def load_reader(cache_dir: str | Path | None = None, seed: int = 0) -> SignReader:
    """Return the reader from ``cache_dir``, trained and stored there if need be (a minute or so on a CPU)."""
    other = f"-seed-{seed}" if seed else ""
    path = Path(cache_dir) / f"sign-reader-{VERSION}{other}.safetensors" if cache_dir else None
    if path and path.exists():
        net = ColumnNet()
        net.load_state_dict(load_file(path))
        return SignReader(net)
    reader = train_reader(seed=seed)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        save_file({k: v.contiguous() for k, v in reader.net.state_dict().items()}, partial)
        partial.replace(path)
    return reader


def held_out_accuracy(
    reader: SignReader, count: int, legible: bool, seed: int = 11
) -> dict[str, tuple[int, int, int, int]]:
    """Return per scenario: signs, signs read right, signs stood by, right among those; on held-out digits."""
    rng = np.random.default_rng(seed)
    table: dict[str, tuple[int, int, int, int]] = {}
    for time in TIMES:
        for weather in WEATHERS:
            signs = []
            for index in range(count):
                text = "".join(str(d) for d in rng.integers(0, 10, 1 + index % 4))
                signs.append(Sign(COLORS[index % len(COLORS)], text, time, weather))
            readings = reader.read(np.stack([render(s, rng, "heldout", legible) for s in signs]))
            right = [r.text == s.text for r, s in zip(readings, signs, strict=True)]
            sure = [r.sure for r in readings]
            both = sum(a and b for a, b in zip(right, sure, strict=True))
            table[f"{time}/{weather}"] = (count, sum(right), sum(sure), both)
    return table


def print_accuracy(cache: Path | None, count: int) -> None:
    """Print the reader's own accuracy on so many signs per scenario, of held-out real digits."""
    reader = load_reader(cache)
    print(f"prompts look like: {prompt_of(Sign('red', '42', 'day', 'clear'))}")
    for legible in (True, False):
        print("legible held-out digits" if legible else "all held-out digits")
        for scenario, (n, right, sure, both) in held_out_accuracy(reader, count, legible).items():
            stood = f"stands by {share(sure, n)}, right there {share(both, sure)}"
            print(f"  {scenario:12s} signs {share(right, n)}; {stood}")
