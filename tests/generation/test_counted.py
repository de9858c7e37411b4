"""What passes, fails and stays unknown, and which of what passes counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from loupe.brain.generation.counted import LABEL, UNCHECKED, Answer, Known, decide, statuses

GATE = ("sharpness", "text")
LOOKED = frozenset(GATE)
SILENT = Known((), {"text": "the lettering cannot be read"}, LOOKED)


def test_what_passes() -> None:
    assert decide(Known((), {}, LOOKED), GATE).answer == "passes"
    assert decide(Known((), {}, LOOKED), GATE, label=("passes", "")).answer == "passes"


def test_any_failure_fails_whoever_flagged_it() -> None:
    assert decide(Known(("near_duplicate",), {}, LOOKED), GATE).answer == "fails"
    both = decide(Known(("blur",), {"text": "it cannot be read"}, LOOKED), GATE, label=("fails", "it looks like a dog"))
    assert both.answer == "fails"
    assert both.reasons == {"blur": "", LABEL: "it looks like a dog"}
    assert decide(Known(("blur",), {}, LOOKED), GATE, True).answer == "fails"


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        (SILENT, SILENT.doubts),
        (Known((), {}, frozenset({"sharpness"})), {"text": UNCHECKED}),
        (Known(), dict.fromkeys(GATE, UNCHECKED)),
    ],
)
def test_silence_is_no_pass(known: Known, reasons: dict[str, str]) -> None:
    decided = decide(known, GATE)
    assert (decided.answer, dict(decided.reasons)) == ("unknown", reasons)
    assert decide(known, GATE, True).answer == "passes"
    assert decide(known, GATE, list(reasons)).answer == "passes"
    assert decide(known, GATE, ["halo"]).answer == "unknown"


def test_a_class_that_cannot_be_told_is_a_doubt() -> None:
    seen = Known((), {}, LOOKED)
    assert decide(seen, GATE, label=("unknown", "it has no vector")).reasons == {LABEL: "it has no vector"}
    assert decide(seen, GATE, [LABEL], ("unknown", "it has no vector")).answer == "passes"
    assert decide(seen, GATE, [LABEL], ("fails", "it looks like a dog")).answer == "fails"


def test_what_the_prompt_does_not_ask_for_is_no_doubt() -> None:
    assert decide(Known((), {"text": "the prompt asks for no text"}, LOOKED), GATE).answer == "passes"
    both = Known((), {"text": "the prompt asks for no text; too small"}, LOOKED)
    assert decide(both, GATE).answer == "unknown"


def test_a_check_outside_of_the_gate_may_be_silent() -> None:
    assert decide(SILENT, ["sharpness"]).answer == "passes"


@pytest.mark.parametrize(
    ("answers", "needed", "became"),
    [
        ([], 3, []),
        (["passes", "passes", "fails"], 0, ["spare", "spare", "fails"]),
        (["passes", "unknown", "passes", "passes"], 2, ["counts", "unknown", "counts", "spare"]),
        ([None, "passes"], 2, [None, "counts"]),
    ],
)
def test_the_first_that_pass_count(answers: Sequence[Answer | None], needed: int, became: list[str | None]) -> None:
    assert statuses(answers, needed) == became


def test_silence_on_single_failure_modes_may_be_allowed() -> None:
    part = Known((), {"text": "the letters cannot be told apart"}, LOOKED, {"text": ("text_distortion",)})
    assert decide(part, GATE).answer == "unknown"
    assert decide(part, GATE, ["text_distortion"]).answer == "passes"
    both = Known((), part.doubts, LOOKED, {"text": ("text_distortion", "text_substitution")})
    assert decide(both, GATE, ["text_distortion"]).answer == "unknown", "of the other nothing is known, either"
    every = Known((), part.doubts, LOOKED, {"text": ()})
    assert decide(every, GATE).answer == "passes", "all of its failure modes were judged"
