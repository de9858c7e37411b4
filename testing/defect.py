"""What every defect does: what calibration, tests and benchmarks take for granted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from loupe.brain.core.specs import Defect
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.testing import spec as of_any
from loupe.testing.contract import ContractError, Rule, require
from loupe.testing.picture_set import Case

#: the least share of values that a flaw changes
_LEAST_CHANGED = 0.01
#: seeds that an odd picture is tried with: the rng decides between ways of making a flaw
_SEEDS = 8
_CASE = Case("coffee", "coffee")


def odd_pictures() -> dict[str, np.ndarray]:
    """Returns pictures that a flaw has to be put into without breaking: (H, W, 3) uint8 by name."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    shapes = {"small": (8, 8), "tiny": (3, 3), "one pixel": (1, 1), "long": (2, 500), "tall": (500, 2), "row": (1, 60)}
    plain = {
        name: np.full((40, 60, 3), level, np.uint8) for name, level in (("black", 0), ("gray", 128), ("white", 255))
    }
    return {**{name: noise[:high, :wide] for name, (high, wide) in shapes.items()}, **plain, "noise": noise[:64, :48]}


def rules(spec: Defect) -> Iterator[Rule]:
    """Yields the contracts of a defect."""

    def picture() -> np.ndarray:
        return _CASE.pixels[::2, ::2]

    # no form shows it, so that a whole sentence fits
    yield from of_any.rules(spec, 120)
    yield Rule("severities", lambda: _severities(spec))
    yield Rule("form", lambda: _form(spec, picture()), ("severities",))
    yield Rule("shape", lambda: _shape(spec, picture()), ("form",))
    yield Rule("changes", lambda: _changes(spec, picture()), ("form",))
    yield Rule("pixels", lambda: _pixels(spec, picture()), ("form",))
    yield Rule("own_memory", lambda: _own_memory(spec, picture()), ("form", "pixels"))
    yield Rule("deterministic", lambda: _deterministic(spec, picture()), ("form",))
    yield Rule("layout", lambda: _layout(spec, picture()), ("pixels", "deterministic"))
    yield Rule("odd_pictures", lambda: _odd(spec), ("form",))


def inject(spec: Defect, pixels: np.ndarray, severity: float, seed: int = 0) -> np.ndarray:
    """Returns a new picture with the flaw."""
    return spec.inject(pixels, severity, np.random.default_rng(seed))


def _severities(spec: Defect) -> None:
    name = spec.name
    require(name in FAILURE_MODES, "a failure mode of the taxonomy", repr(name), "a defect is called after its failure")
    require(bool(spec.unit.strip()), "a unit", repr(spec.unit), "severities are in a unit")
    severities = spec.severities
    require(bool(severities) and bool(np.isfinite(severities).all()), "finite severities", severities, "name some")
    steps = np.diff(severities)
    rising = bool((steps > 0).all() or (steps < 0).all())
    require(rising, "severities that go one way, the mildest first", severities, "sort them")


def _require_picture(made: object) -> None:
    lawful = isinstance(made, np.ndarray) and made.dtype == np.uint8 and made.ndim == 3 and made.shape[2] == 3
    got = f"{getattr(made, 'dtype', type(made).__name__)} {getattr(made, 'shape', '')}"
    require(lawful and getattr(made, "size", 0) > 0, "(H, W, 3) uint8", got, "round, clip and convert it")


def _form(spec: Defect, picture: np.ndarray) -> None:
    for severity in spec.severities:
        _require_picture(inject(spec, picture.copy(), severity))


def _shape(spec: Defect, picture: np.ndarray) -> None:
    for severity in spec.severities:
        made = inject(spec, picture.copy(), severity)
        do = "a flaw leaves the shape; where it is the shape, declare this exception"
        require(made.shape == picture.shape, f"a picture of shape {picture.shape}", made.shape, do)


def _changes(spec: Defect, picture: np.ndarray) -> None:
    made = [inject(spec, picture.copy(), severity) for severity in spec.severities]
    for severity, other in zip(spec.severities, made, strict=True):
        changed = float((other != picture).mean()) if other.shape == picture.shape else 1.0
        do = "a flaw that changes nothing cannot be found"
        require(changed > _LEAST_CHANGED, f"{severity} {spec.unit} to change 1 % of the values", f"{changed:.2%}", do)
    for mild, strong in pairwise(made):
        differ = mild.shape != strong.shape or bool((mild != strong).any())
        require(differ, "another picture at each severity", "the same at two", "use the severity")


def _pixels(spec: Defect, picture: np.ndarray) -> None:
    locked = picture.copy()
    locked.flags.writeable = False
    for severity in spec.severities:
        given = picture.copy()
        inject(spec, given, severity)
        require(bool((given == picture).all()), "the picture as it was", "another one", "work on a copy")
        try:
            inject(spec, locked, severity)
        except ValueError as error:
            raise ContractError(
                f"expected a picture that cannot be written to to be left alone, got {error}; work on a copy"
            ) from error


def _own_memory(spec: Defect, picture: np.ndarray) -> None:
    for severity in spec.severities:
        given = picture.copy()
        made = inject(spec, given, severity)
        do = "return a copy: whoever draws on the result must not draw on the picture"
        require(made.flags.writeable, "a result that can be written to", "one that cannot", do)
        require(not np.shares_memory(made, given), "a result with memory of its own", "the picture's", do)


def _deterministic(spec: Defect, picture: np.ndarray) -> None:
    for severity in spec.severities:
        first, again = (inject(spec, picture.copy(), severity, seed=5) for _ in range(2))
        do = "take all chance from the rng that is given"
        require(np.array_equal(first, again), "the same picture for the same seed", "another one", do)


def _layout(spec: Defect, picture: np.ndarray) -> None:
    framed = np.zeros((picture.shape[0] + 20, picture.shape[1] + 20, 3), np.uint8)
    framed[10:-10, 10:-10] = picture
    layouts = {
        "planes": np.ascontiguousarray(picture.transpose(2, 0, 1)).transpose(1, 2, 0),
        "a part of a larger one": framed[10:-10, 10:-10],
        "backward": np.ascontiguousarray(picture[::-1, ::-1])[::-1, ::-1],
        "columns first": np.asfortranarray(picture),
    }
    for severity in spec.severities:
        wanted = inject(spec, picture.copy(), severity)
        for name, other in layouts.items():
            do = "how pixels lie in memory must not matter: call np.ascontiguousarray"
            same = np.array_equal(inject(spec, other, severity), wanted)
            require(same, f"the same for a picture that lies in memory as {name}", "another one", do)


def _odd(spec: Defect) -> None:
    for name, pixels in odd_pictures().items():
        for severity in spec.severities:
            for seed in range(_SEEDS):
                try:
                    made = inject(spec, pixels.copy(), severity, seed)
                    _require_picture(made)
                except Exception as error:
                    raise ContractError(
                        f"picture {name!r} of {pixels.shape[1]} x {pixels.shape[0]} pixels, {severity} {spec.unit}, "
                        f"seed {seed}: expected a picture, got {type(error).__name__}: {error}; leave it as it is "
                        "where there is no room for the flaw"
                    ) from error
