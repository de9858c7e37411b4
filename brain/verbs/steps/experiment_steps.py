"""The steps of an experiment: draw, name the classes, check, embed, compare and train, each taken up where it was."""

from __future__ import annotations

import base64
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.errors import DatabaseGone, LoupeError, OutputError, Stopped
from loupe.brain.core.experiment import ArmResult
from loupe.brain.core.hashes import hex_hash
from loupe.brain.core.realism import (
    ADDITIVE_ONLY,
    INSUFFICIENT_DATA,
    USEFUL,
    Estimate,
    Realism,
    RealismMetric,
    Transfer,
)
from loupe.brain.core.records import Progress
from loupe.brain.core.specs import Embedder
from loupe.brain.realism import results, transfer, verdicts
from loupe.brain.realism.arms import Tested
from loupe.brain.realism.blocks import Labeled
from loupe.brain.store import datasets as store_datasets
from loupe.brain.store.experiment import datasets as store
from loupe.brain.store.experiment.datasets import Real
from loupe.brain.store.realism import sides as store_realism
from loupe.brain.store.realism.sides import Side
from loupe.brain.verbs.check import check
from loupe.brain.verbs.compare_to_real import compare_to_real
from loupe.brain.verbs.embed import embed
from loupe.brain.verbs.generate import generate
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.slice import slice as slice_by
from loupe.brain.verbs.steps.experiment_arms import Arm

if TYPE_CHECKING:
    import fiftyone as fo

#: what is kept of an arm changes with this number
VERSION = 1
#: what says how useful a set is: told by the real test set, and not by half of the real training set
_OF_USE = {USEFUL, ADDITIVE_ONLY, INSUFFICIENT_DATA}
_MAX_REASON = 500


@dataclass(frozen=True, eq=False)
class Running:
    """An experiment that is running.

    Attributes:
        verb: to report to
        dataset: where the images go
        real: the real samples
        label: the field of classes
        arms: all of them
        seed: of all that is drawn but the images
        output_dir: where the files go
        failed: why an arm cannot be drawn or measured, by its name
    """

    verb: Lifecycle
    dataset: fo.Dataset
    real: Real
    label: str
    arms: Sequence[Arm]
    seed: int
    output_dir: Path
    failed: dict[str, str] = field(default_factory=dict)

    def draw(self, first: int | None = None) -> None:
        """Draws what is missing of each arm, or of its first so many images; an arm that cannot be drawn is named.

        Raises:
            OutputError, DatabaseGone, Stopped, InputError: nothing more can be drawn: of any arm
        """
        total = sum(len(arm.rows[:first]) for arm in self.arms)
        done = 0
        for arm in self.arms:
            rows = list(arm.rows[:first])
            report = self._within(done, total, "generating")
            try:
                generate(
                    self.dataset, rows, model=arm.spec, seed=arm.seed, output_dir=self.output_dir,
                    device=self.verb.device, progress=report,
                )  # fmt: skip
            except (OutputError, DatabaseGone, Stopped):
                raise
            except Exception as error:
                # a model may break in any way; where the dataset is gone it is not the model's fault
                store_datasets.require_collection(self.dataset)
                if not isinstance(error, LoupeError):
                    logging.getLogger("loupe").warning("%s cannot be drawn", arm.name, exc_info=error)
                self.failed[arm.name] = _reason("cannot be drawn", error)
            done += len(rows)
            self.verb.step(done, total, "generating")

    def _within(self, before: int, total: int, message: str) -> Callable[[Progress], None]:
        """Returns what an inner verb reports to: its steps are counted within those of all arms."""
        return lambda step: self.verb.step(before + min(step.done, step.total), total, message)

    def named(self) -> dict[str, list[str]]:
        """Gives the images of each arm their classes; returns their ids, by the arm's name.

        Of two samples with one seed, as when the files of a model changed, the one that the model draws now counts.
        """
        known = store.drawn(self.dataset)
        members: dict[str, list[str]] = {}
        classes: dict[str, str] = {}
        for arm in self.arms:
            if arm.name in self.failed or arm.name not in known:
                continue
            by_seed = known[arm.name].by_seed
            wanted = [by_seed[row["seed"]] for row in arm.rows if row["seed"] in by_seed]
            current = None
            if any(len({fingerprint for _, _, fingerprint in each}) > 1 for each in wanted):
                current = arm.spec.load(self.verb.device).facts.get("fingerprint")
            chosen = [_of_now(each, current) for each in wanted]
            members[arm.name] = [sample_id for sample_id, _, _ in chosen]
            classes |= {sample_id: label for sample_id, label, _ in chosen}
        if classes:
            store.put_classes(self.dataset, self.label, self.real.train, list(classes), list(classes.values()))
        return members

    def check(self, ids: Sequence[str], checks: Any) -> None:
        """Checks the images."""
        if ids and checks is not None:
            check(self.dataset.select(list(ids)), checks, device=self.verb.device, progress=self.verb.report)

    def embed(self, sides: Mapping[str, Any], embedder: Embedder, path: str) -> None:
        """Embeds samples that have no vector of the embedder yet."""
        for name, samples in sides.items():
            message = f"embedding {name}"
            embed(
                samples, embedder=embedder, field=path, visualize=None, similarity=False, device=self.verb.device,
                progress=lambda step, message=message: self.verb.step(step.done, step.total, message),  # type: ignore[misc]
            )  # fmt: skip


