"""Ideogram, known for the texts in its pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import param
from loupe.brain.hosted import price, web
from loupe.brain.hosted.replies import Accepted, Again, Answer, Broken, Failed, Fatal, Lost, Pending, Refused, Reply
from loupe.brain.hosted.secrets import Secret
from loupe.brain.hosted.spec import HostedGenerator

_SEEDS = 2**31
_PATH = re.compile(r"[a-z0-9][a-z0-9-]*")
_ID = re.compile(r"[A-Za-z0-9_=-]{1,200}")
# one that waits too long answers 503, and goes on drawing
_UNCLEAR = web.UNCLEAR_STATUSES | {503}


@dataclass(frozen=True)
class Ideogram(HostedGenerator):
    """Ideogram.

    Each request is sent to be drawn later, and its id stands in the ledger, so that after a crash the image is asked
    for again and not paid again: the service takes no idempotency key. Its rewriting of prompts (magic prompt) is off.

    >>> Ideogram("ideogram-4-5", quality="low").price()
    0.03
    """

    name: ClassVar[str] = "ideogram"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://developer.ideogram.ai/ideogram-api/idempotency"
    license: ClassVar[str] = "Apache-2.0"
    provider: ClassVar[str] = "ideogram"
    service_title: ClassVar[str] = "Ideogram"
    secret: ClassVar[str] = "IDEOGRAM_API_KEY"
    default_base: ClassVar[str] = "https://api.ideogram.ai"
    prompt_limit: ClassVar[int] = 10_000

    model: str = param("ideogram-4-5", "Such as ideogram-4-5, ideogram-4 or ideogram-3.")
    quality: str = param(
        "usual",
        "How much is spent on each image. Of ideogram-4-5 low, medium, high; of older ones turbo, default, quality; "
        "usual: the one in the middle.",
        choices=("usual", "low", "medium", "high", "flash", "turbo", "default", "quality"),
    )

    def list_price(self) -> float | None:
        """Returns what Ideogram's list says."""
        return price.of_ideogram(self.model, self._quality())

    def settings(self) -> dict[str, Any]:
        """Returns quality and size.

        Raises:
            InputError: the model has no such quality, or its name is none
        """
        if not _PATH.fullmatch(self.model):
            raise InputError(f"expected a model such as ideogram-4-5, got {self.model!r}")
        known = price.qualities_of_ideogram(self.model)
        if known and self._quality() not in known:
            raise InputError(f"expected a quality of {self.model} ({', '.join(known)}), got {self.quality!r}")
        return {"quality": self._quality(), "width": self.width, "height": self.height}

    def takes_negative_prompts(self) -> bool:
        """Returns True for ideogram-3: later models have none."""
        return self.model.startswith("ideogram-3")

    def service(self, base: str, key: Secret) -> IdeogramService:
        """Returns the service, ready to be asked."""
        return IdeogramService(self, base, key)

    def by_speed(self) -> bool:
        """Returns whether the model calls its quality a rendering speed."""
        return self.model in ("ideogram-3", "ideogram-4")

    def _quality(self) -> str:
        if self.quality != "usual":
            return self.quality
        return "default" if self.by_speed() else "medium"


class IdeogramService(web.WebService):
    """Submits a request, and polls its id."""

    def __init__(self, spec: Ideogram, base: str, key: Secret) -> None:
        super().__init__(spec, base, web.Web(base, {"Api-Key": key.reveal()}, key, "", spec.timeout))

    def submit(self, key: str, request: Request) -> Reply:
        """Asks for an image; no answer may mean that it is drawn."""
        refusal = self._spec.refusal(request)
        if refusal is not None:
            return Failed(refusal)
        seed = request.seed % _SEEDS
        response = self._web.ask(
            "POST", f"{self._base}/v2/image/generate/{self._spec.model}", self._body(request, seed)
        )
        if not isinstance(response, web.Response):
            return response
        body = response.body if isinstance(response.body, dict) else {}
        if response.status in (200, 201, 202):
            ticket = body.get("generation_id")
            if isinstance(ticket, str) and _ID.fullmatch(ticket):
                return Accepted(ticket, None, {"seed": seed})
            return Broken("the answer has no generation_id")
        message = self._web.reason(body.get("error") or body.get("detail") or "")
        if response.status == 422:
            return Refused(message or "the prompt failed the safety check")
        if response.status == 404:
            return Fatal(f"{self.title} does not know {self._spec.model} (HTTP 404)")
        known = web.common(response, message, self.title, self._spec.secret_name(), _UNCLEAR)
        return known or Failed(f"HTTP {response.status}: {message}")

    def collect(self, ticket: str) -> Reply:
        """Asks what became of an image, and takes it."""
        response = self._web.ask("GET", f"{self._base}/v2/generations/{ticket}")
        if not isinstance(response, web.Response):
            return response
        body = response.body if isinstance(response.body, dict) else {}
        if response.status == 404:
            return Lost("the service knows the request no more")
        if response.status != 200 or not body:
            known = web.common(response, "", self.title, self._spec.secret_name(), frozenset())
            return known or Again(f"HTTP {response.status}")
        status = body.get("status")
        if status == "failed":
            # documented: it is not billed, and may be asked for anew
            return Again(f"it failed: {self._web.reason(body.get('failure_reason') or 'no reason given')}", void=True)
        return self._taken(body) if status == "completed" else Pending()

    def _taken(self, body: dict[str, Any]) -> Reply:
        data = body.get("data")
        item = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
        cost = self._cost(body)
        if item.get("is_image_safe") is False:
            # documented: it is billed all the same
            return Refused("the picture failed the safety check", cost)
        url, seed = item.get("url"), item.get("seed")
        if not isinstance(url, str) or not url:
            return Again("the answer has no picture")
        taken = self._web.fetch(url)
        facts = {"seed": seed} if isinstance(seed, int) and not isinstance(seed, bool) else {}
        return Answer(taken.content, cost, facts) if isinstance(taken, Answer) else taken

    def _cost(self, body: dict[str, Any]) -> float | None:
        micros = body.get("usage_cost_usd_micros")
        if self._spec.price_per_image is not None or isinstance(micros, bool):
            return None
        return micros / 1e6 if isinstance(micros, int) and micros > 0 else None

    def _body(self, request: Request, seed: int) -> dict[str, Any]:
        size = f"{self._spec.width}x{self._spec.height}" if self._spec.width else None
        body = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt or None,
            "magic_prompt": "off",
            "seed": seed,
            "num_images": 1,
            "async": True,
            "resolution": size,
            "rendering_speed" if self._spec.by_speed() else "quality": self._settings["quality"],
        }
        return {name: value for name, value in body.items() if value is not None}
