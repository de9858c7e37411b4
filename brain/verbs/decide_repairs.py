"""``loupe.decide_repairs``: repairs are accepted, or taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from loupe.brain.core import who
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.generation.records import Repair
from loupe.brain.store.datasets import root
from loupe.brain.store.repair import decisions
from loupe.brain.store.repair import repaired as store
from loupe.brain.store.repair.decisions import Decided
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def decide_repairs(
    samples: fo.Dataset | fo.DatasetView,
    decision: Literal["accept", "undo"],
    *,
    failure: str | None = None,
    by: str = "",
    progress: bool | ProgressCallback | None = None,
) -> Repair:
    """Accepts repairs, or takes them back, and keeps who decided and when. The originals stay as they are.

    Accepting also takes the best attempt of one that the gate refused: then there is a sample with it, which says in
    ``repair.reason`` why the gate did not want it, and which no check has judged yet. Taking back deletes the repaired
    sample, which Loupe had added; its file stays, so that it can be accepted again.

    Args:
        samples: a dataset or view of originals, of repaired samples, or of both
        decision: accept or undo
        failure: of which failure mode; None: of all
        by: who decides; the user of the operating system by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        what stands on the originals now

    Raises:
        InputError: no such decision, nothing to decide, or a picture to accept that was deleted
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop; what was decided is stored

    >>> loupe.decide_repairs(view, "undo")  # doctest: +SKIP
    """
    if decision not in ("accept", "undo"):
        raise InputError(f"expected 'accept' or 'undo', got {decision!r}")
    with running(samples, "decide_repairs", progress) as verb:
        entries = decisions.concerned(verb.samples, failure)
        name, status = by or who.user(), {"accept": "accepted", "undo": "undone"}[decision]
        # what is decided so already stays with who decided it; what nobody drew cannot be accepted
        open_ones = [
            entry
            for entry in entries
            if entry.status != status and (entry.facts.get("file") or decision == "undo") and entry.facts.get("attempt")
        ]
        carried = store.carrying(verb.samples)
        written = decisions.finished(verb.samples, entries)
        for done, entry in enumerate(open_ones):
            verb.step(done, len(open_ones), "deciding")
            decided = Decided(status, name, who.now("milliseconds"))
            written += decisions.decide(verb.samples, entry, decided, carried)
        verb.step(len(open_ones), len(open_ones), "decided")
        verb.finish(written, params={"decision": decision, "failure": failure, "by": name})
        now = _now(verb.samples, entries)
        return Repair.of([entry.record() for entry in now], len(entries) - len(open_ones))


def _now(samples: fo.Dataset | fo.DatasetView, entries: list[store.Entry]) -> list[store.Entry]:
    """Returns what stands on the same originals now: the repaired samples by which they were named may be no more."""
    wanted = {(entry.id, entry.failure) for entry in entries}
    failures = sorted({entry.failure for entry in entries})
    ids = [entry.id for entry in entries]
    chosen = root(samples).select(ids) if ids else samples
    return [entry for entry in store.entries(chosen, failures) if (entry.id, entry.failure) in wanted]
