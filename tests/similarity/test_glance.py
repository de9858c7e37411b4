"""A look at a small size decides most copies of a form, and loses nothing that the look in full sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.similarity import held_out, templates
from benchmarks.similarity.changes import CHANGES
from loupe.brain.similarity import close_look
from loupe.brain.similarity.previews import preview

STRAIGHT = np.eye(2, 3)
DRAWN = {**templates.KINDS, **held_out.KINDS}


def _both(pairs: list[tuple[np.ndarray, np.ndarray]], monkeypatch: pytest.MonkeyPatch) -> tuple[list[bool], list[bool]]:
    """Returns for each pair whether it differs, with the glance and without it."""
    with_glance = [close_look.unexplained(*pair, STRAIGHT) > 0 for pair in pairs]
    monkeypatch.setattr(close_look, "_glance", lambda *_: (0.0, 1.0))
    return with_glance, [close_look.unexplained(*pair, STRAIGHT) > 0 for pair in pairs]


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWN)
def test_a_glance_loses_no_copy_and_no_difference(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [preview(picture) for picture in templates.templates(DRAWN[kind], 4, 900)]
    pairs = [(drawn[0], other) for other in drawn[1:]]
    for changes in (changes for name, changes in CHANGES.items() if name != "flipped or turned"):
        copy = preview(np.ascontiguousarray(changes[0](templates.templates(DRAWN[kind], 1, 900)[0])))
        pairs.append((drawn[0], copy))
    with_glance, without = _both(pairs, monkeypatch)
    copies, others = slice(3, None), slice(3)
    assert with_glance[copies] == without[copies]
    # of two nights it sees more than the look in full, which takes lamps in two corners for logos
    assert all(seen >= before for seen, before in zip(with_glance[others], without[others], strict=True))
    assert any(with_glance)
    assert not all(with_glance)


def test_copies_of_one_form_are_told_apart_without_a_registration_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    registered = close_look._registered

    def counted(template: np.ndarray, *args: Any, **steps: int) -> Any:
        sizes.append(max(template.shape))
        return registered(template, *args, **steps)

    monkeypatch.setattr(close_look, "_registered", counted)
    drawn = [preview(picture) for picture in templates.templates(templates.KINDS["filled-in form"], 9, 1)]
    assert all(close_look.unexplained(drawn[0], other, STRAIGHT) > 0 for other in drawn[1:])
    assert sum(size > 192 for size in sizes) <= 3
    sizes.clear()
    crop = drawn[0][20:, 15:]
    assert close_look.unexplained(crop, drawn[0], STRAIGHT) >= 0
    assert max(sizes) > 192, "one that does not lie straight is registered"
