"""Each public function refuses an argument of another kind by its name, before anything else."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from loupe.brain.core.arguments import known_parts
from loupe.brain.core.errors import InputError

pytestmark = pytest.mark.database

#: what fits an argument that is needed beside the wrong one, by the first part of its annotation
_FITS: dict[str, Any] = {
    "str": "x",
    "int": 1,
    "float": 0.5,
    "bool": True,
    "Sequence": (),
    "Iterable": (),
    "Mapping": {},
}


def test_an_argument_of_another_kind_is_refused_by_its_name(database: str) -> None:
    import loupe
    from loupe.brain.api import PUBLIC

    tried, wrong = 0, []
    for name in PUBLIC:
        function = getattr(loupe, name)
        if not inspect.isfunction(function):
            continue
        parameters = inspect.signature(function).parameters.values()
        needed = {
            each.name: _FITS.get((known_parts(each.annotation) or ("",))[0])
            for each in parameters
            if each.default is inspect.Parameter.empty
        }
        for each in parameters:
            if known_parts(each.annotation):
                tried += 1
                try:
                    function(**{**needed, each.name: object()})
                except InputError as error:
                    if str(error).startswith(f"expected {each.name} to be "):
                        continue
                except Exception as error:
                    wrong.append(f"{name}({each.name}): {error!r}")
                    continue
                wrong.append(f"{name}({each.name}): nothing was said of it")
    assert not wrong
    assert tried > 250


@pytest.mark.parametrize("name", ["kept_view", "rebalanced_view", "with_repairs", "migrate"])
def test_samples_that_are_none_are_refused(database: str, name: str) -> None:
    import loupe

    for given in (None, "the name of a dataset", []):
        with pytest.raises(InputError, match="expected a FiftyOne dataset or view, got"):
            getattr(loupe, name)(given)
