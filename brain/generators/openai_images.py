"""OpenAI's images, and whatever answers the same requests: vLLM, LocalAI, gateways."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, ClassVar

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.parsing import from_json
from loupe.brain.core.records import Request
from loupe.brain.core.specs import param
from loupe.brain.hosted import price, web
from loupe.brain.hosted.replies import Accepted, Again, Answer, Broken, Failed, Fatal, Refused, Reply
from loupe.brain.hosted.retry import retry_after
from loupe.brain.hosted.secrets import Secret
from loupe.brain.hosted.spec import HostedGenerator

#: models that are answered no more, and since when
RETIRED = {"gpt-image-1": "2026-10-23", "dall-e-2": "2026-05-12", "dall-e-3": "2026-05-12"}
_FIXED_SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))
_PIXELS = (655_360, 8_294_400)
_MODERATION = ("moderation_blocked", "content_policy_violation", "content_filter")
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


@dataclass(frozen=True)
class OpenAIImages(HostedGenerator):
    """OpenAI images.

    One request an image. The service takes no seed: ``generation.seed`` is empty, and the images of a prompt differ by
    chance. Whether it answers a repeated ``Idempotency-Key`` with the same image is nowhere stated, so that a request
    without an answer is not repeated on its own: see ``idempotent`` and ``repeat_unclear``.

    >>> OpenAIImages("gpt-image-2.5-flare", quality="medium").price()
    0.01317
    """

    name: ClassVar[str] = "openai_images"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://developers.openai.com/api/reference/resources/images/methods/generate"
    license: ClassVar[str] = "Apache-2.0"
    provider: ClassVar[str] = "openai"
    service_title: ClassVar[str] = "OpenAI"
    secret: ClassVar[str] = "OPENAI_API_KEY"
    default_base: ClassVar[str] = "https://api.openai.com/v1"
    prompt_limit: ClassVar[int] = 32_000

    model: str = param("gpt-image-2.5-flare", "Such as gpt-image-2.5-flare, gpt-image-2 or gpt-image-1-mini.")
    quality: str = param(
        "usual",
        "How much is spent on each image; usual: medium at OpenAI, elsewhere what that server takes.",
        choices=("usual", "low", "medium", "high", "xhigh", "max"),
    )
    idempotent: bool = param(
        False, "Whether this address is known to answer a repeated Idempotency-Key with the same image, paid once."
    )

    def list_price(self) -> float | None:
        """Returns what OpenAI's list says; the prompt's own tokens, some hundredths of a cent, are not in it."""
        if self.base_url:
            return None
        return price.of_openai(self.model, self._quality() or "", self.width or 1024, self.height or 1024)

    def settings(self) -> dict[str, Any]:
        """Returns quality and size.

        Raises:
            ModelError: the model was shut down
            InputError: it does not offer that size or quality
        """
        if not self.base_url and self.model in RETIRED:
            raise ModelError(
                f"OpenAI shut {self.model} down on {RETIRED[self.model]}: take gpt-image-2.5-flare, or the address of "
                "a service that still has it (base_url)"
            )
        width, height = self.width or 1024, self.height or 1024
        if not self.base_url:
            self._check_offer(width, height)
        return {"quality": self._quality(), "width": width, "height": height}

    def service(self, base: str, key: Secret) -> OpenAIService:
        """Returns OpenAI's client, set up."""
        return OpenAIService(self, base, key)

    def _quality(self) -> str | None:
        if self.quality != "usual":
            return self.quality
        return None if self.base_url else "medium"

    def _check_offer(self, width: int, height: int) -> None:
        known = price.rates(self.model)
        if known is None:
            return  # newer than our list: the service itself says
        qualities = tuple(known.factors or ("low", "medium", "high"))
        if self._quality() not in qualities:
            raise InputError(f"expected a quality of {self.model} ({', '.join(qualities)}), got {self.quality!r}")
        if known.factors is None:
            if (width, height) not in _FIXED_SIZES:
                sizes = ", ".join(f"{wide} x {high}" for wide, high in _FIXED_SIZES)
                raise InputError(f"expected a size that {self.model} offers ({sizes}), got {width} x {height}")
            return
        low, high = _PIXELS
        fits = width % 16 == height % 16 == 0 and low <= width * height <= high
        if not fits or max(width, height) > 3840 or max(width, height) > 3 * min(width, height):
            raise InputError(
                f"expected a size that {self.model} offers (multiples of 16, up to 3840 and 1:3, "
                f"{low:,} to {high:,} pixels), got {width} x {height}"
            )


