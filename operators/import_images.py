"""``@loupe/loupe/import_images``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.operators import summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import FilePath, FolderPath


class ImportImages(VerbOperator):
    """Adds the images of a folder to this dataset, with what is known of how each was made."""

    verb = "import_images"
    label = "import images"
    icon = "drive_folder_upload"
    button = "Import"
    widgets = {
        "folder": FolderPath(
            description="The images, on the machine that runs this, or at s3:// or gs://. Metadata and files beside "
            "them are read, too",
            elsewhere=True,
        ),
        "prompts": FilePath(elsewhere=True),
    }

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        following = "Next: **Loupe: check images**, which scores them and flags their failures."
        return summary.of_run(result, "Imported", following)
