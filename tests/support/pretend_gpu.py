"""A device that is none: tensors that say that they are on a GPU, and lie in the machine's own memory.

What would fail on a GPU fails here: tensors of two devices in one step, and numpy on a device's tensor. And it is
counted how often a device would be waited for.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

#: a kind that needs no driver; what Loupe asks is whether it is the CPU
NAME = "meta"
#: they need a number, or a shape that depends on the numbers, from the device
_WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2", "bincount"}


class OnDevice(torch.Tensor):
    """A tensor on that device."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> OnDevice:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device(NAME),
            requires_grad=False,
        )
        made.inner = inner
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"OnDevice({self.inner!r})"

    def tolist(self) -> Any:
        """As of a tensor on a device, which is copied first."""
        return self.cpu().tolist()

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, arguments: Any = (), more: Any = None) -> Any:
        raise AssertionError("expected the mode PretendGpu to be on")


class PretendGpu(TorchDispatchMode):
    """While it is on, there is such a device.

    Attributes:
        waits: how often it would have been waited for
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0

    def __enter__(self) -> PretendGpu:
        made = torch.tensor

        def tensor(data: Any, *, device: Any = None, **more: Any) -> torch.Tensor:
            if device is None or torch.device(device).type != NAME:
                return made(data, device=device, **more)
            self.waits += 1  # for the copy
            return OnDevice(made(data, **more))

        # it asks no mode
        self._made, torch.tensor = made, tensor
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        torch.tensor = self._made
        super().__exit__(*error)

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), more: Any = None) -> Any:
        more = dict(more or {})
        name = function.overloadpacket.__name__
        tensors = [each for each in tree_flatten((arguments, more))[0] if isinstance(each, torch.Tensor)]
        present = [each for each in tensors if isinstance(each, OnDevice)]
        given = more.get("device")
        if given is not None:
            more["device"] = torch.device("cpu")
        moved = name in ("_to_copy", "copy_", "lift_fresh")
        if present and not moved:
            # one number goes along with a device's tensors; an index may come from the CPU, at the price of a wait
            strangers = [each for each in tensors if not isinstance(each, OnDevice) and each.dim()]
            assert not strangers or name.startswith("index"), f"{name}: tensors on the CPU and on the device"
        made = function(*tree_map(_inner, arguments), **tree_map(_inner, more))
        on_device = torch.device(given).type == NAME if given is not None else bool(present)
        masks = name.startswith("index") and any(each.dtype in (torch.bool, torch.uint8) for each in present[1:])
        crossing = moved and given is not None and bool(tensors) and on_device != bool(present)
        if (present and name in _WAITS) or masks or (crossing and tensors[0].numel()):
            self.waits += 1
        return tree_map(OnDevice, made) if on_device and isinstance(made, (torch.Tensor, tuple, list)) else made


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, OnDevice) else value
