"""Makes every score of every face and every person that experts rated, and keeps it in the work folder.

    python -m training.anatomy.people_scores WORK    # ten minutes of one core; goes on where it was stopped

Nothing here sees a rating: what is usual is that of real people in photos.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from training.anatomy import by_picture, crops, faces, limbs

PARTS = {"faces": faces, "limbs": limbs}


def make(work: Path) -> None:
    """Keeps ``faces.npz`` and ``limbs.npz``: the pictures' names, the scores, and how many real ones there were."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for name, part in PARTS.items():
        names, rated = by_picture.kept(work, f"{name}-rated", crops.files("rated"), part.rows_of)
        _, real = by_picture.kept(work, f"{name}-real", crops.files("photos"), part.rows_of)
        scores = part.scores(rated, real)
        np.savez(
            work / f"{name}.npz",
            pictures=np.array(names),
            real=len(real["size"]),
            **{f"score {key}": values for key, values in scores.items()},
        )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
