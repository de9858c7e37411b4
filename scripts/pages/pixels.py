"""The pages on what the pixels alone say: exposure and blur, artifacts, duplicates."""

from __future__ import annotations

from pages.cases import Case, Group, cut, mirrored, same, shrunk, turned, with_corner

_SKY = cut(0.33, 0.04, 0.74, 0.3)

_EXPOSURE = Group(
    "Exposure and blur",
    """
    `dark`, `bright` and `low_contrast` come from percentiles of the luma, `blur` from how much detail the picture
    loses when it is averaged, `motion_blur` from what its spectrum lacks along one direction, `local_blur` from how
    soft each block is (the orange veil is its map). `grayscale`, `low_information` and `odd_aspect` are said of what
    has no color, no detail, or a shape like a ribbon; `unreadable` of a file that cannot be decoded, which has no
    picture to show. A style that is meant, such as fog, night or a painted blur, looks like the flaw: exposure is a
    number, not taste, and never abstains. The checks of blur abstain where there are too few pixels or too little
    detail.
    """,
    (
        Case("Finds", "dark", "sd15/Grant-Wood/0", "Even the sky is dark now.", "dark", 0.35),
        Case("Finds", "bright", "sd15/Lawren-Harris/0", "The snow and the sky are lost.", "bright", 3),
        Case("Finds", "low_contrast", "sd15/Giovanni-Tiepolo/3", "As through haze.", "low_contrast", 0.35),
        Case("Finds", "blur", "sd15/Edwin-Deakin/0", "Out of focus all over.", "blur", 1),
        Case("Finds", "motion_blur", "sd15/Wes-Anderson/3", "Smeared along one direction.", "motion_blur", 4, 1),
        Case("Finds", "local_blur", "sd15/Beatrix-Potter/3", "A soft patch in a sharp picture.", "local_blur", 1),
        Case("Finds", "grayscale", "sd15/Bernie-Wrightson/3", "Drawn so by the model: a style, but without color."),
        Case("Finds", "low_information", "sd15/Zao-Wou-Ki/0", "Next to nothing is left.", "low_information", 3),
        Case("Finds", "odd_aspect", "sd15/Alfons-Walde/0", "A ribbon.", "odd_aspect", 0.17),
        Case("Misses", "bright", "sd15/Jordan-Grimmer/3", "Twice the light, on a dark picture.", "bright", 2),
        Case("Misses", "low_contrast", "sd15/Eytan-Zana/3", "A light haze.", "low_contrast", 0.7),
        Case("Misses", "blur", "sd15/Szymon-Biernacki/0", "A slight blur.", "blur", 0.12),
        Case("Misses", "motion_blur", "sd15/Beatrix-Potter/3", "A short smear.", "motion_blur", 1),
        Case("Misses", "local_blur", "gpt4o/091", "A blur so strong that its patch is plain.", "local_blur", 4, 1),
        Case(
            "Abstains",
            "motion_blur",
            "sd15/Edwin-Deakin/3",
            "A thumbnail: shown enlarged.",
            change=shrunk(48),
        ),
        Case("Abstains", "local_blur", "sd15/Wes-Anderson/0", "Only the sky, cut out by us.", change=_SKY),
        Case("Flags wrongly", "low_contrast", "ukbench/08976", "A sound photo that has neither black nor white."),
        Case("Flags wrongly", "local_blur", "sd15/Barclay-Shaw/1", "A painted glow in a sharp sky."),
    ),
)

