"""The faults that can be put into a file: cosmic-ray makes them; those that say nothing about the tests are left out.

Left out by kind, as they would flatter the figure: an operator is turned into its opposite or into the one across the
boundary (``<`` into ``<=`` and ``>=``), not into each of the eleven others, most of which die of a TypeError.

Left out by place, as no test can or should notice them:

- annotations, type aliases, ``if TYPE_CHECKING`` and ``assert``, which are here for mypy alone
- decorators that only remember or declare (``cache``, ``lru_cache``, ``overload`` …); ``frozen``, ``slots``, ``repr``
  and ``kw_only`` of a dataclass; ``strict`` of ``zip``, which is an ``assert``; ``__repr__``
- the words of errors, warnings and logs: what ``raise Error(...)``, ``warnings.warn(...)``, ``log.info(...)`` are given
- ``version`` of a check, which is whatever it is; what stands under ``if sys.platform == "win32"``
- markers that look like operators: the ``*`` of ``def f(a, *, b)``, the ``**`` of ``{**a}``

Docstrings and other texts are not changed at all: cosmic-ray has no operator for them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

_BINARY = (
    *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul"),
    *("BitAnd_BitOr", "BitOr_BitAnd", "BitXor_BitAnd", "LShift_RShift", "RShift_LShift"),
)
_COMPARISONS = (
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
)
OPERATORS = (
    *(f"ReplaceBinaryOperator_{name}" for name in _BINARY),
    *(f"ReplaceComparisonOperator_{name}" for name in _COMPARISONS),
    *(f"ReplaceUnaryOperator_{name}" for name in ("USub_UAdd", "UAdd_USub", "Delete_Invert", "Delete_Not")),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("ExceptionReplacer", "NumberReplacer", "RemoveDecorator"),
)
#: what parso calls an expression with a binary operator in it
_EXPRESSIONS = {"arith_expr", "term", "expr", "and_expr", "xor_expr", "shift_expr", "power"}
_DECORATORS = {"cache", "lru_cache", "overload", "dataclass_transform"}
_DECLARED = {"frozen", "slots", "repr", "kw_only", "strict"}
_LOGS = {"debug", "info", "warning", "error", "exception", "warn"}
_LOGGERS = {"log", "_log", "logger", "_logger", "logging", "warnings"}

Position = tuple[int, int]


@dataclass(frozen=True)
class Fault:
    """A fault that cosmic-ray can make: the ``occurrence``-th of ``operator`` in a file.

    Attributes:
        operator, occurrence: cosmic-ray's names for it
        start: line, from 1, and column, from 0
        function: what it stands in, with dots; empty at the top of the file
    """

    operator: str
    occurrence: int
    start: Position
    function: str


@dataclass(frozen=True)
class Change:
    """What a fault makes of a file: its lines before and after, each space a single one, and the whole text."""

    original: str
    mutated: str
    text: str


def faults(source: str) -> list[Fault]:
    """Returns every fault of a file that is worth asking about, in the order of the text."""
    spans = list(_left_out(source))
    tree = get_ast(source)
    made = []
    for name in OPERATORS:
        operator = _operator(name)
        positions = ((node, start) for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, (node, start) in enumerate(positions):
            marker = name.startswith("ReplaceBinary") and node.parent.type not in _EXPRESSIONS
            if not marker and not any(begin <= start < end for begin, end in spans):
                made.append(Fault(name, occurrence, start, _enclosing(node)))
    return sorted(made, key=lambda fault: (fault.start, fault.operator, fault.occurrence))


def change(source: str, fault: Fault) -> Change | None:
    """Returns what the fault makes of the file; None if that is no Python, or the same as before."""
    try:
        text = mutate_code(source, _operator(fault.operator), fault.occurrence)
        if text is None or ast.dump(ast.parse(text)) == ast.dump(ast.parse(source)):
            return None
    except (AttributeError, SyntaxError):  # the first: cosmic-ray 8.7 fails on `except module.Error`
        return None
    before, after = source.splitlines(), text.splitlines()
    pieces = [piece[1:] for piece in SequenceMatcher(None, before, after).get_opcodes() if piece[0] != "equal"]
    return Change(
        original=_plain(line for begin, end, _, _ in pieces for line in before[begin:end]),
        mutated=_plain(line for _, _, begin, end in pieces for line in after[begin:end]),
        text=text,
    )


def _plain(lines: Iterable[str]) -> str:
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


@cache
def _operator(name: str) -> Any:
    return get_operator(f"core/{name}")()


def _enclosing(node: Any) -> str:
    names: list[str] = []
    while (node := node.parent) is not None:
        if node.type in ("funcdef", "classdef"):
            names.insert(0, node.name.value)
    return ".".join(names)


def _left_out(source: str) -> Iterator[tuple[Position, Position]]:
    lines = source.splitlines()

    def span(node: ast.AST) -> tuple[Position, Position]:
        # Python counts bytes, parso characters; an @ belongs to its decorator
        (line, column), end = (
            (line, len(lines[line - 1].encode()[:column].decode()))
            for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))  # type: ignore[attr-defined]
        )
        return (line, column - 1), end

    tree = ast.parse(source)
    aliases = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_union(node.value)]
    yield from map(span, aliases)
    for node in ast.walk(tree):
        yield from map(span, _parts_left_out(node))


def _is_union(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr) and _is_union(node.left) and _is_union(node.right)
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or ast.unparse(node) == "None"


def _parts_left_out(node: ast.AST) -> list[ast.AST]:
    match node:
        case ast.Assert() | ast.FunctionDef(name="__repr__"):
            return [node]
        case ast.arg(annotation=ast.expr() as annotation):
            return [annotation]
        case ast.AnnAssign():
            return [node] if ast.unparse(node.target) == "version" else [node.annotation]
        case ast.Assign(targets=[ast.Name(id="version" | "__version__")]):
            return [node]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            declared = [name for name in node.decorator_list if _last_name(name) in _DECORATORS]
            returns = None if isinstance(node, ast.ClassDef) else node.returns
            return [*declared, *([returns] if returns else [])]
        case ast.If(test=test) if ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return [node]
        case ast.If(test=test, body=body) if ast.unparse(test) == "sys.platform == 'win32'":
            return [*body]
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return [node]
        case ast.Raise(exc=ast.Call() as call):
            return [*call.args, *call.keywords]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if name in _LOGGERS and attr in _LOGS:
            return [node]
        case ast.keyword(arg=str() as name) if name in _DECLARED:
            return [node]
    return []


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)
