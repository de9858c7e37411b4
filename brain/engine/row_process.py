"""A process that works through rows for another one: it gets an order once, and then portions of the rows."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from loupe.brain.engine import own_process
from loupe.brain.engine.row_work import Order, Work


@dataclass(frozen=True)
class Begun:
    """The first answer.

    Attributes:
        error: why nothing can be done here, in words; empty: what comes is answered
    """

    error: str = ""


def main() -> None:
    """Works through what comes until nothing more comes; called in a process of its own."""
    link = own_process.Link()
    try:
        order: Order = link.next()
        # a thread more would share an interpreter with the one that computes: the processes are as many as the cores
        work = Work(order, workers=1)
    except Exception as error:
        link.answer(Begun(f"{type(error).__name__}: {error}"))
        # its end is for the other process to tell
        threading.Event().wait()
    link.answer(Begun())
    while True:
        link.answer(work(link.next()))
