"""``loupe.import_images``: a folder of images, with what is known of how they were made, becomes samples."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from loupe.brain.core.errors import InputError, NoSamples, NotFetched, NotReadNow, ReadError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import Run
from loupe.brain.imaging.files import PASSING, not_now, printable
from loupe.brain.media.addresses import address_of, shown
from loupe.brain.provenance import read
from loupe.brain.provenance.own import OWN
from loupe.brain.provenance.records import Provenance
from loupe.brain.store import imported
from loupe.brain.store.imported import Imported
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps import image_tables
from loupe.brain.verbs.steps.image_tables import ImageTable
from loupe.brain.verbs.steps.import_folders import Folder, folder_of, table_of

if TYPE_CHECKING:
    import fiftyone as fo

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
_CHUNK = 1000
#: what the messages count where it cannot be known
_COUNTED = ("prompt", "negative_prompt", "seed", "model", "digital_source_type")
_MAX_TEXT = 1000
_HIDDEN = {"auto": None, "always": True, "never": False}


def import_images(
    dataset: fo.Dataset,
    folder: str | Path,
    *,
    prompts: str | Path | None = None,
    metadata: bool = True,
    hidden: Literal["auto", "always", "never"] = "auto",
    recursive: bool = True,
    progress: bool | ProgressCallback | None = None,
) -> Run:
    """Adds the images of a folder as samples, with what is known of how each was made.

    Prompt, negative prompt, seed, model, settings, LoRAs and tool are read from the table ``prompts``, from a file of
    the same name beside the image (.txt, .json, .yaml), and from the image's own metadata, as A1111, Forge, Fooocus,
    InvokeAI, NovelAI, ComfyUI, SwarmUI, Draw Things, Midjourney and Loupe write them. The table goes before the file
    beside, and that before the image's own; where they differ the run's messages say so. What cannot be known is left
    out: ``generation.unknown`` says why. Files that are in the dataset already are left as they are. Nothing is copied.

    Args:
        dataset: where the samples go
        folder: the images; PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF by their ending. With ``loupe.remote_media(True)``
            also ``s3://bucket/folder`` or ``gs://bucket/folder``: the samples' filepaths are then addresses
        prompts: a .csv, .tsv, .jsonl or .json file with the columns ``file`` (or ``file_name``, ``filename``,
            ``filepath``, ``path``, ``image``; relative to the folder), ``prompt``, ``negative_prompt``, ``seed`` and
            any factors, which land in ``scenario.*``; or DiscordChatExporter's .csv; or DiffusionDB's .parquet or
            .json. How many of its rows name no image of the folder is in the run's messages
        metadata: False: take only the prompts of the table and of the .txt files beside the images
        hidden: look for texts hidden in the pixels, which takes decoding them: ``"auto"`` in the alpha channel of a PNG
            that holds nothing else, ``"always"`` in every PNG and in its colors, too
        recursive: look into folders inside the folder, too
        progress: True for a bar, or a function

    Returns:
        ``n`` images added, ``skipped`` that were there, ``errors`` whose metadata cannot be read: they are added with
        what can be; those whose disk or network fails are not, and the same call again adds them

    Raises:
        InputError: no such folder, no dataset that images can be added to, or one with a field of your own in the way
        NoSamples: no image in it
        PromptError: the table is malformed, or none of its rows names an image: file, row and reason
        MissingDependency: a .parquet table, and pyarrow is not installed

    >>> loupe.import_images(fo.Dataset("renders"), "renders/", prompts="renders/prompts.csv")  # doctest: +SKIP
    Run(loupe_import_images_1: 120 done, 0 already done, 0 errors, unknown: none, 0.2 s on cpu)
    """
    with running(dataset, "import_images", progress, label="import", needs="dataset") as verb:
        if hidden not in _HIDDEN:
            raise InputError(f"expected hidden to be 'auto', 'always' or 'never', got {hidden!r}")
        with folder_of(folder, recursive, lambda path: path.suffix.lower() in _ENDINGS) as own:
            done = _imported(verb, dataset, own, prompts, metadata, _HIDDEN[hidden])
        params = {
            "folder": own.name,
            "prompts": None if prompts is None else _named(prompts),
            "metadata": metadata,
            "hidden": hidden,
            "recursive": recursive,
        }
        return verb.finish(done.n, skipped=done.skipped, params=params, errors=own.errors, messages=done.messages)


@dataclass(frozen=True)
class _Done:
    n: int
    skipped: int
    messages: dict[str, str]


def _imported(
    verb: Lifecycle,
    dataset: fo.Dataset,
    folder: Folder,
    prompts: str | Path | None,
    metadata: bool,
    hidden: bool | None,
) -> _Done:
    """Adds the images of a folder that are not there; what is wrong with some stands in ``Folder.errors``."""
    if not folder.files and not folder.errors and prompts is None:
        raise NoSamples(f"expected images ({', '.join(sorted(_ENDINGS))}) in {folder.name}, got none")
    table, named = ImageTable(), ""
    if prompts is not None:
        named = _named(prompts)
        with table_of(prompts) as file, folder.naming():
            table = image_tables.read(file, folder)
    present = imported.known_paths(dataset)
    all_files = [*folder.files, *folder.elsewhere]
    new = [path for path in all_files if folder.stored(path) not in present]
    looker, notes = _Looker(table, folder, metadata, hidden), _Notes()
    added = 0
    if new:
        imported.require(dataset, table.factors, generation=metadata)
        imported.prepare(dataset, table.factors, generation=False)
    with ThreadPoolExecutor(folder.threads) as pool:
        for start in range(0, len(new), _CHUNK):
            part = new[start : start + _CHUNK]
            images = []
            for path, (known, problem) in zip(part, pool.map(looker.known, part), strict=True):
                if problem:
                    folder.errors[shown(folder.stored(path))] = problem
                if known is None:
                    continue
                images.append(looker.image(path, known))
                if metadata:
                    notes.add(path.name, known)
            factors = {name for image in images for name in image.factors}
            imported.prepare(dataset, factors, generation=any(image.generation for image in images))
            imported.add(dataset, images)
            added += len(images)
            verb.step(start + len(part), len(new), "importing")
    messages = {**({named: table.missed} if table.missed else {}), **notes.messages()}
    return _Done(added, len(all_files) - len(new), messages)


def _named(prompts: str | Path) -> str:
    address = address_of(prompts)
    return str(prompts) if address is None else shown(address)


@dataclass(frozen=True)
class _Looker:
    """Looks at one file after the other, from several threads at once."""

    table: ImageTable
    folder: Folder
    metadata: bool
    hidden: bool | None

    def known(self, path: Path) -> tuple[Provenance | None, str]:
        """Returns what is known of a file, and what could not be read of it, if anything; None where nothing can be
        read of it for the moment: the next import takes it."""
        row = self.table.rows.get(path)
        try:
            with self.folder.here(path, picture=self.metadata):
                known = read.of_file(
                    path,
                    exists=self.folder.beside.__contains__,
                    hidden=self.hidden,
                    before=[row.reading] if row else [],
                    embedded=self.metadata,
                )
        except NotFetched as error:  # a right to list, and none to read, may be for good
            return Provenance(), str(error)
        except NotReadNow as error:
            return None, str(error)
        except read.UnreadableMetadata as error:
            return error.known, str(error)
        except ReadError as error:
            return Provenance(), str(error)
        except OSError as error:
            if error.errno in PASSING:
                return None, str(not_now(printable(path), error))
            return Provenance(), f"expected a readable file: {error.strerror or error}"
        except Exception as error:  # whatever strangers wrote into one file, the others are imported
            return Provenance(), f"its metadata cannot be read ({type(error).__name__}: {error})"[:_MAX_TEXT]
        return known, ""

    def image(self, path: Path, known: Provenance) -> Imported:
        """Returns the sample-to-be of a file."""
        row = self.table.rows.get(path)
        factors = row.factors if row and row.factors else known.factors if self.metadata else {}
        facts = _generation(known) if self.metadata else {}
        return Imported(self.folder.stored(path), known.values.get("prompt"), image_tables.storable(factors), facts)


@dataclass
class _Notes:
    """What there is to say of all files together."""

    tools: Counter[str] = field(default_factory=Counter)
    #: by kind: of how many files
    counts: Counter[str] = field(default_factory=Counter)
    #: by kind: the first file, and what is to be said of it
    first: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, name: str, known: Provenance) -> None:
        """Notes what is known of a file, in the order of the files."""
        if known.values.keys() - {"prompt"}:
            self.tools[known.values.get("tool", "tool not stated")] += 1
        for what in _COUNTED:
            if what in known.unknown and not any(note.startswith(what) for note in known.notes):
                self._add(f"unknown {what}", name, known.unknown[what])
        for note in known.notes:
            kind, _, text = note.partition(": ")
            self._add(kind, name, text)

    def _add(self, kind: str, name: str, text: str) -> None:
        self.counts[kind] += 1
        self.first.setdefault(kind, (name, text))

    def messages(self) -> dict[str, str]:
        """Returns it in words."""
        texts = {}
        if self.tools:
            texts["metadata"] = ", ".join(f"{tool} {count:,}" for tool, count in self.tools.most_common(20))
        for kind, (name, text) in sorted(self.first.items()):
            texts[kind] = f"{self.counts[kind]:,} of the images, first {name}: {text}"[:_MAX_TEXT]
        return texts


def _generation(known: Provenance) -> dict[str, Any]:
    """What goes to ``generation``; nothing for a picture of which nothing but a prompt is known."""
    facts: dict[str, Any] = {name: value for name, value in known.values.items() if name != "prompt"}
    facts |= {name: known.own[name] for name in OWN if name in known.own}
    if not facts and not known.unknown:
        return {}
    facts["read_from"] = "; ".join(dict.fromkeys(known.sources.values()))[:_MAX_TEXT] or None
    facts["unknown"] = "; ".join(f"{name}: {reason}" for name, reason in known.unknown.items())[:_MAX_TEXT] or None
    facts["raw"] = json.dumps(dict(known.raw), ensure_ascii=False) if known.raw else None
    return {name: value for name, value in facts.items() if value is not None}
