"""A model of a dataset under verbs: whatever came before, it holds what a fresh run over the same pictures gives.

The rules of a state machine of hypothesis (stateful testing, https://hypothesis.readthedocs.io): check some or all
samples, flag by other thresholds, embed, look for duplicates; split, review, drop duplicates, and take that back;
change a file or a prompt, add and delete samples, rename a field; end a run in the middle, by an interruption or by
kill -9. After each of them what the user owns is as the user left it, nothing is there twice or half, what was decided
stands, and the runs that are kept are those that came to their end. At the end, and now and then, the same verbs run
on a new dataset of the same pictures, and both have to be the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PIL import Image

from benchmarks.faults.decided import FIELDS, Decisions
from benchmarks.faults.result import Result
from benchmarks.faults.world import World, dataset, differences, doubled, half, state

CHECKS = ("exposure", "sharpness", "size", "grayscale", "file", "information")
_KINDS = ("smooth", "dark", "bright", "flat", "gray", "large", "same", "broken", "gone")
_PROMPTS = (None, "", "a red cup", "a black and white photo of a cup", "a cup on a dark night", 'a sign "SALE"')
#: failure modes with the thresholds that are tried: failing below, or above
_THRESHOLDS = {"dark": "<", "blur": "<", "low_contrast": "<", "bright": ">", "low_information": "<"}
_OWN = ("weight", "note", "ground_truth", "tags", "prompt")


class _Ended(BaseException):
    """Ends a verb as Ctrl-C does."""


class Dataset(Decisions, RuleBasedStateMachine):
    """A dataset, what is known of it, and what may be done to it."""

    #: the processes that can be killed; None: a run is interrupted only
    world: ClassVar[World | None] = None

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="model-"))
        self._opened = dataset()
        self.made = self._opened.__enter__()
        # a process that is killed opens it by its name
        self.own: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {name: name for name in _OWN}
        self.checked: set[str] = set()
        self.thresholds: dict[str, tuple[str, float]] = {}
        self.embedded = self.grouped = False
        self.runs = 0
        self.clock = 10**18
        self.count = 0

    # what the user does

    @initialize(kinds=st.lists(st.sampled_from(_KINDS), min_size=2, max_size=6))
    def begin(self, kinds: list[str]) -> None:
        """Begins with some samples."""
        import fiftyone as fo

        self.made.add_sample_field("weight", fo.FloatField)
        self.made.add_sample_field("note", fo.StringField)
        self.made.add_sample_field("prompt", fo.StringField)
        self.made.add_sample_field("ground_truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
        self._add([(kind, None) for kind in kinds])

    @rule(kind=st.sampled_from(_KINDS), prompt=st.sampled_from(_PROMPTS))
    def add(self, kind: str, prompt: str | None) -> None:
        """Adds a sample."""
        self._add([(kind, prompt)])

    def _add(self, given: list[tuple[str, str | None]]) -> None:
        import fiftyone as fo

        samples = []
        for kind, prompt in given:
            path = self._folder / f"{self.count:04}.png"
            self._write(path, kind)
            own = {"weight": self.count / 3, "note": f"note {self.count} <b>", "prompt": prompt, "tags": ["mine"]}
            label = fo.Classification(label="abc"[self.count % 3])
            named = {self.names[name]: value for name, value in own.items() if name != "tags"}
            samples.append(fo.Sample(str(path), tags=["mine"], **named, **{self.names["ground_truth"]: label}))
            self.own[path.name] = {**own, "ground_truth": "abc"[self.count % 3]}
            self.count += 1
        self.made.add_samples(samples, progress=False)

    @precondition(lambda self: len(self.own) > 1)
    @rule(at=st.integers(0, 99))
    def delete(self, at: int) -> None:
        """Deletes a sample."""
        name = sorted(self.own)[at % len(self.own)]
        self.made.delete_samples(self.made.match({"filepath": str(self._folder / name)}).values("id"))
        del self.own[name]

    @rule(at=st.integers(0, 99), kind=st.sampled_from(_KINDS))
    def edit(self, at: int, kind: str) -> None:
        """Changes a file."""
        self._write(self._folder / sorted(self.own)[at % len(self.own)], kind)

    @rule(at=st.integers(0, 99), prompt=st.sampled_from(_PROMPTS))
    def edit_prompt(self, at: int, prompt: str | None) -> None:
        """Changes a prompt."""
        name = sorted(self.own)[at % len(self.own)]
        self.made.match({"filepath": str(self._folder / name)}).set_values(self.names["prompt"], [prompt])
        self.own[name]["prompt"] = prompt

    @rule(name=st.sampled_from(["weight", "note", "ground_truth"]))
    def rename(self, name: str) -> None:
        """Renames a field of the user's."""
        old = self.names[name]
        self.names[name] = f"{name}_{self.count}_{len(old)}"
        self.made.rename_sample_field(old, self.names[name])

    # what Loupe does

    @rule(checks=st.sets(st.sampled_from(CHECKS), min_size=1, max_size=4), some=st.booleans(), flags=st.booleans())
    def check(self, checks: set[str], some: bool, flags: bool) -> None:
        """Runs checks over all samples or the first ones."""
        import loupe

        loupe.check(self._some(some), sorted(checks), batch_size=2, flag_after=flags)
        self.checked |= checks
        self.runs += 1

    @rule(
        failure=st.sampled_from(sorted(_THRESHOLDS)),
        value=st.sampled_from([0.0, 0.05, 0.3, 0.9, 4.0, 100.0]),
        some=st.booleans(),
    )
    def flag(self, failure: str, value: float, some: bool) -> None:
        """Flags by another threshold."""
        import loupe

        op = _THRESHOLDS[failure]
        loupe.flag(self._some(some), thresholds={failure: loupe.Threshold(op, value)})  # type: ignore[arg-type]
        self.thresholds[failure] = (op, value)
        self.runs += 1

    @rule(some=st.booleans())
    def embed(self, some: bool) -> None:
        """Embeds."""
        import loupe

        loupe.embed(self._some(some), embedder="hog", visualize=None, batch_size=2)
        self.embedded = True
        self.runs += 1

    @rule()
    def find_duplicates(self) -> None:
        """Looks for duplicates."""
        import loupe

        loupe.find_duplicates(self.made)
        self.grouped = True
        self.runs += 1

    @rule(checks=st.sets(st.sampled_from(CHECKS), min_size=1, max_size=3), after=st.integers(0, 4))
    def interrupt(self, checks: set[str], after: int) -> None:
        """Begins a check and ends it in the middle; what it stored stays."""
        import loupe

        left = after

        def end(_: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise _Ended

        try:
            loupe.check(self.made, sorted(checks), batch_size=1, progress=end)
            self.runs += 1
        except _Ended:
            pass
        self.checked |= checks

    @precondition(lambda self: self.world is not None)
    @rule(checks=st.sets(st.sampled_from(CHECKS), min_size=1, max_size=3), at=st.integers(1, 12))
    def kill(self, checks: set[str], at: int) -> None:
        """Begins a check in a process that is killed before one of its writes."""
        assert self.world is not None
        child = self.world.start("check", kill_at=at, dataset=self.made.name, checks=sorted(checks), batch_size=1)
        ended = child.wait()
        assert not child.hung
        assert ended is None or ended["ok"], ended
        self.made.reload()
        self.checked |= checks
        # killed after its run was kept, or just before
        self.runs = max(self.runs, len(self._kept()))

    @precondition(lambda self: self.checked or self.grouped or self.embedded)
    @rule()
    def compare(self) -> None:
        """Brings it up to date, and holds it against a new dataset of the same pictures."""
        fresh_state = self._fresh()
        self._all(self.made)
        self.runs = len(self._kept())
        wrong = differences(fresh_state, self._state(self.made))
        assert not wrong, (wrong, self.checked, self.thresholds)

    # what always holds

    @invariant()
    def holds(self) -> None:
        """Looks after each step."""
        self._users_own()
        assert doubled(self.made) == 0
        assert half(self.made) == 0
        assert len(self._kept()) == self.runs, (self._kept(), self.runs)
        self._unchecked()

    def _users_own(self) -> None:
        """What the user owns is as the user left it."""
        paths, tags = self.made.values(["filepath", "tags"])
        assert sorted(Path(path).name for path in paths) == sorted(self.own)
        columns = {name: self.made.values(self.names[name]) for name in ("weight", "note", "prompt")}
        columns["ground_truth"] = self.made.values(f"{self.names['ground_truth']}.label")
        columns["tags"] = tags
        for at, path in enumerate(paths):
            got = {name: values[at] for name, values in columns.items()}
            assert got == self.own[Path(path).name], (path, got)

    def _unchecked(self) -> None:
        """A check that did not judge a sample has said nothing of it."""
        from loupe.brain.core import registry

        checks = registry.checks()
        for document in self.made._sample_collection.find({}):
            known = {name for name, key in (document.get("checked") or {}).items() if key}
            for name in set(CHECKS) & checks.keys() - known:
                scores = [(document.get("quality") or {}).get(output.name) for output in checks[name].outputs]
                assert scores == [None] * len(scores), (name, scores)

    def _kept(self) -> list[str]:
        from loupe.brain.store import runs

        # what a set measure says of the whole is kept beside the runs of verbs
        return [key for key in runs.listed(self.made) if key[-1].isdigit()]

    def _some(self, some: bool) -> Any:
        return self.made.limit(max(1, len(self.own) // 2)) if some else self.made

    def _all(self, made: Any) -> None:
        """Runs everything that was ever asked for, to its end."""
        import loupe

        if self.checked:
            loupe.check(made, sorted(self.checked), flag_after=False)
        if self.embedded:
            loupe.embed(made, embedder="hog", visualize=None)
        if self.grouped:
            loupe.find_duplicates(made)
        given = {name: loupe.Threshold(op, value) for name, (op, value) in self.thresholds.items()}  # type: ignore[arg-type]
        loupe.flag(made, thresholds=given)

    def _fresh(self) -> dict[str, Any]:
        import fiftyone as fo

        with dataset() as made:
            for sample in self.made.iter_samples():
                label = fo.Classification(label=sample[self.names["ground_truth"]].label)
                own = {name: sample[self.names[name]] for name in ("weight", "note", "prompt")}
                made.add_sample(fo.Sample(sample.filepath, tags=sample.tags, ground_truth=label, **own))
            self._all(made)
            return self._state(made)

    def _state(self, made: Any) -> dict[str, Any]:
        made.reload()
        known = state(made)
        named = {self.names[name]: name for name in _OWN}
        samples = {file: facts for file, facts in known.items() if file != "the dataset"}
        return {
            file: {
                named.get(name, name): value
                for name, value in facts.items()
                if _says_something(value) and name not in FIELDS
            }
            for file, facts in samples.items()
        }

    def _write(self, path: Path, kind: str) -> None:
        """Writes a picture of a kind, later than any before."""
        import os

        if kind == "gone":
            path.unlink(missing_ok=True)
            return
        if kind == "broken":
            path.write_bytes(b"\x89PNG no picture %d" % self.clock)
        else:
            _PICTURES[kind](int(self.clock % 1000) if kind != "same" else 7).save(path)
        self.clock += 10**9
        os.utime(path, ns=(self.clock, self.clock))

    def teardown(self) -> None:
        """Compares once more, and cleans up."""
        try:
            if self.own and (self.checked or self.grouped or self.embedded):
                self.compare()
        finally:
            self._opened.__exit__(None, None, None)
            shutil.rmtree(self._folder, ignore_errors=True)


def _says_something(value: Any) -> bool:
    """Whether a field says anything: one that was declared, and holds nothing, is as one that is not there."""
    if isinstance(value, dict):
        return any(_says_something(item) for name, item in value.items() if name not in ("_cls",))
    return value not in (None, [], {})


def _smooth(number: int, low: int = 0, high: int = 256, size: tuple[int, int] = (48, 36)) -> Image.Image:
    small = np.random.default_rng(number).integers(low, high, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


_PICTURES: dict[str, Callable[[int], Image.Image]] = {
    "smooth": _smooth,
    "same": _smooth,
    "dark": lambda number: _smooth(number, 0, 20),
    "bright": lambda number: _smooth(number, 240, 256),
    "flat": lambda number: Image.new("RGB", (48, 36), (number % 256, 90, 120)),
    "gray": lambda number: _smooth(number).convert("L"),
    "large": lambda number: _smooth(number, size=(200, 150)),
}


def run(number: int, examples: int, steps: int, world: World | None = None, shrink: bool = True) -> None:
    """Runs the machine.

    Args:
        number: the seed
        examples: how many sequences
        steps: of each, at most
        world: whose processes are killed; None: runs are interrupted only
        shrink: whether a sequence that fails is made shorter

    Raises:
        Exception: what went wrong, with the steps that led to it
    """
    machine = type("Dataset", (Dataset,), {"world": world})
    seed(number)(machine)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(machine, settings=chosen)


def modeled(world: World, number: int) -> Result:
    """One sequence of steps, kills among them."""
    result = Result("model of a run")
    try:
        run(number, 1, 12, world, shrink=False)
    except Exception as error:
        result.dead += 1
        steps = " ".join(getattr(error, "__notes__", ()))
        result.say(f"{type(error).__name__}: {str(error)[:200]} {steps}")
    return result
