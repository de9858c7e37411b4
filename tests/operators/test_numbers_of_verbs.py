"""A whole number below zero is refused by each verb that takes one, by its name: never counted with."""

from __future__ import annotations

from typing import Any

import pytest
from operator_calls import VERBS, context, operator, parameters, untouched, verb_of

from loupe.brain.core.errors import InputError

pytestmark = [pytest.mark.database, pytest.mark.slow]

#: where it takes more than a form's defaults to get as far as the number, and who tests it
ELSEWHERE = {("experiment", "per_class"): "tests/verbs/test_experiment.py"}


@pytest.mark.parametrize("name", VERBS)
def test_a_negative_number_is_refused(filled: Any, needed: dict[str, Any], name: str) -> None:
    from loupe.operators.forms import Form

    whole = [key for key, each in parameters(name).items() if each.annotation in ("int", "int | None")]
    whole = [key for key in whole if (name, key) not in ELSEWHERE]
    if not whole:
        return
    asked = untouched(name, filled, needed[name])
    given = operator(name).arguments(Form(context(name, filled, asked), filled))
    wrong = []
    for key in whole:
        try:
            verb_of(name)(filled, **{**given, key: -1})
        except InputError as error:
            if key not in str(error):
                wrong.append(f"{key}: {error}")
        except Exception as error:
            wrong.append(f"{key}: {type(error).__name__}: {error}")
        else:
            wrong.append(f"{key}: it ran")
    assert not wrong
