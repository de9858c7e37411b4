"""What every embedder does, held on the committed pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from loupe.brain.core.specs import Embedder
from loupe.testing import spec as of_any
from loupe.testing.contract import ContractError, ContractSkipped, Rule, require
from loupe.testing.picture_set import Case, batch

if TYPE_CHECKING:
    from torch import Tensor

    from loupe.brain.imaging.batches import ImageBatch

#: of vectors of unit length: sums of float32 in another order, as a batch of another size makes them
_TOLERANCE = 1e-5
_GPU_TOLERANCE = 1e-3
#: the least distance of the vectors of two different pictures
_APART = 1e-3
_PICTURES = ("pagoda", "dahlia", "coffee", "clown")


class Embedding:
    """An embedder, and what it makes of four different pictures of one shape; asked for once."""

    def __init__(self, spec: Embedder) -> None:
        self.spec = spec
        self.cases = [Case(name, name) for name in _PICTURES]
        self.changed = False

    @cached_property
    def _embed(self) -> Callable[[ImageBatch], Tensor]:
        return self.spec.load("cpu")

    def run(self, given: ImageBatch) -> Tensor:
        """Returns the vectors of a batch, and notes whether its pixels were changed."""
        before = given.pixels.clone()
        vectors = self._embed(given)
        self.changed = self.changed or not bool((before == given.pixels).all())
        return vectors

    def batch(self, cases: Sequence[Case]) -> ImageBatch:
        """Returns the cases as a batch."""
        return batch(cases, ())

    @cached_property
    def together(self) -> Tensor:
        """(4, D), of a batch of all."""
        return self.run(self.batch(self.cases))


def rules(spec: Embedder) -> Iterator[Rule]:
    """Yields the contracts of an embedder."""
    embedding = Embedding(spec)
    yield from of_any.rules(spec)
    yield Rule("form", lambda: _form(embedding.together, len(embedding.cases)))
    yield Rule("unit_length", lambda: _unit_length(embedding.together), ("form",))
    yield Rule("pixels", lambda: _pixels(embedding), ("form",))
    yield Rule("differs", lambda: _differs(embedding), ("form",))
    yield Rule("deterministic", lambda: _deterministic(embedding), ("form",))
    yield Rule("neighbors", lambda: _neighbors(embedding), ("deterministic", "differs"))
    yield Rule("order", lambda: _order(embedding), ("neighbors",))
    yield Rule("layout", lambda: _layout(embedding), ("neighbors",))
    yield Rule("odd_pictures", lambda: _odd(embedding), ("form", "unit_length"))
    yield Rule("gpu", lambda: _gpu(embedding), ("neighbors",))


def _form(vectors: object, n: int) -> None:
    import torch

    lawful = (
        isinstance(vectors, torch.Tensor)
        and vectors.dtype == torch.float32
        and vectors.ndim == 2
        and vectors.shape[0] == n
        and vectors.shape[1] > 0
    )
    got = f"{getattr(vectors, 'dtype', type(vectors).__name__)} {tuple(getattr(vectors, 'shape', ()))}"
    require(lawful, f"a float32 tensor of shape ({n}, D)", got, "give one vector for each picture")


def _unit_length(vectors: Tensor) -> None:
    lengths = vectors.double().norm(dim=1)
    right = bool((lengths - 1).abs().max() < 1e-4)
    require(right, "vectors of length 1", [round(x, 4) for x in lengths.tolist()], "divide them by their length")


def _pixels(embedding: Embedding) -> None:
    assert embedding.together is not None
    require(not embedding.changed, "pixels as they were", "others", "work on a copy of them")


def _differs(embedding: Embedding) -> None:
    for (name, first), (other, second) in combinations(zip(_PICTURES, embedding.together, strict=True), 2):
        apart = float((first - second).norm())
        do = "different pictures need different vectors: does it look at the pixels?"
        require(apart > _APART, f"vectors of {name!r} and {other!r} more than {_APART} apart", apart, do)


def _require_same(wanted: Tensor, got: Tensor, tolerance: float, do: str) -> None:
    _form(got, len(wanted))
    largest = float((wanted.cpu() - got.cpu()).abs().max())
    require(largest <= tolerance, f"the same vectors within {tolerance}", f"a difference of {largest:.2g}", do)


def _deterministic(embedding: Embedding) -> None:
    again = embedding.run(embedding.batch(embedding.cases))
    _require_same(embedding.together, again, 0.0, "the same pictures have to give the same again")


def _neighbors(embedding: Embedding) -> None:
    for index, case in enumerate(embedding.cases):
        alone = embedding.run(embedding.batch([case]))
        do = f"{case.name!r} must not depend on the others of its batch: look for an index that is always 0"
        _require_same(alone, embedding.together[index : index + 1], _TOLERANCE, do)


def _order(embedding: Embedding) -> None:
    turned = embedding.batch(embedding.cases[::-1])
    # the ids stay where they were: what is kept by id or by place comes out wrong
    vectors = embedding.run(replace(turned, ids=_PICTURES))
    do = "in another order and under other ids a picture has to keep its vector: keep nothing by id or by place"
    _require_same(embedding.together.flip(0), vectors, _TOLERANCE, do)


def _layout(embedding: Embedding) -> None:
    given = embedding.batch(embedding.cases)
    vectors = embedding.run(replace(given, pixels=given.pixels.contiguous()))
    do = "how pixels lie in memory must not matter: call contiguous(), and use no strides"
    _require_same(embedding.together, vectors, _TOLERANCE, do)


def _odd(embedding: Embedding) -> None:
    from loupe.testing.check import odd_pictures

    for name, pixels in odd_pictures().items():
        try:
            vectors = embedding.run(embedding.batch([Case("0", pixels), Case("1", pixels)]))
            _form(vectors, 2)
            _unit_length(vectors)
        except Exception as error:
            raise ContractError(
                f"picture {name!r} of {pixels.shape[1]} x {pixels.shape[0]} pixels: expected vectors of length 1, got "
                f"{type(error).__name__}: {error}; a plain picture has a direction, too"
            ) from error


def _gpu(embedding: Embedding) -> None:
    import torch

    if not torch.cuda.is_available():
        raise ContractSkipped("needs a GPU, and there is none here")
    given = embedding.batch(embedding.cases)
    vectors = embedding.spec.load("cuda")(replace(given, pixels=given.pixels.to("cuda")))
    _require_same(embedding.together, vectors, _GPU_TOLERANCE, "a vector must not depend on the device")
