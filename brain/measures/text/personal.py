"""What in a line of text looks like somebody's personal data: addresses and numbers that have a form of their own.

Names, street addresses and plates have none and are not looked for. What standards keep for examples is nobody's:
the domains of RFC 2606, and the numbers 555-0100 to 555-0199 of North America.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from loupe.brain.core.records import Record

#: what can be found, by name
KINDS = {
    "email": "an e-mail address",
    "phone": "a telephone number",
    "card": "the number of a payment card",
    "iban": "the number of a bank account",
    "ssn": "a social security number of the US",
}
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}\s?@\s?((?:[\w-]{1,63}\.)+[A-Za-z]{2,24})(?![\w-])")
_EXAMPLES = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)
_DIGITS = r"\d(?:[ .\-()/]{0,2}\d)"
_END = r"(?![ .\-()/]{0,2}\d)"
#: with its country's code: ITU-T E.164 has up to 15 digits
_INTERNATIONAL = re.compile(rf"(?<![\w+])\+\s?{_DIGITS}{{7,14}}{_END}")
#: North America: area and exchange begin with 2 to 9
_NATIONAL = re.compile(r"(?<![\w.+-])(?:1[ .-])?\(?([2-9]\d\d)\)?[ .-]{1,2}([2-9]\d\d)[ .-](\d{4})(?![\w-])")
#: any number of so many digits, where a word says that it is a telephone's
_NAMED = re.compile(
    rf"\b(?:tel(?:efon|[ée]phone|ephone)?|phone|mobile?|cell|fax|call|whatsapp)\b[\s.:#]{{0,4}}(?P<number>\(?0?{_DIGITS}{{5,14}}){_END}",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.])")
#: first digits and lengths of cards: Visa, Mastercard, American Express, Discover, JCB, UnionPay (ISO/IEC 7812)
_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\s?\d{2}(?:\s?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
#: areas 000, 666 and from 900 on, group 00 and serial 0000 are given to nobody
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")


@dataclass(frozen=True)
class Personal(Record):
    """What looks like personal data.

    Attributes:
        kind: of ``KINDS``
        start, end: where in the text it stands
    """

    kind: str
    start: int
    end: int


def personal(text: str) -> list[Personal]:
    """Returns what in a line of text looks like personal data, from left to right; none lies in another.

    Check digits are held to where there are some: of cards (Luhn, ISO/IEC 7812-1) and of accounts (ISO 13616).

    >>> [each.kind for each in personal("call +44 20 7946 0958 or write to jo@loupe.dev")]
    ['phone', 'email']
    >>> personal("4539 1488 0343 6467"), personal("4539 1488 0343 6468")
    ([Personal(kind='card', start=0, end=19)], [])
    >>> personal("jo@example.com, 212-555-0123, 10/12/2024")
    []
    """
    chosen: list[Personal] = []
    for kind, form, holds in _FORMS:
        for match in form.finditer(text):
            start, end = match.span("number" if "number" in form.groupindex else 0)
            free = all(end <= other.start or other.end <= start for other in chosen)
            if free and holds(text[start:end]):
                chosen.append(Personal(kind, start, end))
    return sorted(chosen, key=lambda each: each.start)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _is_fictional(number: str) -> bool:
    """Whether the last seven digits are kept for fiction in North America."""
    return _digits(number)[-7:-2] == "55501"


def _is_card(text: str) -> bool:
    number = _digits(text)
    if not _ISSUERS.fullmatch(number):
        return False
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    number = re.sub(r"\s", "", text)
    return 15 <= len(number) <= 34 and int("".join(str(int(each, 36)) for each in number[4:] + number[:4])) % 97 == 1


#: each kind's forms and what else has to hold: those with check digits before those that they may lie in
_FORMS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("iban", _IBAN, _is_iban),
    ("card", _CARD, _is_card),
    ("ssn", _SSN, lambda _: True),
    ("email", _EMAIL, lambda address: not _EXAMPLES.search(address.rpartition("@")[2].strip())),
    ("phone", _INTERNATIONAL, lambda number: not _is_fictional(number)),
    ("phone", _NATIONAL, lambda number: not _is_fictional(number)),
    ("phone", _NAMED, lambda number: not _is_fictional(number)),
)
