"""The failure modes: the labels that stand in the ``failures`` field. This is their only home."""

from __future__ import annotations

from dataclasses import dataclass

from loupe.brain.core.errors import UnknownName


@dataclass(frozen=True)
class FailureMode:
    """One way in which an image, or a set of images, goes wrong.

    Attributes:
        name: the label in the ``failures`` field
        group: the family it belongs to
        title: how the App shows it
        description: what it means, in one sentence
    """

    name: str
    group: str
    title: str
    description: str


_TABLE = """
artifact | blur | Blur | The whole picture is out of focus.
artifact | motion_blur | Motion blur | The picture is smeared along one direction.
artifact | local_blur | Local blur | The subject is blurred while its surroundings are sharp, or the other way round.
artifact | tiling | Tiling | A texture repeats at a fixed period.
artifact | seam | Seam | A straight line where two parts of the picture do not meet.
artifact | halo | Halo | Bright or dark rims along strong edges.
artifact | aliasing | Aliasing | Stair steps along edges that should be smooth.
artifact | color_bleeding | Color bleeding | Color runs over the edge of the thing it belongs to.
exposure | dark | Dark | Even the brightest parts of the picture are dark.
exposure | bright | Bright | Too much light: what is not white is bright, or much of the picture is clipped.
exposure | low_contrast | Low contrast | The tones lie close together, as in haze.
exposure | low_information | Low information | There is next to nothing in the picture.
exposure | odd_aspect | Odd aspect ratio | The picture is far longer than wide, or wider than long.
exposure | odd_size | Odd size | The picture is far smaller or larger than the rest of its set.
exposure | grayscale | Grayscale | The picture has no color.
text | text_substitution | Wrong letters | A letter that the prompt asked for was drawn as another one.
text | text_omission | Missing letters | A letter or word that the prompt asked for is not there.
text | text_duplication | Doubled letters | A letter or word is drawn more often than the prompt asked for.
text | text_distortion | Distorted text | The letters are bent or unevenly spaced.
text | text_mixed_style | Mixed lettering | The letters of one word are drawn in different styles.
text | text_illegible | Illegible text | There is lettering that nobody can read.
text | unrequested_text | Unrequested text | There is text that the prompt did not ask for.
anatomy | hand_malformed | Malformed hand | A hand with a wrong number or shape of fingers.
anatomy | face_malformed | Malformed face | A face with eyes, teeth or features out of place.
anatomy | limb_malformed | Malformed limb | An arm or leg that is missing, doubled or bent where it cannot bend.
anatomy | wrong_proportions | Wrong proportions | Body parts whose sizes do not fit each other.
composition | missing_object | Missing object | An object that the prompt asked for is not there.
composition | wrong_count | Wrong count | Not as many objects as the prompt asked for.
composition | wrong_attribute | Wrong attribute | An object with another color, shape or texture than asked for.
composition | wrong_relation | Wrong relation | Objects that do not stand to each other as asked for.
composition | wrong_size | Wrong relative size | Objects whose relative sizes are not as asked for.
composition | negation_violated | Negation violated | Something is there that the prompt excluded.
hallucination | extra_object | Extra object | Something is there that the prompt did not ask for.
hallucination | repeated_subject | Repeated subject | The subject is drawn several times.
hallucination | watermark | Watermark | A watermark or logo that nobody asked for.
hallucination | overlay | Overlay | User-interface elements, subtitles or captions over the picture.
uncanny | oversmooth_skin | Over-smooth skin | Skin without the texture of skin.
uncanny | symmetric_face | Symmetric face | A face whose halves mirror each other.
object | cut | Cut off | The object reaches the border of the picture, so that a part of it may be missing.
object | tiny | Tiny | The object has so few pixels that little of it can be seen.
safety | nsfw | Not safe for work | The picture is probably sexually explicit.
safety | personal_data | Personal data | Lettering looks like somebody's mail address, telephone, bank or card number.
set | exact_duplicate | Exact duplicate | Another sample has the same bytes or the same pixels.
set | near_duplicate | Near duplicate | Another sample shows nearly the same picture.
set | leak | Leak | Nearly the same picture stands in another split.
set | outlier | Outlier | The picture is far from all others of its set.
set | memorized | Memorized | Nearly the same picture stands in the reference set.
label | label_issue | Label issue | The label is probably wrong.
label | box_issue | Box issue | A box is probably missing, misplaced or mislabelled.
label | mask_issue | Mask issue | A region of the mask is probably missing, misplaced or mislabelled.
file | unreadable | Unreadable | The file cannot be decoded.
"""

#: the name of all failure modes together
ANY = "any"

_rows = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()]

#: every failure mode by name, in the order of the taxonomy
FAILURE_MODES: dict[str, FailureMode] = {
    name: FailureMode(name, group, title, description) for group, name, title, description in _rows
}

_FAMILIES = {mode.group for mode in FAILURE_MODES.values()}


def failure_title(name: str) -> str:
    """Returns how a failure mode is called, or several together, or another outcome.

    >>> failure_title("blur"), failure_title("any"), failure_title("text"), failure_title("eval")
    ('Blur', 'Any failure', 'Text: any', 'eval')
    """
    if name in FAILURE_MODES:
        return FAILURE_MODES[name].title
    if name == ANY:
        return "Any failure"
    return f"{name.capitalize()}: any" if name in _FAMILIES else name


def failure_mode(name: str) -> FailureMode:
    """Returns the failure mode of that name.

    Raises:
        UnknownName: there is none; the nearest name is suggested

    >>> failure_mode("dark").group
    'exposure'
    """
    try:
        return FAILURE_MODES[name]
    except KeyError:
        raise UnknownName("failure mode", name, FAILURE_MODES) from None
