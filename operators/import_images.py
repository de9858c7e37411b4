"""``@loupe/loupe/import_images``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import summary
from loupe.operators.base import LoupeOperator


class ImportImages(LoupeOperator):
    """Adds the images of a folder to the dataset."""

    verb = "import_images"
    label = "import images"
    description = "Adds the images of a folder to this dataset, with their prompts where there are any"
    icon = "drive_folder_upload"
    button = "Import"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        folder = inputs.str(
            "folder",
            label="Folder",
            description="The images, on the machine that runs this. A .txt file beside an image holds its prompt",
            required=True,
        )
        prompts = inputs.str(
            "prompts",
            label="Table of prompts",
            description="A .jsonl, .csv or .tsv file with the columns file and prompt; any others are factors",
            allow_empty=True,
        )
        inputs.bool("recursive", label="Folders inside the folder, too", default=True, view=types.CheckboxView())
        given = ctx.params.get("folder")
        if isinstance(given, str) and given and not Path(given).expanduser().is_dir():
            folder.invalid, folder.error_message = True, f"There is no folder {given}"
        given = ctx.params.get("prompts")
        if isinstance(given, str) and given and not Path(given).expanduser().is_file():
            prompts.invalid, prompts.error_message = True, f"There is no file {given}"

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        folder, prompts = ctx.params.get("folder"), ctx.params.get("prompts") or None
        if not isinstance(folder, str) or not (prompts is None or isinstance(prompts, str)):
            raise InputError("expected a folder and, if there is one, a table of prompts, each as a path")
        recursive = ctx.params.get("recursive", True)
        run = api.import_images(ctx.dataset, folder, prompts=prompts, recursive=recursive, progress=progress)
        said = summary.run_line(run, "Imported")
        text = f"{said}.\n\nNext: **Loupe: check images**, which scores them and flags their failures."
        return {"said": said, "summary": text + summary.messages(run), "run": run.to_dict()}
