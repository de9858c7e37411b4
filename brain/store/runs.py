"""What a verb did, kept on the dataset as a FiftyOne run, and Loupe's own settings of a dataset.

Both are written by single paths of the dataset's document, so that two processes lose nothing of each other's. A run is
written whole before the dataset names it: one that is killed in between has kept none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import fiftyone as fo
import fiftyone.constants as foc
from bson import json_util
from fiftyone.core.odm.runs import RunDocument
from fiftyone.core.runs import RunResults
from gridfs.errors import NoFile

from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.records import Threshold
from loupe.brain.core.results import Run
from loupe.brain.stats.calibration import Calibration
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, documents, root

__all__ = ["root"]

#: the key of Loupe's settings in the dataset's ``info``
_SETTINGS = "loupe"
_THRESHOLDS, _OF_OBJECTS = "thresholds", "object_thresholds"
_TRIES = 100
#: what a killed process left behind is not taken for what another one is writing just now
_LEFT_BEHIND = timedelta(hours=1)

R = TypeVar("R", Run, Calibration)


def new_key(samples: Samples, verb: str) -> str:
    """Returns a run key that the dataset does not have yet, e.g. ``"loupe_check_3"``."""
    prefix = f"loupe_{verb}_"
    numbers = [int(key.removeprefix(prefix)) for key in _named(samples) if key.removeprefix(prefix).isdigit()]
    return f"{prefix}{max(numbers, default=0) + 1}"


def save(samples: Samples, run: Run | Calibration) -> bool:
    """Keeps a run under its key, unless there is one; returns whether it is kept."""
    facts = run.to_dict()
    return put(samples, run.key, run.verb, facts["params"], {"run": facts}, replace=False)


def keep(samples: Samples, verb: str, make: Callable[[str], R]) -> R:
    """Keeps a run under a key that no other has, with its settings and results as plain values; returns it.

    Args:
        samples: a dataset or view
        verb: what ran
        make: returns the run with the key it is given; called again where another process has just taken that key
    """
    with database_errors():
        for _ in range(_TRIES):
            run = make(new_key(samples, verb))
            if save(samples, run):
                return run
    raise LoupeError(f"no key was left for a run of {verb} in {_TRIES} tries: call again")


def load(samples: Samples, key: str) -> dict[str, Any]:
    """Returns what was saved under a run's key: its ``to_dict()``.

    Raises:
        UnknownName: the dataset has no run of Loupe's with that key; the nearest one is suggested
    """
    facts = results(samples, key)
    if facts is None or "run" not in facts:
        raise UnknownName("run", key, listed(samples))
    return dict(facts["run"])


def listed(samples: Samples) -> list[str]:
    """Returns the keys of Loupe's runs that are whole, sorted."""
    with database_errors():
        named = _named(samples)
        query = {"_id": {"$in": list(named.values())}, "config.method": "loupe", "results": {"$ne": None}}
        whole = {document["_id"] for document in RunDocument._get_collection().find(query, ["_id"])}
    return sorted(key for key, run_id in named.items() if run_id in whole)


def results(samples: Samples, key: str) -> dict[str, Any] | None:
    """Returns what is kept under a key; None where there is nothing, or only half of a run."""
    with database_errors():
        run_id = _named(samples).get(key)
        document = None if run_id is None else RunDocument.objects(id=run_id).first()
        if document is None or not document.results:
            return None
        try:
            text = document.results.read()
        except (RunDocument.DoesNotExist, NoFile):  # another process has just put something else in its place
            return None
    return dict(json_util.loads(text.decode())) if text else None


