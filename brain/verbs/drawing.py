"""What is missing is drawn, batch by batch, and becomes samples: files first, then the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loupe.brain.core.errors import OutputError
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.brain.engine import drawing, output_folder
from loupe.brain.engine.drawing import Generated, Item
from loupe.brain.store import generated as store_generated
from loupe.brain.verbs.hosted import Hosted, Outcomes

if TYPE_CHECKING:
    import fiftyone as fo


def make(
    dataset: fo.Dataset,
    folder: Path,
    spec: Generator,
    session: GeneratorSession,
    items: Sequence[Item],
    report: ProgressCallback,
) -> tuple[int, int, Outcomes]:
    """Draws what is missing; returns how many images it added and how many were there.

    Raises:
        OutputError: the folder cannot be written; what was drawn is stored
        Stopped: ``report`` asked for that; what was drawn is stored
    """
    pending = _pending(dataset, folder, items)
    skipped = len(items) - len(pending)
    done = skipped
    if session.remote is not None:
        hosted = Hosted(
            session.remote(folder),
            lambda item: drawing.adopt(folder, item),
            lambda item, image, seconds: drawing.write(folder, spec, session, item, image, seconds),
            lambda images, count: _add(dataset, folder, images, count, len(items)),
            lambda error, count: _writing_error(folder, error, count, len(items)),
        )
        made, outcomes = hosted.make(items, pending, report)
        return made, skipped, outcomes
    for batch in drawing.batches(pending, session.batch_size):
        report(Progress(done, len(items), "generating"))
        adopted = [image for item in batch if (image := drawing.adopt(folder, item)) is not None]
        done += _add(dataset, folder, adopted, done, len(items))
        kept_keys = {image.facts["key"] for image in adopted}
        missing = [item for item in batch if item.key not in kept_keys]
        written, error = drawing.draw(folder, spec, session, missing) if missing else ([], None)
        done += _add(dataset, folder, written, done, len(items))
        if error is not None:
            raise _writing_error(folder, error, done, len(items)) from error
    report(Progress(done, len(items), "generated"))
    return done - skipped, skipped, Outcomes()


def _pending(dataset: fo.Dataset, folder: Path, items: Sequence[Item]) -> list[Item]:
    """Returns what is to be drawn: what has no sample, and what has one whose file, one of ours, was deleted."""
    files = store_generated.files_by_key(dataset)
    gone = {key for key, path in files.items() if Path(path) == output_folder.image_path(folder, key)}
    gone = {key for key in gone if not output_folder.image_path(folder, key).exists()}
    return [item for item in items if item.key not in files or item.key in gone]


def _add(dataset: fo.Dataset, folder: Path, images: Sequence[Generated], done: int, total: int) -> int:
    """Adds a sample for each image; returns how many images there were."""
    try:
        store_generated.add(dataset, images)
    except OSError as error:  # somebody took the folder away, with what was written to it a moment ago
        raise _writing_error(folder, error, done, total) from error
    return len(images)


def _writing_error(folder: Path, error: OSError, done: int, total: int) -> OutputError:
    return output_folder.writing_error(folder, error, f"{done} of {total} images are there, each with its sample. ")
