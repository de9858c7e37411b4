"""What a verb's signature and docstring, or a spec's fields, say of each parameter: what a form needs."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from loupe.brain.core.specs import Spec
from loupe.operators.labels import label_of

#: the default of a parameter that has none
REQUIRED: Final = inspect.Parameter.empty

_PROGRESS = "progress"
_TEXTS = {"str", "tuple[str, ...]"}
_PATHS = {"str", "Path", "os.PathLike[str]"}
_ENTRY = re.compile(r"    (\w+(?:, \w+)*): (.*)")
_NUMBER = r"-?\d+(?:\.\d+)?(?:\*\*\d+)?"
_INTERVAL = re.compile(rf"\b[Ii]n ([\[(])({_NUMBER}), ({_NUMBER})([\])])")
_AT_LEAST = re.compile(rf"\b[Aa]t least ({_NUMBER})\b")


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as in the call
        kind: its type: ``"bool"``, ``"int"``, ``"float"``, ``"str"``, ``"tuple[str, ...]"``, or whatever else it is
        default: what the call takes where nothing is given; ``REQUIRED`` where there is none
        description: one sentence
        optional: whether None is allowed
        low, high: the lowest and the highest number, both allowed
        choices: the texts to choose from
        prefix: what stands before its name in a form
        empty_text: whether an empty text is a value of its own, and not "nothing given"
        verb: whose parameter it is; empty: a spec's, or a form's own
    """

    name: str
    kind: str
    default: Any = REQUIRED
    description: str = ""
    optional: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    prefix: str = ""
    empty_text: bool = False
    verb: str = ""

    @property
    def key(self) -> str:
        """The name of its input in a form."""
        return f"{self.prefix}{self.name}"

    @property
    def label(self) -> str:
        """How a form calls it."""
        return label_of(self.name, self.verb or self.prefix.rstrip("_"))

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is REQUIRED


def of_verb(verb: Callable[..., Any]) -> dict[str, Parameter]:
    """Returns what a person may decide, by name.

    What belongs to the machine is left out: the first parameter, which is what the App has open, and ``progress``.
    """
    sentences = descriptions(inspect.getdoc(verb) or "")
    _, *others = inspect.signature(verb).parameters.values()
    return {
        each.name: _parameter(each, sentences.get(each.name, ""), verb.__name__)
        for each in others
        if each.name != _PROGRESS
    }


def takes_view(verb: Callable[..., Any]) -> bool:
    """Returns whether a verb works on the samples that are chosen.

    Else its first parameter is ``dataset``, which it adds to, or ``source``, what was found before.
    """
    return next(iter(inspect.signature(verb).parameters)) not in ("dataset", "source")


def reports_progress(verb: Callable[..., Any]) -> bool:
    """Returns whether a verb takes ``progress``."""
    return _PROGRESS in inspect.signature(verb).parameters


def of_spec(spec: type[Spec], prefix: str = "") -> dict[str, Parameter]:
    """Returns the parameters of a check, an embedder or another spec, by name; ``prefix`` is that of their inputs."""
    parameters = {}
    for each in dataclasses.fields(spec):
        kind, optional, choices = _read_annotation(each.type)
        choices = tuple(each.metadata.get("choices") or choices)
        default = each.default_factory() if each.default_factory is not dataclasses.MISSING else each.default
        parameters[each.name] = Parameter(
            each.name,
            kind,
            REQUIRED if default is dataclasses.MISSING else default,
            each.metadata.get("description", ""),
            optional,
            each.metadata.get("low"),
            each.metadata.get("high"),
            choices,
            prefix,
            # a spec's own text may be empty, e.g. "no field of detections"
            empty_text=kind in _TEXTS and not optional and not choices,
        )
    return parameters


def descriptions(docstring: str) -> dict[str, str]:
    """Returns the sentence on each parameter in the "Args:" section of a docstring in Google's style.

    >>> descriptions("Draws.\\n\\nArgs:\\n    width, height: in pixels;\\n        even numbers\\n    seed: of ``draw``")
    {'width': 'In pixels; even numbers', 'height': 'In pixels; even numbers', 'seed': 'Of draw'}
    """
    sentences: dict[str, list[str]] = {}
    names: list[str] = []
    _, _, section = docstring.partition("\nArgs:\n")
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        entry = _ENTRY.match(line)
        if entry:
            names = entry[1].split(", ")
            sentences.update({name: [] for name in names})
        for name in names:
            sentences[name].append(entry[2] if entry else line.strip())
    return {name: _sentence(" ".join(lines)) for name, lines in sentences.items()}


def _sentence(text: str) -> str:
    plain = " ".join(text.replace("``", "").split())
    return plain[:1].upper() + plain[1:]


def _parameter(given: inspect.Parameter, description: str, verb: str) -> Parameter:
    kind, optional, choices = _read_annotation(given.annotation)
    low, high = _bounds(description, whole=kind == "int") if kind in ("int", "float") else (None, None)
    return Parameter(given.name, kind, given.default, description, optional, low, high, choices, verb=verb)


def _read_annotation(annotation: Any) -> tuple[str, bool, tuple[str, ...]]:
    """Returns the kind, whether None is allowed, and the choices of a ``Literal``."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    parts = _alternatives(ast.parse(text, mode="eval").body)
    kinds = [ast.unparse(part) for part in parts if ast.unparse(part) != "None"]
    optional = len(kinds) < len(parts)
    if len(kinds) == 1 and kinds[0].startswith(("Literal[", "typing.Literal[")):
        values = ast.literal_eval(kinds[0].partition("[")[2].rstrip("]") + ",")
        return "str", optional, tuple(values)
    return "str" if set(kinds) <= _PATHS else " | ".join(kinds), optional, ()


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


def _bounds(description: str, *, whole: bool) -> tuple[float | None, float | None]:
    """Returns the bounds that a sentence names: "in [0, 1]" or "at least 10".

    The open end of an interval of floats is kept as it is: the verb refuses that one number itself.

    >>> _bounds("in [0, 2**63)", whole=True), _bounds("the most, at least 10; evenly", whole=True)
    ((0, 9223372036854775807), (10, None))
    """
    interval = _INTERVAL.search(description)
    if interval:
        low, high = _number(interval[2]), _number(interval[3])
        return low + (whole and interval[1] == "("), high - (whole and interval[4] == ")")
    minimum = _AT_LEAST.search(description)
    return (_number(minimum[1]) if minimum else None), None


def _number(text: str) -> float:
    base, _, power = text.partition("**")
    number = ast.literal_eval(base)
    return int(number ** int(power)) if power else float(number) if isinstance(number, float) else int(number)