_ARTIFACTS = Group(
    "Artifacts",
    """
    `tiling` looks for detail that is there again, pixel for pixel, at a fixed shift; `seam` for a straight line
    across which nothing goes on; `halo` for rims that overshoot an edge; `aliasing` for the rhythm that an
    enlargement leaves; `color_bleeding` for color that does not change where the brightness does; `repeated_subject`
    for a part that is drawn again elsewhere. All are judged from one picture, without a model. What was drawn with
    exact repetition, in flat rectangles or with soft color on purpose looks like the flaw, and a strong flaw may
    leave nothing to compare.
    """,
    (
        Case("Finds", "tiling", "sd15/Paul-Cezanne/0", "A patch, repeated over half of it.", "tiling", 50),
        Case("Finds", "seam", "sd15/Lawren-Harris", "A true seam: the model drew four pictures on one sheet."),
        Case("Finds", "seam", "sd15/Edwin-Deakin/3", "Parts displaced by 5 pixels.", "seam", 1),
        Case("Finds", "halo", "sd15/Alfons-Walde/3", "Sharpened too much.", "halo", 2),
        Case("Finds", "aliasing", "sd15/Jordan-Grimmer/3", "Enlarged without smoothing.", "aliasing", 3),
        Case("Finds", "color_bleeding", "sd15/Etel-Adnan/3", "The color is off its edges.", "color_bleeding", 1),
        Case("Finds", "repeated_subject", "gpt4o/007", "A part of the room a second time.", "repeated_subject", 95),
        Case("Misses", "tiling", "sd15/Paul-Cezanne/0", "A small part.", "tiling", 10),
        Case("Misses", "seam", "gpt4o/091", "Parts of parchment, and parchment does not tell.", "seam", 4),
        Case("Misses", "halo", "sd15/Zao-Wou-Ki/0", "Soft paint has few edges that could overshoot.", "halo", 1, 1),
        Case("Misses", "aliasing", "sd15/Jordan-Grimmer/3", "Enlarged by a quarter.", "aliasing", 1.25),
        Case("Misses", "color_bleeding", "sd15/Szymon-Biernacki/3", "Too far off to be matched.", "color_bleeding", 4),
        Case(
            "Misses",
            "repeated_subject",
            "sd15/Chesley-Bonestell/0",
            "A part of the ship again, above it.",
            "repeated_subject",
            95,
        ),
        Case("Abstains", "seam", "sd15/Edwin-Deakin/3", "A thumbnail: shown enlarged.", change=shrunk(48)),
        Case("Abstains", "halo", "sd15/Wes-Anderson/0", "Only the sky, cut out by us.", change=_SKY),
        Case("Abstains", "color_bleeding", "sd15/Nobuyoshi-Araki/0", "There is no color that could run."),
        Case("Flags wrongly", "seam", "sd15/Alice-Bailly/3", "Painted rectangles."),
        Case("Flags wrongly", "halo", "sd15/Will-Eisner/2", "White rims that belong to the drawing."),
        Case("Flags wrongly", "repeated_subject", "ukbench/09040", "Two parts of a letter box that are alike."),
        Case("Flags wrongly", "repeated_subject", "sd15/Wes-Anderson/0", "Windows are meant to be alike."),
        Case("Flags wrongly", "color_bleeding", "ukbench/08976", "Smooth plastic on a mottled carpet."),
    ),
)

_DUPLICATES = Group(
    "Duplicates",
    """
    Two pictures are `exact_duplicate` if their bytes or their pixels are equal, and `near_duplicate` if, laid over
    each other by an affine map, even the tenth of their detail that fits worst is alike: so a turned, cropped or
    recompressed copy is found, and two signs that differ in one digit are not. `leak` and `memorized` are the same
    similarity, between splits and against a reference set. Pairs that look alike are read again at up to 512 pixels a
    side: other entries in one form, or one thing in another color, are another picture; a logo in a corner or a caption
    is not. A logo of more than a fifth of the picture hides too much, and what has no detail is unknown.
    """,
    (
        Case("Finds", "exact_duplicate", "ukbench/09040", "The same pixels twice.", change=same, pair=True),
        Case("Finds", "near_duplicate", "sd15/Makoto-Shinkai/0", "Mirrored by us.", change=mirrored, pair=True),
        Case(
            "Finds",
            "near_duplicate",
            "sd15/Alfons-Walde/0",
            "Cropped by a tenth by us.",
            change=cut(0.06, 0.05, 0.97, 0.96),
            pair=True,
        ),
        Case("Finds", "leak", "ukbench/08976", "Turned by 4 degrees by us.", change=turned(4), pair=True),
        Case("Finds", "memorized", "sd15/Giovanni-Tiepolo/3", "As through haze.", "low_contrast", 0.5, pair=True),
        Case("Misses", "near_duplicate", "sd15/Lawren-Harris/0", "A large stamp.", change=with_corner(0.5), pair=True),
        Case(
            "Misses",
            "near_duplicate",
            "gpt4o/007",
            "Only the right half is left.",
            change=cut(0.5, 0.1, 1, 0.9),
            pair=True,
        ),
        Case("Misses", "leak", "sd15/Grant-Wood/0", "Turned by 20 degrees by us.", change=turned(20), pair=True),
        Case("Abstains", "near_duplicate", "drawn/wall", "Bare plaster, mirrored by us.", change=mirrored, pair=True),
    ),
)

GROUPS = {"exposure-and-blur": _EXPOSURE, "artifacts": _ARTIFACTS, "duplicates": _DUPLICATES}
