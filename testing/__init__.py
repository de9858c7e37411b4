"""Contracts that every spec keeps, for Loupe's own and for other packages': as scikit-learn's ``check_estimator``.

    from loupe.testing import check_spec

    def test_my_check_keeps_the_contracts():
        check_spec(MyCheck())

Each contract is a plain function that raises; nothing here needs pytest. To have one test for each contract:

    @pytest.mark.parametrize("contract", contracts(MyCheck()), ids=str)
    def test_contract(contract):
        contract()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loupe.brain.core.errors import InputError
from loupe.brain.core.specs import Check, Defect, Embedder, Generator, SetMeasure, Spec
from loupe.testing.contract import Contract, ContractError, ContractSkipped, Report, bound, held
from loupe.testing.picture_set import Case, pictures

__all__ = ["Case", "Contract", "ContractError", "ContractSkipped", "Report", "check_spec", "contracts", "pictures"]


def contracts(spec: Spec | type[Spec], *, cases: Sequence[Case] = ()) -> tuple[Contract, ...]:
    """Returns the contracts of a spec, each to be called by itself. Nothing is loaded before the first is called.

    Args:
        spec: a check, an embedder, a generator, a defect or a set measure, with the parameters to test; or its class
        cases: further pictures for a check, for what the committed ones do not show

    Raises:
        InputError: it is none of these
    """
    made = spec() if isinstance(spec, type) else spec
    # each kind in its own file, which is loaded for that kind alone
    if isinstance(made, Check):
        from loupe.testing import check

        return bound(made.name, check.rules(made, cases))
    if isinstance(made, Embedder):
        from loupe.testing import embedder

        return bound(made.name, embedder.rules(made))
    if isinstance(made, Generator):
        from loupe.testing import generator

        return bound(made.name, generator.rules(made))
    if isinstance(made, Defect):
        from loupe.testing import defect

        return bound(made.name, defect.rules(made))
    if isinstance(made, SetMeasure):
        from loupe.testing import set_measure

        return bound(made.name, set_measure.rules(made))
    raise InputError(
        f"expected a Check, an Embedder, a Generator, a Defect or a SetMeasure, got {type(made).__name__}: "
        "derive it from one of loupe.brain.core.specs"
    )


def check_spec(
    spec: Spec | type[Spec], *, exceptions: Mapping[str, str] | None = None, cases: Sequence[Case] = ()
) -> Report:
    """Holds a spec to every contract of its kind, and raises one error that lists what is broken.

    Args:
        spec: a check, an embedder, a generator, a defect or a set measure, with the parameters to test; or its class
        exceptions: contracts that it cannot keep, each with the reason: ``{"fails:blur": "finds only strong blur"}``;
            one that is kept after all is an error, too
        cases: further pictures for a check, for what the committed ones do not show

    Returns:
        what was kept, excepted and skipped

    Raises:
        ContractError: a contract is broken, or an exception is not needed or names no contract
        InputError: the spec is of no known kind
        LoupeError: its model cannot be loaded
    """
    of_spec = contracts(spec, cases=cases)
    return held(spec.name, of_spec, exceptions or {})
