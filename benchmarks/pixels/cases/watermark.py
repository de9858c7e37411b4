"""Cases of watermark: other marks than the defect's, lettering on things, photos that have a watermark already."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.pixels.cases.scene_lettering import KINDS, close_ups, in_scene
from benchmarks.pixels.changes import Change, chain, gray, jpeg, noise
from benchmarks.pixels.sets import Sets, read_sets
from loupe.brain.engine.reader import read
from loupe.brain.measures.overlays.drawing import blended, put

#: ImageNet's classes that show lettering: on packages, boats, shop fronts, sheets, instruments
LETTERED = (
    "abacus", "bakery", "baseball", "bullet_train", "butcher_shop", "CD_player", "crate", "electric_locomotive",
    "entertainment_center", "envelope", "face_powder", "freight_car", "hand_blower", "jersey", "joystick", "laptop",
    "minibus", "minivan", "moving_van", "odometer", "oscilloscope", "oxygen_mask", "photocopier", "plastic_bag",
    "projectile", "reel", "reflex_camera", "rubber_eraser", "scale", "scoreboard", "screw", "steam_locomotive",
    "submarine", "tank", "trailer_truck", "water_bottle", "water_tower", "red_wine", "hip",
)  # fmt: skip
#: photos with a name, an address, a signature or a logo laid over them, by eye
MARKED: tuple[str, ...] = (
    "n01614925_bald_eagle.JPEG", "n01667778_terrapin.JPEG", "n01689811_alligator_lizard.JPEG",
    "n01748264_Indian_cobra.JPEG", "n01751748_sea_snake.JPEG", "n01828970_bee_eater.JPEG", "n02074367_dugong.JPEG",
    "n02088632_bluetick.JPEG", "n02093256_Staffordshire_bullterrier.JPEG", "n02097209_standard_schnauzer.JPEG",
    "n02105162_malinois.JPEG", "n02124075_Egyptian_cat.JPEG", "n02276258_admiral.JPEG", "n02319095_sea_urchin.JPEG",
    "n02808440_bathtub.JPEG", "n03445777_golf_ball.JPEG", "n03483316_hand_blower.JPEG", "n03841143_odometer.JPEG",
    "n03868863_oxygen_mask.JPEG", "n04033901_quill.JPEG", "n04067472_reel.JPEG", "n04069434_reflex_camera.JPEG",
    "n04153751_screw.JPEG", "n04389033_tank.JPEG", "n04476259_tray.JPEG", "n07720875_bell_pepper.JPEG",
    "n09288635_geyser.JPEG", "n11939491_daisy.JPEG", "n13044778_earthstar.JPEG", "000000007088.jpg",
    "000000007278.jpg",
)  # fmt: skip
#: photos with a caption, a date or a poster's words laid over them, by eye
CAPTIONED: tuple[str, ...] = (
    "n01748264_Indian_cobra.JPEG", "n03642806_laptop.JPEG", "n03777568_Model_T.JPEG", "n03796401_moving_van.JPEG",
    "n04347754_submarine.JPEG", "n04367480_swab.JPEG",
)  # fmt: skip
#: quarters (0 to 3, row by row) of Stable Diffusion's 2 x 2 grids that have a signature or the like, by eye
SIGNED = {
    "Alberto-Morrocco": (0, 2, 3), "Alberto-Seveso": (1,), "Debbie-Criswell": (2,), "Edwin-Deakin": (0,), "Erte": (0,),
    "Frank-Frazetta": (1, 3), "Gaston-Bussiere": (0,), "Gil-Elvgren": (0,), "Govert_Flinck": (3,),
    "Hayv-Kahraman": (0, 2), "Henri-de-Toulouse-Lautrec": (3,), "Howard-Terpning": (3,), "Jean-Metzinger": (3,),
    "John_Berkey": (3,), "Lawren-Harris": (0,), "Leo-Putz": (3,), "Louis_Icart": (3,), "Paul-Catherall": (1, 3),
    "Ralph-Steadman": (3,), "Richard-Corben": (2,), "Saul-Tepper": (3,), "Szymon-Biernacki": (2,),
}  # fmt: skip
#: grids in which it cannot be told whether a quarter is signed
UNSURE = ("Derek_Gores", "Shinji-Aramaki", "Shaun-Tan", "Utagawa-Kunisada", "Paul-Rand", "Sachin-Teng")


def written(text: str, height: int, face: int) -> np.ndarray:
    """One line in one of OpenCV's stroke fonts, as a (h, w) float32 mask: none of the defects is drawn with them."""
    import cv2

    scale, thick = height / 22, max(1, height // 12)
    (wide, high), below = cv2.getTextSize(text, face, scale, thick)
    mask = np.zeros((high + below + 2 * thick, wide + 2 * thick), np.uint8)
    cv2.putText(mask, text, (thick, high + thick), face, scale, 255, thick, cv2.LINE_AA)
    return mask.astype(np.float32) / 255


def marked(text: str, share: float, opacity: float, place: str, face: int) -> Change:
    """The text at that share of the short side: in a corner, below the middle, or in rows over all of it."""

    def change(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        short = min(height, width)
        line = written(text, max(8, round(share * short)), face)[:, : width - 4]
        mask = np.zeros((height, width), np.float32)
        margin = round(0.03 * short)
        if place == "corner":
            put(mask, line, width - margin - line.shape[1], height - margin - line.shape[0])
        elif place == "band":
            put(mask, line, (width - line.shape[1]) // 2, round(0.6 * height))
        else:
            for row, top in enumerate(range(margin, height, 3 * line.shape[0])):
                for left in range(-(row % 2) * line.shape[1] // 2, width, round(1.3 * line.shape[1])):
                    put(mask, line, left, top)
        under = float(pixels[mask > 0.5].mean()) if (mask > 0.5).any() else 0.0
        return blended(pixels, mask, (0, 0, 0) if under > 150 else (255, 255, 255), opacity)

    return change


def emblem(pixels: np.ndarray) -> np.ndarray:
    """A mark without letters in a corner: a star in a ring, half transparent."""
    height, width = pixels.shape[:2]
    side = max(8, round(0.1 * min(height, width)))
    y, x = (np.mgrid[:side, :side] + 0.5) / side * 2 - 1
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    star = radius < 0.4 + 0.25 * np.cos(5 * angle)
    mask = np.zeros((height, width), np.float32)
    put(mask, (star | ((radius > 0.85) & (radius < 1))).astype(np.float32), width - side - 10, height - side - 10)
    return blended(pixels, mask, (255, 255, 255), 0.6)


def on_a_thing(text: str, painted: bool) -> Change:
    """Lettering that belongs to the scene: on a board in perspective, or painted on what is there, in its light."""
    import cv2

    def change(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        rng = np.random.default_rng(pixels.size)
        line = written(text, 60, cv2.FONT_HERSHEY_DUPLEX)
        wide, high = line.shape[1] + 60, line.shape[0] + 50
        board = np.zeros((high, wide), np.float32)
        put(board, line, 30, 25)
        size = width * rng.uniform(0.25, 0.45)
        tall = size * high / wide
        left, top = rng.uniform(0.1, 0.9) * (width - size), rng.uniform(0.15, 0.85) * (height - tall)
        corners = np.array([[0, 0], [size, 0], [size, tall], [0, tall]]) + (left, top)
        corners += rng.uniform(-0.2, 0.2, (4, 2)) * tall
        source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
        ink = cv2.GaussianBlur(cv2.warpPerspective(board, matrix, (width, height)), (0, 0), 0.8)
        plate = cv2.GaussianBlur(cv2.warpPerspective(np.ones_like(board), matrix, (width, height)), (0, 0), 0.8)
        y, x = np.mgrid[:height, :width]
        light = (0.75 + 0.25 * np.sin(x / width * 4 + rng.uniform(0, 6)) * np.cos(y / height * 3))[..., None]
        made = pixels.astype(np.float32)
        if not painted:
            ground = rng.uniform(40, 230, 3) * light + rng.normal(0, 4, pixels.shape)
            made = made * (1 - plate[..., None]) + ground * plate[..., None]
        shade = cv2.GaussianBlur(made, (0, 0), 3).mean(2, keepdims=True)
        letters = (20 + 0.3 * shade if made[ink > 0.5].mean() > 120 else 150 + 0.5 * shade) * light
        made = made * (1 - ink[..., None]) + (letters + rng.normal(0, 4, pixels.shape)) * ink[..., None]
        return made.round().clip(0, 255).astype(np.uint8)

    return change


#: what is written on the drawn things; the weights have seen other words
_WORDS = {
    "road sign": (("HALT",), ("Harlow 12", "Exit 4"), ("KEEP LEFT",), ("Mill Lane",)),
    "shop sign": (("GREEN LEAF",), ("Tailor",), ("FISH & CHIPS",)),
    "number plate": (("KX 52 TRW",), ("914 HUB",)),
    "shirt": (("GREEN LEAF",), ("DENVER",), ("Runners club",)),
    "package": (("RICE", "500 g"), ("Orange tea",)),
    "poster": (("SUMMER", "Jazz night", "14 May"), ("CIRCUS",)),
    "screen": (("File  Edit  View", "Save changes?"), ("Gate 14", "Boarding")),
    "clock": (("12:45",), ("06:30",)),
    "sign close up": (("GREEN LEAF",), ("Tailor",), ("HALT",), ("Garden",)),
}


def with_a_thing(kind: str) -> Change:
    """A thing of the scene with lettering on it, of ``scene_lettering.KINDS``, in one of OpenCV's fonts."""

    def change(pixels: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng((zlib.crc32(pixels.tobytes()), KINDS.index(kind)))
        texts = _WORDS[kind][rng.integers(len(_WORDS[kind]))]
        face = (0, 2, 3, 4)[rng.integers(4)]
        made = in_scene(pixels, kind, texts, lambda text, height: written(text, height, face), rng)
        return jpeg(int(rng.integers(70, 96)))(made)

    return change


def turned(pixels: np.ndarray) -> np.ndarray:
    """Upside down."""
    return np.ascontiguousarray(pixels[::-1, ::-1])


DEFECTS: dict[str, Change] = {
    "a signature in a corner, 80 %": marked("K. Moreau", 0.05, 0.8, "corner", 7),
    "an address in a corner, 40 %": marked("www.harborview.org", 0.03, 0.4, "corner", 4),
    "the same, then JPEG 60": chain(marked("www.harborview.org", 0.03, 0.4, "corner", 4), jpeg(60)),
    "level rows of a word, 20 %": marked("EVALUATION", 0.04, 0.2, "rows", 2),
    "the same, upside down": chain(marked("EVALUATION", 0.04, 0.2, "rows", 2), turned),
    "a word below the middle, 30 %": marked("Not for sale", 0.09, 0.3, "band", 3),
    "an emblem without letters": emblem,
}
NEGATIVES: dict[str, Change] = {
    "a board in perspective": on_a_thing("FRESH BREAD", False),
    "a boat's name": on_a_thing("Marianne IV", True),
    **{f"drawn: {kind}": with_a_thing(kind) for kind in KINDS},
    "upside down": turned,
    "JPEG 30": jpeg(30),
    "noise of 10 levels": noise(10),
    "grey": gray,
}


@cache
def digests(names: tuple[str, ...]) -> frozenset[int]:
    """The checksums of the pixels of photos, as the benchmark reads them."""
    paths = [path for name in names for path in data.at(data.PHOTOS).rglob(name)]
    return frozenset(zlib.crc32(pixels.tobytes()) for pixels in data.pixels(paths))


def is_clean(photo: np.ndarray) -> bool:
    """Returns whether nothing is laid over the photo already."""
    return zlib.crc32(photo.tobytes()) not in digests(MARKED + CAPTIONED)


def scenes() -> Sets:
    """Lettering that belongs to what is shown: streets, sheets, packages; odd places, which no weight has seen."""
    streets = sorted(data.at("2_blur/icdar15_test_motionblurred").rglob("*.jpg"))[1::2][:40]
    receipts = sorted(data.at("6_ocr/sroie_receipts").rglob("*.jpg"))
    photos = data.files(data.at(data.IMAGENET))[1::2]
    lettered = [p for p in photos if p.stem.partition("_")[2] in LETTERED and p.name not in MARKED + CAPTIONED]
    sets = {"streets with signs": streets, "receipts": receipts, "ImageNet, things with lettering": lettered}
    made = read_sets("hard negative", sets)
    words = close_ups(1)
    return made | ({"words of signs, close up": ("hard negative", words)} if words else {})


def by_eye(names: Sequence[str]) -> list[Path]:
    """The photos of these names, of those that no threshold has seen."""
    photos = data.files(data.at(data.IMAGENET))[1::2] + data.files(data.at(data.COCO))
    return [path for path in photos if path.name in names]


def generated(signed: bool) -> Sets:
    """Pictures of Stable Diffusion: quarters of grids with a signature, and others without, by eye."""
    folder = data.at("5_generated")
    grids = [path for path in sorted((folder / "sd15_2x2_grids").rglob("*.webp")) if path.stem not in UNSURE]
    places = [(slice(y, y + 512), slice(x, x + 512)) for y in (0, 512) for x in (0, 512)]
    marked = [(path, at) for path in grids for at in SIGNED.get(path.stem, ())]
    plain = [(path, place) for place, path in enumerate(grids) if path.stem not in SIGNED]
    single = [p for name in ("pal4vst_text2image_sd", "avt_ai_images") for p in sorted((folder / name).rglob("*.*g"))]
    made: Sets = {}
    if signed and marked:
        made["generated, signed"] = ("defect", [read(path).pixels[places[at]] for path, at in marked])
    if plain or single:
        quarters = [read(path).pixels[places[place % 4]] for path, place in plain]
        made["generated, not signed"] = ("hard negative", [*quarters, *data.pixels(single)])
    return made


def real() -> Sets:
    marked = read_sets("defect", {"photos with a watermark, by eye": by_eye(MARKED)})
    return marked | scenes() | generated(True)