class OpenAIService:
    """Asks through OpenAI's own client."""

    def __init__(self, spec: OpenAIImages, base: str, key: Secret) -> None:
        self._openai = web.needs("openai")
        self._spec, self._key, self._base = spec, key, base
        http = self._openai.DefaultHttpxClient(follow_redirects=False, timeout=spec.timeout)
        self._client = self._openai.OpenAI(
            # such servers often need no key, and the client will not do without
            api_key=key.reveal() or "none",
            base_url=base,
            organization="",
            project="",
            max_retries=0,
            timeout=spec.timeout,
            http_client=http,
        )
        self._pictures = web.Web(base, {}, key, "", spec.timeout)
        self._settings = spec.settings()

    @property
    def title(self) -> str:
        """The service, and where it is where it is not OpenAI's own."""
        return "OpenAI" if not self._spec.base_url else self._base

    @property
    def idempotent(self) -> bool:
        """As the spec says."""
        return self._spec.idempotent

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()
        self._pictures.close()

    def submit(self, key: str, request: Request) -> Reply:
        """Asks for an image and waits for it."""
        refusal = self._spec.refusal(request)
        if refusal is not None:
            return Failed(refusal)
        asked = {name: value for name, value in self._body(request).items() if value is not None}
        images = self._client.images.with_streaming_response
        try:
            with images.generate(**asked, extra_headers={"Idempotency-Key": f"loupe-{key}"}) as response:
                content = web.limited(response.iter_bytes())
        except self._openai.APIStatusError as error:
            status, after = error.status_code, retry_after(error.response.headers.get("retry-after"))
            where, body = error.response.headers.get("location", ""), error.body
        except self._openai.APIConnectionError as error:
            return _no_answer(error)
        except Exception as error:
            # the client passes on what its transport raises as a body is read, and that holds the request
            if not type(error).__module__.startswith(("httpx", "httpcore")) and not isinstance(error, ValueError):
                raise
            return Again(f"no whole answer ({type(error).__name__})", unclear=True)
        else:
            return self._read(content)
        return self._refused(web.Response(status, body, after), where)

    def collect(self, ticket: str) -> Reply:
        """Takes the picture from the address in an answer."""
        return self._pictures.fetch(ticket)

    def _body(self, request: Request) -> dict[str, Any]:
        ours = self._spec.model.startswith(("gpt-image", "chatgpt-image"))
        return {
            "model": self._spec.model,
            "prompt": request.prompt,
            "n": 1,
            "size": f"{self._settings['width']}x{self._settings['height']}",
            "quality": self._settings["quality"],
            "output_format": "png" if ours else None,
            "response_format": None if ours else "b64_json",
        }

    def _read(self, content: bytes) -> Reply:
        try:
            body = from_json(content)
            (item,) = body["data"]
            cost = self._cost(body.get("usage"))
            encoded, url = item.get("b64_json"), item.get("url")
        except (ValueError, TypeError, KeyError, AttributeError):
            return Broken("the answer is not what the service says that it is")
        facts = {"revised_prompt": item["revised_prompt"]} if isinstance(item.get("revised_prompt"), str) else {}
        if isinstance(url, str) and not encoded:
            return Accepted(url, cost, facts)
        try:
            return Answer(base64.b64decode(encoded, validate=True), cost, facts)
        except (TypeError, ValueError, binascii.Error):
            return Broken("the picture's base64 is broken", cost)

    def _cost(self, usage: Any) -> float | None:
        """Returns what the tokens of an answer cost; None where it tells none, or the price is yours."""
        if self._spec.price_per_image is not None or self._spec.base_url or not isinstance(usage, dict):
            return None
        text, image = usage.get("input_tokens"), usage.get("output_tokens")
        if not isinstance(text, int) or not isinstance(image, int) or min(text, image) < 0:
            return None
        return price.of_openai_usage(self._spec.model, text, image)

    def _refused(self, response: web.Response, where: str) -> Reply:
        body = response.body if isinstance(response.body, dict) else {}
        code, kind = str(body.get("code") or ""), str(body.get("type") or "")
        message = web.reason(body.get("message") or "", self._key)
        if 300 <= response.status < 400:
            return web.redirected(where, self._key)
        if code in _NO_CREDIT or kind in _NO_CREDIT:
            return Fatal(
                f"{self.title} says that no credit is left ({code or kind}): add some, and repeat the same call"
            )
        if code in _MODERATION or kind == "image_generation_user_error":
            return Refused(message or code)
        if response.status == 404:
            return Fatal(f"{self.title} does not know {self._spec.model} or the address (HTTP 404): {message}")
        known = web.common(response, message, self.title, self._spec.secret_name(), web.UNCLEAR_STATUSES)
        if known is not None:
            return known
        if response.status == 409:
            return Again(f"it is still being drawn (HTTP 409) {message}", after=response.after, unclear=True)
        return Failed(f"HTTP {response.status}: {message}")


def _no_answer(error: Exception) -> Reply:
    """Returns whether a request without an answer may have been carried out."""
    # what the transport raised; one that never connected was never heard
    cause = type(error.__cause__).__name__ if error.__cause__ is not None else type(error).__name__
    return Again(f"no answer ({cause})", unclear=cause not in ("ConnectError", "ConnectTimeout", "PoolTimeout"))
