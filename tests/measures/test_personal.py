"""What in a line of text is somebody's: forms, check digits, and what only looks alike."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from loupe.brain.measures.text.personal import KINDS, personal


def kinds(text: str) -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in personal(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jo.b+x@loupe.dev.", [("email", "jo.b+x@loupe.dev")]),
        ("jo @ loupe.dev", [("email", "jo @ loupe.dev")]),
        ("+44 20 7946 0958", [("phone", "+44 20 7946 0958")]),
        ("(212) 456-7890", [("phone", "(212) 456-7890")]),
        ("Tel. 089/1234567", [("phone", "089/1234567")]),
        ("TEL:03-80622388 FAX: 03-8062 2389", [("phone", "03-80622388"), ("phone", "03-8062 2389")]),
        ("4539 1488 0343 6467", [("card", "4539 1488 0343 6467")]),
        ("3782 822463 10005", [("card", "3782 822463 10005")]),  # American Express's own number for tests
        ("DE89 3704 0044 0532 0130 00", [("iban", "DE89 3704 0044 0532 0130 00")]),  # of ISO 13616's own page
        ("GB82WEST12345698765432", [("iban", "GB82WEST12345698765432")]),
        ("123-45-6789", [("ssn", "123-45-6789")]),
        ("call 212 456-7890 or jo@loupe.dev", [("phone", "212 456-7890"), ("email", "jo@loupe.dev")]),
    ],
)
def test_it_is_found_where_it_stands(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Order 1002938475",
        "12/10/2024 14:35",
        "18 MAR 2018 18:25",
        "GST NO: 000656195584",
        "4539 1488 0343 6468",  # the sum is wrong
        "9539 1488 0343 6467",  # nobody issues these
        "DE88 3704 0044 0532 0130 00",
        "000-45-6789 666-45-6789 900-45-6789 123-00-6789 123-45-0000",
        "jo@example.com jo@shop.example.org x@machine.localhost",
        "(212) 555-0123, +1 212 555 0199, Tel 212-555-0100",
        "@lamp #tea 5@6%",
        "48.1372 N, 11.5756 E",
        "ISBN 978-3-16-148410-0",
        "1024 x 1024, 30 steps, seed 3735928559",
        "192.168.100.200",
        "the caller has 1234567 points",
    ],
)
def test_what_is_nobodys_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_a_card_is_a_card_by_the_sum_of_an_independent_table() -> None:
    # Luhn's sum as a table: what each digit counts at a doubled place
    doubled = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
    rng = random.Random(0)
    for _ in range(300):
        number = "4" + "".join(rng.choice("0123456789") for _ in range(15))
        total = sum(doubled[digit] for digit in number[0::2]) + sum(int(digit) for digit in number[1::2])
        assert bool(personal(number)) == (total % 10 == 0), number


def test_none_lies_in_another_and_all_have_a_sentence() -> None:
    rng = random.Random(1)
    letters = "0123456789+-() .@abTel:DE"
    for _ in range(500):
        text = "".join(rng.choice(letters) for _ in range(60))
        seen = personal(text)
        assert all(first.end <= second.start for first, second in pairwise(seen))
        assert {each.kind for each in seen} <= set(KINDS)


def test_a_hostile_line_takes_no_time() -> None:
    # forms that could be tried in many ways
    numbers = ("1-" * 5000, "+" + "1 " * 5000, "DE12" + " A" * 5000, "tel " * 3000)
    for text in (*numbers, "a." * 5000 + "@", "a@" + "b." * 5000):
        assert personal(text) == []
