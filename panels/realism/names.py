"""What the measures are called, and what each says in a line."""

from __future__ import annotations

#: what a measure is about, and the measures of it
GROUPS = {
    "Fidelity: do its pictures look real?": ("precision", "density", "clipped_density"),
    "Coverage: does it reach all of them?": ("recall", "coverage", "clipped_coverage"),
    "Diversity": ("vendi", "rke"),
    "Distance": ("c2st", "frechet"),
    "Newness": ("authenticity",),
    "Labels: do they hold?": ("alignment",),
}
#: measures that are 1 for a perfect set by themselves
OF_THEMSELVES = ("clipped_density", "clipped_coverage")
#: measures without a ratio: two sets of one distribution have 0
WITHOUT_RATIO = ("kid", "cmmd", "frechet_endless")
TITLES = {
    "precision": "precision",
    "density": "density",
    "clipped_density": "clipped density",
    "recall": "recall",
    "coverage": "coverage",
    "clipped_coverage": "clipped coverage",
    "vendi": "Vendi score",
    "rke": "RKE",
    "c2st": "told apart (C2ST)",
    "frechet": "Fréchet distance",
    "frechet_endless": "Fréchet distance of endless sets",
    "kid": "KID",
    "cmmd": "CMMD",
    "authenticity": "authenticity",
    "alignment": "label alignment",
}
SAYS = {
    "precision": "synthetic pictures that lie near a real one",
    "density": "how many real pictures each synthetic one lies near: high where the set keeps to the middle",
    "clipped_density": "density that outliers do not raise",
    "recall": "real pictures that lie near a synthetic one, by how far synthetic ones lie apart",
    "coverage": "real pictures that have a synthetic one near",
    "clipped_coverage": "coverage that outliers do not raise",
    "vendi": "how many different pictures there are, in effect",
    "rke": "how many different kinds of pictures there are, in effect",
    "c2st": "how often a classifier tells which side a picture is of",
    "frechet": "how far the means and spreads lie apart: above 1 is farther than real from real",
    "authenticity": "synthetic pictures that are no nearer to a real one than another real one is",
    "alignment": "how often a classifier of real pictures gives the label that is given",
}
