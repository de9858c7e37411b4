"""Requests become files: a batch is drawn, each image is written with its provenance, what lies there is adopted."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import loupe
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.brain.engine import output_folder
from loupe.brain.generation import passes
from loupe.brain.generation.sources import Source
from loupe.brain.generation.upscaling import Upscale

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Item:
    """An image that is wanted, by the key of all that decides it.

    Attributes:
        key: that key
        request: prompt, seed, size
        source: what it is drawn from beside the prompt; None: nothing
        upscale: how it is enlarged; None: it is not
    """

    key: str
    request: Request
    source: Source | None = None
    upscale: Upscale | None = None


@dataclass(frozen=True)
class Generated:
    """An image that lies in the output folder, whole.

    Attributes:
        path: the file
        prompt: what it was asked for
        factors: the scenario
        facts: what goes to ``generation``; other names are left out
    """

    path: Path
    prompt: str
    factors: Mapping[str, str]
    facts: Mapping[str, Any]


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yields what is drawn at once: images of one size, in their order."""
    by_size: dict[Any, list[Item]] = {}
    for item in items:
        by_size.setdefault(item.request.size, []).append(item)
    for group in by_size.values():
        yield from (group[start : start + size] for start in range(0, len(group), size))


def drawn(session: GeneratorSession, items: Sequence[Item]) -> tuple[list[Image], float]:
    """Returns the images of a batch, and the seconds that each took."""
    started = time.monotonic()
    images = passes.draw(session, [passes.Wanted(item.request, item.source, item.upscale) for item in items])
    return images, (time.monotonic() - started) / len(items)


def draw(
    folder: Path, spec: Generator, session: GeneratorSession, items: Sequence[Item]
) -> tuple[list[Generated], OSError | None]:
    """Draws a batch and writes it; returns what was written, and the error that ended the writing if there was one."""
    images, seconds = drawn(session, items)
    written: list[Generated] = []
    try:
        for item, image in zip(items, images, strict=True):
            written.append(write(folder, spec, session, item, image, seconds))
        output_folder.sync(folder)
    except OSError as error:
        return written, error
    return written, None


def write(
    folder: Path, spec: Generator, session: GeneratorSession, item: Item, image: Image, seconds: float
) -> Generated:
    """Writes an image with its provenance."""
    facts = facts_of(spec, session, item, image, seconds)
    path = output_folder.write(folder, item.key, image, provenance(item, facts))
    return Generated(path, item.request.prompt, item.request.factors, facts)


def facts_of(spec: Generator, session: GeneratorSession, item: Item, image: Image, seconds: float) -> dict[str, Any]:
    """Returns what goes to ``generation``."""
    request = item.request
    return {
        **session.facts,
        "generator": spec.name,
        "seed": request.seed,
        "negative_prompt": request.negative_prompt,
        "width": image.width,
        "height": image.height,
        "seconds": round(seconds, 4),
        "key": item.key,
        "loupe_version": loupe.__version__,
        **request.facts,
        **{str(name): value for name, value in image.info.items()},
    }


def provenance(item: Item, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what is written into the file."""
    return {"prompt": item.request.prompt, "factors": dict(item.request.factors), **facts}


def adopt(folder: Path, item: Item) -> Generated | None:
    """Returns the image that an earlier run finished without its sample, if there is one."""
    path = output_folder.image_path(folder, item.key)
    facts = output_folder.read_facts(path, item.key) if path.exists() else None
    return None if facts is None else Generated(path, item.request.prompt, item.request.factors, facts)


@dataclass(frozen=True)
class Finished:
    """What became of a batch.

    Attributes:
        images: that are there now: those of an earlier run first
        error: what ended it; None: nothing did
        warnings: texts of warnings with their kind, where they were raised in another process
    """

    images: tuple[Generated, ...]
    error: Exception | None = None
    warnings: tuple[tuple[str, type[Warning]], ...] = ()


def adopted(folder: Path, batch: Sequence[Item]) -> tuple[list[Generated], list[Item]]:
    """Returns what an earlier run has finished of a batch, and what is missing."""
    images = [image for item in batch if (image := adopt(folder, item)) is not None]
    kept = {image.facts["key"] for image in images}
    return images, [item for item in batch if item.key not in kept]


def finish(folder: Path, spec: Generator, session: GeneratorSession, batch: Sequence[Item]) -> Finished:
    """Adopts of a batch what an earlier run has finished, and draws the rest."""
    images, missing = adopted(folder, batch)
    if not missing:
        return Finished(tuple(images))
    try:
        written, failed = draw(folder, spec, session, missing)
    except Exception as error:  # raised again by who adds the samples of what is there
        return Finished(tuple(images), error)
    return Finished((*images, *written), failed)


class Drawers(ABC):
    """What draws batches: this process, or several.

    Attributes:
        session: what is known of the loaded generator
        count: how many batches it draws at a time
    """

    session: GeneratorSession
    count: int = 1

    @abstractmethod
    def run(self, batches: Iterable[Sequence[Item]]) -> Iterator[Finished | None]:
        """Yields what became of each batch as it is done; None where nothing has been done for half a second."""

    @abstractmethod
    def stop(self) -> None:
        """Begins no other batch: ``run`` yields those that are under way."""

    def account(self) -> tuple[dict[str, object], dict[str, str]]:
        """Returns for the run's parameters who drew how much, and messages of what went wrong on the way."""
        return {}, {}


class Here(Drawers):
    """Draws in this process."""

    def __init__(self, spec: Generator, folder: Path, session: GeneratorSession) -> None:
        self.session = session
        self._draw = partial(finish, folder, spec, session)
        self._stopping = False

    def run(self, batches: Iterable[Sequence[Item]]) -> Iterator[Finished | None]:
        for batch in batches:
            if self._stopping:
                return
            yield self._draw(batch)

    def stop(self) -> None:
        self._stopping = True
