"""The device to compute on, and the settings that make its arithmetic exact and fast."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from functools import cache

import torch

from .errors import UnknownNameError, UserError

M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1  # mallopt(3)


def choose_device(name: str | None = None) -> torch.device:
    """Return the named device; without a name, CUDA where there is one and else the CPU.

    Raises
    ------
    UserError
        for an unknown device, or one that cannot be used here.

    Examples
    --------

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name in (None, "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    assert name is not None
    kind = name.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UnknownNameError("device", name, ["auto", "cpu", "cuda"])
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"device {name!r} cannot be used here: {first}") from error
    return device


def configure_torch(device: torch.device) -> None:
    """Set this process to one thread and full float32.

    TF32 keeps 10 bits of the significand, in which a count above 2048 is not exact. One thread per
    process makes a run reproducible and lets several runs share a machine.
    """
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if device.type == "cpu":
        keep_freed_memory()


@cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory instead of returning it to the kernel.

    By default every large tensor is mapped anew and its pages are zeroed at first touch, which
    can cost more than a layer's arithmetic. Return whether the C library accepted the setting.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def describe_device(device: torch.device) -> str:
    """Return the device in words, for the record."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return "cpu"
