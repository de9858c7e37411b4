"""``loupe.annotate``: the samples of a failure go to FiftyOne's annotation, in the App or by its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from loupe.brain.core.errors import InputError, NoSamples
from loupe.brain.core.review import AnnotationResult
from loupe.brain.slicing.outcomes import State
from loupe.brain.store import annotation as store_annotation
from loupe.brain.store.review import decisions as store_review
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def annotate(
    samples: fo.Dataset | fo.DatasetView,
    failure: str,
    *,
    only: Literal["open", "flagged", "unsure", "all"] = "open",
    backend: str = store_annotation.APP,
    key: str | None = None,
    launch: bool = False,
    options: Mapping[str, Any] | None = None,
) -> AnnotationResult:
    """Hands the samples of a failure to annotators, who answer what a review asks: real, false alarm, unsure.

    In FiftyOne's App: the tab "Annotate" of a sample's window then asks for ``review.<failure>``, and for the boxes of
    the check where it draws some; what is chosen there is a decision at once. CVAT, Label Studio and whatever else
    FiftyOne's annotation API knows get the pictures with the three classes: load the answers with
    ``dataset.load_annotations(key)`` and write them with ``loupe.review(dataset, failure, field=…)``. These send your
    pictures to the address that FiftyOne's annotation config has for them.

    Args:
        samples: a dataset or view of images
        failure: the failure mode, e.g. ``"blur"``
        only: which of the samples: the flagged ones that nobody has decided, all flagged ones, those that somebody was
            unsure of, or all of them
        backend: ``"app"``, ``"cvat"``, ``"labelstudio"``, or another one of FiftyOne's annotation config
        key: of FiftyOne's annotation run; ``loupe_review_<failure>_<n>`` by default
        launch: whether to open the backend's own editor in a browser
        options: what FiftyOne hands to the backend, e.g. ``url``; its annotation config by default

    Returns:
        how many samples were handed over, and what to do next

    Raises:
        UnknownName: no check flags a failure mode of that name, or no backend has that name
        InputError: a taken key, a field of the user's own, or no images
        NoSamples: there are none of these
        LoupeError: the backend cannot be reached, or refuses

    >>> loupe.annotate(dataset, "blur").field  # doctest: +SKIP
    'review.blur'
    """
    store_review.require_failure(failure)
    store_annotation.require_backend(backend)
    with running(samples, "annotate", None) as verb:
        chosen = _chosen(verb.samples, failure, only)
        n = chosen.count()
        if not n:
            raise NoSamples(f"expected samples to annotate, got none: nothing here is {only} for {failure}")
        if backend == store_annotation.APP:
            if key is not None or options:
                raise InputError("expected neither a key nor options: FiftyOne's App needs none to annotate")
            fields = store_annotation.in_app(chosen, failure)
            result = AnnotationResult(failure, backend, fields[0], n, fields=fields)
        else:
            name = key or store_annotation.next_key(chosen, failure)
            field = store_annotation.send(chosen, failure, backend, name, options or {}, launch=launch)
            result = AnnotationResult(failure, backend, field, n, key=name, fields=(field,))
        verb.finish(n, params={"failure": failure, "only": only, "backend": backend, "key": result.key})
        return result


def _chosen(samples: fo.Dataset | fo.DatasetView, failure: str, only: str) -> fo.Dataset | fo.DatasetView:
    flagged = store_review.of_state(failure, State.FAILED)
    queries: dict[str, dict[str, Any]] = {
        "open": {"$and": [flagged, store_review.is_open(failure)]},
        "flagged": flagged,
        "unsure": {store_review.status_path(failure): "unsure"},
    }
    if only == "all":
        return samples
    if only not in queries:
        raise InputError(f"expected only to be 'open', 'flagged', 'unsure' or 'all', got {only!r}")
    return samples.match(queries[only])
