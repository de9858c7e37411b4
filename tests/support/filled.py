"""Fills a dataset with what generate, check and flag leave behind, without drawing or judging a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

TIMES = ("day", "night")
WEATHERS = ("clear", "fog", "rain")
COLORS = ("blue", "green", "red", "white")

#: share of the samples that no weather is known of, that no check has looked at, that a check could not judge
NO_WEATHER, UNCHECKED, UNKNOWN = 0.04, 0.03, 0.05


def fill(
    dataset: Any,
    n: int,
    *,
    files: Sequence[str] = (),
    flag: bool = True,
    seed: int = 0,
    checks: Sequence[str] | None = None,
) -> None:
    """Adds n samples with scenario, quality, checked and, by ``loupe.flag``, failures: more at night and in fog.

    They have no prompts, which would ask for some of what fails.

    Args:
        dataset: an empty FiftyOne dataset
        n: how many samples
        files: their images, taken in turn; names of files that are not there by default
        flag: whether to flag the scores
        seed: decides everything
        checks: those that have run; all that flag something by default
    """
    import fiftyone as fo

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores as store_scores

    rng = np.random.default_rng(seed)
    time, weather, color = (rng.choice(values, n) for values in (TIMES, WEATHERS, COLORS))
    number = [str(value) for value in rng.integers(10, 1000, n)]
    no_weather = rng.random(n) < NO_WEATHER
    dataset.add_sample_field("prompt", fo.StringField)
    dataset.add_sample_field("scenario", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    for name in ("time", "weather", "color", "text"):
        dataset.add_sample_field(f"scenario.{name}", fo.StringField)
    samples = [
        fo.Sample(
            filepath=files[index % len(files)] if files else f"/nowhere/{index:06}.png",
            scenario=fo.DynamicEmbeddedDocument(
                time=str(time[index]),
                weather=None if no_weather[index] else str(weather[index]),
                color=str(color[index]),
                text=number[index],
            ),
        )
        for index in range(n)
    ]
    dataset.add_samples(samples, expand_schema=False, validate=False, progress=False)
    del samples  # FiftyOne reloads every sample that is still held, one by one, at each write

    wanted = {name: own for name, own in registry.failures().items() if checks is None or own[0] in checks}
    store_scores.declare(dataset, [output for _, output in wanted.values()])
    unchecked = rng.random(n) < UNCHECKED
    hard = 1 + 3.0 * (time == "night") + 2.0 * (weather == "fog")
    for at, (_, output) in enumerate(wanted.values()):
        assert output.default_threshold is not None
        often = 0.0 if at % 4 == 3 else 0.02 + 0.04 * (at % 4)
        fails = rng.random(n) < often * hard
        step = 0.5 * abs(output.default_threshold.value) or 0.5
        side = np.where(fails, 1.0, -1.0) * (1 if output.default_threshold.op == ">" else -1)
        scores: list[float | None] = [float(score) for score in output.default_threshold.value + step * side]
        for index in np.flatnonzero(unchecked | (rng.random(n) < UNKNOWN)):
            scores[index] = None
        dataset.set_values(f"quality.{output.name}", scores, validate=False)
    names = sorted({check for check, _ in wanted.values()})
    dataset.set_values(
        "checked", [{} if skip else dict.fromkeys(names, "made up") for skip in unchecked], validate=False
    )
    if flag:
        loupe.flag(dataset)
