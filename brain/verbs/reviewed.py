"""``loupe.reviewed``: what a review says of the checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from loupe.brain.core.review import Reviews
from loupe.brain.store import datasets as store_datasets
from loupe.brain.store.connection import database_errors
from loupe.brain.store.review import decisions as store_review
from loupe.brain.verbs.steps import reviewing

if TYPE_CHECKING:
    import fiftyone as fo


@database_errors()
def reviewed(
    samples: fo.Dataset | fo.DatasetView,
    failures: str | Iterable[str] | None = None,
    *,
    precision: float = reviewing.WANTED,
    max_false_alarms: float | None = None,
) -> Reviews:
    """Returns how good each check is on these samples by what people decided, and a better threshold from that.

    The precision counts the decisions on the first samples of a random order, up to the first that nobody has decided:
    what was reviewed in another order is no random draw, and is counted beside it. Unsure ones are left out and
    counted. The recall is known only where samples that passed were reviewed in random order, too.

    A threshold is offered only where it takes fewer samples to a higher precision: chosen on one half of the random
    draw, measured on the other. Nothing is applied: give ``reviewed(dataset).thresholds`` to ``flag``.

    The list prints as a table.

    Args:
        samples: a dataset or view of images
        failures: failure modes; all that something was decided of by default
        precision: the one that a better threshold is looked for, in (0, 1)
        max_false_alarms: the share of all judged pictures that may be false alarms, in (0, 1): a threshold is offered
            for that instead of a precision

    Raises:
        UnknownName: no check flags a failure mode of that name; the nearest name is suggested
        InputError: a precision or a share outside (0, 1), or no images
        NoSamples: the view is empty

    >>> loupe.reviewed(dataset)  # doctest: +SKIP
    failure  reviewed  real  false alarms  unsure  precision                         recall     better threshold
    blur     40 of 84    27            11       2  71.1 % [55.2 %, 83.0 %] (27 of 38)   not known  none
    """
    reviewing.require_share("precision", precision)
    if max_false_alarms is not None:
        reviewing.require_share("share of max_false_alarms", max_false_alarms, "0.03 asks for 3 %")
    store_datasets.require_images(samples)
    names = [failures] if isinstance(failures, str) else None if failures is None else list(dict.fromkeys(failures))
    for name in names or ():
        store_review.require_failure(name)
    own = store_datasets.whole(samples)
    wanted = store_review.failures(own) if names is None else names
    return Reviews(reviewing.result(own, name, precision, max_false_alarms) for name in wanted)
