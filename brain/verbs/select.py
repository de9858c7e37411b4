"""``loupe.select``: the samples of a budget: diverse, representative, balanced, typical, hard, or a mix."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.selections import Selection
from loupe.brain.core.taxonomy import ANY
from loupe.brain.selection.choose import choose
from loupe.brain.selection.recipe import Recipe, replayed
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import exports as store_exports
from loupe.brain.store import selections as store_selections
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps import selecting

if TYPE_CHECKING:
    import fiftyone as fo


def select(
    samples: fo.Dataset | fo.DatasetView,
    n: float | None = None,
    *,
    strategy: str | Mapping[str, float] = "diverse",
    per: str | Factor | Iterable[str | Factor] | None = None,
    score: str | None = None,
    label: str | None = None,
    embeddings: str = "embeddings",
    without: str | Sequence[str] = ANY,
    groups: str | Sequence[str] | None = None,
    max_per_group: int = 1,
    split: str | None = None,
    keep: str | Iterable[str] | fo.Dataset | fo.DatasetView | None = None,
    save_as: str | None = "selection",
    export_dir: str | None = None,
    export_type: str = "ImageDirectory",
    recipe: Mapping[str, Any] | str | None = None,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Selection:
    """Chooses samples under a budget, and says whether that was better than choosing by chance. Nothing is deleted.

    The chosen are saved as a view of the dataset, with the recipe in its description; ``recipe=`` replays it on other
    data. What is measured of them is measured of choices by chance of the same size, too.

    Args:
        samples: a dataset or view
        n: how many; below 1 it is a share of the samples
        strategy: ``"diverse"`` (each the farthest from those before: covers the rare), ``"facility_location"`` (what
            the others are most similar to), ``"representative"`` (distributed as all are), ``"balanced"`` (every value
            of ``per`` as often as can be), ``"typical"`` (nearest to the class mean, or in the densest places),
            ``"hard"`` (by ``score``), ``"random"``; or a weight for each, of sum 1, e.g. ``{"diverse": 0.7, "hard":
            0.3}``
        per: factors. ``balanced`` makes their values, or the combinations of several, even; every other strategy takes
            from each in proportion, so that none is lost
        score: of ``hard``: a field of numbers (``-name`` where low ones are hard, ``+name`` where high ones are), or
            of predicted classes with a confidence or logits
        label: a field of one class a sample: ``typical`` is of each class, ``hard`` by a probe that is unsure of it
        embeddings: a field of vectors, such as ``loupe.embed`` writes
        without: failure modes whose samples are left out; ``"any"``: all, an empty list: none
        groups: fields of whose values at most so many are chosen: duplicates, a prompt. None: ``duplicate_group``,
            where ``find_duplicates`` has run
        max_per_group: how many of a group, at least 1
        split: a field with the split of each sample, or ``"tags"``: nothing of ``val`` or ``test`` is chosen
        keep: ids, the name of a saved view, or a view: they count as chosen already, beside n
        save_as: the name of the saved view; None: none is saved
        export_dir: an empty folder to export the chosen to, see ``loupe.export_selection``
        export_type: one of FiftyOne's dataset types
        recipe: of another selection, or the name of its saved view: only ``n``, ``keep``, ``save_as``, ``export_dir``
            and ``export_type`` are then given beside it
        seed: the same choice for the same seed
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such strategy, field, failure mode or dataset type; the nearest name is suggested
        InputError: more than there are, weights that do not sum to 1, no vectors, vectors of another embedder than the
            recipe's, nothing to balance or to be hard by
        OutputError: the folder is not empty, or cannot be written
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        made = loupe.select(dataset, 500, strategy={"diverse": 0.7, "hard": 0.3}, score="quality.label_issue")
        dataset.load_saved_view(made.view)
        loupe.select(new_data, recipe=made.recipe)
    """
    given = {"n": n, "strategy": strategy, "per": per, "score": score, "label": label, "embeddings": embeddings}
    given |= {"without": without, "groups": groups, "max_per_group": max_per_group, "split": split, "seed": seed}
    with running(samples, "select", progress) as verb:
        held = store_selections.recipe_of(verb.samples, recipe) if isinstance(recipe, str) else recipe
        wanted = Recipe.of(given if held is None else replayed(held, given))
        if export_dir is not None:
            store_exports.type_of(export_type)
            store_exports.empty_folder(export_dir)
        known = selecting.read(verb, wanted, keep)
        n_chosen = wanted.budget(known.n)
        if save_as is not None and n_chosen > store_selections.MAX_SAVED:
            maximum = f"{store_selections.MAX_SAVED:,}"
            raise InputError(f"expected at most {maximum} samples in a saved view, got {n_chosen:,}: give save_as=None")
        chosen = choose(
            known.pool,
            n_chosen,
            wanted.strategy,
            maximum=wanted.max_per_group if known.grouped else None,
            seed=wanted.seed,
            left_out=known.left_out(),
            step=lambda name, done: verb.step(done, max(done, known.n), f"choosing: {name}"),
        )
        result = selecting.result(verb, wanted, known, chosen)
        if export_dir is not None:
            verb.step(0, 1, "exporting")
            folder = store_exports.export_selection(
                verb.samples, result, export_dir, dataset_type=export_type, label_field=wanted.label
            )
            result = replace(result, exported=os.fspath(folder))
        if save_as is not None:
            sentence = result.sentences()[0]
            result = replace(
                result, view=store_selections.save(verb.samples, result.ids, save_as, sentence, result.recipe)
            )
        params = {"recipe": dict(result.recipe), "view": result.view, "exported": result.exported}
        verb.finish(result.n, params={**params, "chosen": len(result.ids)})
    return result
