"""Measure how often generated signs read as asked: ``python -m training.tiny_signs.evaluate``.

The pictures come from the exported folder through the ordinary text-to-image pipeline, and
the independent reader of ``benchmarks.generators`` reads them. Nothing is picked: every
picture counts, one that the reader does not stand by as not right.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoPipelineForText2Image, DiffusionPipeline
from numpy.typing import NDArray

from benchmarks.generators.sign_reader import Reading, load_reader
from loupe.brain.core.strings import distance
from loupe.brain.stats.intervals import wilson
from training.tiny_signs.signs import COLORS, HEIGHT, MAX_DIGITS, TIMES, WEATHERS, WIDTH, Sign, prompt_of

STEPS, GUIDANCE = 20, 2.0


@dataclass
class Row:
    """The measurement of one group of signs."""

    name: str
    signs: int = 0
    right: int = 0
    digits: int = 0
    digits_right: int = 0
    wrong: int = 0
    missing: int = 0
    extra: int = 0
    unsure: int = 0

    def add(self, sign: Sign, reading: Reading) -> None:
        """Count one sign."""
        self.signs += 1
        self.digits += len(sign.text)
        self.digits_right += len(sign.text) - min(len(sign.text), distance(sign.text, reading.text))
        self.unsure += not reading.sure
        self.right += reading.sure and reading.text == sign.text
        if len(reading.text) < len(sign.text):
            self.missing += 1
        elif len(reading.text) > len(sign.text):
            self.extra += 1
        elif reading.text != sign.text:
            self.wrong += 1

    def markdown(self) -> str:
        """Return the row of the table."""
        low, high = wilson(self.right, self.signs)
        share = f"{self.right / self.signs:.1%} | {low:.1%} to {high:.1%} | {self.digits_right / self.digits:.1%}"
        return (
            f"| {self.name} | {self.signs} | {share} | {self.wrong} | {self.missing} | {self.extra} | {self.unsure} |"
        )


def measured_signs(count: int, seed: int) -> list[Sign]:
    """Return ``count`` signs per scenario: all colors and numbers of digits in turn, digits at random."""
    rng = np.random.default_rng((seed, 77))
    signs = []
    for moment in TIMES:
        for weather in WEATHERS:
            for index in range(count):
                text = "".join(str(d) for d in rng.integers(0, 10, 1 + index % MAX_DIGITS))
                signs.append(Sign(COLORS[index % len(COLORS)], text, moment, weather))
    return signs


def generate(
    pipeline: DiffusionPipeline, signs: Sequence[Sign], seed: int, steps: int, guidance: float, batch: int = 16
) -> NDArray[np.uint8]:
    """Return one picture per sign; picture ``i`` depends on ``seed + i`` alone."""
    pictures = []
    for start in range(0, len(signs), batch):
        part = signs[start : start + batch]
        generators = [torch.Generator().manual_seed(seed + start + i) for i in range(len(part))]
        prompts = [prompt_of(sign) for sign in part]
        result = pipeline(
            prompts,
            height=HEIGHT,
            width=WIDTH,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=generators,
            output_type="np",
        )
        pictures.append(np.rint(result.images * 255).astype(np.uint8))
    return np.concatenate(pictures)


def table(signs: Sequence[Sign], readings: Sequence[Reading]) -> list[Row]:
    """Return the rows: per scenario, then per number of digits by clear day, then all."""
    rows: dict[str, Row] = {}
    for sign, reading in zip(signs, readings, strict=True):
        names = [f"{sign.time}, {sign.weather}"]
        if sign.scenario == "day/clear":
            names.append(f"day, clear, {len(sign.text)} digit{'s' if len(sign.text) > 1 else ''}")
        for name in [*names, "all"]:
            rows.setdefault(name, Row(name)).add(sign, reading)
    ordered = sorted(rows.values(), key=lambda row: (row.name == "all", "digit" in row.name))
    return ordered


def write_card(card: Path, guidance: float, lines: list[str]) -> None:
    """Replace the table of the model card for this guidance, between its two markers."""
    begin, end = (f"<!-- accuracy at guidance {guidance:g}: {edge} -->" for edge in ("begin", "end"))
    text = card.read_text(encoding="utf-8")
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    card.write_text(f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{tail}", encoding="utf-8")


def main() -> None:
    """Generate, read, print."""
    parser = argparse.ArgumentParser(description="Measure the digit accuracy of tiny-signs per scenario.")
    parser.add_argument("--model", default="models/tiny-signs")
    parser.add_argument("--count", type=int, default=100, help="signs per scenario")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--guidance", type=float, default=GUIDANCE)
    parser.add_argument("--reader-cache", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--card", type=Path, default=None, help="model card whose table to replace")
    parser.add_argument("--json", type=Path, default=None, help="where to write the rows")
    parser.add_argument("--sheet", type=Path, default=None, help="where to write a contact sheet")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    reader = load_reader(args.reader_cache)
    pipeline = AutoPipelineForText2Image.from_pretrained(args.model)
    pipeline.set_progress_bar_config(disable=True)
    signs = measured_signs(args.count, args.seed)
    started = time.perf_counter()
    pictures = generate(pipeline, signs, args.seed, args.steps, args.guidance)
    seconds = (time.perf_counter() - started) / len(signs)
    rows = table(signs, reader.read(pictures))
    lines = [
        "| scenario | signs | signs right | 95 % interval | digits right | wrong | missing | extra | unsure |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row.markdown() for row in rows),
    ]
    print("\n".join(lines))
    print(f"{seconds:.3f} s a picture; {args.steps} steps, guidance {args.guidance}, seed {args.seed}")
    if args.card:
        write_card(args.card, args.guidance, lines)
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    if args.sheet:
        import cv2

        per = min(args.count, 8)
        sheet = [np.concatenate(pictures[i : i + per], 1) for i in range(0, len(pictures), args.count)]
        cv2.imwrite(str(args.sheet), np.concatenate(sheet)[..., ::-1])


if __name__ == "__main__":
    main()
