"""Samples of a review go to people who annotate: in FiftyOne's App, or where FiftyOne's annotation API sends them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import fiftyone as fo

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.review import STATUSES
from loupe.brain.core.specs import Check
from loupe.brain.store import fields
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.fields import REVIEW

#: FiftyOne's own annotation, in the window of a sample
APP = "app"


def backends() -> list[str]:
    """Returns where samples can be sent: the App first, then the backends of FiftyOne's annotation API."""
    return [APP, *sorted(fo.annotation_config.backends)]


def require_backend(backend: str) -> None:
    """Raises an error unless there is such a backend.

    Raises:
        UnknownName: there is none
    """
    if backend not in backends():
        raise UnknownName("annotation backend", str(backend), backends())


def field_of(failure: str) -> str:
    """Returns the field that annotators of a backend answer in."""
    return f"annotated_{failure}"


def in_app(samples: Samples, failure: str) -> tuple[str, ...]:
    """Makes the App's annotation ask for the decision, and for the boxes of the check; returns the fields.

    Schemas that somebody made of these fields stay as they are.
    """
    dataset = root(samples)
    fields.declare(dataset, fields.of_review(failure))
    path = f"{REVIEW}.{failure}"
    schemas = {
        path: {
            "type": "classification",
            "component": "radio",
            "classes": list(STATUSES),
            "attributes": [{"name": "note", "type": "str", "component": "text"}],
        }
    }
    with database_errors():
        boxes = _boxes_field(failure)
        if boxes and dataset.has_field(boxes):
            schemas[boxes] = dataset.generate_label_schemas(boxes)
        for name, schema in schemas.items():
            if name not in dataset.label_schemas:
                dataset.update_label_schema(name, schema)
        dataset.activate_label_schemas(list(schemas), prepend=True)
    return tuple(schemas)


def _boxes_field(failure: str) -> str | None:
    spec = registry.checkable().get(registry.failures()[failure][0])
    return spec.boxes_field if spec is not None and issubclass(spec, Check) else None


def send(samples: Samples, failure: str, backend: str, key: str, options: Mapping[str, Any], *, launch: bool) -> str:
    """Sends samples with the question of the review to a backend of FiftyOne's annotation API; returns the field.

    Args:
        samples: a dataset or view
        failure: the failure mode
        backend: one of ``backends()`` but the App
        key: of FiftyOne's annotation run
        options: what FiftyOne hands to the backend: its address, credentials
        launch: whether the backend's editor is opened in a browser

    Raises:
        InputError: the key is taken, or no name, or the field is the user's own
        LoupeError: the backend cannot be reached, or refuses
    """
    field = field_of(failure)
    dataset = root(samples)
    with database_errors():
        if dataset.has_annotation_run(key):
            raise InputError(f"expected a key that no annotation run has yet, got {key!r}: give another key=")
        standing = dataset.get_field(field)
        if standing is not None and getattr(standing, "document_type", None) is not fo.Classification:
            raise InputError(
                f"this dataset has a field {field!r} of your own, which is no classification: rename it with "
                f'dataset.rename_sample_field("{field}", "my_{field}"). Nothing was sent'
            )
    try:
        samples.annotate(
            key,
            label_field=field,
            label_type="classification",
            classes=list(STATUSES),
            attributes=False,
            backend=backend,
            launch_editor=launch,
            **options,
        )
    except LoupeError:
        raise
    except Exception as error:  # a backend may raise anything: of its client, of the network, of its server
        # FiftyOne keeps a run before it sends anything
        with contextlib.suppress(Exception):
            dataset.delete_annotation_run(key)
        raise LoupeError(
            f"the annotation backend {backend!r} did not take the samples: {type(error).__name__}: {error}. Its "
            "address and credentials stand in FiftyOne's annotation config or environment "
            "(https://docs.voxel51.com/user_guide/annotation.html); nothing was decided"
        ) from error
    return field


def answers(samples: Samples, field: str) -> dict[str, str]:
    """Returns by sample id what annotators answered in a field of classifications; what is no answer is left out.

    Raises:
        UnknownName: there is no such field
        InputError: it holds no classifications
    """
    present = samples.get_field(field) if samples.has_field(field) else None
    if present is None:
        raise UnknownName("field", field, classifications(samples))
    if getattr(present, "document_type", None) is not fo.Classification:
        raise InputError(f"expected a field of classifications, got {field!r}, a {type(present).__name__}")
    with database_errors():
        ids, labels = samples.values(["id", f"{field}.label"])
    return {sample_id: label for sample_id, label in zip(ids, labels, strict=True) if label in STATUSES}


def classifications(samples: Samples) -> list[str]:
    """Returns the fields of classifications at top level."""
    schema = samples.get_field_schema(ftype=fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    return list(schema)


def next_key(samples: Samples, failure: str) -> str:
    """Returns a key of an annotation run that there is not yet."""
    taken = set(root(samples).list_annotation_runs())
    number = 1
    while (key := f"loupe_review_{failure}_{number}") in taken:
        number += 1
    return key
