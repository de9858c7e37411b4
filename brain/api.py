"""The public names: ``import loupe`` offers just these, and this is their only list; each verb has its own file."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from loupe.brain.core.arguments import with_living_samples, with_plain_arguments

_CORE = "loupe.brain.core"
_VERBS = (
    "annotate",
    "augment",
    "calibrate",
    "check",
    "compare",
    "coverage",
    "decide_repairs",
    "deduplicate",
    "compare_to_real",
    "discover_slices",
    "embed",
    "evaluate",
    "experiment",
    "find_bias",
    "find_clusters",
    "find_copies",
    "find_drift",
    "find_duplicates",
    "find_label_issues",
    "find_leaks",
    "find_memorized",
    "find_outliers",
    "find_shortcuts",
    "find_words",
    "flag",
    "generate",
    "import_images",
    "rebalance",
    "relabel",
    "repair",
    "more_like",
    "report",
    "review",
    "reviewed",
    "scores",
    "select",
    "slice",
    "split",
    "suggest_prompts",
    "test_transfer",
)
_RECORDS = ("Progress", "Threshold")
_COMPARISON = ("Comparison", "Difference", "Regression", "Standing", "Within")
_RESULTS = (
    "DuplicatesResult",
    "Flags",
    "LeaksResult",
    "MemorizedResult",
    "OutliersResult",
    "Rate",
    "Run",
    "Slice",
)

#: each public name and its module, imported when the name is asked for: fiftyone and torch take seconds
PUBLIC: dict[str, str] = {
    **{verb: f"loupe.brain.verbs.{verb}" for verb in _VERBS},
    **dict.fromkeys(_RECORDS, f"{_CORE}.records"),
    **dict.fromkeys(_RESULTS, f"{_CORE}.results"),
    "Migrated": f"{_CORE}.migrated",
    "migrate": "loupe.brain.store.migration",
    "Certificate": f"{_CORE}.splits",
    "Split": f"{_CORE}.splits",
    "MoreLike": f"{_CORE}.alike",
    "Selection": f"{_CORE}.selections",
    "export_selection": "loupe.brain.store.exports",
    "verify_split": "loupe.brain.store.splits",
    "Bias": "loupe.brain.evaluation.bias_records",
    "Deduplication": f"{_CORE}.deduplicated",
    **dict.fromkeys(("ObjectDuplicates", "ObjectLeaks", "ObjectPair"), f"{_CORE}.alike_objects"),
    "duplicate_objects_view": "loupe.brain.store.objects.groups",
    "kept_view": "loupe.brain.store.duplicates.decided",
    **dict.fromkeys(("Rebalanced", "RebalancedCell"), f"{_CORE}.rebalanced"),
    "rebalanced_view": "loupe.brain.store.rebalance",
    "LabelIssues": "loupe.brain.labels.records",
    **dict.fromkeys(("Shortcut", "Shortcuts"), "loupe.brain.labels.shortcut_records"),
    "BoxIssues": "loupe.brain.labels.box_records",
    "MaskIssues": "loupe.brain.labels.mask_records",
    **dict.fromkeys(_COMPARISON, f"{_CORE}.comparison"),
    **dict.fromkeys(("AnnotationResult", "Decision", "ReviewResult"), f"{_CORE}.review"),
    **dict.fromkeys(("Correction", "Relabeled", "Remaining"), f"{_CORE}.relabeled"),
    "LoupeError": f"{_CORE}.errors",
    "Assigned": f"{_CORE}.assigned",
    **dict.fromkeys(("AccuracyDifference", "Evaluation"), f"{_CORE}.evaluation"),
    **dict.fromkeys(("ArmResult", "Experiment", "ExperimentPlan", "PlannedArm"), f"{_CORE}.experiment"),
    **dict.fromkeys(("Estimate", "Realism", "Transfer", "Verdict"), f"{_CORE}.realism"),
    **dict.fromkeys(("Finding", "SliceFindings"), f"{_CORE}.findings"),
    "Coverage": "loupe.brain.labels.coverage",
    "SuggestedPrompts": "loupe.brain.labels.suggestions",
    **dict.fromkeys(("Repair", "RepairedSample", "RepairRate"), "loupe.brain.generation.records"),
    "with_repairs": "loupe.brain.store.repair.repaired",
    "view_of": "loupe.brain.store.coverage",
    "Bfl": "loupe.brain.generators.bfl",
    "Ideogram": "loupe.brain.generators.ideogram",
    "OpenAIImages": "loupe.brain.generators.openai_images",
    "Diffusion": "loupe.brain.generators.diffusion",
    "suites": "loupe.brain.prompts.suites",
    "Calibration": "loupe.brain.stats.calibration",
    "Drift": f"{_CORE}.drift",
    "Factor": "loupe.brain.slicing.factors",
    "Outcome": "loupe.brain.slicing.outcomes",
    "Proportion": f"{_CORE}.proportions",
    **dict.fromkeys(("RemoteMedia", "remote_media"), "loupe.brain.media.settings"),
    "Provenance": "loupe.brain.provenance.records",
    "sign_image": "loupe.brain.provenance.c2pa",
    "errors": _CORE,
}

__all__ = sorted(PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"loupe has no public name {name!r}: there are {', '.join(__all__)}")
    module = PUBLIC[name]
    if module == _CORE:
        return importlib.import_module(f"{module}.{name}")
    try:
        made = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        from loupe.brain.core.errors import MissingDependency

        if (error.name or "").partition(".")[0] not in ("fiftyone", "bson", "eta"):
            raise
        raise MissingDependency(
            f"loupe.{name} needs FiftyOne, which is not installed: pip install fiftyone. The checks, the engine, the "
            "embedders and the generators of loupe.brain run without it"
        ) from error
    return _checked(made) if inspect.isfunction(made) else made


# the same function each time that it is asked for
@functools.cache
def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    return with_living_samples(with_plain_arguments(function), _require_living)


def _require_living(given: Any) -> None:
    from loupe.brain.store import datasets

    datasets.require_living(given)
