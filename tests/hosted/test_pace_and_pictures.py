"""When requests go, and which bytes are pictures."""

from __future__ import annotations

import io
import time
from email.utils import formatdate

import numpy as np
import pytest
from PIL import Image

from loupe.brain.hosted import web
from loupe.brain.hosted.pictures import decoded
from loupe.brain.hosted.retry import Pace, Policy, retry_after


def test_requests_are_spaced_evenly() -> None:
    now = [100.0]
    pace = Pace(120, clock=lambda: now[0])
    assert [pace.turn() for _ in range(4)] == [0, 0.5, 1.0, 1.5]
    now[0] = 110
    assert pace.turn() == 0
    pace.pause(7)
    assert pace.turn() == 7
    assert pace.turn() == 7.5
    free = Pace(None, clock=lambda: now[0])
    assert [free.turn() for _ in range(3)] == [0, 0, 0]


def test_waits_double_up_to_a_limit() -> None:
    policy = Policy(base=1, longest=10)
    for attempt, longest in enumerate([1, 2, 4, 8, 10, 10], 1):
        waits = [policy.wait(attempt) for _ in range(100)]
        assert longest / 2 <= min(waits) <= max(waits) <= longest
        assert len(set(waits)) > 50


def test_retry_after() -> None:
    assert retry_after("1.5") == 1.5
    assert retry_after("0") == 0
    assert retry_after("-3") == 0
    assert retry_after("99999999") == 3600
    assert 3 <= (retry_after(formatdate(time.time() + 5, usegmt=True)) or 0) <= 5
    assert [retry_after(odd) for odd in (None, "", "soon", "nan", "Fri, 99 Foo")] == [None] * 5


def file_of(image: Image.Image, kind: str) -> bytes:
    made = io.BytesIO()
    image.save(made, kind)
    return made.getvalue()


def test_pictures() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    image.info["text"] = "foreign"
    assert (np.asarray(decoded(file_of(image, "PNG"))) == pixels).all()
    assert decoded(file_of(image, "PNG")).info == {}
    assert decoded(file_of(image, "JPEG")).size == decoded(file_of(image, "WEBP")).size == (9, 8)
    assert decoded(file_of(image.convert("L"), "PNG")).mode == "RGB"
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert decoded(file_of(clear, "PNG")).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("content", [b"", b"no picture", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_picture(content: bytes) -> None:
    with pytest.raises(ValueError, match="no whole PNG, JPEG or WebP"):
        decoded(content)


def test_what_is_cut_off_or_of_another_kind() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for kind in ("PNG", "JPEG", "WEBP"):
        content = file_of(image, kind)
        with pytest.raises(ValueError, match="no whole"):
            decoded(content[: len(content) // 2])
    with pytest.raises(ValueError, match="no whole"):
        decoded(file_of(image, "GIF"))
    with pytest.raises(ValueError, match="9000 x 9000 pixels"):
        decoded(file_of(Image.new("1", (9000, 9000)), "PNG"))


def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    taken = []

    def endless():  # type: ignore[no-untyped-def]
        while True:
            taken.append(1)
            yield b"x" * 100

    with pytest.raises(ValueError, match="too long"):
        web.limited(endless(), 1000)
    assert len(taken) == 11
    assert web.limited(iter([b"ab", b"c"]), 3) == b"abc"


def test_a_reason_is_one_short_line() -> None:
    from loupe.brain.hosted.secrets import Secret

    line = web.reason("a\n\tb\x00\u202e" + "x" * 1000, Secret("xxxxxx"))
    assert line.startswith("a b")
    assert len(line) <= 300
    assert "\n" not in line
    assert web.reason({"code": 3}, Secret("")) == '{"code": 3}'


def test_an_answer_that_is_nested_without_an_end_is_a_broken_one() -> None:
    """``json.loads`` ends such by a ``RecursionError``, which is no ``ValueError``."""
    from contextlib import contextmanager
    from types import SimpleNamespace

    from loupe.brain.core.records import Request
    from loupe.brain.generators.bfl import Bfl
    from loupe.brain.generators.openai_images import OpenAIImages
    from loupe.brain.hosted.replies import Broken
    from loupe.brain.hosted.secrets import Secret

    deep = b'{"a":' * 100_000
    openai = OpenAIImages().service("https://api.openai.com/v1", Secret("sk-012345678"))
    assert isinstance(openai._read(deep), Broken)
    bfl = Bfl().service("https://api.bfl.ai", Secret("sk-012345678"))

    @contextmanager
    def stream(*_: object, **__: object):  # type: ignore[no-untyped-def]
        yield SimpleNamespace(status_code=200, headers={}, iter_bytes=lambda: iter([deep]))

    bfl._web._client = SimpleNamespace(stream=stream)
    assert isinstance(bfl.submit("key", Request("a cup", 3)), Broken)


def test_an_address_of_a_service_is_shown_in_letters() -> None:
    """It stands in the ledger, in errors and in runs, which hold no halves of surrogate pairs."""
    from loupe.brain.hosted import addresses

    assert addresses.shown("https://a.com/\ud800\x07b?key=1") == "https://a.com/??b"
    assert addresses.shown("https://[") == "an address that is none"
