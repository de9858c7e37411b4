"""Reviews: how often their intervals hold, what a biased order would say, what an offered threshold does, and speed."""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.commands import Family
from loupe.brain.stats.intervals import Proportion
from loupe.brain.stats.review import Side, choose, precision, recall

RUNS = 1000


def add_review(family: Family) -> None:
    """Adds the command."""
    added = family.command("review", _print, "reviews: precision, recall, thresholds, and the panel's speed")
    added.add_argument("--part", choices=list(PARTS), help="one part; all by default")
    added.add_argument("--runs", type=int, default=RUNS, help="simulated reviews a row")
    added.add_argument("-n", type=int, default=100_000, help="samples of the panel's dataset")


def _print(given: argparse.Namespace) -> None:
    for name, part in PARTS.items():
        if given.part in (None, name):
            part(given)


def side(real: np.ndarray, scores: np.ndarray, ranks: np.ndarray, decided: np.ndarray) -> Side:
    """Returns what is known of a group of which these were decided."""
    rest = np.setdiff1d(np.arange(len(real)), decided)
    return Side(
        n=len(real),
        first_open=float(ranks[rest].min()) if len(rest) else math.inf,
        ranks=ranks[decided],
        scores=scores[decided].astype(np.float32),
        statuses=np.where(real[decided], "real", "false_alarm").astype(object),
    )


def flagged(rng: np.random.Generator, n: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns real, scores and ranks of n flagged samples: the worse the score, the more often it is real."""
    scores = rng.random(n)
    # a share that rises with the score, from nearly none to nearly all where it is a half
    chance = np.clip(share + (scores - 0.5) * 1.8 * min(share, 1 - share), 0, 1)
    return rng.random(n) < chance, scores, rng.random(n)


def print_precision(given: argparse.Namespace) -> None:
    """Prints how often the precision's interval holds the share it was drawn from, against two naive ones."""
    print("precision: 60 decided at random and 60 the worst first, of 2,000 flagged")
    print(f"{'share':>6} {'decided':>8} | {'covers':>22} | {'all decisions pooled':>22} | {'the worst 60 alone':>22}")
    for share in (0.2, 0.5, 0.7, 0.9):
        for n in (20, 60):
            rng = np.random.default_rng([int(share * 100), n])
            hits = np.zeros(3, dtype=int)
            for _ in range(given.runs):
                real, scores, ranks = flagged(rng, 2000, share)
                worst = np.argsort(-scores)[:60]
                decided = np.union1d(np.argsort(ranks)[:n], worst)
                results = (
                    precision(side(real, scores, ranks, decided)),
                    Proportion.of(int(real[decided].sum()), len(decided)),
                    Proportion.of(int(real[worst].sum()), len(worst)),
                )
                hits += [each.low <= share <= each.high for each in results]
            cells = " | ".join(f"{_held(int(hit), given.runs):>22}" for hit in hits)
            print(f"{share:>6} {n:>8} | {cells}")


def _held(k: int, n: int) -> str:
    share = Proportion.of(k, n)
    return f"{share.rate:.1%} [{share.low:.1%}, {share.high:.1%}]"


def print_recall(given: argparse.Namespace) -> None:
    """Prints how often the recall's interval holds the truth."""
    print("recall: 300 flagged and 2,700 passed; 60 and m reviewed at random")
    for p, q, m in ((0.7, 0.02, 120), (0.7, 0.02, 40), (0.4, 0.05, 120), (0.9, 0.1, 120), (0.9, 0.002, 120)):
        truth = 300 * p / (300 * p + 2700 * q)
        rng = np.random.default_rng([int(p * 100), int(q * 1000), m])
        hits, widths = 0, []
        for _ in range(given.runs):
            caught = _all_decided(rng.random(60) < p, 300)
            missed = _all_decided(rng.random(m) < q, 2700)
            known = recall(caught, missed)
            hits += known.low <= truth <= known.high
            widths.append(known.high - known.low)
        held = Proportion.of(hits, given.runs)
        print(
            f"real {p:.0%} of the flagged, {q:.1%} of the passed, m {m:>3}: recall {truth:.2f}, covers {held}, "
            f"median width {statistics.median(widths):.2f}"
        )


def _all_decided(real: np.ndarray, n: int) -> Side:
    ranks = np.arange(len(real), dtype=np.float64)
    statuses = np.where(real, "real", "false_alarm").astype(object)
    return Side(n, float(len(real)), ranks, np.zeros(len(real), np.float32), statuses)


def print_thresholds(given: argparse.Namespace) -> None:
    """Prints how often a threshold is offered, and whether its interval holds its true precision."""
    print("a threshold for a precision of 90 %, of 2,000 flagged, by decisions at random")
    kinds: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "tells apart": lambda scores: np.where(scores > 0.4, 0.97, 0.1),
        "rises slowly": lambda scores: 0.4 + 0.6 * scores,
        "says nothing": lambda scores: np.full(len(scores), 0.6),
    }
    for name, chance in kinds.items():
        for n in (60, 120, 300):
            rng = np.random.default_rng([len(name), n])
            offered = held = 0
            gains = []
            for _ in range(given.runs):
                scores, ranks = rng.random(2000), rng.random(2000)
                share = chance(scores)
                real = rng.random(2000) < share
                choice, _ = choose(side(real, scores, ranks, np.argsort(ranks)[:n]), ">", 0.9)
                if choice is None:
                    continue
                offered += 1
                truth = share[scores > choice.value].mean()
                held += choice.precision.low <= truth <= choice.precision.high
                gains.append(truth - share.mean())
            line = f"{name:>13}, {n:>3} decisions: offered {Proportion.of(offered, given.runs)}"
            if offered:
                line += f"; its interval covers {Proportion.of(held, offered)}; true gain {np.mean(gains):+.2f}"
            print(line)


