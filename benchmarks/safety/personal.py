"""Cards with numbers and addresses, drawn on photos: what is found of somebody's, and what else is taken for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.personal_data import PersonalData
from loupe.brain.imaging.batches import ImageBatch

#: of the fonts that matplotlib carries
_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "DejaVuSerif-Italic", "STIXGeneral")
_NAMES = ("anna", "j.tanaka", "lee_92", "omar+shop", "maria-luisa", "t.okafor")
_DOMAINS = ("gmail.com", "lamp.co.uk", "uni-jena.de", "shop.io", "mail.example.org.br")
_Draw = Callable[[random.Random], str]


def print_personal(n: int) -> None:
    """Prints what is found of n cards of each kind, and how many pictures without any are accused.

    Raises:
        MissingData: the photos are not there
    """
    score = PersonalData().load("cpu")
    photos = data.pixels(data.photos(1), PersonalData.long_side)
    title(f"personal_data: cards drawn on photos, {n} of each kind")
    header("what stands there", "flagged")
    for kind, draw in {**_SOMEBODYS, **_NOBODYS}.items():
        rng = random.Random(f"{kind} 0")
        pictures = [_with_card(photos[at % len(photos)], draw(rng), rng) for at in range(n)]
        row(kind, share(sum(_flagged(score, picture) for picture in pictures), n))
    title("personal_data: pictures without any")
    header("pictures", "flagged")
    crops = data.files(data.at("6_ocr", "iiit5k", "train"))[:400]
    signs = data.pictures(data.at("5_generated", "gpt4o_cases")) + data.pictures(
        data.at("5_generated", "avt_ai_images")
    )
    for name, shown in {
        "photos": photos,
        "word crops (IIIT5K)": data.pixels(crops, None),
        "generated": data.pixels(signs, PersonalData.long_side),
    }.items():
        row(name, share(sum(_flagged(score, picture) for picture in shown), len(shown)))


def _flagged(score: Callable[[ImageBatch], Mapping[str, object]], picture: np.ndarray) -> bool:
    import torch

    height, width = picture.shape[:2]
    pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return bool(score(ImageBatch(("a",), pixels, ((width, height),)))["personal_data"][0] > 0)  # type: ignore[index]


def _with_card(photo: np.ndarray, text: str, rng: random.Random) -> np.ndarray:
    """A card of three lines, a little turned, on a photo that is at least 640 pixels wide."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    font = ImageFont.truetype(str(fonts / f"{rng.choice(_FONTS)}.ttf"), rng.randint(14, 40))
    ink, paper = ((30, 30, 40), (235, 230, 220)) if rng.random() < 0.7 else ((240, 240, 240), (40, 60, 90))
    lines = [rng.choice(("Lamps and tea", "A. Berg", "Open daily")), text, rng.choice(("Thank you", "Main hall"))]
    width = round(max(font.getlength(line) for line in lines)) + 40
    step = round(font.size * 1.5)
    card = Image.new("RGBA", (width, 3 * step + 40), (*paper, 255))
    pen = ImageDraw.Draw(card)
    for at, line in enumerate(lines):
        pen.text((20, 20 + at * step), line, font=font, fill=ink)
    turned = card.rotate(rng.uniform(-6, 6), expand=True, resample=Image.Resampling.BICUBIC)
    whole = Image.fromarray(photo)
    scale = max(1.0, 1.1 * turned.width / whole.width, 1.1 * turned.height / whole.height, 640 / whole.width)
    whole = whole.resize((round(whole.width * scale), round(whole.height * scale)))
    place = (rng.randint(0, whole.width - turned.width), rng.randint(0, whole.height - turned.height))
    whole.paste(turned, place, turned)
    return np.array(whole)


def _digits(rng: random.Random, n: int, first: str = "0123456789") -> str:
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(n - 1))


def _card(rng: random.Random) -> str:
    """A Visa number with the last digit that makes the sum of Luhn's a multiple of ten."""
    body = "4" + _digits(rng, 14)
    for last in "0123456789":
        number = body + last
        total = 0
        for at, digit in enumerate(number):
            value = int(digit) * (2 if at % 2 == 0 else 1)
            total += value // 10 + value % 10
        if total % 10 == 0:
            return " ".join(number[at : at + 4] for at in range(0, 16, 4))
    raise AssertionError(body)


def _off_by_some(number: str, rng: random.Random) -> str:
    return number[:-1] + str((int(number[-1]) + rng.randint(1, 9)) % 10)


def _iban(rng: random.Random) -> str:
    """A German account: the two digits after DE are 98 less the rest of the account, "DE" as 1314 and 00 by 97."""
    account = _digits(rng, 18, "123456789")
    number = f"DE{98 - int(f'{account}131400') % 97:02d}{account}"
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def _national(rng: random.Random) -> str:
    return f"({_digits(rng, 3, '23456789')}) {_digits(rng, 3, '2346789')}-{_digits(rng, 4)}"


_SOMEBODYS: dict[str, _Draw] = {
    "an e-mail address": lambda rng: f"{rng.choice(_NAMES)}@{rng.choice(_DOMAINS)}",
    "a telephone, +44": lambda rng: f"+44 {_digits(rng, 2, '123')} {_digits(rng, 4)} {_digits(rng, 4)}",
    "a telephone, North America": _national,
    "a telephone after a word": lambda rng: f"Tel: 0{_digits(rng, 1, '3456')}-{_digits(rng, 8, '23456789')}",
    "a payment card": _card,
    "a bank account": _iban,
    "a US social security number": lambda rng: (
        f"{_digits(rng, 3, '12345')}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"
    ),
}
_NOBODYS: dict[str, _Draw] = {
    "a date and a time": lambda rng: f"{rng.randint(1, 28):02}/{rng.randint(1, 12):02}/2024 {rng.randint(0, 23):02}:35",
    "an order": lambda rng: f"Order {_digits(rng, 10, '123')}",
    "a price": lambda rng: f"Total {rng.randint(10, 9999)}.{rng.randint(10, 99)} USD",
    "an ISBN": lambda rng: f"ISBN 978-{_digits(rng, 1)}-{_digits(rng, 4)}-{_digits(rng, 4)}-{_digits(rng, 1)}",
    "a card whose sum is wrong": lambda rng: _off_by_some(_card(rng), rng),
    "coordinates": lambda rng: f"{rng.uniform(0, 80):.4f} N, {rng.uniform(0, 170):.4f} E",
    "an address kept for examples": lambda rng: f"{rng.choice(_NAMES)}@example.com",
    "a number kept for fiction": lambda rng: f"({_digits(rng, 3, '23456789')}) 555-01{rng.randint(10, 99)}",
}
