"""Results in words: Markdown that shows what is not ours as it is."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.database  # the operators' package is FiftyOne's


def test_text_that_is_not_ours_is_shown_as_it_is(database: str) -> None:
    from loupe.brain.core.shown import markdown as escape
    from loupe.operators.summary import table

    assert escape('<img src=x onerror="alert(1)">') == '&lt;img src=x onerror="alert\\(1\\)"&gt;'
    made = table(["a"], [["x | y\n# z [l](javascript:1) `c`"]])
    assert made.splitlines()[2] == "| x \\| y \\# z \\[l\\]\\(javascript:1\\) \\`c\\` |"
    assert len(made.splitlines()) == 3


def test_long_tables_are_cut_and_say_so(database: str) -> None:
    from loupe.operators.summary import table

    made = table(["n"], [[n] for n in range(100)])
    assert made.endswith("and 60 more rows")
    assert made.count("\n| ") == 41