def print_panel(given: argparse.Namespace) -> None:
    """Prints the seconds of the panel's events on a dataset of n samples without image files."""
    from benchmarks.speed.end_to_end import own_database

    with own_database():
        for what, (wall, processor) in measure(given.n).items():
            print(f"{given.n:,} samples | {what} | {wall:.2f} s, of processor {processor:.2f} s")


def measure(n: int) -> dict[str, tuple[float, float]]:
    """Returns the medians of the seconds, wall and processor, that each event takes on n samples."""
    import fiftyone as fo
    from filled import fill
    from panel_session import PanelSession

    import loupe
    from loupe.panels.review_failures.panel import Review

    def median(work: Callable[[], object], times: int = 7) -> tuple[float, float]:
        seconds = []
        for _ in range(times):
            wall, processor = time.perf_counter(), time.process_time()
            work()
            seconds.append((time.perf_counter() - wall, time.process_time() - processor))
        wall, processor = (statistics.median(column) for column in zip(*seconds, strict=True))
        return wall, processor

    dataset = fo.Dataset()
    try:
        fill(dataset, n, checks=["sharpness", "exposure"])
        session = PanelSession(Review(), dataset)
        assert session.content.result.flagged > n / 50, "there is something to review"

        def decide() -> None:
            session.call("on_decide", answer="real", step=session.state["choices"]["step"])

        def undo() -> None:
            session.call("on_undo", step=session.state["choices"]["step"])

        measured = {"open": median(lambda: session.call("on_load"), 3)}
        measured["decide, to the next picture"] = median(decide, 21)
        assert session.content.result.decided == 21
        measured["undo"] = median(undo)
        orders = itertools.cycle(("worst", "threshold", "passed", "random"))
        measured["another order"] = median(lambda: session.call("on_order", value=next(orders)), 8)
        measured["loupe.reviewed"] = median(lambda: loupe.reviewed(dataset), 3)
        return measured
    finally:
        dataset.delete()


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "precision": print_precision,
    "recall": print_recall,
    "thresholds": print_thresholds,
    "panel": print_panel,
}
