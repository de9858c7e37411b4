"""Fills a dataset with what several models made of the same prompts, in ``generate``'s fields; no picture is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FAILURE = "blur"
TIMES, PLACES = ("day", "night"), ("beach", "forest", "street")


def fill_models(
    dataset: Any,
    rates: Mapping[str, float],
    *,
    prompts: int = 60,
    per_prompt: int = 2,
    worse_at_night: Mapping[str, float] | None = None,
    files: Sequence[str] = (),
    unknown: float = 0.05,
    same_seeds: bool = True,
    seed: int = 0,
) -> None:
    """Adds a sample for each model, prompt and seed, flagged for ``FAILURE``.

    Args:
        dataset: an empty FiftyOne dataset
        rates: for each model its failure rate
        prompts: how many there are
        per_prompt: how many seeds each has
        worse_at_night: for some of the models how much more of their pictures fail at night
        files: the images, taken in turn
        unknown: the share that the check could not judge
        same_seeds: whether all models have the same seeds
        seed: decides everything
    """
    import fiftyone as fo

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import generated
    from loupe.brain.store import scores as store_scores

    rng = np.random.default_rng(seed)
    generated.prepare(dataset, ("time", "place"))
    check, output = registry.failures()[FAILURE]
    store_scores.declare(dataset, [output])
    threshold = output.default_threshold
    assert threshold is not None
    side = 1 if threshold.op == ">" else -1
    hard = rng.random((prompts, per_prompt))
    times, places = rng.choice(TIMES, prompts), rng.choice(PLACES, prompts)
    samples, scores = [], []
    for at, (model, rate) in enumerate(rates.items()):
        for prompt in range(prompts):
            more = (worse_at_night or {}).get(model, 0.0) if times[prompt] == "night" else 0.0
            for number in range(per_prompt):
                # half of what happens is the prompt's and the seed's, and the same for each model
                draw = hard[prompt, number] if rng.random() < 0.5 else rng.random()
                fails, unsure = draw < rate + more, rng.random() < unknown
                index = len(samples)
                samples.append(
                    fo.Sample(
                        filepath=files[index % len(files)] if files else f"/nowhere/{index:06}.png",
                        prompt=f"prompt {prompt}",
                        generation=fo.DynamicEmbeddedDocument(
                            model=model, seed=prompt * 1000 + number + (0 if same_seeds else at * 100)
                        ),
                        scenario=fo.DynamicEmbeddedDocument(time=str(times[prompt]), place=str(places[prompt])),
                    )
                )
                value = threshold.value + side * (0.1 if fails else -0.1) * (abs(threshold.value) or 1)
                scores.append(None if unsure else float(value))
    dataset.add_samples(samples, progress=False)
    dataset.set_values(f"quality.{output.name}", scores)
    dataset.set_values("checked", [{check: "made up"}] * len(samples))
    loupe.flag(dataset)
