"""What a verb did, kept on the dataset as a FiftyOne run, and Loupe's own settings of a dataset."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.records import Run, Threshold
from loupe.brain.stats.calibration import Calibration
from loupe.brain.store.connection import database_errors

_SETTINGS = "loupe"


def root(samples: fo.Dataset | fo.DatasetView) -> fo.Dataset:
    """Returns the dataset that the samples belong to."""
    return samples if isinstance(samples, fo.Dataset) else samples._root_dataset


def new_key(samples: fo.Dataset | fo.DatasetView, verb: str) -> str:
    """Returns a run key that the dataset does not have yet, e.g. ``"loupe_check_3"``."""
    prefix = f"loupe_{verb}_"
    numbers = [int(key.removeprefix(prefix)) for key in root(samples).list_runs() if key.removeprefix(prefix).isdigit()]
    return f"{prefix}{max(numbers, default=0) + 1}"


def save(samples: fo.Dataset | fo.DatasetView, run: Run | Calibration) -> None:
    """Registers the run on the dataset with its settings and results as plain values."""
    dataset = root(samples)
    facts = run.to_dict()
    with database_errors():
        config = dataset.init_run(method="loupe", verb=run.verb, params=facts["params"])
        dataset.register_run(run.key, config)
        dataset.save_run_results(run.key, dataset.init_run_results(run.key, run=facts))


def load(samples: fo.Dataset | fo.DatasetView, key: str) -> dict[str, Any]:
    """Returns what was saved under a run's key: its ``to_dict()``.

    Raises:
        UnknownName: the dataset has no run of Loupe's with that key; the nearest one is suggested
    """
    dataset = root(samples)
    with database_errors():
        known = dataset.list_runs(method="loupe")
        if key not in known:
            raise UnknownName("run", key, known)
        return dict(dataset.load_run_results(key).run)


def load_thresholds(samples: fo.Dataset | fo.DatasetView) -> dict[str, Threshold]:
    """Returns the thresholds that somebody set on the dataset, by failure mode."""
    stored = root(samples).info.get(_SETTINGS, {}).get("thresholds", {})
    return {failure: Threshold.from_dict(facts) for failure, facts in stored.items()}


def save_thresholds(samples: fo.Dataset | fo.DatasetView, thresholds: dict[str, Threshold]) -> None:
    """Keeps the thresholds on the dataset for the next time."""
    dataset = root(samples)
    settings: dict[str, Any] = dict(dataset.info.get(_SETTINGS, {}))
    settings["thresholds"] = {failure: threshold.to_dict() for failure, threshold in thresholds.items()}
    with database_errors():
        dataset.info[_SETTINGS] = settings
        dataset.save()
