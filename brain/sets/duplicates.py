"""Exact and near duplicates of a set of images; found by ``matching``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure

_BASIS = (
    "python -m benchmarks.similarity: 0 of 150 pairs of signs that differ in one digit, 0 of 1,250 of plain, lamp and "
    "page pictures and 0 of 525 of templates held out are above it; 2,090 of 2,100 changed copies of 105 photos are"
)


@dataclass(frozen=True)
class Duplicates(SetMeasure):
    """Exact and near duplicates.

    Near duplicates are found in two steps. **Candidates**: the 8 × 8 lowest frequencies of the luma's cosine transform
    (the coefficients that pHash takes the signs of, here kept as numbers), compared by their cosine: the nearest
    ``per_image`` others of each image, over its 8 flips and quarter turns, over 5 crops and over four parts of it.
    **Verification**: the pair is registered on 64 × 64 thumbnails by an affine map (ECC), one is given the other's
    brightness and contrast, and the similarity is the lowest tenth of the local structural similarity (SSIM): one digit
    that differs on otherwise equal signs decides. A logo in a corner of either or a caption is left out of it. Pictures
    without detail are unknown. **Close look**: pairs above 0.7 are read again at up to 512 pixels a side; where
    anything differs that is no logo or caption, e.g. an entry in a form or a thing in a scene, they get 0.5 at most.
    """

    name: ClassVar[str] = "duplicates"
    version: ClassVar[int] = 5
    reference: ClassVar[str] = (
        "Zauner 2010 (pHash); Evangelidis and Psarakis 2008 (ECC), doi:10.1109/TPAMI.2008.113; "
        "Wang et al. 2004 (SSIM), doi:10.1109/TIP.2003.819861"
    )
    license: ClassVar[str] = "Apache-2.0"
    of_objects: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="exact_duplicate",
            unit="other samples",
            higher_is_better=False,
            bounds=(0.0, float("inf")),
            description="How many other samples have the same bytes or the same pixels",
            default_threshold=Threshold(">", 0.0, provenance="any"),
            failure="exact_duplicate",
        ),
        Output(
            name="near_duplicate",
            unit="similarity",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="The highest similarity to another sample, 1 for the same picture",
            default_threshold=Threshold(">", 0.85, provenance=_BASIS),
            failure="near_duplicate",
        ),
    )

    per_image: int = specs.param(8, "How many candidates are compared with each image", low=1, high=100)
    min_cosine: float = specs.param(
        0.9, "The least cosine of two embeddings that makes them candidates", low=-1.0, high=1.0
    )
    min_hash: float = specs.param(0.75, "The least cosine of two hashes that makes them candidates", low=-1.0, high=1.0)
