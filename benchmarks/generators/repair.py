"""Repair, measured on tiny-signs: signs with wrong digits, judged by readers that the gate does not know.

The gate is a check of the digits (``sign_check.py``), or Loupe's own ``text``. The readers are trained on
scikit-learn's real handwritten digits. Every sign of a pool goes the way that a user's would: the check looks at it,
and what it flags, or cannot read, is repaired. Without a gate the first attempt is kept; the readers themselves choose
among the same attempts, which is what whoever knows the answer gets.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.generators.sign_check import SignDigits
from benchmarks.generators.sign_pools import Kind, Pool, Readers, errors, generator, is_right, make_pool
from benchmarks.generators.sign_reader import Reading
from loupe.brain.core import registry
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.engine.again import Loaded
from loupe.brain.engine.reader import read
from loupe.brain.generation.gate import Limits, Rule
from loupe.brain.generation.guided import Guide
from loupe.brain.generation.records import Method
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store.repair.waiting import Waiting
from loupe.brain.verbs.steps.repair_jobs import Job, Outcome, Settings
from loupe.brain.verbs.steps.repairing import Workshop

#: what judges the signs beside the check of their digits, before and after
BESIDE = ("sharpness", "exposure")
#: what is repaired of a sign, the first that it has
_TARGETS = ("text_substitution", "text_omission", "text_duplication", "unrequested_text")
#: what a refusal begins or goes on with, and what it is counted as
_REASONS = (("fails again on", "unsteady"), ("can be judged on", "unsteady"), ("no sure failure", "no sure failure"))
_REASONS += (("stays:", "the check still flags it"), ("no more than its own noise", "within noise"))
_REASONS += (
    ("cannot be judged", "the check cannot read it"),
    ("is new", "something else"),
    ("gets worse", "something else"),
)
_REASONS += (("blurrier", "look"), ("other colors", "look"))


@dataclass(frozen=True)
class Tally:
    """What became of a pool, by the independent readers.

    Attributes:
        right: of the wrong signs, those that the readers are sure of: how many read as asked after, and they are sure
        read: of the signs that they read as something else, sure or not: how many read as asked after, sure or not
        worse: of the kept pictures: those with more wrong digits than their original
        broken: of the right signs that the check took for wrong: those that read otherwise after
        harmed: the same of all signs that the readers are sure are right
        kept: of the attempted signs: those with a new picture
    """

    right: Proportion
    read: Proportion
    worse: Proportion
    broken: Proportion
    harmed: Proportion
    kept: Proportion

    def counts(self) -> list[tuple[int, int]]:
        """Returns k and n of each."""
        return [(each.k, each.n) for each in (self.right, self.read, self.worse, self.broken, self.harmed, self.kept)]


@dataclass(frozen=True)
class Measured:
    """What a method did with a pool.

    Attributes:
        tallies: with the gate, without it, and with the best choice that the attempts allow
        losses: of the surely wrong signs how many were lost where
        seconds: of CPU time: all of the repair, and of it the drawing
    """

    tallies: dict[str, Tally]
    losses: Counter[str]
    seconds: tuple[float, float]


def checks_of(gate: str) -> Loaded:
    """Returns what judges signs: Loupe's ``text``, or ``sign_digits``, and what is not to get worse."""
    known = registry.checks()
    own = SignDigits() if gate == "sign_digits" else known[gate]().resolved("cpu")
    return Loaded([own, *(known[name]() for name in BESIDE)], "cpu")


def looked_at(pool: Pool, loaded: Loaded) -> Pool:
    """Returns a pool with what a gate's checks flag or cannot read."""
    names = frozenset(check.name for check in loaded.checks)
    rows = [replace(row, pending=names, keys=dict.fromkeys(names, "")) for row in pool.rows]
    rules = {name: rule for name, rule in rules_of(loaded).items() if name in _TARGETS}
    jobs = []
    for row, verdict in zip(rows, loaded.verdicts(rows), strict=True):
        scores = {name: verdict.scores.get(rule.output, math.nan) for name, rule in rules.items()}
        flagged = [name for name, score in scores.items() if rules[name].fails(score)]
        if flagged or math.isnan(scores[_TARGETS[0]]):
            prompt = str(row.fields["prompt"])
            sample = Waiting(row.id, row.path, tuple(flagged), (), names, frozenset(), prompt, "", "tiny-signs")
            jobs.append(Job(sample, flagged[0] if flagged else _TARGETS[0], not flagged, prompt, None, row.id))
    return replace(pool, rows=rows, jobs=tuple(jobs))


def rules_of(loaded: Loaded) -> dict[str, Rule]:
    """Returns what the checks flag, by their default thresholds."""
    return {
        output.failure: Rule(output.name, output.default_threshold, check.name)
        for check in loaded.checks
        for output in check.outputs
        if output.failure and output.default_threshold
    }


