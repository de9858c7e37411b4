"""What becomes of a repair is stored: the repaired sample first, then what stands on the original."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from loupe.brain.engine import output_folder
from loupe.brain.store import rows as store_rows
from loupe.brain.store import scores as store_scores
from loupe.brain.store.datasets import root
from loupe.brain.store.repair import repaired as store
from loupe.brain.verbs.steps import flagging
from loupe.brain.verbs.steps.repair_jobs import Outcome, measures_text, outline
from loupe.brain.verbs.steps.repairing import Workshop


def keep(samples: Any, shop: Workshop, outcome: Outcome, carried: Any) -> None:
    """Stores what became of a sample: the repaired sample first, then what stands on the original.

    A run that is killed in between finds the repaired sample, and adds no second one.
    """
    best, job = outcome.best, outcome.job
    new_id = ""
    if outcome.status == "better" and best is not None:
        new_id = _add(samples, shop, outcome, carried)
    # what nobody kept goes: another run would draw the same again
    for attempt in outcome.attempts:
        if best is None or attempt.key != best.key:
            attempt.path.unlink(missing_ok=True)
    facts = {
        "key": job.key,
        "sample": new_id,
        "file": "" if best is None else str(best.path),
        "method": outcome.method,
        "attempt": 0 if best is None else best.number,
        "before": outcome.before,
        "after": None if best is None else best.after,
        "reason": outcome.reason,
        "worse": outcome.worse,
        "outline": store.outline_of(outline(outcome.mask)),
        "measures": measures_text(outcome),
        "by": "",
    }
    store.put(samples, job.sample.id, job.failure, outcome.status, facts)


def _add(samples: Any, shop: Workshop, outcome: Outcome, carried: Any) -> str:
    """Adds the repaired sample with what the checks said of it; returns its id."""
    best, job = outcome.best, outcome.job
    assert best is not None
    pixels = outcome.mask.shape if outcome.mask is not None else (0, 0)
    generation = shop.generation(best.key, best.seed, pixels[1], pixels[0], job.sample.negative_prompt)
    written = output_folder.read_facts(best.path, best.key) or {}
    if inputs := written.get("inputs"):
        generation |= {"inputs": json.dumps(inputs), "strength": inputs.get("strength")}
    facts = {
        "of": job.sample.id,
        "failure": job.failure,
        "method": outcome.method,
        "attempt": best.number,
        "accepted": outcome.status == "better",
        "before": outcome.before,
        "after": best.after,
        "reason": outcome.reason,
        "alignment": best.alignment,
        **best.alike.to_dict(),
    }
    whole = outcome.mask is not None and bool(outcome.mask.all())
    made = store.Made(best.path, best.key, job.sample.id, whole, generation, facts)
    new_id = store.add(samples, made, carried)
    row = best.verdict.row
    judged = store_rows.inputs_key(str(best.path), dict(row.fields))
    keys = {check.name: f"{check.key}:{judged}" for check in shop.checks.checks}
    verdict = replace(best.verdict, row=replace(row, id=new_id, path=str(best.path), keys=keys))
    store_scores.write(samples, [verdict], shop.checks.checks)
    flagging.apply_thresholds(root(samples).select([new_id]))
    return new_id
