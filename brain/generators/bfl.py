"""FLUX from Black Forest Labs."""

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
_PATH = re.compile(r"[a-z0-9][a-z0-9.-]*")
_CENT = 0.01


@dataclass(frozen=True)
class Bfl(HostedGenerator):
    """Black Forest Labs FLUX.

    A request is accepted at once and drawn later: its polling address stands in the ledger, so that after a crash the
    image is asked for again and not paid again. It takes a seed; the same seed need not give the same pixels for good,
    as nobody says when the weights behind a name change.

    >>> Bfl("flux-2-pro").price()
    0.045
    """

    name: ClassVar[str] = "bfl"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://docs.bfl.ai/quick_start/generating_images"
    license: ClassVar[str] = "Apache-2.0"
    provider: ClassVar[str] = "bfl"
    service_title: ClassVar[str] = "Black Forest Labs"
    secret: ClassVar[str] = "BFL_API_KEY"
    default_base: ClassVar[str] = "https://api.bfl.ai"
    prompt_limit: ClassVar[int] = 32_000

    model: str = param("flux-2-pro", "Such as flux-2-pro, flux-2-max, flux-2-klein-9b or flux-pro-1.1.")

    def list_price(self) -> float | None:
        """Returns what Black Forest Labs' list says; a megapixel that is begun counts."""
        return price.of_bfl(self.model, self.width or 1024, self.height or 1024)

    def settings(self) -> dict[str, Any]:
        """Returns the size.

        Raises:
            InputError: it is not offered, or the model's name is none
        """
        if not _PATH.fullmatch(self.model):
            raise InputError(f"expected a model such as flux-2-pro, got {self.model!r}")
        width, height = self.width or 1024, self.height or 1024
        step, longest = (32, 1440) if self.model.startswith("flux-pro") else (16, 2048)
        if width % step or height % step or not (min(width, height) >= 256 and max(width, height) <= longest):
            raise InputError(
                f"expected a size that {self.model} offers (256 to {longest}, multiples of {step}), "
                f"got {width} x {height}"
            )
        return {"width": width, "height": height}

    def service(self, base: str, key: Secret) -> BflService:
        """Returns the service, ready to be asked."""
        return BflService(self, base, key)


class BflService(web.WebService):
    """Submits a request, and polls the address that it got for it."""

    def __init__(self, spec: Bfl, base: str, key: Secret) -> None:
        super().__init__(
            spec,
            base,
            web.Web(base, {"x-key": key.reveal(), "accept": "application/json"}, key, "bfl.ai", spec.timeout),
        )

    def submit(self, key: str, request: Request) -> Reply:
        """Asks for an image; there is no idempotency key, and no answer may mean that it is drawn."""
        refusal = self._spec.refusal(request)
        if refusal is not None:
            return Failed(refusal)
        seed = request.seed % _SEEDS
        body = {"prompt": request.prompt, "seed": seed, "output_format": "png", **self._settings}
        response = self._web.ask("POST", f"{self._base}/v1/{self._spec.model}", body)
        if not isinstance(response, web.Response):
            return response
        if response.status == 200 and isinstance(response.body, dict):
            ticket = response.body.get("polling_url")
            if isinstance(ticket, str) and ticket:
                return Accepted(ticket, self._cost(response.body), {"seed": seed})
        if response.status == 200:
            return Broken("the answer has no polling address")
        return self._refused(response)

    def collect(self, ticket: str) -> Reply:
        """Asks what became of an image, and takes it."""
        response = self._web.ask("GET", ticket)
        if not isinstance(response, web.Response):
            return response
        body = response.body if isinstance(response.body, dict) else {}
        status = body.get("status")
        if response.status == 404 or status == "Task not found":
            return Lost("the service knows the request no more")
        if response.status != 200 or not body:
            known = self._refused(response)
            return known if isinstance(known, Again | Fatal) else Again(f"HTTP {response.status}")
        if status == "Request Moderated":
            return Refused(self._moderated(body, "the prompt was moderated"))
        if status == "Content Moderated":
            # whether it is billed is nowhere stated: it counts
            return Refused(self._moderated(body, "the picture was moderated"), None)
        if status == "Ready":
            return self._taken(body)
        if status in ("Error", "Failed"):
            return Lost(f"the service failed on it: {self._web.reason(body.get('details') or '')}")
        return Pending()

    def _taken(self, body: dict[str, Any]) -> Reply:
        result = body.get("result")
        url = result.get("sample") if isinstance(result, dict) else None
        if not isinstance(url, str):
            return Again("the answer has no picture")
        taken = self._web.fetch(url)
        return Answer(taken.content, self._cost(body)) if isinstance(taken, Answer) else taken

    def _moderated(self, body: dict[str, Any], message: str) -> str:
        details = body.get("details")
        return f"{message}: {self._web.reason(details)}" if details else message

    def _cost(self, body: dict[str, Any]) -> float | None:
        """Returns the dollars of an answer's credits, of which each is a cent."""
        credits = body.get("cost")
        if self._spec.price_per_image is not None or isinstance(credits, bool):
            return None
        return round(credits * _CENT, 6) if isinstance(credits, int | float) and 0 < credits < 1e6 else None

    def _refused(self, response: web.Response) -> Reply:
        body = response.body if isinstance(response.body, dict) else {}
        message = self._web.reason(body.get("detail") or body.get("error") or "")
        if response.status == 404:
            return Fatal(f"{self.title} does not know {self._spec.model} (HTTP 404)")
        known = web.common(response, message, self.title, self._spec.secret_name(), web.UNCLEAR_STATUSES)
        return known or Failed(f"HTTP {response.status}: {message}")