def tally(pool: Pool, after: Sequence[Reading | None]) -> Tally:
    """Returns what became of a pool.

    Args:
        pool: the signs
        after: for each job what its new picture says; None where the original was kept
    """
    new = {int(job.sample.id): reading for job, reading in zip(pool.jobs, after, strict=True)}
    attempted = set(new)
    rows = [
        (sign, old, new.get(at) or old, at in attempted, new.get(at) is not None)
        for at, (sign, old) in enumerate(zip(pool.signs, pool.readings, strict=True))
    ]
    wrong = [row for row in rows if row[1].sure and row[1].text != row[0].text]
    other = [row for row in rows if row[1].text != row[0].text]
    right = [row for row in rows if is_right(row[0], row[1])]
    broken = sum(now.text != sign.text for sign, _, now, *_ in right)
    kept = [row for row in rows if row[4]]
    return Tally(
        Proportion.of(sum(is_right(sign, now) for sign, _, now, *_ in wrong), len(wrong)),
        Proportion.of(sum(now.text == sign.text for sign, _, now, *_ in other), len(other)),
        Proportion.of(sum(errors(sign, now) > errors(sign, old) for sign, old, now, *_ in kept), len(kept)),
        Proportion.of(broken, sum(row[3] for row in right)),
        Proportion.of(broken, len(right)),
        Proportion.of(len(kept), len(pool.jobs)),
    )


def lost_where(pool: Pool, outcomes: Sequence[Outcome], readings: Sequence[Sequence[Reading]]) -> Counter[str]:
    """Returns of the surely wrong signs how many were put right, and at which step the others were lost.

    Args:
        pool: the signs
        outcomes: of its jobs
        readings: of each job's attempts
    """
    by_id = {int(each.job.sample.id): at for at, each in enumerate(outcomes)}
    counts = Counter[str]()
    for at, (sign, old) in enumerate(zip(pool.signs, pool.readings, strict=True)):
        if not old.sure or old.text == sign.text:
            continue
        if at not in by_id:
            counts["not flagged"] += 1
            continue
        outcome, own = outcomes[by_id[at]], readings[by_id[at]]
        right = [attempt for attempt, reading in zip(outcome.attempts, own, strict=True) if is_right(sign, reading)]
        if outcome.status == "better" and outcome.best is not None:
            now = own[outcome.best.number - 1]
            end = "put right" if is_right(sign, now) else "kept, read otherwise"
            counts["kept, as asked but unsure" if end != "put right" and now.text == sign.text else end] += 1
        elif not outcome.attempts:
            counts[_kind(outcome.reason)] += 1
        elif not right:
            alike = any(reading.text == sign.text for reading in own)
            counts["no attempt surely right" if alike else "no attempt right"] += 1
        else:
            counts[f"right attempt refused: {_kind(right[0].decision.reason or outcome.reason)}"] += 1
    return counts


def _kind(reason: str) -> str:
    return next((kind for words, kind in _REASONS if words in reason), reason)


def _read(readers: Readers, paths: Sequence[Path | None]) -> list[Reading | None]:
    known = [path for path in paths if path is not None]
    readings = iter(readers.read(np.stack([read(path).pixels for path in known])) if known else [])
    return [None if path is None else next(readings) for path in paths]


def _best(pool: Pool, outcome: Outcome, readings: Sequence[Reading]) -> Reading | None:
    """Returns what the first attempt says that is as asked, sure ones first; None where none is."""
    wanted = pool.signs[int(outcome.job.sample.id)].text
    return next((each for each in sorted(readings, key=lambda own: not own.sure) if each.text == wanted), None)


def measure(
    pool: Pool,
    session: GeneratorSession,
    loaded: Loaded,
    readers: Readers,
    method: Method | None,
    attempts: int,
    limits: Limits | None = None,
) -> Measured:
    """Returns what becomes of a pool with the gate, without it, and with the best choice that the attempts allow."""
    drawing = [0.0]

    def draw(requests: Sequence[object]) -> object:
        began = time.process_time()
        images = session.draw(requests)  # type: ignore[arg-type]
        drawing[0] += time.process_time() - began
        return images

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
        shop = Workshop(
            session=replace(session, draw=draw),  # type: ignore[arg-type]
            spec=("diffusion", 1),
            checks=loaded,
            rules=rules_of(loaded),
            rows={row.id: row for row in pool.rows},
            unjudged={},
            folder=Path(folder),
            scratch=Path(scratch),
            settings=Settings(method, attempts, None, 0, limits or Limits()),
            guide=Guide(None, "cpu"),
        )
        outcomes: list[Outcome] = []
        started = time.process_time()
        for start in range(0, len(pool.jobs), 4):
            outcomes += shop.outcomes(pool.jobs[start : start + 4])
        seconds = time.process_time() - started
        every = iter(_read(readers, [attempt.path for each in outcomes for attempt in each.attempts]))
        readings: list[list[Reading]] = [
            [reading for _ in each.attempts if (reading := next(every)) is not None] for each in outcomes
        ]
    gated = [
        own[each.best.number - 1] if each.status == "better" and each.best else None
        for each, own in zip(outcomes, readings, strict=True)
    ]
    made = {
        "gate": tally(pool, gated),
        "no gate": tally(pool, [own[0] if own else None for own in readings]),
        "the readers choose": tally(
            pool, [_best(pool, each, own) for each, own in zip(outcomes, readings, strict=True)]
        ),
    }
    return Measured(made, lost_where(pool, outcomes, readings), (seconds, drawing[0]))


