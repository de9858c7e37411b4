"""Whether a score of faces as a whole, or of limbs, ranks generated pictures as experts do, better than the old rules.

The scores are made by ``training.anatomy.people_scores``, which sees no rating; judged as in ``learned``. A way is
shipped where it ranks better than the old rule, and than size and blur, which know nothing of people, each by an
interval of the difference, over pictures and over whole prompts, that lies above 0. Where none of the ways does, the
trying stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.anatomy.learned import (
    PLAIN,
    Rated,
    by_picture,
    combined,
    curve,
    experts,
    interval,
    pictures_needed,
    ratings,
    resamples,
    rho,
    table,
)
from benchmarks.figures import header, row, title

_GRADED = "4_hands/ai_human_anatomy"
_OLD = "old rule"
#: the part of the body that is rated, the column of the experts' severity, and the ways that were tried
PARTS = {
    "faces": ("total_face", ("agreement", "shape", "parts")),
    "limbs": ("total_limbs", ("agreement", "structure", "parts")),
}


def beyond(rated: Rated, names: Sequence[str]) -> None:
    """Prints how far each score's rank correlation is above those of the old rule, of size and of blur."""
    others = (rated.old, *PLAIN)
    header(
        "score", *(f"less that of {other}: {over}" for other in others for over in ("over pictures", "over prompts"))
    )
    for name in names:
        cells = []
        for other in others:
            for clustered in (False, True):
                values, beside = rated.scores[name], rated.scores[other]
                more = [
                    rho(values[at], rated.severity[at]) - rho(beside[at], rated.severity[at])
                    for at in resamples(rated.prompts, clustered)
                ]
                cells.append(f"{np.mean(more):+.2f} {interval(more)}")
        row(name, *cells)


def run(work: Path) -> None:
    """Makes the scores where they are not in the work folder, and prints all tables.

    Raises:
        MissingData: pictures or the second networks' weights are not there
    """
    from training.anatomy import people_scores

    folder = data.required(_GRADED)
    if not all((work / f"{name}.npz").exists() for name in PARTS):
        people_scores.make(work)
    for name, (column, ways) in PARTS.items():
        with np.load(work / f"{name}.npz") as kept:
            pictures = np.array([picture.removeprefix(f"{_GRADED}/") for picture in kept["pictures"].tolist()])
            scores = {key.removeprefix("score "): kept[key] for key in kept.files if key.startswith("score ")}
            real = int(kept["real"])
        given, prompts = ratings(folder, column)
        here = {image: rated for image, rated in given.items() if (folder / image).is_file()}
        rated = by_picture(here, prompts, pictures, scores, _OLD)
        title(f"{name.capitalize()}, by {column}")
        print(
            f"{len(here)} rated pictures, {name} in {len(rated.severity)} of them, {len(pictures)} in all; "
            f"{len(set(rated.prompts.tolist()))} prompts, one generator; {real} real ones"
        )
        experts(here)
        title(f"{name.capitalize()}: old rule, and each way alone: nothing is fitted on ratings")
        plain = (_OLD, *PLAIN, *ways)
        table(rated, {key: rated.scores[key] for key in plain})
        title(f"{name.capitalize()}: their single terms")
        table(rated, {key: values for key, values in rated.scores.items() if key not in plain})
        title(f"{name.capitalize()}: each way beside the old rule and what knows nothing of people")
        beyond(rated, ways)
        title(f"{name.capitalize()}: put together; fitted ones are judged on prompts left out")
        table(rated, combined(rated, ways))
        title(f"{name.capitalize()}: learning curve of the fit on the old rule, the ways, size and blur")
        curve(rated, ways)
        old = max(rho(rated.scores[_OLD], rated.severity), 0.0)
        print(
            f"\nto show .5 against the old rule's figure at a power of .8: {pictures_needed(0.5, old)} rated pictures"
        )