def _of_now(samples: Sequence[tuple[str, str, str | None]], fingerprint: str | None) -> tuple[str, str, str | None]:
    fitting = [each for each in samples if fingerprint is None or each[2] == fingerprint]
    return (fitting or samples)[-1]


def _reason(what: str, error: BaseException) -> str:
    text = str(error) if isinstance(error, LoupeError) else f"{type(error).__name__}: {error}"
    text = " ".join(text.split())
    return f"{what}: {text if len(text) <= _MAX_REASON else text[:_MAX_REASON] + ' …'}"


@dataclass(frozen=True, eq=False)
class Bench:
    """What every arm is measured on: the real samples, read once.

    Attributes:
        running: the experiment
        classes: in order
        path: of the vectors
        labeled: the real samples with a vector and one of the classes, by ``"train"`` and ``"test"``
        made_from: what changes when anything of this does
    """

    running: Running
    classes: Sequence[str]
    path: str
    labeled: Mapping[str, Labeled]
    made_from: str

    @classmethod
    def of(cls, running: Running, classes: Sequence[str], path: str, embedder: Embedder) -> Bench:
        """Returns it.

        Raises:
            InputError: a picture that is tested on has the very vector of one that is trained on
        """
        real = running.real
        train, test = store_realism.read(path, {"train": real.train, "test": real.test})
        store.require_no_twins(train, test)
        sides = {"train": train, "test": test}
        labeled, facts = {}, []
        for name, samples in (("train", real.train), ("test", real.test)):
            given = [real.given[name][at] for at in sides[name].index.tolist()]
            labeled[name] = store_realism.labeled(samples, sides[name], _codes(given, classes))
            facts += [sides[name].ids, given, _digest(sides[name].vectors)]
        made_from = store.signature(VERSION, embedder.key, path, running.label, list(classes), running.seed, *facts)
        return cls(running, classes, path, labeled, made_from)

    def signature(self, side: Side, given: Sequence[str | None]) -> str:
        """Returns what changes when what is measured of an arm does."""
        return store.signature(self.made_from, side.ids, list(given), _digest(side.vectors))

    def measured(self, arm: Arm, ids: Sequence[str]) -> dict[str, Any]:
        """Returns what an arm is worth, as plain values that are kept; from what is kept where nothing has changed.

        Raises:
            InputError: too few of its images have a vector
        """
        running = self.running
        view, side, given = store.read_arm(running.dataset, ids, self.path, running.label)
        signature = self.signature(side, given)
        known = store.kept(running.dataset).get(arm.name)
        if isinstance(known, dict) and known.get("signature") == signature:
            return known
        synthetic = store_realism.labeled(view, side, _codes(given, self.classes))

        realism = compare_to_real(
            view, running.real.train, embeddings=self.path, label=running.label, seed=running.seed,
            device=running.verb.device, progress=running.verb.report,
        )  # fmt: skip
        made = transfer.measure(
            self.labeled["train"], self.labeled["test"], synthetic, len(self.classes), seed=running.seed,
            step=lambda done, total: running.verb.step(done, total, f"training on {arm.name}"),
        )  # fmt: skip
        shown = results.transfer(made, running.label, self.classes, verdicts.of_transfer(made), seed=running.seed)
        result = _result(arm, len(synthetic.classes), realism, shown)
        tested = made.arms["S→R"]
        return {
            "signature": signature,
            "result": result.to_dict(),
            "real": next(each for each in shown.matrix if each.name == "R→R").accuracy.to_dict(),
            "chance": shown.chance,
            "curve": [[n, each.to_dict()] for n, each in shown.curve],
            "tested": [_packed(tested.correct), _packed(tested.halves), len(tested.halves)],
        }

    def tested(self, known: Mapping[str, Any]) -> Tested:
        """Returns how an arm does on each test sample, from what is kept of it."""
        correct, halves, count = known["tested"]
        n = len(self.labeled["test"].classes)
        return Tested(_unpacked(correct, n), _unpacked(halves, count * n).reshape(count, n))