@dataclass(frozen=True)
class Wanted:
    """What is measured.

    Attributes:
        kinds, counts: pools, and the signs a scenario of each
        seeds: of the signs; each is measured by itself, and they are added up
        attempts: at each sign
        methods, gates: each with each
        results: where each result is kept as it comes: the same again goes on; None: nowhere
    """

    kinds: Sequence[Kind]
    counts: Sequence[int]
    seeds: Sequence[int]
    attempts: int
    methods: Sequence[Method]
    gates: Sequence[str]
    results: Path | None = None


def print_repair(cache: Path | None, asked: Wanted) -> None:
    """Prints the tables."""
    import torch

    torch.set_num_threads(1)
    readers, session = Readers.load(cache), generator()
    lines = asked.results.read_text().splitlines() if asked.results and asked.results.exists() else []
    rows = [json.loads(line) for line in lines]
    for kind, count in zip(asked.kinds, asked.counts, strict=True):
        for seed in asked.seeds:
            key = {"kind": kind, "count": count, "seed": seed, "attempts": asked.attempts}
            ways = [(gate, method) for gate in asked.gates for method in asked.methods]
            known = [(row["gate"], row["method"]) for row in rows if key.items() <= row.items()]
            for row in _rows(readers, session, kind, count, seed, asked.attempts, [w for w in ways if w not in known]):
                rows.append({**key, **row})
                if asked.results:
                    with asked.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(rows[-1]) + "\n")
    _print_tables([row for row in rows if row["seed"] in asked.seeds and row["attempts"] == asked.attempts])


def _rows(
    readers: Readers, session: GeneratorSession, kind: Kind, count: int, seed: int, attempts: int, ways: Sequence[Any]
) -> Iterator[dict[str, Any]]:
    """Yields what each check with each method comes to, on one pool of signs."""
    if not ways:
        return
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        drawn = make_pool(kind, readers, count, seed, Path(folder))
        making = time.process_time() - started
        right = sum(is_right(*pair) for pair in zip(drawn.signs, drawn.readings, strict=True))
        for gate, method in ways:
            loaded = checks_of(gate)
            pool = looked_at(drawn, loaded)
            made = measure(pool, session, loaded, readers, method, attempts)
            yield {
                "gate": gate,
                "method": method,
                "tallies": {name: each.counts() for name, each in made.tallies.items()},
                "losses": dict(made.losses),
                "facts": {
                    "signs": len(drawn.signs),
                    "surely right": right,
                    "attempted": len(pool.jobs),
                    "seconds of CPU time drawing the signs": making,
                    "repairing them": made.seconds[0],
                    "of which drawing": made.seconds[1],
                },
            }


def _print_tables(rows: Sequence[dict[str, Any]]) -> None:
    head = ("signs", "check", "method", "", "wrong ones right after", "read otherwise, as asked after")
    head += ("kept ones worse", "falsely flagged right ones broken", "of all right ones", "kept of the attempted")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    ways = list(dict.fromkeys((row["kind"], row["gate"], row["method"]) for row in rows))
    for way in ways:
        own = [row for row in rows if (row["kind"], row["gate"], row["method"]) == way]
        for name in own[0]["tallies"]:
            cells = np.sum([row["tallies"][name] for row in own], axis=0).tolist()
            print(f"| {' | '.join([*way, name, *(str(Proportion.of(k, n)) for k, n in cells)])} |")
    print("\n| signs, check, method | surely wrong signs: put right, and where the others were lost | |\n|---|---|---|")
    for way in ways:
        own = [row for row in rows if (row["kind"], row["gate"], row["method"]) == way]
        losses, facts = Counter[str](), Counter[str]()
        for row in own:
            losses.update(row["losses"])
            facts.update(row["facts"])
        reported = ", ".join(f"{name} {number}" for name, number in losses.most_common())
        known = ", ".join(f"{name} {number:,.0f}" for name, number in facts.items())
        print(f"| {', '.join(way)} | {reported or 'none'} | {known} |")
    print(f"\n{rows[0]['attempts']} attempts, seeds {sorted({row['seed'] for row in rows})}" if rows else "nothing")
