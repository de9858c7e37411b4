"""What every spec says of itself, and what its outputs say."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from loupe.brain.core.records import Output
from loupe.brain.core.specs import Spec
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.testing.contract import Rule, require

#: what an Apache-2.0 project can ship beside itself
LICENSES = ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0", "ISC", "MIT", "MPL-2.0")
_FACTS = ("title", "help", "description", "sentence")


def rules(spec: Spec, longest_title: int = 80) -> Iterator[Rule]:
    """Yields the contracts of any spec.

    Args:
        spec: the spec
        longest_title: in characters
    """
    yield Rule("frozen", lambda: _frozen(spec))
    yield Rule("name", lambda: _name(spec))
    yield Rule("facts", lambda: _facts(spec, longest_title))
    yield Rule("parameters", lambda: _parameters(spec), ("frozen",))
    yield Rule("key", lambda: _key(spec), ("frozen", "parameters"))


def output_rules(outputs: Sequence[Output]) -> Iterator[Rule]:
    """Yields the contracts of what a check or a set measure declares to give."""
    yield Rule("outputs", lambda: _outputs(outputs))
    yield Rule("thresholds", lambda: _thresholds(outputs), ("outputs",))


def _frozen(spec: Spec) -> None:
    parameters = getattr(type(spec), "__dataclass_params__", None)
    own = "__dataclass_fields__" in vars(type(spec))
    frozen = own and parameters is not None and parameters.frozen
    require(frozen, "a frozen dataclass", type(spec).__name__, "put @dataclass(frozen=True) above the class")


def _name(spec: Spec) -> None:
    name = spec.name
    require(
        name.isidentifier() and name == name.lower(),
        "a name of lower-case letters, digits and underscores",
        repr(name),
        "it becomes a field's name and a file's",
    )
    module = type(spec).__module__
    if module.startswith("loupe.brain."):
        file = module.rsplit(".", 1)[-1]
        require(file == name, f"the name of its file, {file!r}", repr(name), "the registry finds it by that")


def _facts(spec: Spec, longest_title: int) -> None:
    version = spec.version
    require(
        type(version) is int and version >= 1,
        "a version, a whole number from 1",
        repr(version),
        "a resumed run judges again where it rose",
    )
    require(
        bool(str(getattr(spec, "reference", "")).strip()),
        "a reference",
        "none",
        "name the paper or the page that the method comes from",
    )
    license_ = getattr(spec, "license", "")
    require(license_ in LICENSES, f"a license out of {', '.join(LICENSES)}", repr(license_), "may it be shipped?")
    doc = vars(type(spec)).get("__doc__") or ""
    # a dataclass without a docstring is given its signature as one
    written = bool(inspect.cleandoc(doc)) and not re.match(rf"{re.escape(type(spec).__name__)}\(", doc)
    require(written, "a docstring", repr(doc[:40]), "its first line is the title in the App")
    title = type(spec).title()
    fits = 3 <= len(title) <= longest_title
    require(fits, f"a title of 3 to {longest_title} characters", repr(title), "it is the docstring's first line")


def _parameters(spec: Spec) -> None:
    made = spec.params()
    require(
        json.loads(json.dumps(made)) == made,
        "parameters that are plain JSON values",
        made,
        "they are stored with each run; lists and numbers come back as they were, tuples do not",
    )
    for field in dataclasses.fields(spec):
        facts, value = field.metadata, getattr(spec, field.name)
        documented = any(str(facts.get(name, "")).strip() for name in _FACTS)
        require(
            documented, f"a sentence on the parameter {field.name!r}", "none", "make it by loupe.brain.core.specs.param"
        )
        choices, low, high = facts.get("choices") or (), facts.get("low"), facts.get("high")
        require(
            not choices or value in choices,
            f"a value of {field.name!r} out of {', '.join(map(str, choices))}",
            repr(value),
            "its form offers only these",
        )
        if value is not None and not isinstance(value, (str, bool)):
            inside = (low is None or value >= low) and (high is None or value <= high)
            require(inside, f"a value of {field.name!r} in [{low}, {high}]", value, "its form allows only these")


def _key(spec: Spec) -> None:
    key = spec.key
    require(spec.key == key and len(key) == 12, "the same 12 hexadecimal digits each time", key, "leave Spec.key alone")
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            other = dataclasses.replace(spec, **{field.name: value + 1})
            require(
                other.key != key,
                f"another key where {field.name!r} is another",
                key,
                "params() has to give every parameter that changes a number",
            )


def _outputs(outputs: Sequence[Output]) -> None:
    require(bool(outputs), "at least one output", "none", "a spec that gives no number measures nothing")
    for field in ("name", "failure"):
        counts = Counter(getattr(output, field) for output in outputs if getattr(output, field))
        twice = [value for value, count in counts.items() if count > 1]
        require(not twice, f"each {field} once", f"{', '.join(twice)} twice", "rename one")
    for output in outputs:
        require(output.name.isidentifier(), "an output's name that is an identifier", repr(output.name), "rename it")
        for field in ("unit", "description"):
            given = bool(str(getattr(output, field)).strip())
            require(given, f"a {field} of {output.name!r}", "none", "forms, tables and panels show it")
        low, high = output.bounds
        require(low < high, f"bounds of {output.name!r}, the lowest first", output.bounds, "state what there can be")
        unread = output.when_unreadable
        require(not math.isinf(unread), "NaN or a number for an unreadable file", unread, "leave it out")


def _thresholds(outputs: Sequence[Output]) -> None:
    for output in outputs:
        threshold, failure = output.default_threshold, output.failure
        require(
            (threshold is None) == (failure is None),
            f"a threshold and a failure mode of {output.name!r}, or neither",
            f"{threshold!r} and {failure!r}",
            "a number that is only information has neither",
        )
        if threshold is None or failure is None:
            continue
        require(
            failure in FAILURE_MODES,
            "a failure mode of the taxonomy",
            repr(failure),
            "see loupe.brain.core.taxonomy: labels have one home",
        )
        worse = "<" if output.higher_is_better else ">"
        require(threshold.op == worse, f"a threshold of {output.name!r} that is {worse!r}", threshold.op, "turn it")
        low, high = output.bounds
        require(
            low <= threshold.value <= high,
            f"a threshold of {output.name!r} in {output.bounds}",
            threshold.value,
            "what cannot be reached flags nothing or all",
        )
        provenance = threshold.provenance.strip()
        require(
            bool(provenance) and "placeholder" not in provenance.lower(),
            f"a provenance of the threshold of {output.name!r}",
            repr(provenance),
            "name the data and the false-positive rate that it was set by",
        )
        require(threshold.source == "default", "the source 'default'", repr(threshold.source), "leave it out")
