"""Putting labels right: how often the interval of what remains holds it, and how fast the panel is."""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.commands import Family, each
from benchmarks.figures import header, row, share, title
from benchmarks.labels.issues import LABELS, cifar
from loupe.brain.labels import noise
from loupe.brain.labels.probe import probe
from loupe.brain.stats.remaining import ByScore, bins_of, remaining

#: labels of a simulated set
N = 3000
RUNS = 100
_Order = Callable[[np.ndarray, np.random.Generator], np.ndarray]
_Drawn = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


def add_relabel(family: Family) -> None:
    """Adds the command."""
    added = family.command("relabel", _print, "what remains after some labels were put right; the panel's speed")
    added.add_argument("--part", choices=list(PARTS), help="one part; all by default")
    added.add_argument("--runs", type=int, default=RUNS, help="simulated reviews a row")
    added.add_argument("-n", type=int, default=100_000, help="samples of the panel's dataset")


def _print(given: argparse.Namespace) -> None:
    each(*(lambda part=part: part(given) for name, part in PARTS.items() if given.part in (None, name)))


def _worst(k: int) -> _Order:
    return lambda scores, rng: np.argsort(-scores)[:k]


def _random(k: int) -> _Order:
    return lambda scores, rng: rng.choice(len(scores), k, replace=False)


def _both(worst: int, random: int) -> _Order:
    return lambda scores, rng: np.union1d(_worst(worst)(scores, rng), _random(random)(scores, rng))


ORDERS: dict[str, _Order] = {
    "the worst 50": _worst(50),
    "the worst 300": _worst(300),
    "the worst 800": _worst(800),
    "50 at random": _random(50),
    "200 at random": _random(200),
    "the worst 300 and 50 at random": _both(300, 50),
}


