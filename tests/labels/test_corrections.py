"""The one rule of what a label becomes, case by case."""

from __future__ import annotations

import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.core.review import Decision
from loupe.brain.labels.corrections import Corrected, Suggestion, corrected

DOG = Suggestion("cat", "dog", 0.9, 0.8)


@pytest.mark.parametrize(
    ("given", "decision", "suggestion", "accepted", "becomes"),
    [
        ("cat", None, None, False, Corrected("cat", "given")),
        (None, None, None, False, Corrected(None, "given")),
        ("cat", None, DOG, False, Corrected("cat", "given")),
        ("cat", None, DOG, True, Corrected("dog", "suggested")),
        ("cat", None, None, True, Corrected("cat", "given", outdated=True)),
        ("fox", None, DOG, True, Corrected("fox", "given", outdated=True)),
        ("cat", Decision("real"), DOG, False, Corrected("dog", "suggested")),
        ("cat", Decision("real"), None, False, Corrected("cat", "given", outdated=True)),
        ("fox", Decision("real"), DOG, False, Corrected("fox", "given", outdated=True)),
        ("cat", Decision("false_alarm"), DOG, True, Corrected("cat", "given")),
        ("cat", Decision("unsure"), DOG, True, Corrected("cat", "given")),
        ("cat", Decision("real", correction="dog"), DOG, False, Corrected("dog", "suggested")),
        ("cat", Decision("real", correction="fox"), DOG, True, Corrected("fox", "chosen")),
        ("cat", Decision("real", correction="cat"), DOG, True, Corrected("cat", "given")),
        ("cat", Decision("real", correction=""), DOG, True, Corrected(None, "none")),
        (None, Decision("real", correction="fox"), None, False, Corrected("fox", "chosen")),
        # what somebody sees in the picture is so whatever the label was
        ("owl", Decision("real", correction="dog"), DOG, False, Corrected("dog", "suggested")),
    ],
)
def test_what_a_label_becomes(
    given: str | None, decision: Decision | None, suggestion: Suggestion | None, accepted: bool, becomes: Corrected
) -> None:
    assert corrected(given, decision, suggestion, accepted=accepted) == becomes


def test_only_what_is_wrong_has_a_correction() -> None:
    for status in ("false_alarm", "unsure"):
        with pytest.raises(InputError, match="with the status 'real' only"):
            Decision(status, correction="dog")
    with pytest.raises(InputError, match="a class"):
        Decision("real", correction=3)  # type: ignore[arg-type]
