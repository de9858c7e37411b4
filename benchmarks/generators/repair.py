"""Repair, measured on tiny-signs: signs with wrong digits, judged by a reader that the gate does not know.

The gate is Loupe's own check ``text`` (PP-OCRv6). The reader is trained on scikit-learn's real handwritten digits.
Every sign of a pool of all scenarios alike goes the way that a user's would: the check looks at it, and what it flags,
or cannot read, is repaired. Without a gate the first attempt is kept.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.generators.sign_check import SignDigits
from benchmarks.generators.sign_reader import Reading, SignReader, load_reader
from loupe.brain.core import registry
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.core.strings import distance
from loupe.brain.engine.again import Loaded
from loupe.brain.engine.reader import Row, read
from loupe.brain.generation.gate import Limits, Rule
from loupe.brain.generation.guided import Guide
from loupe.brain.generation.records import Method
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store.repair_waiting import Waiting
from loupe.brain.verbs.repair_jobs import Job, Outcome, Settings
from loupe.brain.verbs.repairing import Workshop
from training.tiny_signs.evaluate import measured_signs
from training.tiny_signs.signs import Sign, prompt_of

#: what judges the signs beside the check of their digits, before and after
BESIDE = ("sharpness", "exposure")
#: what is repaired of a sign, the first that it has
_TARGETS = ("text_substitution", "text_omission", "text_duplication", "unrequested_text")


@dataclass(frozen=True)
class Pool:
    """Signs with what is known of them.

    Attributes:
        signs: what was asked for
        rows: the drawn pictures, as checks read them
        readings: by the independent reader
        jobs: of those that the check flags or cannot read
    """

    signs: Sequence[Sign]
    rows: Sequence[Row]
    readings: Sequence[Reading]
    jobs: Sequence[Job] = ()


@dataclass(frozen=True)
class Tally:
    """What became of a pool, by the independent reader.

    Attributes:
        right: of the wrong signs, those that the reader is sure of: how many read as asked after, and it is sure
        read: of the signs that it reads as something else, sure or not: how many read as asked after, sure or not
        worse: of the kept pictures: those with more wrong digits than their original
        broken: of the right signs that the check took for wrong: those that read otherwise after
        kept: of the attempted signs: those with a new picture
    """

    right: Proportion
    read: Proportion
    worse: Proportion
    broken: Proportion
    kept: Proportion

    def cells(self) -> list[str]:
        """Returns them as they are printed."""
        return [str(each) for each in (self.right, self.read, self.worse, self.broken, self.kept)]


def is_right(sign: Sign, reading: Reading) -> bool:
    """Returns whether the reader reads what was asked, and stands by it."""
    return reading.sure and reading.text == sign.text


def errors(sign: Sign, reading: Reading) -> int:
    """Returns how many digits differ from those asked for."""
    return distance(sign.text, reading.text)


def checks_of(gate: str) -> Loaded:
    """Returns what judges signs: Loupe's ``text``, or ``sign_digits``, and what is not to get worse."""
    known = registry.checks()
    own = SignDigits() if gate == "sign_digits" else known[gate]().resolved("cpu")
    return Loaded([own, *(known[name]() for name in BESIDE)], "cpu")


def draw_pool(session: GeneratorSession, reader: SignReader, count: int, seed: int, to: Path) -> Pool:
    """Returns ``count`` signs a scenario, drawn and read."""
    from PIL import Image

    signs = measured_signs(count, seed)
    pictures = session.draw([Request(prompt_of(sign), seed * 100_000 + at) for at, sign in enumerate(signs)])
    rows = []
    for at, (sign, picture) in enumerate(zip(signs, pictures, strict=True)):
        path = to / f"{at}.png"
        Image.fromarray(np.asarray(picture)).save(path)
        fields = {"prompt": prompt_of(sign), "spec": None}
        rows.append(Row(f"{at:024d}", str(path), fields, frozenset(), {}))
    readings = reader.read(np.stack([np.asarray(picture) for picture in pictures]))
    return Pool(signs, rows, readings)


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
    right = [row for row in rows if row[3] and is_right(row[0], row[1])]
    kept = [row for row in rows if row[4]]
    return Tally(
        Proportion.of(sum(is_right(sign, now) for sign, _, now, *_ in wrong), len(wrong)),
        Proportion.of(sum(now.text == sign.text for sign, _, now, *_ in other), len(other)),
        Proportion.of(sum(errors(sign, now) > errors(sign, old) for sign, old, now, *_ in kept), len(kept)),
        Proportion.of(sum(now.text != sign.text for sign, _, now, *_ in right), len(right)),
        Proportion.of(len(kept), len(pool.jobs)),
    )


def _read(reader: SignReader, paths: Sequence[Path | None]) -> list[Reading | None]:
    known = [path for path in paths if path is not None]
    readings = iter(reader.read(np.stack([read(path).pixels for path in known])) if known else [])
    return [None if path is None else next(readings) for path in paths]


def _best(pool: Pool, reader: SignReader, outcome: Outcome) -> Reading | None:
    """Returns what the first attempt says that is as asked, sure ones first; None where none is."""
    wanted = pool.signs[int(outcome.job.sample.id)].text
    readings = [each for each in _read(reader, [attempt.path for attempt in outcome.attempts]) if each is not None]
    return next((each for each in sorted(readings, key=lambda own: not own.sure) if each.text == wanted), None)


def measure(
    pool: Pool,
    session: GeneratorSession,
    loaded: Loaded,
    reader: SignReader,
    method: Method | None,
    attempts: int,
    limits: Limits | None = None,
) -> tuple[dict[str, Tally], list[Outcome]]:
    """Returns what becomes of a pool with the gate, without it, and with the best choice that the attempts allow."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
        shop = Workshop(
            session=session,
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
        for start in range(0, len(pool.jobs), 4):
            outcomes += shop.outcomes(pool.jobs[start : start + 4])
        gated = [each.best.path if each.status == "better" and each.best else None for each in outcomes]
        first = [each.attempts[0].path if each.attempts else None for each in outcomes]
        made = {
            "gate": tally(pool, _read(reader, gated)),
            "no gate": tally(pool, _read(reader, first)),
            "the reader itself chooses": tally(pool, [_best(pool, reader, outcome) for outcome in outcomes]),
        }
    return made, outcomes


def print_repair(
    cache: Path | None, count: int, seed: int, attempts: int, methods: Sequence[Method], gates: Sequence[str]
) -> None:
    """Prints the table."""
    import torch

    torch.set_num_threads(1)
    started = time.process_time()
    reader = load_reader(cache)
    session = registry.generator_of("tiny-signs").load("cpu")
    head: tuple[str, ...] = (
        "check",
        "method",
        "",
        "wrong ones right after",
        "read otherwise, as asked after",
        "kept ones worse",
    )
    head += ("right ones broken", "kept of the attempted")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    with tempfile.TemporaryDirectory() as folder:
        drawn = draw_pool(session, reader, count, seed, Path(folder))
        for gate in gates:
            loaded = checks_of(gate)
            pool = looked_at(drawn, loaded)
            for method in methods:
                made, _ = measure(pool, session, loaded, reader, method, attempts)
                for name, each in made.items():
                    print(f"| {' | '.join([gate, method, name, *each.cells()])} |", flush=True)
    print(f"{len(drawn.signs)} signs, {attempts} attempts, seed {seed}; ", end="")
    print(f"{time.process_time() - started:.0f} s of CPU time")
