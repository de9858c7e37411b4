"""API keys: where they come from, and how they stay out of whatever is written or shown."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn
from urllib.parse import quote

from loupe.brain.core.errors import ServiceError

_given: ContextVar[Mapping[str, str] | None] = ContextVar("loupe_secrets", default=None)
_HIDDEN = "***"
# shorter ones would blot out ordinary words, and are no keys
_SHORTEST = 6


class Secret:
    """An API key that shows itself only to who asks for it by name.

    >>> Secret("sk-123456")
    Secret(***)
    >>> Secret("sk-123456").hide("wrong key sk-123456")
    'wrong key ***'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Returns the key; to be used in a header, and nowhere else."""
        return self._value

    def hide(self, text: str) -> str:
        """Returns the text with the key blotted out, also where it was quoted or encoded."""
        if len(self._value) < _SHORTEST:
            return text
        plain = self._value
        encoded = base64.b64encode(plain.encode()).decode()
        for form in (plain, quote(plain, safe=""), json.dumps(plain)[1:-1], encoded, encoded.rstrip("=")):
            text = text.replace(form, _HIDDEN)
        return text

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not written anywhere")


class _Blotting(logging.Filter):
    """Takes keys out of what the libraries that send requests log: a careless service sends one back in a header."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, Secret] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = message
        for secret in list(self.secrets.values()):
            clean = secret.hide(clean)
        if clean != message:
            record.msg, record.args = clean, ()
        return True


_blotting = _Blotting()
# a filter holds for its own logger only, and not for those below it
_LOGGERS = (
    *("httpx2", "openai", "openai._base_client", "openai._legacy_response", "openai._response"),
    *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)


def keep_out_of_logs(secret: Secret) -> None:
    """Takes a key out of whatever the libraries that send requests log from now on."""
    if secret.reveal():
        _blotting.secrets[secret.reveal()] = secret
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_blotting)


#: environment variables of such names hold secrets, whoever's they are; addresses may have a password in them
_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?$", re.IGNORECASE)
_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.IGNORECASE)


def hidden(text: str) -> str:
    """Returns a text without the keys that are used here, the secrets of the environment, or passwords of addresses.

    >>> hidden("cannot reach mongodb://me:pass@host/db")
    'cannot reach mongodb://***@host/db'
    """
    used = [*list(_blotting.secrets.values()), *map(Secret, (_given.get() or {}).values())]
    used += [Secret(value) for name, value in os.environ.items() if _NAMES.search(name)]
    for secret in used:
        text = secret.hide(text)
    return _PASSWORD.sub(rf"\g<1>{_HIDDEN}@", text)


@contextmanager
def given(values: Mapping[str, str | None]) -> Iterator[None]:
    """Inside of it these secrets are used first: those that the App's server resolved."""
    token = _given.set({name: value for name, value in values.items() if value})
    try:
        yield
    finally:
        _given.reset(token)


def known(name: str) -> bool:
    """Returns whether there is a secret of that name."""
    return bool(_value(name))


def require(name: str, service: str) -> Secret:
    """Returns a secret: what the App's server resolved, else the environment variable, as FiftyOne itself does.

    Raises:
        ServiceError: there is none, or it is none that a header can carry; with what to do
    """
    value = _value(name)
    if not value:
        raise ServiceError(missing(name, service))
    if not value.isascii() or not value.isprintable() or any(letter.isspace() for letter in value):
        raise ServiceError(
            f"expected {name} to be the API key of {service}, a word of plain letters, got one with other characters: "
            "copy it again"
        )
    return Secret(value)


def optional(name: str) -> Secret:
    """Returns a secret, or an empty one where there is none."""
    return Secret(_value(name))


def missing(name: str, service: str) -> str:
    """Returns what to do where a secret is missing."""
    return (
        f"expected the API key of {service} in the secret {name}, got none. Set the environment variable {name} where "
        "FiftyOne's App (and each `loupe worker`) is started, or in this Python before the call; FiftyOne Enterprise: "
        "add it in the settings, under secrets"
    )


def _value(name: str) -> str:
    values: Mapping[str, Any] = _given.get() or {}
    return str(values.get(name) or os.environ.get(name, "")).strip()
