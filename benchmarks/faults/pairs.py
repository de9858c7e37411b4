"""Two processes work on one dataset at once; it comes to what one after the other comes to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.faults.result import Result
from benchmarks.faults.verbs import PROMPTS, job
from benchmarks.faults.world import World, dataset, differences, doubled, half, pictures, state

#: None: the arguments of the verb's line
_Action = tuple[str, dict[str, Any] | None]


def _generate(folder: str) -> _Action:
    return "generate", {"folder": folder, "prompts": PROMPTS}


#: what both do: the action and its arguments; FOLDER and PICTURES are the case's own
_PAIRS: tuple[tuple[_Action, _Action], ...] = (
    (("check", {"checks": ["exposure", "size"]}), ("check", {"checks": ["sharpness", "file"]})),
    (("check", {"checks": ["exposure", "file"]}), ("check", {"checks": ["exposure", "file"]})),
    (_generate("FOLDER/a"), _generate("FOLDER/b")),
    (_generate("FOLDER/a"), _generate("FOLDER/a")),
    (("import_images", {"folder": "PICTURES"}), ("import_images", {"folder": "PICTURES"})),
    (("flag", {"thresholds": {"dark": ["<", 0.9]}}), ("flag", {"thresholds": {"blur": ["<", 0.9]}})),
    (("check", {"checks": ["sharpness", "size"]}), ("flag", {"thresholds": {"dark": ["<", 0.9]}})),
    (("check", {"checks": ["exposure"]}), ("find_duplicates", {})),
    (("embed", {}), ("check", {"checks": ["exposure", "sharpness"]})),
    (("repair", None), ("repair", None)),
    (("decide_repairs", None), ("decide_repairs", None)),
    (("augment", None), ("augment", None)),
    (("deduplicate", None), ("deduplicate", None)),
    (("find_label_issues", None), ("split", {"sizes": {"a": 0.5, "b": 0.5}, "groups": []})),
    (("relabel", None), ("relabel", None)),
    (("select", None), ("find_clusters", {"n": 3})),
    (("coverage", None), ("find_leaks", {"splits": ["train", "test"]})),
    (("compare_to_real", None), ("find_outliers", {})),
)


def paired(world: World, seed: int) -> Result:
    """Lets two processes act at the same moment, or nearly so."""
    pair = _PAIRS[seed % len(_PAIRS)]
    result = Result(f"{pair[0][0]} and {pair[1][0]}")
    wanted = world.known(f"pair {seed % len(_PAIRS)}", lambda: _one_after_the_other(world, pair))
    rng = np.random.default_rng(seed)
    with _prepared(world, pair) as (made, actions):
        moment = time.time() + 0.2
        moments = (moment, moment + float(rng.choice([0.0, rng.uniform(0, 0.4)])))
        dawdles = (2 * seed + 1, 2 * seed + 2) if rng.random() < 0.7 else (0, 0)
        children = [
            world.start(name, at=at, dawdle=dawdle, dataset=made.name, **given)
            for (name, given), at, dawdle in zip(actions, moments, dawdles, strict=True)
        ]
        ends = [result.ended(child) for child in children]
        made.reload()
        if any(end is not None and not end["ok"] for end in ends):
            # one clear error, as of a folder that somebody else writes to: the same call again does the rest
            for (name, given), end in zip(actions, ends, strict=True):
                if end is not None and not end["ok"]:
                    result.ended(world.start(name, dataset=made.name, **given), must=True)
        result.half += half(made)
        result.doubled += doubled(made)
        result.missing(differences(wanted, state(made)))
    return result


def _one_after_the_other(world: World, pair: Sequence[_Action]) -> dict[str, Any]:
    with _prepared(world, pair) as (made, actions):
        for name, given in actions:
            ended = world.start(name, dataset=made.name, **given).wait()
            if ended is None or not ended["ok"]:
                raise SystemExit(f"{name} fails undisturbed: {ended}")
        made.reload()
        return state(made)


@contextmanager
def _prepared(world: World, pair: Sequence[_Action]) -> Iterator[tuple[Any, list[tuple[str, dict[str, Any]]]]]:
    """Gives a dataset for both, and what they do with the case's own folders."""
    if pair[0][1] is None:
        with job(world, pair[0][0]) as ready:
            yield ready.made, [(name, ready.given if given is None else given) for name, given in pair]
        return
    folder = world.place()
    pictures(folder / "pictures", 24)

    def own(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.replace("FOLDER", str(folder)).replace("PICTURES", str(folder / "pictures"))

    actions = [(name, {key: own(value) for key, value in (given or {}).items()}) for name, given in pair]
    names = {name for name, _ in pair}
    if names & {"generate", "import_images"}:
        with dataset() as made:
            yield made, actions
    else:
        with job(world, "flag" if "flag" in names else "check") as ready:
            yield ready.made, actions
