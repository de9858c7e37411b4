"""``loupe.flag``: turns stored scores and thresholds into ``failures``. Nothing is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from loupe.brain.core.records import Threshold
from loupe.brain.core.results import Flags
from loupe.brain.store.datasets import count
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.flagging import apply_thresholds
from loupe.brain.verbs.steps.objects import flag_objects

if TYPE_CHECKING:
    import fiftyone as fo


def flag(
    samples: fo.Dataset | fo.DatasetView,
    thresholds: Mapping[str, float | Threshold | None] | None = None,
    *,
    objects: str | None = None,
) -> Flags:
    """Turns stored scores and thresholds into ``failures``, without decoding an image.

    Every failure mode whose score is stored is flagged anew; failures that nothing registered can flag are left alone.
    An unknown score is never a failure.

    Args:
        samples: a dataset or view
        thresholds: by failure mode: a number in the score's unit, or a ``Threshold``; None for the default again. They
            are kept on the dataset and used from then on; for a number, with who set it and when
        objects: a field of detections whose objects were checked: flag them, by thresholds of their own; those of
            the pictures say nothing of crops

    Returns:
        how many samples, or objects, have each failure, how many are unknown, and the thresholds used

    Raises:
        UnknownName: no check flags a failure mode of that name; the nearest name is suggested
        InputError: a threshold that no score can reach, no images, a field of the user's own has a name of Loupe's,
            or the objects were not checked
        NoSamples: the view is empty

    >>> loupe.flag(dataset, {"dark": 0.25}).counts  # doctest: +SKIP
    {'blur': 3, 'dark': 1}
    """
    with running(samples, "flag", None) as verb:
        samples = verb.samples
        whole = objects is None
        flags = apply_thresholds(samples, thresholds) if whole else flag_objects(samples, str(objects), thresholds)
        used = {failure: threshold.to_dict() for failure, threshold in flags.thresholds.items()}
        verb.finish(
            count(samples),
            params={
                "given": sorted(thresholds or ()),
                "thresholds": used,
                "counts": flags.counts,
                **({} if objects is None else {"objects": objects}),
            },
        )
    return flags
