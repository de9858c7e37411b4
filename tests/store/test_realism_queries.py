"""What a click on a row of the panel Realism narrows the view to: a value of a factor, or of a product of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def drawn(new_dataset: Callable[[], Any]) -> Any:
    import fiftyone as fo

    dataset = new_dataset()
    rows = [("old $1", "class"), ("old $1", "caption"), ('new "2"', "class"), ("a × b", "class"), (None, "class")]
    dataset.add_samples(
        [fo.Sample(f"/nowhere/{at}.png", model=model, style=style, size=at) for at, (model, style) in enumerate(rows)],
        progress=False,
    )
    return dataset


def test_each_combination_of_a_product_has_a_query_of_its_own(drawn: Any) -> None:
    from loupe.brain.slicing.factors import Factor
    from loupe.brain.store.realism.kept import queries

    by = Factor.field("model") * Factor.field("style")
    made = queries(drawn, by, ["old $1 × class", "old $1 × caption", 'new "2" × class', "a × b × class"])
    shown = {name: drawn.match(query).values("size") for name, query in made.items()}
    # whose name has the sign itself cannot be taken apart: nothing is shown, and nothing wrong
    assert shown == {"old $1 × class": [0], "old $1 × caption": [1], 'new "2" × class': [2]}


def test_a_value_of_one_factor_may_have_the_sign_of_a_product_in_its_name(drawn: Any) -> None:
    from loupe.brain.slicing.factors import Factor
    from loupe.brain.store.realism.kept import queries

    made = queries(drawn, Factor.field("model"), ["a × b", "old $1"])
    assert {name: drawn.match(query).values("size") for name, query in made.items()} == {"a × b": [3], "old $1": [0, 1]}


def test_a_factor_that_is_gone_shows_nothing(drawn: Any) -> None:
    from loupe.brain.slicing.factors import Factor
    from loupe.brain.store.realism.kept import queries

    assert queries(drawn, Factor.field("model") * Factor.field("nothing"), ["old $1 × class"]) == {}
