"""The choice of a scan's backend: the fastest that supports the device, or one by name.

A backend is a module or package of this folder with a function for each operation that it knows,
``supports(device)`` and, if it can be missing, ``missing()``, which returns the reason. The
environment variable ``FLANN_SCAN`` names a backend to use in place of the fastest.

A backend is a module of this folder with a function of each operation's name that it knows,
``supports(device)``, and, where it can be missing, ``missing()``: why it cannot be used here. The
environment variable ``FLANN_SCAN`` names one to be used in place of the fastest.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from flann.errors import UnknownNameError, UserError

BACKENDS = {
    "cpu": "cpu_backend",
    "triton": "triton_backend",
    "torch": "torch_backend",
    "ref": "reference",
}
"""The backends and their modules, the fastest first."""


def scan_backend(device: torch.device | str = "cpu", find_operation: str = "selective") -> str:
    """Return the name of the backend in use for an operation on a device.

    >>> scan_backend() in BACKENDS
    True
    """
    return _choose(find_operation, torch.device(device).type)


def list_usable(device: torch.device | str) -> list[str]:
    """Return the names of the backends that can run on a device here, the fastest first.

    >>> list_usable("cpu")[-2:]
    ['torch', 'ref']
    """
    kind = torch.device(device).type
    return [name for name in BACKENDS if _module(name).supports(kind)]


def describe_backend(device: torch.device | str) -> str:
    """Return one line that says which backend runs the scans, and why no faster one does.

    >>> describe_backend("cpu").startswith("scans run on")
    True
    """
    kind = torch.device(device).type
    line = f"scans run on {scan_backend(kind)}"
    fastest = {"cpu": "cpu", "cuda": "triton"}.get(kind)
    why = _module(fastest).missing() if fastest in BACKENDS else None
    return f"{line}, several times slower than {fastest}: {why}" if why else line


def find_operation(name: str, tensor: Tensor) -> Any:
    """Return the function that runs an operation on the device of a tensor."""
    return getattr(_module(_choose(name, tensor.device.type)), name)


def promote_to_state_type(*tensors: Tensor) -> list[Tensor]:
    """Return the tensors in float32 or wider, which a recurrent state always has."""
    widest = torch.float32
    for tensor in tensors:
        widest = torch.promote_types(widest, tensor.dtype)
    return [tensor.to(widest) for tensor in tensors]


def _choose(operation: str, device: str) -> str:
    wanted = os.environ.get("FLANN_SCAN")
    if wanted and wanted not in BACKENDS:
        raise UnknownNameError("scan backend in FLANN_SCAN", wanted, BACKENDS)
    for name in [wanted] if wanted else BACKENDS:
        if _module(name).supports(device) and hasattr(_module(name), operation):
            return name
    raise UserError(f"the scan backend {wanted!r} has no {operation} scan on {device}")


@cache
def _module(name: str) -> Any:
    return import_module(f".{BACKENDS[name]}", __package__)
