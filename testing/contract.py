"""What a contract is, and how those of one spec are held: each once, the ones that others stand on first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from loupe.brain.core.errors import MissingDependency, MissingWeights, ModelError
from loupe.brain.core.records import Record


class ContractError(AssertionError):
    """A spec does not keep a contract: what was expected, what came, what to do."""


class ContractSkipped(Exception):
    """A contract that could not be looked at: it needs a GPU, or stands on one that is broken."""


@dataclass(frozen=True)
class Rule:
    """One contract of a kind of spec.

    Attributes:
        name: e.g. ``"neighbors"``, or ``"known:sharpness"`` where there is one for each output
        holds: raises ``ContractError`` where it is broken
        after: the names of the contracts that it stands on: where one is broken, it is not looked at
    """

    name: str
    holds: Callable[[], None]
    after: tuple[str, ...] = ()


class _Ledger:
    """Looks at each rule of one spec once, and remembers what came of it."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.rules = rules
        self._outcomes: dict[str, Exception | None] = {}

    def hold(self, name: str) -> None:
        if name not in self._outcomes:
            self._outcomes[name] = self._outcome(self.rules[name])
        outcome = self._outcomes[name]
        if outcome is not None:
            raise outcome

    def _outcome(self, rule: Rule) -> Exception | None:
        for name in rule.after:
            if name in self.rules:
                try:
                    self.hold(name)
                except (ContractError, ContractSkipped):
                    return ContractSkipped(f"stands on {name!r}, which is broken or not known: mend that first")
        try:
            rule.holds()
        except (ContractError, ContractSkipped) as error:
            return error
        except (MissingDependency, MissingWeights, ModelError):
            raise  # what is not there breaks no contract
        except Exception as error:
            # a third party's code may raise anything: it is a broken contract, and not the end of the others
            broken = ContractError(
                f"expected contract {rule.name!r} to run through, got {type(error).__name__}: {error}; a spec raises "
                "nothing on a picture or a request that it is meant for"
            )
            broken.__cause__ = error
            return broken
        return None


@dataclass(frozen=True)
class Contract:
    """One contract of one spec: call it, and it raises ``ContractError`` where the spec does not keep it.

    Attributes:
        spec: the spec's name
        name: the contract's name
    """

    spec: str
    name: str
    _ledger: _Ledger = field(repr=False, compare=False)

    def __call__(self) -> None:
        """Raises ContractError, or ContractSkipped where it cannot be looked at."""
        self._ledger.hold(self.name)

    def __str__(self) -> str:
        return f"{self.spec}-{self.name}"


@dataclass(frozen=True)
class Report(Record):
    """What ``check_spec`` saw.

    Attributes:
        spec: the spec's name
        kept: the contracts that it keeps
        exceptions: those that it is not held to, each with its declared reason
        skipped: those that could not be looked at, each with the reason
    """

    spec: str
    kept: tuple[str, ...]
    exceptions: Mapping[str, str]
    skipped: Mapping[str, str]


def bound(spec: str, rules: Iterator[Rule]) -> tuple[Contract, ...]:
    """Returns the contracts of one spec, in the order in which a reader would mend them."""
    by_name = {rule.name: rule for rule in rules}
    ledger = _Ledger(by_name)
    return tuple(Contract(spec, name, ledger) for name in by_name)


def require(condition: bool, expected: str, got: object, do: str) -> None:
    """Raises ContractError where the condition does not hold.

    Args:
        condition: what has to be true
        expected: what was expected
        got: what came
        do: what to do about it
    """
    if not condition:
        raise ContractError(f"expected {expected}, got {got}; {do}")


def held(spec: str, contracts: tuple[Contract, ...], exceptions: Mapping[str, str]) -> Report:
    """Looks at all contracts of a spec.

    Args:
        spec: the spec's name
        contracts: all of them
        exceptions: contracts that the spec is not held to, each with the reason

    Raises:
        ContractError: contracts that are broken, and exceptions that name no contract, give no reason or are kept
    """
    names = [contract.name for contract in contracts]
    problems = [
        f"exception {name!r}: expected one of its contracts, got none of that name; there are: {', '.join(names)}"
        for name in exceptions
        if name not in names
    ]
    problems += [
        f"exception {name!r}: expected a reason, got {reason!r}; say why it cannot be kept"
        for name, reason in exceptions.items()
        if not reason.strip()
    ]
    kept: list[str] = []
    skipped: dict[str, str] = {}
    for contract in contracts:
        excepted = contract.name in exceptions
        try:
            contract()
        except ContractSkipped as reason:
            if not excepted:
                skipped[contract.name] = str(reason)
        except ContractError as error:
            if not excepted:
                problems.append(f"{contract.name}: {error}")
        else:
            if excepted:
                problems.append(
                    f"exception {contract.name!r}: expected a contract that is broken, got one that is kept; "
                    "take the exception out"
                )
            kept.append(contract.name)
    if problems:
        raise ContractError(f"{spec} breaks {len(problems)} contracts:\n" + "\n".join(f"- {line}" for line in problems))
    return Report(spec, tuple(kept), dict(exceptions), skipped)
