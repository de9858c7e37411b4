"""A backend of FiftyOne's annotation API that lives in this process and contacts nothing."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.utils.annotations as foua

NAME = "inprocess"
#: by annotation key the ids that were uploaded
UPLOADED: dict[str, list[str]] = {}
#: by sample id what its annotators answer
ANSWERS: dict[str, str] = {}


class InProcessConfig(foua.AnnotationBackendConfig):
    """``refuses``: whether the upload fails, as of a server that is not there."""

    def __init__(self, name: str, label_schema: Any, media_field: str = "filepath", **kwargs: Any) -> None:
        self.refuses = kwargs.pop("refuses", False)
        super().__init__(name, label_schema, media_field=media_field, **kwargs)


class InProcess(foua.AnnotationBackend):
    supported_media_types = ["image"]
    supported_label_types = ["classification"]
    supported_scalar_types: list[Any] = []
    supported_attr_types = ["text"]
    supports_keyframes = False
    supports_video_sample_fields = False
    requires_label_schema = True

    def upload_annotations(self, samples: Any, anno_key: str, launch_editor: bool = False) -> Any:
        if self.config.refuses:
            raise ConnectionError("nobody answers at http://127.0.0.1:9")
        UPLOADED[anno_key] = samples.values("id")
        return InProcessResults(samples, self.config, anno_key, {}, backend=self)

    def download_annotations(self, results: Any) -> Any:
        (field,) = results.config.label_schema
        labels = {}
        for sample_id in UPLOADED[results.key]:
            if sample_id in ANSWERS:
                label = fo.Classification(label=ANSWERS[sample_id])
                labels[sample_id] = {label.id: label}
        return {field: {"classifications": labels}}


class InProcessResults(foua.AnnotationResults):
    def cleanup(self) -> None:
        """There is nothing to clean up."""

    @classmethod
    def _from_dict(cls, d: Any, samples: Any, config: Any, anno_key: str) -> Any:
        return cls(samples, config, anno_key, d["id_map"])


def register() -> None:
    """Makes FiftyOne know it."""
    fo.annotation_config.backends[NAME] = {"config_cls": f"{__name__}.InProcessConfig"}