def _logistic(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _world(shift: float, slope: float, floor: float) -> _Drawn:
    """Scores that are off by a shift and a slope, and labels of which ``floor`` are wrong whatever the score."""

    def drawn(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        logits = np.where(rng.random(N) < 0.12, rng.normal(1, 2, N), rng.normal(-5, 1.5, N))
        return _logistic(logits), rng.random(N) < floor + (1 - floor) * _logistic(shift + slope * logits)

    return drawn


WORLDS = {
    "the scores are right": _world(0, 1, 0),
    "too low": _world(0.8, 1, 0),
    "too high": _world(-0.8, 1, 0),
    "too sure": _world(0, 0.6, 0),
    "not sure enough": _world(0, 1.5, 0),
    "3 % look right": _world(0, 1, 0.03),
    "8 % look right": _world(0, 1, 0.08),
}


def print_simulated(given: argparse.Namespace) -> None:
    """Prints how often the interval holds what remains, where the scores are right and where they are off."""
    title(f"What remains, simulated: {N:,} labels, {given.runs} reviews a row")
    _head()
    for name, drawn in WORLDS.items():
        _rows(name, drawn, given.runs)


def print_cifar(given: argparse.Namespace) -> None:
    """Prints the same of labels that people gave, with the scores of ``find_label_issues``."""
    vectors, clean, labels = cifar()
    title(f"What remains in CIFAR-10N: {N:,} of 12,000 labels drawn, {given.runs} reviews a row")
    _head()
    for label, words in LABELS.items():
        own = labels[label]
        scores, wrong = noise.fit(probe(vectors, own, 10), own).wrong.astype(np.float64), own != clean

        def drawn(
            rng: np.random.Generator, scores: np.ndarray = scores, wrong: np.ndarray = wrong
        ) -> tuple[np.ndarray, np.ndarray]:
            chosen = rng.choice(len(scores), N, replace=False)
            return scores[chosen], wrong[chosen]

        _rows(words, drawn, given.runs)


def _head() -> None:
    header("labels", "looked at", "still wrong", "estimate", "width of the interval", "it holds")


def _rows(name: str, drawn: _Drawn, runs: int) -> None:
    for words, order in ORDERS.items():
        truths, estimates, widths, held = [], [], [], 0
        for run in range(runs):
            rng = np.random.default_rng(run)
            scores, wrong = drawn(rng)
            places = order(scores, rng)
            labels, at = ByScore.of(scores), bins_of(scores[places])
            np.add.at(labels.wrong, at[wrong[places]], 1)
            np.add.at(labels.right, at[~wrong[places]], 1)
            made = remaining(labels)
            truth = (wrong.sum() - wrong[places].sum()) / len(wrong)
            held += made.low <= truth <= made.high
            truths.append(truth)
            estimates.append(made.rate)
            widths.append(made.high - made.low)
        means = [f"{np.mean(column):.1%}" for column in (truths, estimates, widths)]
        row(name, words, *means, share(int(held), runs))


def print_panel(given: argparse.Namespace) -> None:
    """Prints the seconds of the panel's events, and of ``relabel``, on n samples without image files."""
    from benchmarks.speed.end_to_end import own_database

    title(f"The panel Label issues: {given.n:,} samples, {given.n // 20:,} issues, vectors of 512 numbers")
    header("event", "seconds", "of processor")
    with own_database():
        for what, (wall, processor) in measure(given.n).items():
            row(what, f"{wall:.2f}", f"{processor:.2f}")


def measure(n: int) -> dict[str, tuple[float, float]]:
    """Returns the medians of the seconds, wall and processor, that each event takes on n samples."""
    from panel_session import PanelSession

    import loupe
    from loupe.panels.label_corrections.panel import LabelCorrections

    def median(work: Callable[[], object], times: int = 7) -> tuple[float, float]:
        seconds = []
        for _ in range(times):
            wall, processor = time.perf_counter(), time.process_time()
            work()
            seconds.append((time.perf_counter() - wall, time.process_time() - processor))
        wall, processor = (statistics.median(column) for column in zip(*seconds, strict=True))
        return wall, processor

    dataset = _filled(n)
    try:
        session = PanelSession(LabelCorrections(), dataset)
        answers = itertools.cycle(("accept", "keep", "accept"))

        def decide() -> None:
            session.call("on_decide", answer=next(answers), step=session.state["choices"]["step"])

        measured = {"open": median(lambda: session.call("on_load"), 3)}
        measured["the first decision of all, which copies the labels"] = median(decide, 1)
        measured["decide, to the next picture"] = median(decide, 21)
        assert session.content.counts["changed"] == 15
        measured["undo"] = median(lambda: session.call("on_undo", step=session.state["choices"]["step"]), 5)
        forward = "next, undecided"
        measured[forward] = median(lambda: session.call("on_forward", step=session.state["choices"]["step"]))
        orders = itertools.cycle(("random", "unsure", "worst"))
        measured["another order"] = median(lambda: session.call("on_order", value=next(orders)), 6)
        pair = [session.content.pairs[0].given, session.content.pairs[0].suggested]
        measured["a pair of classes"] = median(lambda: session.call("on_pair", pair=pair), 4)
        measured["loupe.relabel"] = median(lambda: loupe.relabel(dataset, "label", accept=0.9), 3)
        return measured
    finally:
        dataset.delete()


def _filled(n: int) -> object:
    """Returns a dataset whose labels were judged, one in twenty an issue. The files of the pictures are not there."""
    import fiftyone as fo
    from bson import ObjectId

    from loupe.brain.labels.records import LabelIssue
    from loupe.brain.store import runs
    from loupe.brain.store.labels import given as labels
    from loupe.brain.verbs.lifecycle import Lifecycle

    dataset = fo.Dataset()
    rng = np.random.default_rng(0)
    names = [f"class {number}" for number in range(10)]
    sample = fo.Sample(filepath=str(Path("/nowhere/0.jpg")), label=fo.Classification(label=names[0]))
    sample["quality"] = fo.DynamicEmbeddedDocument(label_issue=0.5)
    sample["checked"] = {"label_issues": "made up"}
    sample["embeddings"] = np.zeros(512, np.float32)
    dataset.add_sample(sample, dynamic=True)
    labels.write(dataset, dataset.values("id"), {})
    (template,) = dataset._sample_collection.find()
    dataset._sample_collection.delete_many({})
    as_stored = fo.VectorField().to_mongo
    for start in range(0, n, 5000):
        documents = []
        for at in range(start, min(start + 5000, n)):
            given, is_issue = names[at % 10], at % 20 == 7
            score = float(rng.uniform(0.2, 1)) if is_issue else float(rng.beta(0.3, 12))
            issue = LabelIssue("", given, names[(at + 1) % 10], score, 0.7, "made up")
            documents.append(
                {
                    **template,
                    "_id": ObjectId(),
                    "_rand": float(rng.random()),
                    "filepath": f"/nowhere/{at}.jpg",
                    "label": {"_id": ObjectId(), "_cls": "Classification", "tags": [], "label": given},
                    "quality": {"_cls": "DynamicEmbeddedDocument", "label_issue": score},
                    "embeddings": as_stored(rng.normal(size=512).astype(np.float32)),
                    "label_issues": labels.document_of(issue) if is_issue else None,
                    "failures": {
                        "_cls": "Classifications",
                        "classifications": [
                            {"_id": ObjectId(), "_cls": "Classification", "tags": [], "label": "label_issue"}
                        ]
                        * is_issue,
                    },
                }
            )
        dataset._sample_collection.insert_many(documents)
    dataset.reload()
    made = Lifecycle(dataset, "find_label_issues", lambda _: None)
    made.finish(n, params={"label": "label", "embeddings": "embeddings"})
    assert runs.listed(dataset)
    return dataset


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "simulated": print_simulated,
    "cifar": print_cifar,
    "panel": print_panel,
}
