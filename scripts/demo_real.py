"""The end of the demo: are its signs any use as training data? Held against scikit-learn's digits drawn as signs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAME = "loupe-demo-real"
#: signs for each time × weather × number of digits, to train on and as many to test on: fewer tell nothing
MIN_PER_CELL = 3
#: what a model is trained to tell: how a sign looks, and how many digits stand on it
LABELS = ("scenario.digits", "scenario.weather")


def real_signs(asked: list[dict[str, str]], per_cell: int) -> Any:
    """Returns a dataset of drawn signs, half to train on and half to test on, in the scenarios of the demo's prompts.

    The two halves share no handwriting. What stands there from an earlier run is used again.

    Args:
        asked: the prompts with their factors; all cells, equally often
        per_cell: of those, how many there are for each cell
    """
    import fiftyone as fo
    import numpy as np
    from PIL import Image

    from loupe.training.tiny_signs import signs

    cells = asked[::per_cell]
    wanted = [(part, cell) for part in ("train", "test") for cell in cells for _ in range(max(per_cell, MIN_PER_CELL))]
    dataset = fo.load_dataset(NAME) if fo.dataset_exists(NAME) else fo.Dataset(NAME, persistent=True)
    if len(dataset) == len(wanted):
        return dataset
    dataset.clear()
    folder = Path(fo.config.default_dataset_dir).expanduser() / NAME
    folder.mkdir(parents=True, exist_ok=True)
    rng, samples = np.random.default_rng(0), []
    for number, (part, cell) in enumerate(wanted):
        text = signs.random_text(rng, int(cell["digits"]), int(cell["digits"]))
        sign = signs.Sign(str(rng.choice(signs.COLORS)), text, cell["time"], cell["weather"])
        drawn = signs.render(sign, rng, "train" if part == "train" else "heldout", legible=False)
        path = folder / f"{part}-{number:04}.png"
        Image.fromarray(drawn).save(path)
        scenario = {"digits": cell["digits"], "weather": sign.weather, "time": sign.time, "color": sign.color}
        samples.append(fo.Sample(str(path), part=part, number=text, scenario=fo.DynamicEmbeddedDocument(**scenario)))
    dataset.add_samples(samples, dynamic=True, progress=False)
    return dataset


def compare_with_real(dataset: Any, real: Any) -> list[str]:
    """Returns what sets the generated signs apart from the real ones, and what they are worth to train on, in lines."""
    from fiftyone import ViewField as F

    import loupe

    train, test = (real.match(F("part") == part) for part in ("train", "test"))
    lines = []
    for label in LABELS:
        worth = loupe.test_transfer(dataset, train, test, label=label)
        arms = {arm.name: arm.accuracy for arm in worth.matrix}
        lines += [
            f"{label}: accuracy {arms['R→R']} after real signs, {arms['S→R']} after generated ones",
            f"  {worth.table().title}",
        ]
    made = loupe.compare_to_real(dataset, real, label=LABELS[-1], by=LABELS[-1])
    named = [each for each in made.findings if each.name not in {"USEFUL", "ADDITIVE_ONLY", "INSUFFICIENT_DATA"}]
    lines += [f"{len(dataset)} generated signs against {len(real)} real ones", *(f"  {each}" for each in named)]
    if not named:
        lines.append("  " + ("; ".join(map(str, made.findings)) or made.without_findings()))
    return lines
