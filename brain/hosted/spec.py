"""What the specs of hosted generators have in common: their money, their pace, their address."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.core.errors import InputError, ServiceError
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param
from loupe.brain.hosted import addresses, secrets
from loupe.brain.hosted.attempts import Terms
from loupe.brain.hosted.job import Job
from loupe.brain.hosted.price import checked
from loupe.brain.hosted.replies import Service
from loupe.brain.hosted.retry import USUAL, Policy
from loupe.brain.hosted.secrets import Secret

if TYPE_CHECKING:
    from PIL.Image import Image

#: the API key for an address that is not the service's own; such servers often need none
ELSEWHERE = "LOUPE_HOSTED_API_KEY"
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")


@dataclass(frozen=True)
class HostedGenerator(Generator):
    """A generator that draws elsewhere, for money.

    Its images differ from call to call: what is drawn stays, and is not asked for again, by its key.

    Attributes:
        provider: what stands before the colon in ``model="openai:..."``
        service_title: the service's name, as it is shown
        secret: of the API key: an environment variable, or a secret of FiftyOne's
        default_base: the service's address
        prompt_limit: characters
        policy: when to try again
    """

    provider: ClassVar[str]
    service_title: ClassVar[str]
    secret: ClassVar[str]
    default_base: ClassVar[str]
    prompt_limit: ClassVar[int]
    policy: ClassVar[Policy] = USUAL

    model: str = param("", "The service's name of the model.")
    budget: float | None = param(
        None,
        "Dollars for the images of this call, earlier tries at it included; none: no limit. It is never exceeded by "
        "more than one request.",
    )
    price_per_image: float | None = param(
        None, "Dollars for an image, where yours differs from the list or the list has none."
    )
    width: int | None = param(None, "Width in pixels; the service's usual one if empty.", low=16, high=8192)
    height: int | None = param(None, "Height in pixels; the service's usual one if empty.", low=16, high=8192)
    concurrency: int = param(4, "Requests at a time.", low=1, high=64)
    requests_per_minute: int | None = param(
        None, "Requests a minute; as fast as the service lets us if empty.", low=1, high=100_000
    )
    timeout: float = param(300.0, "Seconds to wait for an answer.", low=1, high=3600)
    repeat_unclear: bool = param(
        False, "Ask again, and maybe pay again, for images whose request an earlier call got no answer to."
    )
    base_url: str = param("", "Another address that takes the same requests; the service's own if empty.")

    def price(self) -> float | None:
        """Returns about what an image costs, in dollars: yours, else the list's; None: the list does not have it."""
        checked("price_per_image", self.price_per_image)
        return self.price_per_image if self.price_per_image is not None else self.list_price()

    @abstractmethod
    def list_price(self) -> float | None:
        """Returns what the list says that an image costs, in dollars; None where it says nothing."""

    @abstractmethod
    def service(self, base: str, key: Secret) -> Service:
        """Returns the service, ready to be asked."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Returns what decides the pixels beside the prompt, as the service calls it.

        Raises:
            InputError: the model or the service does not offer that
        """

    def facts(self) -> dict[str, Any]:
        """Returns what decides the pixels beside the request, and what is good to know."""
        base = self._base()
        elsewhere = "" if base == self.default_base else f"@{base}"
        return {
            "model": self.model,
            # nobody outside knows the weights behind a name: the name and the address are all that can be said
            "fingerprint": f"{self.provider}:{self.model}{elsewhere}",
            "device": "hosted",
            **self.settings(),
        }

    def has_key(self) -> bool:
        """Returns whether there is an API key, or none is needed."""
        return self._base() != self.default_base or secrets.known(self.secret)

    def secret_name(self) -> str:
        """Returns the secret that the API key for its address is in."""
        return self.secret if self._base() == self.default_base else ELSEWHERE

    def api_key(self) -> Secret:
        """Returns the API key.

        The service's own key goes to the service's own address only: another address gets the key in ``ELSEWHERE``,
        or none.

        Raises:
            ServiceError: there is none; with what to do
        """
        if self._base() == self.default_base:
            return secrets.require(self.secret, self.service_title)
        return secrets.optional(ELSEWHERE)

    def load(self, device: str) -> GeneratorSession:
        """Returns a session whose ``remote`` opens a job in a folder; ``draw`` keeps no ledger.

        Raises:
            InputError: a setting does not fit, or there is a budget and no price
            ServiceError: there is no API key
            MissingDependency: the service's client is not installed
        """
        self._check()
        price = self.price()
        if self.budget is not None and price is None:
            raise InputError(
                f"expected a price to keep to budget={self.budget:g}, but nobody says what an image of {self.model} "
                "costs with these settings: give price_per_image, or leave the budget out"
            )
        base, facts = self._base(), self.facts()
        key = self.api_key()
        secrets.keep_out_of_logs(key)
        self.service(base, key).close()  # the client is installed
        terms = Terms(price, self.budget, self.concurrency, self.requests_per_minute, self.policy, self.repeat_unclear)

        def remote(folder: Path) -> Job:
            return Job(self.service(base, key), folder, terms, self.unfit)

        return GeneratorSession(
            facts, lambda requests: _drawn(remote, facts, requests), self.concurrency, remote=remote
        )

    def unfit(self, request: Request) -> str | None:
        """Returns what a request asks for that the model does not know: no call can mean that; None where it fits."""
        if request.negative_prompt and not self.takes_negative_prompts():
            return f"{self.model} takes no negative prompt: leave it out"
        return None

    def refusal(self, request: Request) -> str | None:
        """Returns why this one request is not sent; None where it is."""
        if len(request.prompt) > self.prompt_limit:
            return (
                f"{self.service_title} takes prompts of up to {self.prompt_limit:,} characters, and "
                f"{request.prompt[:60]!r}... has {len(request.prompt):,}: shorten it"
            )
        return None

    def takes_negative_prompts(self) -> bool:
        """Returns whether the model knows what not to show."""
        return False

    def _base(self) -> str:
        return addresses.checked_base(self.base_url) if self.base_url else self.default_base

    def _check(self) -> None:
        checked("budget", self.budget)
        if not self.model or not self.model.isprintable() or len(self.model) > 200 or not _MODEL.fullmatch(self.model):
            raise InputError(f"expected the name of a model of {self.service_title}, got {self.model!r}")
        for field in fields(self):
            choices = field.metadata.get("choices")
            if choices and getattr(self, field.name) not in choices:
                raise InputError(
                    f"expected {field.name} to be one of {', '.join(choices)}, got {getattr(self, field.name)!r}"
                )
            low, high, value = field.metadata.get("low"), field.metadata.get("high"), getattr(self, field.name)
            if low is None or high is None or value is None:
                continue
            kinds = (int, float) if field.name == "timeout" else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InputError(f"expected {field.name} to be a number from {low} to {high}, got {value!r}")
        if (self.width is None) != (self.height is None):
            raise InputError("expected width and height together, got one of them")


def _drawn(remote: Callable[[Path], Job], facts: dict[str, Any], requests: Sequence[Request]) -> list[Image]:
    """Draws without a ledger that stays: for a few images of which each is needed."""
    keys = [json_hash([facts, request.to_dict()], default=str) for request in requests]
    images: dict[str, Image] = {}
    with TemporaryDirectory() as folder, remote(Path(folder)) as job:
        for drawn in job.run(list(dict(zip(keys, requests, strict=True)).items())):
            if drawn is not None and drawn.image is None:
                raise ServiceError(f"expected a picture, got none: {drawn.outcome}, {drawn.reason}")
            if drawn is not None and drawn.image is not None:
                images[drawn.key] = drawn.image
    return [images[key].copy() for key in keys]
