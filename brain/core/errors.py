"""The errors Loupe raises. Each says what was expected, what came, and what to do.

LoupeError
├── InputError (also ValueError)      what the caller gave cannot be used
│   ├── UnknownName                   no check, embedder, generator, failure or field of that name
│   ├── PromptError                   a prompt, prompt file or template cannot be used
│   ├── NoSamples                     nothing to work on
│   └── ModelError                    a model folder, hub id or checkpoint cannot be loaded
├── ReadError                         one image file cannot be decoded (becomes a record, not a crash)
│   └── NotReadNow                    its disk or network failed: nothing is known of it, and the next run reads it
│       └── NotFetched                it lies elsewhere, and cannot be had now
├── OutputError                       an output folder cannot be written (read-only, disk full)
├── DatabaseGone                      FiftyOne's database stopped answering
├── MissingDependency                 an optional package or binary is not there
├── MissingWeights                    a model's file is not there, or cannot be had, or is not the right one
├── ProcessLost                   a process that worked for this one was killed, or broke
├── ServiceError                      a hosted service cannot be used: its key, its credit, its address, its answers
└── Stopped                           the caller asked to stop; what was done so far is kept
    └── MemoryExceeded                a job of a worker took more memory than the worker may have
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from loupe.brain.core.shown import plain

#: that many names are listed; of more, the nearest ones
_LISTED, _NEAREST = 80, 20


class LoupeError(Exception):
    r"""Base of every error that Loupe raises on purpose.

    Its message can be printed and stored, whatever it quotes: what a terminal takes for an order, and halves of
    surrogate pairs, as names of files and broken prompts hold them, are written out.

    >>> str(LoupeError("got \udcff \x1b[2J"))
    'got \\udcff \\x1b[2J'
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(plain(each) if isinstance(each, str) else each for each in args))


class InputError(LoupeError, ValueError):
    """What the caller gave cannot be used."""


class UnknownName(InputError):
    """No registered thing has that name; the nearest names are suggested, and of very many only those are listed.

    Args:
        kind: what it would be the name of
        given: the name
        known: the names that there are
        otherwise: what to do where none of them is meant

    >>> str(UnknownName("check", "sharpnes", ["sharpness", "text"]))
    "unknown check 'sharpnes'. Did you mean 'sharpness'? There are: sharpness, text"
    """

    def __init__(self, kind: str, given: str, known: Iterable[str], otherwise: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(names) or "none"
        if len(names) > _LISTED:
            nearest = sorted(difflib.get_close_matches(str(given), names, n=_NEAREST, cutoff=0.0))
            listed = f"{len(names):,}, the nearest are {', '.join(nearest)}"
        what_to_do = f": {otherwise}" if otherwise else ""
        super().__init__(f"unknown {kind} {given!r}.{hint} There are: {listed}{what_to_do}")


class PromptError(InputError):
    """A prompt, a prompt file or a template cannot be used."""


class NoSamples(InputError):
    """There is nothing to work on."""


class ModelError(InputError):
    """A model folder, hub id or checkpoint cannot be loaded."""


class ReadError(LoupeError):
    """One image file cannot be decoded."""


class NotReadNow(ReadError):
    """A file could not be read at this moment: its disk or network failed. That says nothing of the file."""


class NotFetched(NotReadNow):
    """An image file that lies elsewhere cannot be had now. Nothing is known of it: the next call asks again."""


class OutputError(LoupeError):
    """An output folder cannot be written."""


class DatabaseGone(LoupeError):
    """FiftyOne's database stopped answering."""


class MissingDependency(LoupeError):
    """An optional package or binary is not there."""


class MissingWeights(LoupeError):
    """A model's file is not there, or cannot be had, or is not the right one."""


class ProcessLost(LoupeError):
    """A process that worked for this one was killed, or broke. What was done so far is kept."""


class ServiceError(LoupeError):
    """A hosted service cannot be used. What was drawn so far is kept; the same call goes on from there."""


class Stopped(LoupeError):
    """The caller asked to stop. What was done so far is kept; the same call goes on from there."""


class MemoryExceeded(Stopped):
    """A job of a worker took more memory than the worker may have. What was done so far is kept."""
