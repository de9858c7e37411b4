"""That each contract of a check can fail: checks that are broken in one way each, caught by just that contract."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Box, Output, Points, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.testing import Case, ContractError, Report, check_spec, contracts

pytestmark = pytest.mark.usefixtures("one_thread")

LUMA = Output(
    name="mean_red",
    unit="0 to 255",
    higher_is_better=True,
    bounds=(0.0, 255.0),
    description="The mean of the red channel.",
    default_threshold=Threshold("<", 40.0, provenance="made up for a test"),
    failure="dark",
)


@dataclass(frozen=True)
class Redness(Check):
    """Redness: a good check of a third party."""

    name: ClassVar[str] = "redness"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    boxes_field: ClassVar[str | None] = "red_boxes"
    map_field: ClassVar[str | None] = "red_map"
    points_field: ClassVar[str | None] = "red_points"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)
    outputs: ClassVar[tuple[Output, ...]] = (LUMA,)

    gain: float = param(1.0, "Multiplies the red channel", low=0.0, high=10.0)

    def look(self, pixels: torch.Tensor, prompt: object) -> SampleResult:
        """What is said of one picture: (3, H, W)."""
        if not isinstance(prompt, str):
            return SampleResult({}, "the sample has no prompt")
        if min(pixels.shape[1:]) < 8:
            return SampleResult({}, "too small")
        red = pixels[0].float()
        value = float(red.mean()) * self.gain
        map_ = (red[::8, ::8] / 255).numpy().copy()
        high, wide = pixels.shape[1:]
        y, x = divmod(int(red.argmax()), wide)
        box = Box("red", (x / wide, y / high, 1 / wide, 1 / high))
        return SampleResult(
            {"mean_red": min(value, 255.0)}, None, (box,), (Points("red", ((x / wide, y / high),)),), map_
        )

    def load(self, device: str) -> Callable[[Any], Scores]:
        def score(batch: Any) -> Scores:
            prompts = batch.fields.get("prompt") or (None,) * len(batch)
            results = [self.look(*facts) for facts in zip(batch.pixels.cpu(), prompts, strict=True)]
            return self.scores(results, batch.pixels.device)

        return score


def broken(kind: type[Check], **exceptions: str) -> list[str]:
    """The names of the contracts that a check breaks."""
    try:
        check_spec(kind(), exceptions=exceptions)
    except ContractError as error:
        return [line[2:].partition(": ")[0] for line in str(error).splitlines() if line.startswith("- ")]
    return []


def altered(change: Callable[[Scores, Any], Scores]) -> type[Redness]:
    """A check whose scores are changed before they are given."""

    @dataclass(frozen=True)
    class Altered(Redness):
        """Altered: a broken check."""

        def load(self, device: str) -> Callable[[Any], Scores]:
            score = super().load(device)
            return lambda batch: change(score(batch), batch)

    return Altered


def declared(**facts: Any) -> type[Redness]:
    """A check that says something else of itself."""
    return dataclass(frozen=True)(type("Declared", (Redness,), {"__doc__": "Declared: a broken check.", **facts}))


def of_output(**facts: Any) -> type[Redness]:
    return declared(outputs=(replace(LUMA, **facts),))


def test_a_good_check_keeps_every_contract() -> None:
    report = check_spec(Redness())
    assert isinstance(report, Report)
    assert report.spec == "redness"
    assert {"neighbors", "order", "known:mean_red", "varies:boxes", "fails:dark", "needs", "abstains"} <= set(
        report.kept
    )
    assert set(report.skipped) <= {"gpu"}
    assert check_spec(Redness, exceptions={}).kept == report.kept
    assert report.to_dict()["spec"] == "redness"


def test_contracts_are_called_one_by_one_and_load_nothing_before() -> None:
    kept = contracts(altered(_raises))
    by_name = {contract.name: contract for contract in kept}
    assert str(by_name["name"]) == "redness-name"
    by_name["name"]()
    with pytest.raises(ContractError, match="ZeroDivisionError"):
        by_name["form"]()
    with pytest.raises(ContractError, match="ZeroDivisionError"):
        by_name["form"]()


def test_what_is_no_spec_is_refused() -> None:
    with pytest.raises(InputError, match="expected a Check"):
        check_spec(object())  # type: ignore[arg-type]


def test_an_exception_has_a_name_a_reason_and_a_need() -> None:
    with pytest.raises(ContractError, match="exception 'nothing': expected one of its contracts"):
        check_spec(Redness(), exceptions={"nothing": "a reason"})
    with pytest.raises(ContractError, match="exception 'order': expected a contract that is broken"):
        check_spec(Redness(), exceptions={"order": "a reason"})
    with pytest.raises(ContractError, match="expected a reason"):
        check_spec(of_output(unit=""), exceptions={"outputs": " "})
    report = check_spec(of_output(unit=""), exceptions={"outputs": "it has no unit"})
    assert report.exceptions == {"outputs": "it has no unit"}
    assert "outputs" not in report.kept


def test_further_cases_make_known_what_no_committed_picture_shows() -> None:
    seam = of_output(failure="box_issue")
    with pytest.raises(ContractError, match="fails:box_issue: expected a picture that has to fail"):
        check_spec(seam())
    dark, light = (np.full((64, 64, 3), level, np.uint8) for level in (10, 200))
    light[3, 5] = 250
    cases = [
        Case("dark", dark, fails=("box_issue",), fields={"prompt": "a"}),
        Case("light", light, passes=("box_issue",), fields={"prompt": "a"}),
    ]
    assert {"fails:box_issue", "passes:box_issue"} <= set(check_spec(seam(), cases=cases).kept)


# what is wrong with what it gives


def _raises(scores: Scores, batch: Any) -> Scores:
    raise ZeroDivisionError


def _first(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return (values[0],) * len(values) if values else ()


def _first_score(scores: Scores, batch: Any) -> Scores:
    return replace(scores, tensors={name: value[:1].expand(len(batch)).clone() for name, value in scores.items()})


def _without_reason(scores: Scores, batch: Any) -> Scores:
    values = scores["mean_red"]
    return replace(scores, tensors={"mean_red": values.masked_fill(values > 150, math.nan)}, reasons=())


def _random(scores: Scores, batch: Any) -> Scores:
    return replace(scores, tensors={"mean_red": scores["mean_red"] * (0.9 + 0.1 * torch.rand(()))})


def _unknown(scores: Scores, batch: Any) -> Scores:
    nothing = torch.full((len(batch),), math.nan)
    return replace(scores, tensors={"mean_red": nothing}, reasons=("never",) * len(batch))


def _mutates(scores: Scores, batch: Any) -> Scores:
    batch.pixels[:, 0, 0, 0] += 1
    return scores


def _by_strides(scores: Scores, batch: Any) -> Scores:
    offset = 5.0 if batch.pixels.is_contiguous() else 0.0
    return replace(scores, tensors={"mean_red": (scores["mean_red"] - offset).clamp_min(0)})


def _odd_raises(scores: Scores, batch: Any) -> Scores:
    if min(batch.pixels.shape[-2:]) < 8:
        raise ValueError("an empty slice")
    return scores


def _guess(scores: Scores, batch: Any) -> Scores:
    known = torch.nan_to_num(scores["mean_red"], nan=100.0) if not batch.fields.get("prompt") else scores["mean_red"]
    return replace(scores, tensors={"mean_red": known})


def _wild_box(scores: Scores, batch: Any) -> Scores:
    return replace(scores, boxes=((Box("red", (0.9, 0.0, 0.2, 0.1)),),) * len(batch))


def _wild_map(scores: Scores, batch: Any) -> Scores:
    return replace(scores, maps=(np.full((2, 2), 1.5, np.float32),) * len(batch))


def _lost_points(scores: Scores, batch: Any) -> Scores:
    return replace(scores, points=((Points("red", ((math.nan, 0.0),)),),) * len(batch))


def _remembering() -> Callable[[Scores, Any], Scores]:
    kept: dict[str, float] = {}

    def change(scores: Scores, batch: Any) -> Scores:
        values = [
            kept.setdefault(name, value) for name, value in zip(batch.ids, scores["mean_red"].tolist(), strict=True)
        ]
        return replace(scores, tensors={"mean_red": torch.tensor(values)})

    return change


BROKEN: dict[str, tuple[Callable[[], type[Check]], str]] = {
    "raises": (lambda: altered(_raises), "form"),
    "gives a dict": (lambda: altered(lambda scores, batch: {"mean_red": 1.0}), "form"),  # type: ignore[arg-type,return-value]
    "another output": (lambda: altered(lambda scores, batch: Scores({"red": scores["mean_red"]})), "form"),
    "float64": (lambda: altered(lambda s, b: replace(s, tensors={"mean_red": s["mean_red"].double()})), "form"),
    "one score for all": (lambda: altered(lambda s, b: replace(s, tensors={"mean_red": s["mean_red"][0]})), "form"),
    "too few boxes": (lambda: altered(lambda s, b: replace(s, boxes=s.boxes + s.boxes[:1])), "form"),
    "out of bounds": (lambda: altered(lambda s, b: replace(s, tensors={"mean_red": s["mean_red"] + 250})), "bounds"),
    "NaN without a reason": (lambda: altered(_without_reason), "reasons"),
    "a box over the border": (lambda: altered(_wild_box), "evidence"),
    "a map above 1": (lambda: altered(_wild_map), "evidence"),
    "points nowhere": (lambda: altered(_lost_points), "evidence"),
    "no map_field": (lambda: _mapless(), "evidence"),
    "no boxes_field": (lambda: declared(boxes_field=None), "evidence"),
    "no points_field": (lambda: declared(points_field=None), "evidence"),
    "changes the pixels": (lambda: altered(_mutates), "pixels"),
    "always unknown": (lambda: altered(_unknown), "known:mean_red"),
    "always the same": (
        lambda: altered(lambda s, b: replace(s, tensors={"mean_red": s["mean_red"] * 0 + 7})),
        "varies:mean_red",
    ),
    "the same box for all": (
        lambda: altered(lambda s, b: replace(s, boxes=((Box("red", (0.0, 0.0, 1.0, 1.0)),),) * len(b))),
        "varies:boxes",
    ),
    "the same map for all": (
        lambda: altered(lambda s, b: replace(s, maps=(np.zeros((2, 2), np.float32),) * len(b))),
        "varies:maps",
    ),
    "no points ever": (lambda: altered(lambda s, b: replace(s, points=())), "varies:points"),
    "random": (lambda: altered(_random), "deterministic"),
    "picture 0 for the whole batch": (lambda: altered(_first_score), "neighbors"),
    "maps[0] for all": (lambda: altered(lambda s, b: replace(s, maps=_first(s.maps))), "neighbors"),
    "boxes[0] for all": (lambda: altered(lambda s, b: replace(s, boxes=_first(s.boxes))), "neighbors"),
    "points[0] for all": (lambda: altered(lambda s, b: replace(s, points=_first(s.points))), "neighbors"),
    "less the mean of the batch": (
        lambda: altered(lambda s, b: replace(s, tensors={"mean_red": (s["mean_red"] - s["mean_red"].mean() + 30)})),
        "",
    ),
    "kept by id": (lambda: altered(_remembering()), "order"),
    "by strides": (lambda: altered(_by_strides), "layout"),
    "raises on odd pictures": (lambda: altered(_odd_raises), "odd_pictures"),
    "guesses without a prompt": (lambda: altered(_guess), "needs"),
    "abstains from what it judges": (lambda: declared(abstains=lambda self, fields: "never"), "abstains"),
    "abstains with another reason": (
        lambda: declared(abstains=lambda self, fields: None if fields.get("prompt") else "never"),
        "abstains",
    ),
    "flags nothing": (lambda: of_output(default_threshold=Threshold("<", 0.0, provenance="a test")), "fails:dark"),
    "flags all": (lambda: of_output(default_threshold=Threshold("<", 255.0, provenance="a test")), "passes:dark"),
    # what is wrong with what it says of itself
    "no dataclass": (lambda: type("Plain", (Redness,), {"__doc__": "Plain: a broken check."}), "frozen"),
    "capitals": (lambda: declared(name="Redness"), "name"),
    "no number": (lambda: declared(version=0), "facts"),
    "no reference": (lambda: declared(reference=" "), "facts"),
    "not free": (lambda: declared(license="GPL-3.0"), "facts"),
    "no docstring": (lambda: declared(__doc__=None), "facts"),
    "no form": (lambda: _formless(), "parameters"),
    "another key each time": (lambda: declared(key=property(lambda self: f"{next(_COUNT):012}")), "key"),
    "no unit": (lambda: of_output(unit=""), "outputs"),
    "no description": (lambda: of_output(description=" "), "outputs"),
    "bounds the wrong way": (lambda: of_output(bounds=(255.0, 0.0)), "outputs"),
    "no outputs": (lambda: declared(outputs=()), "outputs"),
    "a threshold on the better side": (lambda: of_output(higher_is_better=False), "thresholds"),
    "an unknown failure": (lambda: of_output(failure="redness"), "thresholds"),
    "a failure without a threshold": (lambda: of_output(default_threshold=None), "thresholds"),
    "no provenance": (lambda: of_output(default_threshold=Threshold("<", 40.0)), "thresholds"),
}
_COUNT = itertools.count()


def _mapless() -> type[Redness]:
    @dataclass(frozen=True)
    class Mapless(Redness):
        """Mapless: gives maps, and has no field for them."""

        map_field: ClassVar[str | None] = None

        def load(self, device: str) -> Callable[[Any], Scores]:
            score = super().load(device)
            return lambda batch: replace(score(batch), maps=(np.zeros((2, 2), np.float32),) * len(batch))

    return Mapless


def _formless() -> type[Redness]:
    @dataclass(frozen=True)
    class Formless(Redness):
        """Formless: a parameter that no form can ask for."""

        more: float = field(default=1.0)

    return Formless


@pytest.mark.parametrize("fault", [fault for fault, (_, contract) in BROKEN.items() if contract])
def test_a_fault_is_caught_by_one_contract(fault: str) -> None:
    made, contract = BROKEN[fault]
    caught = broken(made())
    # what declares nothing has nothing else to be held to
    assert caught in ([contract], [contract, "form"])


def test_a_check_that_looks_at_its_batch_is_caught() -> None:
    made, _ = BROKEN["less the mean of the batch"]
    caught = broken(made(), **{"varies:mean_red": "alone it is always 30"})
    assert "neighbors" in caught


@dataclass(frozen=True)
class Ragged(Check):
    """Ragged: a good check that takes pictures of several shapes at once."""

    name: ClassVar[str] = "ragged_red"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (LUMA,)

    def of(self, batch: Any) -> torch.Tensor:
        """(N,): the mean of each picture of a part."""
        return batch.samples.pixels[:, 0].float().mean((1, 2))

    def load(self, device: str) -> Callable[[Any], Scores]:
        return lambda batch: Scores({"mean_red": batch.each(self.of)})


def test_a_good_ragged_check_keeps_every_contract() -> None:
    assert "ragged" in check_spec(Ragged()).kept


def test_a_ragged_check_that_wants_the_pixels_is_caught() -> None:
    @dataclass(frozen=True)
    class Wanting(Ragged):
        """Wanting: takes the pixels, which a preview has not."""

        def of(self, batch: Any) -> torch.Tensor:
            return batch.pixels[:, 0].float().mean((1, 2))

    assert broken(Wanting) == ["ragged"]


def test_a_ragged_check_that_judges_the_first_part_for_all_is_caught() -> None:
    @dataclass(frozen=True)
    class First(Ragged):
        """First: what it finds in the first part counts for all."""

        def load(self, device: str) -> Callable[[Any], Scores]:
            def score(batch: Any) -> Scores:
                means = batch.each(self.of)
                parts = getattr(batch, "parts", None)
                if parts:
                    means[len(parts[0]) :] = means[0]
                return Scores({"mean_red": means})

            return score

    assert broken(First) == ["ragged"]


def test_a_check_that_knows_what_nobody_can_know_is_caught() -> None:
    bleeding = replace(
        LUMA, failure="color_bleeding", higher_is_better=False, default_threshold=Threshold(">", 250.0, provenance="x")
    )
    caught = broken(declared(outputs=(bleeding,)))
    assert "unknown" in caught
