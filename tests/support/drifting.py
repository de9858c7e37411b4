"""A dataset of several days in which, on the last one, the night pictures of one camera got worse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

DAYS = 4
CLASSES = ("car", "person", "dog")
FIRST_DAY = datetime(2026, 11, 1, tzinfo=UTC)


def fill(dataset: Any, per_day: int, *, drifts: bool = True, files: Sequence[str] = (), seed: int = 0) -> None:
    """Adds ``DAYS * per_day`` samples with vectors, scores, predictions with confidence, factors and a date "taken".

    On the last day, at night, sharpness falls by two standard deviations, the vectors move, and the predictions are as
    sure as before and wrong more often.
    """
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    samples = []
    for day in range(DAYS):
        for number in range(per_day):
            night = bool(rng.random() < 0.4)
            worse = drifts and night and day == DAYS - 1
            truth = str(rng.choice(CLASSES))
            right = rng.random() < (0.45 if worse else 0.85)
            other = str(rng.choice([name for name in CLASSES if name != truth]))
            unknown = rng.random() < 0.1
            at = day * per_day + number
            samples.append(
                fo.Sample(
                    filepath=files[at % len(files)] if files else f"/nowhere/{at:05}.png",
                    prompt=f"picture {at}",
                    taken=FIRST_DAY + timedelta(days=day, minutes=number % 1400),
                    scenario=fo.DynamicEmbeddedDocument(
                        time="night" if night else "day", camera=str(rng.choice(["north", "south"]))
                    ),
                    quality=fo.DynamicEmbeddedDocument(
                        sharpness=None if unknown else float(rng.normal(0.6 - 0.2 * worse, 0.1)),
                        luma_mean=float(rng.normal(0.5, 0.1)),
                    ),
                    checked={"sharpness": "made up", "exposure": "made up"},
                    embeddings=rng.normal(0.6 * worse, 1, 16).astype(np.float32),
                    predictions=fo.Classification(
                        label=truth if right else other, confidence=float(np.clip(rng.normal(0.85, 0.08), 0, 1))
                    ),
                    truth=fo.Classification(label=truth),
                )
            )
    dataset.add_samples(samples, dynamic=True, progress=False)
