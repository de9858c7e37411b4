"""What every generator does: an image depends on its request and on nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.brain.hosted.spec import HostedGenerator
from loupe.testing import spec as of_any
from loupe.testing.contract import Rule, require

#: three that differ in prompt and seed, short enough for the smallest text encoder
REQUESTS = (
    Request('a red sign "42"', seed=11),
    Request("a blue sign, night", seed=12),
    Request("a green sign in fog", seed=13),
)


class Drawing:
    """A loaded generator, and the images of three requests; asked for once."""

    def __init__(self, spec: Generator) -> None:
        self.spec = spec

    @cached_property
    def session(self) -> GeneratorSession:
        """The loaded generator."""
        return self.spec.load("cpu")

    def draw(self, requests: Sequence[Request]) -> list[np.ndarray]:
        """Returns the images as (H, W, 3) uint8."""
        return [np.asarray(image.convert("RGB")) for image in self.session.draw(list(requests))]

    @cached_property
    def together(self) -> list[np.ndarray]:
        """The images of the three."""
        return self.draw(REQUESTS)


def rules(spec: Generator) -> Iterator[Rule]:
    """Yields the contracts of a generator."""
    drawing = Drawing(spec)
    yield from of_any.rules(spec)
    if isinstance(spec, HostedGenerator):
        # what it draws costs money, and is not the same twice: its session is not opened
        yield Rule("price", lambda: _price(spec))
        return
    yield Rule("session", lambda: _session(drawing))
    yield Rule("form", lambda: _form(drawing), ("session",))
    yield Rule("deterministic", lambda: _deterministic(drawing), ("form",))
    yield Rule("neighbors", lambda: _neighbors(drawing), ("deterministic",))
    yield Rule("order", lambda: _order(drawing), ("neighbors",))
    yield Rule("seed", lambda: _other(drawing, "seed", seed=99), ("neighbors",))
    yield Rule("prompt", lambda: _other(drawing, "prompt", prompt="a cat on a chair"), ("neighbors",))
    yield Rule("negative_prompt", lambda: _negative_prompt(drawing), ("neighbors",))


def _price(spec: HostedGenerator) -> None:
    each = spec.price()
    good = each is None or (isinstance(each, float) and math.isfinite(each) and each >= 0)
    require(good, "a price in dollars, or None", each, "None says that nobody knows it")
    facts = spec.facts()
    require(json.loads(json.dumps(facts)) == facts, "facts that are plain JSON values", facts, "they are stored")


def _session(drawing: Drawing) -> None:
    session = drawing.session
    require(
        isinstance(session, GeneratorSession),
        "a GeneratorSession",
        type(session).__name__,
        "return loupe.brain.core.specs.GeneratorSession from load()",
    )
    facts = session.facts
    require(
        isinstance(facts, dict) and json.loads(json.dumps(facts)) == facts,
        "facts that are plain JSON values",
        facts,
        "they are stored with each image, as generation.*",
    )
    require(bool(facts.get("model")), "the model's name among the facts", facts, "say what has drawn the image")
    size = session.batch_size
    require(type(size) is int and size >= 1, "a batch_size from 1", size, "say how many requests draw takes at once")


def _form(drawing: Drawing) -> None:
    from PIL.Image import Image

    images = drawing.session.draw(list(REQUESTS))
    require(len(images) == len(REQUESTS), f"{len(REQUESTS)} images", len(images), "give one for each request")
    require(drawing.session.draw([]) == [], "no image for no request", "some", "give one for each request")
    facts = drawing.session.facts
    wanted = (facts.get("width"), facts.get("height"))
    for image in images:
        require(isinstance(image, Image), "PIL images", type(image).__name__, "convert them")
        require(image.mode == "RGB", "the mode RGB", image.mode, "convert it")
        known = None not in wanted
        require(
            not known or image.size == wanted, f"the size of the facts, {wanted}", image.size, "the facts are stored"
        )
        info = {str(key): value for key, value in image.info.items()}
        plain = json.loads(json.dumps(info, default=str)) == info
        require(plain, "an info of plain JSON values", info, "it is stored with the image, as generation.*")


def _require_same(wanted: Sequence[np.ndarray], got: Sequence[np.ndarray], do: str) -> None:
    for index, (first, second) in enumerate(zip(wanted, got, strict=True)):
        share = float((first != second).mean()) if first.shape == second.shape else 1.0
        require(share == 0, f"the same pixels of request {index}", f"{share:.2%} others", do)


def _deterministic(drawing: Drawing) -> None:
    do = "a seed decides the noise: draw it from that seed alone, on the CPU"
    _require_same(drawing.together, drawing.draw(REQUESTS), do)


def _neighbors(drawing: Drawing) -> None:
    alone = [drawing.draw([request])[0] for request in REQUESTS]
    do = "an image must not depend on the others of its batch: give each a noise of its own, and draw one at a time"
    _require_same(alone, drawing.together, do)


def _order(drawing: Drawing) -> None:
    do = "an image must not depend on its place: keep nothing by place"
    _require_same(drawing.together, drawing.draw(REQUESTS[::-1])[::-1], do)


def _other(drawing: Drawing, name: str, **changed: object) -> None:
    (other,) = drawing.draw([replace(REQUESTS[0], **changed)])  # type: ignore[arg-type]
    same = other.shape == drawing.together[0].shape and bool((other == drawing.together[0]).all())
    require(not same, f"other pixels for another {name}", "the same", f"is the {name} used?")


def _negative_prompt(drawing: Drawing) -> None:
    try:
        _other(drawing, "negative prompt", negative_prompt="fog, blur, a red sign")
    except InputError:
        return  # a model that takes none says so
