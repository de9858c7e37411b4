"""What of lettering, watermarks and interfaces a prompt asks for: what it asks for is no flaw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from loupe.brain.core.records import Record
from loupe.brain.core.strings import comparable
from loupe.brain.prompts.cleaned import cleaned, prompt_text
from loupe.brain.prompts.requested_text import requested_text

_WATERMARK = re.compile(
    r"\b(?:watermark(?:s|ed|ing)?|logos?|signature|signed\s+by|copyright\s+(?:notice|mark|line)|brand\s+mark|"
    r"company\s+stamp)\b|透かし|ウォーターマーク|ロゴ|署名|サイン入り|水印|标志|워터마크|로고",
    re.IGNORECASE,
)
_INTERFACE = re.compile(
    r"\b(?:screen\s?(?:shots?|grabs?|captures?)|user\s+interfaces?|interfaces?|ui|ux|gui|hud|app|apps|web\s?(?:sites?|"
    r"pages?)|dashboards?|subtitles?|subtitled|captions?|captioned|time\s?stamps?|date\s?stamps?|vhs|camcorder|cctv|"
    r"(?:security|surveillance|dash|body|doorbell)\s?cam(?:era)?s?|video\s+(?:player|game|call)s?|live\s?streams?|"
    r"memes?|(?:menu|tool|progress|status)\s?bars?|(?:start|play|download|subscribe)\s+buttons?|cursors?|"
    r"news\s+(?:broadcast|report|ticker)|lower\s+thirds?|"
    r"speech\s+bubbles?|comics?|manga|letter\s?box(?:ed)?|title\s+cards?|posters?|infographics?|"
    r"(?:magazine|book|album)\s+covers?|flyers?|advert(?:s|isements?)?|thumbnails?|trading\s+cards?)\b|"
    r"字幕|スクリーンショット|ポスター|タイムスタンプ|漫画|截图|界面|海报|자막|스크린샷",
    re.IGNORECASE,
)
#: "no", and up to six words or items of a list before what is excluded
_EXCLUDES = re.compile(
    r"\b(?:no|not|without|free\s+of|devoid\s+of|never|avoid(?:ing)?|remove[ds]?|exclud(?:e|es|ing))\b(?:\s+|\s*,\s*)"
    r"(?:[\w-]+(?:\s*,\s*|\s+)){0,6}$",
    re.IGNORECASE,
)
_EXCLUDED_AFTER = re.compile(r"^[\w\s]{0,3}(?:-free\b|なし|無し|のない|は(?:入れ)?ない|を(?:入れ|含ま)ない|없)")
_EXCLUDED_BEFORE = re.compile(r"(?:没有|無|无|不要|去除)\S{0,4}$")
#: a reading is what was asked for if so much of it agrees: small letters are misread
_ALIKE = 0.7


@dataclass(frozen=True)
class RequestedOverlays(Record):
    """What of lettering, watermarks and interfaces a prompt asks for.

    Attributes:
        texts: to be written, as the prompt has them
        words: the words of these and of the names in the prompt, as they are compared (``core.strings.comparable``)
        watermark: a watermark, a logo or a signature
        interface: a screenshot, subtitles, a poster or the like, which have lettering laid over them
        lettering: lettering, without saying which
    """

    texts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    watermark: bool = False
    interface: bool = False
    lettering: bool = False

    def wants(self, text: str) -> bool:
        """Returns whether a line that was read is, for the most part, among the words.

        >>> requested_overlays('a shop with the sign "OPEN DAILY"').wants("0PEN")
        True
        """
        read = [word for word in map(comparable, text.split()) if word]
        if not read or not self.words:
            return False
        whole = "".join(self.words)
        joined = "".join(read)
        if len(joined) >= 3 and (joined in whole or _alike(joined, whole)):
            return True
        good = sum(len(word) for word in read if any(_alike(word, requested) for requested in self.words))
        return good >= 0.6 * len(joined)


def requested_overlays(prompt: object) -> RequestedOverlays:
    """Returns what a prompt asks for; nothing where there is none.

    Args:
        prompt: a text in any language, or a list of texts; anything else, and an empty one, asks for nothing

    >>> requested_overlays("a forest, no text, no watermark").watermark
    False
    >>> requested_overlays("a screenshot of a mail program").interface
    True
    """
    given = prompt_text(prompt)
    if given is None:
        return RequestedOverlays()
    prompt, text = cleaned(given).text, requested_text(given)
    named = [word for name in text.names for word in name.split()]
    words = tuple(word for word in map(comparable, dict.fromkeys((*text.words, *named))) if word)
    return RequestedOverlays(text.texts, words, _names(_WATERMARK, prompt), _names(_INTERFACE, prompt), text.open_ended)


def _names(what: re.Pattern[str], prompt: str) -> bool:
    """Whether it is named, and not only to exclude it."""
    for hit in what.finditer(prompt):
        before, after = prompt[max(0, hit.start() - 80) : hit.start()], prompt[hit.end() : hit.end() + 12]
        excluded = _EXCLUDES.search(before) or _EXCLUDED_BEFORE.search(before) or _EXCLUDED_AFTER.match(after)
        if not excluded:
            return True
    return False


def _alike(a: str, b: str) -> bool:
    if a == b:
        return True
    if abs(len(a) - len(b)) > 0.5 * max(len(a), len(b)):
        return False
    return SequenceMatcher(None, _folded(a), _folded(b), autojunk=False).ratio() >= _ALIKE


def _folded(text: Sequence[str] | str) -> str:
    return "".join(text).translate(str.maketrans("0157", "olst"))
