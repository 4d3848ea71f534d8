"""The machine: which device to compute on, and how to make its arithmetic exact and quick."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from functools import cache

import torch

from .errors import UserError, unknown

M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1  # mallopt(3)


def choose_device(name: str | None = None) -> torch.device:
    """The device asked for; without a wish, CUDA where there is one, else the CPU.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name in (None, "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    assert name is not None
    kind = name.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise unknown("device", name, ["auto", "cpu", "cuda"])
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"device {name!r} cannot be used here: {first}") from error
    return device


def prepare(device: torch.device) -> None:
    """Set what decides speed and exactness for this process: one thread, full float32.

    TF32 keeps 10 bits, in which a count above 2048 is not exact. One thread per process makes a
    run reproducible and lets several share a machine.
    """
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if device.type == "cpu":
        keep_freed_memory()


@cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory instead of handing it back to the kernel.

    By default every large tensor is mapped anew and its pages are zeroed at first touch, which
    costs more than many a layer's arithmetic. Says whether the C library took the advice.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def describe(device: torch.device) -> str:
    """The device in words, for the record."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return "cpu"
