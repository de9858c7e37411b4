"""Silence: diffusers and transformers draw bars and warn of what Loupe says itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the bars and warnings of diffusers and transformers, and puts their settings back."""
    import diffusers.utils.logging
    import transformers.utils.logging

    rooms = (diffusers.utils.logging, transformers.utils.logging)
    before = [(room.get_verbosity(), room.is_progress_bar_enabled()) for room in rooms]
    try:
        for room in rooms:
            room.set_verbosity_error()
            room.disable_progress_bar()
        yield
    finally:
        for room, (verbosity, bars) in zip(rooms, before, strict=True):
            room.set_verbosity(verbosity)
            if bars:
                room.enable_progress_bar()