def _codes(given: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    at = {name: code for code, name in enumerate(classes)}
    return np.array([-1 if name is None else at.get(name, -1) for name in given], dtype=np.int64)


def _digest(vectors: np.ndarray) -> str:
    return hex_hash(np.ascontiguousarray(vectors).tobytes())


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.packbits(values.ravel()).tobytes()).decode()


def _unpacked(text: str, n: int) -> np.ndarray:
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=n).astype(bool)


def _result(arm: Arm, n: int, realism: Realism, made: Transfer) -> ArmResult:
    (metrics,) = realism.metrics.values()
    by_name = {each.name: each for each in metrics}
    precision, recall, density, coverage = (
        _over_real(by_name[name]) for name in ("precision", "recall", "density", "coverage")
    )
    accuracy = next(each for each in made.matrix if each.name == "S→R").accuracy
    return ArmResult(
        name=arm.name,
        model=arm.model,
        style=arm.style.name,
        guidance=arm.guidance,
        seed=arm.seed,
        n=n,
        precision=precision,
        recall=recall,
        density=density,
        coverage=coverage,
        frechet=by_name["frechet"].value,
        c2st=by_name["c2st"].value,
        accuracy=accuracy,
        utility=made.utility,
        equivalent_real_size=made.equivalent_real_size,
        findings=(*(each for each in realism.findings if each.name not in _OF_USE), *made.findings),
    )


def _over_real(metric: RealismMetric) -> Estimate:
    """Returns a ratio with its band."""
    return Estimate(metric.ratio, max(metric.low, 0.0), metric.high)


def with_rates(dataset: fo.Dataset, ids: Sequence[str], arms: Sequence[ArmResult]) -> list[ArmResult]:
    """Returns the arms with the share of their images that fail in any way, by the thresholds of now."""
    if not ids:
        return list(arms)
    known = {}
    for rate in slice_by(dataset.select(list(ids)), store.ARM, failure="any"):
        if rate.n:
            known[rate.slice.values[store.ARM]] = (Estimate(rate.rate, rate.low, rate.high), rate.n)
    return [
        replace(arm, failing=known[arm.name][0], judged=known[arm.name][1]) if arm.name in known else arm
        for arm in arms
    ]


def unmeasured(arm: Arm, n: int, reason: str) -> ArmResult:
    """Returns what is known of an arm that could not be drawn or measured: why."""
    return ArmResult(arm.name, arm.model, arm.style.name, arm.guidance, arm.seed, n=n, reason=reason)


def total_of(plan_bytes: float, free: float) -> None:
    """Raises an error where what is to be drawn does not fit on the disk.

    Raises:
        OutputError: it says how much is missing
    """
    if math.isfinite(plan_bytes) and math.isfinite(free) and plan_bytes > free:
        raise OutputError(
            f"expected {plan_bytes / 1e6:,.0f} MB free for the images, got {free / 1e6:,.0f} MB: free some, give "
            "another output_dir, or draw fewer"
        )
