"""What the process that runs jobs does first: FiftyOne makes its client of the database as it is imported."""

from __future__ import annotations

from loupe.brain.worker import writes


def main() -> None:
    """Listens to the database, and runs jobs; called in a process of its own."""
    writes.listen()
    from loupe.brain.worker import child

    child.main()
