"""The engine that is a Ray cluster: processes on its nodes work through portions of the rows, in any order.

The rows of a portion are those of a chunk of the local engine, and a process does with them what that engine does: the
scores are the same, bit for bit. A process, or a node with all of its processes, may end at any time: what it had not
answered is done again by another one. Rows that end every process that they come to are told apart until a single one
is left, which becomes an error. What came back is yielded in the order of the rows; only so many portions are on their
way at a time, so that memory stays flat, whatever the number of rows.

Actors and not Ray Data: see docs/scale.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.ending import begun
from loupe.brain.engine.map import Mapped, Task
from loupe.brain.engine.portions import Piece, Portions, mapped
from loupe.brain.engine.ray_cluster import Node, connected
from loupe.brain.engine.ray_crew import Crew
from loupe.brain.engine.reader import Row, chunk_size
from loupe.brain.engine.row_work import Answer, Order
from loupe.brain.imaging.files import is_readable, printable

#: cores of a process whose tasks take a core each; such processes share no interpreter, and each holds the models
CPUS = 2
#: answers, one after the other, of files that a node cannot read and this process can, until the node is left out; and
#: how often a piece is done again for that
FAILURES = 3
#: portions that a process has been sent: the one it works at, and the next one
SENT = 2


def run(
    rows: Iterable[Row],
    tasks: Sequence[Task[Any]],
    *,
    device: str,
    batch_size: int,
    workers: int | None,
    torch_threads: int | None,
) -> Iterator[list[Mapped[Any]]]:
    """Yields what became of the rows, see ``map_rows``; ``workers`` are the cores of each process.

    Raises:
        InputError: a node has another version of Loupe, or no node sees the files
        ProcessLost: no node is left
    """
    settings = torch_settings()
    if torch_threads is not None:
        settings["threads"] = torch_threads
    # where a model takes all of torch's threads, their number decides bits: a process has as many cores
    cpus = workers or (CPUS if torch_threads == 1 else settings["threads"])
    given, size = iter(rows), chunk_size(batch_size)
    first = next(given, None)
    if first is None:
        return  # no process is started for nothing
    source = chain([first], given)
    portions = Portions(iter(lambda: tuple(islice(source, size)), ()), {task.name for task in tasks})
    with connected() as ray:
        order = Order(tasks, device, batch_size, settings)
        crew = Crew(ray, order, portions, device=device, cpus=cpus, sent=SENT)
        begun(crew.dismiss)
        try:
            yield from _chunks(crew, portions)
        finally:
            crew.dismiss()


def _chunks(crew: Crew[Piece], portions: Portions) -> Iterator[list[Mapped[Any]]]:
    failures: Counter[str] = Counter()
    while True:
        crew.deal()
        for rows, chunks in portions.finished():
            yield from mapped(rows, chunks)
            crew.deal()
        if portions.done:
            return
        for process, piece, answer in crew.heard():
            if piece is not None:
                _take(crew, portions, process.node, piece, answer, failures)


def _take(
    crew: Crew[Piece], portions: Portions, node: Node, piece: Piece, answer: Answer, failures: Counter[str]
) -> None:
    """Takes an answer up; what one node could not read, and this process can, another one does again.

    Args:
        crew, portions: of the run
        node: who answers
        piece: to what
        answer: what
        failures: of each node, how many answers in a row told of files that failed
    """
    if answer.error is not None:
        raise answer.error
    for text, kind in answer.warnings:
        crew.warn(text, kind)
    # what cannot be read here, either, is there for nobody
    lacking = next((path for path in answer.lacking if is_readable(path)), None)
    if lacking is not None:
        portions.again(piece)
        crew.leave_out(node, unseen(node, lacking))
        return
    failing = next((path for path in answer.failing if is_readable(path)), None)
    failures[node.id] = failures[node.id] + 1 if failing else 0
    if failing is None or not crew.has_others(node):
        portions.put(piece, answer.chunks)
    elif failures[node.id] >= FAILURES:
        portions.again(piece)
        crew.leave_out(node, f"{node.name} cannot read {printable(failing)}, which can be read here: its storage fails")
    elif piece.failures >= FAILURES:
        portions.put(piece, answer.chunks)
    else:
        portions.again(replace(piece, failures=piece.failures + 1))


def unseen(node: Node, path: str) -> str:
    """Returns what is wrong where a node does not see a file."""
    return (
        f"{node.name} does not see {printable(path)}, which is here: pictures have to lie under the same path on every "
        "node, on storage that they share, and have to be readable there"
    )