def put(
    samples: Samples, key: str, verb: str, params: Mapping[str, Any], facts: Mapping[str, Any], *, replace: bool = True
) -> bool:
    """Keeps facts under a key: first all of them, then the dataset names them.

    Args:
        samples: a dataset or view
        key: of the run
        verb: what ran
        params: its settings
        facts: its results
        replace: whether what stands under the key gives way

    Returns:
        whether they are kept: not where the key is taken, or the dataset is gone
    """
    dataset = root(samples)
    with database_errors():
        _sweep(dataset)
        config = dataset.init_run(method="loupe", verb=verb, params=dict(params))
        document = RunDocument(
            dataset_id=dataset._doc.id,
            key=key,
            version=foc.VERSION,
            timestamp=datetime.now(UTC).replace(tzinfo=None),
            config=deepcopy(config.serialize()),
            view_stages=None,
            results=None,
        )
        document.save(upsert=True)
        text = json_util.dumps(RunResults(dataset, config, key, **facts).serialize())
        document.results.put(text.encode(), content_type="application/json")
        document.save()
        free = {} if replace else {f"runs.{key}": {"$exists": False}}
        before = documents().find_one_and_update(
            {"_id": dataset._doc.id, **free}, {"$set": {f"runs.{key}": document.id}}, projection={f"runs.{key}": 1}
        )
        if before is None:
            _discard(document)
            return False
        # what is in memory is not marked as changed: nothing of it has to be written any more
        dict.__setitem__(dataset._doc.runs, key, document)
        dataset._run_cache.pop(key, None)
        old = RunDocument.objects(id=(before.get("runs") or {}).get(key)).first()
        if old is not None:
            _discard(old)
    return True


def _named(samples: Samples) -> dict[str, Any]:
    """Returns the ids of the dataset's runs by their keys, as they stand in the database now."""
    return (documents().find_one({"_id": root(samples)._doc.id}, ["runs"]) or {}).get("runs") or {}


def _discard(document: RunDocument) -> None:
    if document.results:
        document.results.delete()
    document.delete()


def _sweep(dataset: fo.Dataset) -> None:
    """Takes away what a process that was killed before its dataset named the run has left."""
    old = datetime.now(UTC).replace(tzinfo=None) - _LEFT_BEHIND
    named = list(_named(dataset).values())
    query = {"_dataset_id": dataset._doc.id, "config.method": "loupe", "timestamp": {"$lt": old}}
    for document in RunDocument.objects(__raw__={**query, "_id": {"$nin": named}}):
        _discard(document)


def settings(samples: Samples) -> dict[str, Any]:
    """Returns Loupe's settings of the dataset, as they stand in the database now.

    Raises:
        InputError: ``dataset.info["loupe"]`` is the user's own
    """
    with database_errors():
        stored = documents().find_one({"_id": root(samples)._doc.id}, [f"info.{_SETTINGS}"])
    own = ((stored or {}).get("info") or {}).get(_SETTINGS, {})
    if not isinstance(own, dict):
        raise InputError(
            f'expected dataset.info["{_SETTINGS}"] to be Loupe\'s settings, got {type(own).__name__} '
            f"{str(own)[:80]!r}: keep it under another key of dataset.info, delete this one and call dataset.save()"
        )
    return own


def set_settings(samples: Samples, values: Mapping[str, Any]) -> None:
    """Sets single settings of the dataset; None takes one away.

    Raises:
        InputError: ``dataset.info["loupe"]`` is the user's own
    """
    settings(samples)
    dataset = root(samples)
    steps: list[dict[str, Any]] = []
    for path, value in values.items():
        place = f"info.{_SETTINGS}.{path}"
        steps.append({"$unset": place} if value is None else {"$set": {place: {"$literal": value}}})
    if steps:
        with database_errors():
            documents().update_one({"_id": dataset._doc.id}, steps)
        # what is in memory is not marked as changed: nothing of it has to be written any more
        dict.__setitem__(dataset._doc.info, _SETTINGS, settings(samples))


def load_thresholds(samples: Samples, objects: str | None = None) -> dict[str, Threshold]:
    """Returns the thresholds that somebody set on the dataset, by failure mode.

    Args:
        samples: a dataset or view
        objects: those of the objects of this field of Loupe's (``store.objects.mirror``); None: of the pictures
    """
    every = settings(samples)
    stored = (every.get(_THRESHOLDS) if objects is None else (every.get(_OF_OBJECTS) or {}).get(objects)) or {}
    return {failure: Threshold.from_dict(facts) for failure, facts in stored.items()}


def save_thresholds(samples: Samples, thresholds: Mapping[str, Threshold | None], objects: str | None = None) -> None:
    """Keeps these thresholds on the dataset for the next time; None takes one away. The others stay.

    Args:
        samples: a dataset or view
        thresholds: by failure mode
        objects: as for ``load_thresholds``
    """
    place = _THRESHOLDS if objects is None else f"{_OF_OBJECTS}.{objects}"
    set_settings(
        samples,
        {
            f"{place}.{failure}": None if threshold is None else threshold.to_dict()
            for failure, threshold in thresholds.items()
        },
    )
