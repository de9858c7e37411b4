"""``loupe.find_label_issues``: labels that are probably wrong, with what they probably should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from loupe.brain.core.records import ProgressCallback
from loupe.brain.labels.box_records import BoxIssues
from loupe.brain.labels.mask_records import MaskIssues
from loupe.brain.labels.records import LabelIssues
from loupe.brain.store.labels import given as store_labels
from loupe.brain.store.labels.given import Kind
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps import (
    label_issues_of_boxes,
    label_issues_of_classes,
    label_issues_of_masks,
    label_issues_of_several,
)
from loupe.brain.verbs.steps.label_issues import Request

if TYPE_CHECKING:
    import fiftyone as fo

#: what judges each kind of field
_KINDS: Mapping[Kind, Callable[[Lifecycle, Request], Any]] = {
    "class": label_issues_of_classes.find,
    "classes": label_issues_of_several.find,
    "prompt": label_issues_of_several.find_prompted,
    "boxes": label_issues_of_boxes.find,
    "mask": label_issues_of_masks.find,
}


def find_label_issues(
    samples: fo.Dataset | fo.DatasetView,
    label: str,
    *,
    probabilities: str | ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    embeddings: str = "embeddings",
    predictions: str | None = None,
    groups: str | Sequence[str] | None = None,
    folds: int = 5,
    threshold: float | None = None,
    overlap: float = 0.5,
    evidence: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> LabelIssues | BoxIssues | MaskIssues:
    """Finds labels that are probably wrong, and says what they probably should be. The labels themselves stay.

    One class a sample: each label is judged by a probe over the vectors that has not seen it, or by probabilities of a
    model of your own that has not been trained on it; how often each class is given another label is learned along.
    Writes ``quality.label_issue`` (the probability that the label is wrong), flags the failure ``label_issue``, and
    puts the suggestion with its reason into ``label_issues``. Duplicates with two labels, class names that differ by
    case only, and classes too rare to judge are told as well.

    Boxes: by the predictions of a model of your own, overlooked objects, badly located boxes and boxes of another class
    (the three kinds of ObjectLab, arXiv:2309.00832). Writes ``quality.box_issue`` (the worst box, in [0, 1]), flags the
    failure ``box_issue``, and puts what each suspicious box should be, and where, into ``box_issues``.

    Masks: by a model's masks, the share of the picture that it takes for another class, edges aside. Writes
    ``quality.mask_issue``, flags the failure ``mask_issue``, and puts the model's class into ``mask_issues``.

    Args:
        samples: a dataset or view
        label: a field of one class a sample, a Classification or a text such as ``scenario.animal``; of several,
            Classifications, where one without a class has none of them; of boxes, Detections; of masks, Segmentation;
            or ``prompt``: then the classes are the things that prompts ask for, and only what is asked for can be wrong
        probabilities: instead of the probe: a field of vectors with a probability for each class, or an array of
            samples by classes, in the samples' order; those of one class a sample sum to 1. Of masks: a field of
            Heatmaps, how sure the model is of each pixel
        classes: the names that the probabilities are of, in their order; by default the dataset's classes for the
            field, else the names that occur, sorted. Of boxes: what may be suggested beside the classes that occur
        embeddings: a field of vectors, such as ``loupe.embed`` writes
        predictions: a field of the same kind as the labels, of a model that was not trained on them. Boxes, with
            confidences, and masks need it; elsewhere it stands for ``probabilities``, by its confidences, or by logits
            where the order of their classes is known, by ``classes`` or the dataset's own
        groups: fields whose values are kept on one side of every fold: a prompt, a scene, a patient. None:
            ``duplicate_group``, where ``find_duplicates`` has run
        folds: into how many parts the samples are put, at least 2
        threshold: the score in [0, 1] above which a label is an issue; kept on the dataset like any threshold of
            ``flag``. By default the dataset's own, else that of the measure
        overlap: the intersection over the union from which two boxes are of the same object, in (0, 1)
        evidence: of boxes, how much has to speak for an issue until it scores one half, in (0, 1), by kind. By default
            ``{"overlooked": 0.6, "badly_located": 0.25, "swapped": 0.84}``; more flags fewer
        seed: of the folds
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind; fewer than two classes; vectors that say nothing of meaning (``hog``);
            probabilities of another shape, with NaN, or that do not sum to 1; boxes or masks without predictions, or
            boxes with predictions of other classes; a field of the user's own has a name that Loupe writes to
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        loupe.embed(dataset)
        made = loupe.find_label_issues(dataset, "ground_truth")
        dataset.select(made.ids, ordered=True)
        loupe.find_label_issues(dataset, "boxes", predictions="detector")
    """
    request = Request(
        label,
        probabilities=probabilities,
        classes=classes,
        embeddings=embeddings,
        predictions=predictions,
        groups=groups,
        folds=folds,
        threshold=threshold,
        overlap=overlap,
        evidence=evidence,
        seed=seed,
    )
    with running(samples, "find_label_issues", progress, label="label issues") as verb:
        kind = store_labels.kind_of(verb.samples, label, tuple(_KINDS))
        result: LabelIssues | BoxIssues | MaskIssues = _KINDS[kind](verb, request)
    return result
