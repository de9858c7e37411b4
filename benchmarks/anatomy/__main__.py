"""How well hands, faces, bodies and skin are judged: real ones, ones with a flaw put in, generated ones.

Hands; even-numbered files were used to choose thresholds, the figures are of the others, unless --even asks for these:

    python -m benchmarks.anatomy hand-signs [FOLDER]      real hands, a folder for each digit of the sign digits; and
                                                          with a sixth finger, without one, with two grown together
    python -m benchmarks.anatomy hand-gloves [FOLDER]     bare hands, as they are, in gray, in gloves of five colors
    python -m benchmarks.anatomy hand-grades [FOLDER]     generated people with labels_tidy.csv, graded by experts
    python -m benchmarks.anatomy hand-photos [FOLDER]     photos as they are: each accusation is a false alarm
    python -m benchmarks.anatomy hand-malformed [FOLDER]  pictures with malformed hands: each accusation is right

    python -m benchmarks.anatomy hand-learned FOLDER      every score that was tried, against the experts' grades; the
                                                          scores are made in that folder, once, in ten minutes
    python -m benchmarks.anatomy hand-crops               whether crops of generated people and photos show hands, by
                                                          labels read by eye; why hands are unknown

Faces, bodies and skin; --photos FOLDER adds photos of real people:

    python -m benchmarks.anatomy people-real              real people: each accusation is a false alarm
    python -m benchmarks.anatomy people-injected          flaws put into them
    python -m benchmarks.anatomy people-generated         generated people, graded by experts
    python -m benchmarks.anatomy people-cost              seconds a picture
    python -m benchmarks.anatomy people                   all four, a quarter of an hour on one core
    python -m benchmarks.anatomy people-odd               crowds, gloves, drawn hands, X-rays, extreme aspects: what the
                                                          checks say, and the CPU seconds of each; needs no photos
    python -m benchmarks.anatomy people-learned FOLDER    scores that were tried for faces and limbs, against the
                                                          experts' grades; made in that folder, once, in minutes
    python -m benchmarks.anatomy eyes-teeth               pupils and teeth, which no check looks at

A vision-language model, by the hub's cache or by path; with examples and without; minutes on a GPU:

    python -m benchmarks.anatomy vlm --model FOLDER [--device cuda] [--limit N]

Needs MediaPipe's weights (``loupe weights get``). Intervals of shares are Wilson's, of rank correlations the
bootstrap's over 2000 resamples, at 95 %. Tables are Markdown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import torch

from benchmarks import data
from benchmarks.anatomy import eyes_teeth, hand_crops, hands, learned, odd_pictures, people, people_learned, vlm
from benchmarks.commands import Family, each
from benchmarks.figures import header
from loupe.brain.perception.vlm import folder
from loupe.brain.perception.vlm.local import LocalVlm

_DIGITS, _GRADED = "4_hands/sign_digits_real", "4_hands/ai_human_anatomy"
#: by command: what it runs, where its pictures lie, whether the files' numbers make two halves
HANDS: dict[str, tuple[Callable[..., None], str, bool, str]] = {
    "hand-signs": (hands.signs, _DIGITS, True, "finger counts of real hands, and of hands with a flaw put in"),
    "hand-gloves": (hands.in_gloves, _DIGITS, True, "bare hands and gloves"),
    "hand-grades": (hands.graded, _GRADED, False, "generated people, graded by experts"),
    "hand-photos": (hands.photos, data.PHOTOS, False, "photos: each accusation is a false alarm"),
    "hand-malformed": (hands.photos, "4_hands/handrefiner_malformed5", False, "malformed: each accusation is right"),
}
PEOPLE = {
    "people-real": "real people: each accusation is a false alarm",
    "people-injected": "flaws put into real people",
    "people-generated": "generated people, graded by experts",
    "people-cost": "seconds a picture",
    "people": "all of these four",
}


def family() -> Family:
    """Returns the commands."""
    made = Family("anatomy", __doc__)
    for name, (_, place, halves, description) in HANDS.items():
        parser = made.command(name, _hands, description)
        parser.add_argument("folder", nargs="?", type=Path, help=f"of the pictures; {place} by default")
        if halves:
            parser.add_argument("--even", action="store_true", help="the files that thresholds were chosen on")
    parser = made.command("vlm", _vlm, "what a vision-language model says of hands")
    parser.add_argument("--model", default=folder.DEFAULT, help=f"hub id or folder; {folder.DEFAULT} by default")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--shots", type=int, nargs="+", default=[0, 4], help="numbers of examples; 0 and 4 by default")
    parser.add_argument("--limit", type=int, default=200, help="hands of a flaw, and pictures; 200 by default")
    parser = made.command("hand-learned", lambda given: learned.run(given.folder), "scores that were tried for hands")
    parser.add_argument("folder", type=Path, help="where the scores are made, and kept; goes on where it was stopped")
    parser = made.command(
        "people-learned", lambda given: people_learned.run(given.folder), "scores that were tried for faces and limbs"
    )
    parser.add_argument("folder", type=Path, help="where the scores are made, and kept; goes on where it was stopped")
    parser = made.command("eyes-teeth", lambda given: eyes_teeth.run(given.photos), "pupils and teeth")
    parser.add_argument("--photos", type=Path, action="append", default=[], help="folder of photos of real people")
    made.command("people-odd", lambda given: _odd(), "odd pictures: what the checks say of them, and how long it takes")
    made.command("hand-crops", _crops, "whether the crops that are taken for hands show hands, and what is unknown")
    for name, description in PEOPLE.items():
        parser = made.command(name, _people, description)
        parser.add_argument("--check", choices=tuple(people.OF_CHECK), help="one of them; all by default")
        parser.add_argument("--photos", type=Path, action="append", default=[], help="folder of photos of real people")
    return made


def _hands(given: argparse.Namespace) -> None:
    run, place, halves, _ = HANDS[given.command]
    folder = given.folder or data.required(place)
    run(folder, given.even) if halves else run(folder)


def _vlm(given: argparse.Namespace) -> None:
    model = LocalVlm(given.model, device=given.device)
    vlm.measure(model, data.required(_DIGITS), data.required(_GRADED), given.shots, given.limit)


def _crops(given: argparse.Namespace) -> None:
    cv2.setNumThreads(1)
    hand_crops.crops(*hands.tools())


def _odd() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    odd_pictures.run()


def _people(given: argparse.Namespace) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    checks = [given.check] if given.check else list(people.OF_CHECK)

    @cache
    def cuts_of(check: str) -> list[people.Cut]:
        return people.cut_out(check, given.photos)

    def real() -> None:
        header("output", "real ones", "judged", "flagged", "highest")
        for check in checks:
            people.real(check, cuts_of(check))

    def injected() -> None:
        header("output", "flaw", "severity", "judged", "flagged", "AUROC")
        for check in checks:
            people.injected(check, people.OF_CHECK[check], cuts_of(check))

    parts = {
        "people-real": real,
        "people-injected": injected,
        "people-generated": people.generated,
        "people-cost": people.cost,
    }
    if given.command == "people":
        each(*parts.values())
    else:
        parts[given.command]()


if __name__ == "__main__":
    sys.exit(family().main())
