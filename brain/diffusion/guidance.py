"""How a pipeline is guided: what its guidance number means, where it goes, and when a negative prompt is read.

Classifier-free guidance draws each step twice, once without the prompt (J. Ho & T. Salimans, "Classifier-Free Diffusion
Guidance", 2022). A guidance-distilled model has learned the result and takes the number as an input: one pass, and no
negative prompt. Some have both. diffusers ignores a negative prompt where nothing reads it; here it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record

Kind = Literal["classifier-free", "distilled", "none"]
_SCALE, _TRUE, _PRIOR = "guidance_scale", "true_cfg_scale", "prior_guidance_scale"


@dataclass(frozen=True)
class Guidance(Record):
    """How a pipeline is guided.

    Attributes:
        kind: what its number means; "none": the model takes no number
        argument: of the call that takes the number; None: none does
        above: a negative prompt is read where the number is above this
        second: the argument of classifier-free guidance beside a distilled one; None: there is none
        blank: what stands for "no negative prompt" where guidance needs one to be on; None: it needs none
        negative: whether the pipeline takes a negative prompt at all
    """

    kind: Kind
    argument: str | None
    above: float = 1.0
    second: str | None = None
    blank: str | None = None
    negative: bool = True


def of(pipeline: Any, call: Mapping[str, Any]) -> Guidance:
    """Returns how a loaded pipeline is guided.

    Args:
        pipeline: of diffusers
        call: the parameters of its ``__call__``
    """
    negative = "negative_prompt" in call
    embeds = _config(pipeline, "transformer", "guidance_embeds")
    if _config(pipeline, None, "is_distilled") and not negative:
        return Guidance("none", None, negative=False)
    if _TRUE in call:
        if _SCALE not in call or (embeds is not True and call[_SCALE].default is None):
            return Guidance("classifier-free", _TRUE, blank=" ")
        return Guidance("none" if embeds is False else "distilled", None if embeds is False else _SCALE, 1, _TRUE, " ")
    if _SCALE not in call:
        argument = _PRIOR if _PRIOR in call else None
        return Guidance("none" if argument is None else "classifier-free", argument, negative=negative)
    own = hasattr(type(pipeline), "do_classifier_free_guidance")
    if _config(pipeline, "unet", "time_cond_proj_dim") is not None or not (own or negative):
        return Guidance("distilled", _SCALE, negative=False)
    return Guidance("classifier-free", _SCALE, _off(pipeline), negative=negative)


def arguments(guidance: Guidance, model: str, value: float | None, second: float | None) -> dict[str, float]:
    """Returns the arguments of the call that carry the numbers.

    Args:
        guidance: of the pipeline
        model: its name, for errors
        value: the number that was asked for; None: the pipeline's default
        second: of classifier-free guidance beside a distilled one; None: off

    Raises:
        InputError: a number that nothing takes
    """
    made: dict[str, float] = {}
    if value is not None:
        if guidance.argument is None:
            raise InputError(f"{model} is distilled and takes no guidance: leave it out, got {value:g}")
        made[guidance.argument] = value
    if second is not None:
        if guidance.second is None:
            raise InputError(
                f"{model} has no second guidance beside its {guidance.kind} one: use guidance, not true_guidance, got "
                f"{second:g}"
            )
        made[guidance.second] = second
    return made


def require_negative(guidance: Guidance, model: str, value: float | None, second: float | None) -> None:
    """Raises an error where nothing would read a negative prompt.

    Raises:
        InputError: what is to be set so that it is read
    """
    if guidance.second is not None:
        if second is None or second <= guidance.above:
            raise InputError(
                f"{model} reads a negative prompt only with true_guidance above {guidance.above:g}, got "
                f"{'none' if second is None else f'{second:g}'}: set it (it takes twice the time), or leave the "
                "negative prompt out"
            )
    elif not guidance.negative or guidance.kind != "classifier-free":
        raise InputError(f"{model} takes no negative prompt: leave it out")
    elif value is not None and value <= guidance.above:
        raise InputError(
            f"{model} reads a negative prompt only with guidance above {guidance.above:g}, got {value:g}: raise it, or "
            "leave the negative prompt out"
        )


def is_on(guidance: Guidance, value: float | None, second: float | None) -> bool:
    """Returns whether classifier-free guidance is on: a number that is not given counts as above."""
    if guidance.second is not None:
        return second is not None and second > guidance.above
    return guidance.kind == "classifier-free" and (value is None or value > guidance.above)


def _off(pipeline: Any) -> float:
    """Returns the number up to which classifier-free guidance is off: 1 for most, 0 for a few."""
    before = getattr(pipeline, "_guidance_scale", None)
    try:
        pipeline._guidance_scale = 1.0
        return 0.0 if pipeline.do_classifier_free_guidance else 1.0
    except AttributeError:
        return 1.0
    finally:
        if before is None:
            vars(pipeline).pop("_guidance_scale", None)
        else:
            pipeline._guidance_scale = before


def _config(pipeline: Any, part: str | None, name: str) -> Any:
    owner = pipeline if part is None else getattr(pipeline, part, None)
    config = getattr(owner, "config", None)
    return None if config is None else dict(config).get(name)
