"""How well the text check finds wrong and badly drawn lettering, and how seldom it accuses good one.

What is written:

    python -m benchmarks.text rendered            strings drawn in many fonts, with injected edits
    python -m benchmarks.text digits              signs of real handwritten digits, with injected edits
    python -m benchmarks.text empty               signs with nothing on them
    python -m benchmarks.text signs               tiny-signs' own pictures, which a reader of real digits reads
    python -m benchmarks.text crops [FOLDER]      real word crops with transcripts (IIIT5K), all of them right
    python -m benchmarks.text photos [FOLDER]     photos; the prompt asks for a text that they do not show

How it is drawn:

    python -m benchmarks.text edits               strings with injected edits: exact type, precision and recall
    python -m benchmarks.text form                flaws of shape against clean lines and unusual designs
    python -m benchmarks.text form-crops [FOLDER]     real word crops, how many are accused of a flaw of shape, too
    python -m benchmarks.text form-photos [FOLDER]    photos, most without text: how much of it is called illegible

Tables are Markdown, intervals Wilson's at 95 %. Seeds below 100 were used to choose the check's parameters; the default
seeds are not. ``--half tune`` are the fonts and strings that the thresholds on the form were chosen on; the default,
``measure``, shares no font family and no string with them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import data
from benchmarks.commands import Family
from benchmarks.text import drawing, form, signs, wording
from benchmarks.text.measuring import print_wrong
from loupe.brain.checks.text import Text

#: the commands that read pictures, and where those lie
FOLDERS = {"crops": "6_ocr/iiit5k", "photos": data.PHOTOS, "form-crops": "6_ocr/iiit5k", "form-photos": data.PHOTOS}
WORDING = {
    "rendered": "strings in many fonts, with injected edits",
    "digits": "signs of real handwritten digits, with injected edits",
    "empty": "signs with nothing on them",
    "signs": "tiny-signs' own pictures, which a reader of real digits reads",
    "crops": "real word crops with transcripts, all of them right",
    "photos": "photos that do not show the text that is asked for",
}
FORM = {
    "edits": "strings with injected edits: exact type, precision and recall",
    "form": "flaws of shape against clean lines and unusual designs",
    "form-crops": "real word crops, all of them well drawn",
    "form-photos": "photos, most without text",
}


def family() -> Family:
    """Returns the commands."""
    made = Family("text", __doc__)
    for name, description in (WORDING | FORM).items():
        parser = made.command(name, _wording if name in WORDING else _form, description)
        parser.add_argument("--seed", type=int, default=1001)
        if name in FOLDERS:
            parser.add_argument("folder", nargs="?", type=Path, help=f"of the pictures; {FOLDERS[name]} by default")
        if name in WORDING:
            _add_wording(parser)
        else:
            _add_form(parser, None if name == "form-crops" else 40)
        if name == "signs":
            parser.add_argument("--signs", type=Path, help="signs to judge instead of fresh ones: PNGs with prompts")
            parser.add_argument("--reader-cache", type=Path, help="folder that keeps the trained reader")
            parser.add_argument("--steps", type=int, help="of the diffusion: with few steps more of them are wrong")
    return made


def _add_wording(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", type=int, default=256, help="pictures")
    parser.add_argument("--doubt", type=float, default=Text().doubt)
    parser.add_argument("--explain", action="store_true", help="print each wrong verdict on stderr")


def _add_form(parser: argparse.ArgumentParser, n: int | None) -> None:
    parser.add_argument("-n", type=int, default=n, help="pictures of each kind; of all, where they are read")
    parser.add_argument("--half", choices=["tune", "measure"], default="measure")
    parser.add_argument("--photos", type=Path, help="photos to put behind half of the texts")
    parser.add_argument("--fonts", type=Path, help="a folder with further fonts; every other one goes to each half")


def _wording(given: argparse.Namespace) -> None:
    scorer = Text(doubt=given.doubt).load("cpu")
    if given.command == "signs":
        signs.signs(scorer, given.n, given.seed, given.signs, given.reader_cache, given.steps, given.explain)
        return
    if given.command in FOLDERS:
        folder = given.folder or data.required(FOLDERS[given.command])
        measure = {"crops": wording.crops, "photos": wording.photos}[given.command]
        measured = measure(scorer, folder, given.n, given.seed)
    else:
        draw = {"rendered": wording.rendered, "digits": wording.digits, "empty": wording.empty}[given.command]
        measured = draw(scorer, given.n, given.seed)
    if given.explain:
        print_wrong(measured)


def _form(given: argparse.Namespace) -> None:
    scorer = Text(threads=1, backend="ocr").load("cpu")
    if given.command in FOLDERS:
        folder = given.folder or data.required(FOLDERS[given.command])
        measure = {"form-crops": form.crops, "form-photos": form.photos}[given.command]
        measure(scorer, folder, given.half, given.n)
    else:
        chosen = form.Given(given.n, given.half, given.seed, given.photos, given.fonts)
        {"edits": form.edits, "form": form.form}[given.command](scorer, chosen)
    print(f"\nfonts: {', '.join(Path(path).stem for path in drawing.font_files(given.half, given.fonts))}")


if __name__ == "__main__":
    sys.exit(family().main())
