"""The sampler by the name that people know: those of diffusers' classes, and those that other tools print.

The names of other tools and their settings are those of diffusers' overview of schedulers
(https://huggingface.co/docs/diffusers/api/schedulers/overview).
"""

from __future__ import annotations

from typing import Any

from loupe.brain.core.errors import InputError, UnknownName

_KARRAS = {"use_karras_sigmas": True}
_SDE = {"algorithm_type": "sde-dpmsolver++"}
#: diffusers' class and settings by the names of other tools, in lower case
KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "lms karras": ("LMSDiscreteScheduler", _KARRAS),
    "lcm": ("LCMScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2 karras": ("KDPM2DiscreteScheduler", _KARRAS),
    "dpm2 a": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpm++ 2m": ("DPMSolverMultistepScheduler", {}),
    "dpm++ 2m karras": ("DPMSolverMultistepScheduler", _KARRAS),
    "dpm++ 2m sde": ("DPMSolverMultistepScheduler", _SDE),
    "dpm++ 2m sde karras": ("DPMSolverMultistepScheduler", {**_SDE, **_KARRAS}),
}


def change(pipeline: Any, name: str, model: str) -> None:
    """Gives a pipeline another scheduler, with its own noise schedule.

    Args:
        pipeline: of diffusers
        name: one of ``KNOWN``, in upper or lower case, or a class of diffusers that fits the pipeline
        model: its name, for errors

    Raises:
        UnknownName: no such scheduler; the nearest name is suggested
        InputError: the scheduler does not fit the model
    """
    fitting = {each.__name__: each for each in pipeline.scheduler.compatibles}
    known = {key: value for key, value in KNOWN.items() if value[0] in fitting}
    wanted = KNOWN.get(" ".join(name.casefold().split()), (name, {}))
    if wanted[0] not in fitting:
        import diffusers

        if not isinstance(getattr(diffusers, wanted[0], None), type):
            raise UnknownName("scheduler", name, [*known, *fitting])
        raise InputError(
            f"expected a scheduler that fits {model} ({', '.join([*known, *sorted(fitting)])}), got {name!r}"
        )
    pipeline.scheduler = fitting[wanted[0]].from_config(pipeline.scheduler.config, **wanted[1])


def settings(name: str) -> str:
    """Returns the settings that a name stands for beside a class, e.g. "use_karras_sigmas=True"; empty for none."""
    own = KNOWN.get(" ".join(name.casefold().split()), ("", {}))[1]
    return ", ".join(f"{key}={value}" for key, value in sorted(own.items()))
