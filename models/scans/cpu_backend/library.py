"""The compiled kernels: loaded from this folder, checked against their sources, called by pointer.

`setup.py` compiles ``kernels/kernels.c`` into a shared library here, without torch's or Python's
headers, and installs without it where there is no compiler. A library made from other sources than
those beside it (edited since, or another version's) is not used.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import torch
from torch import Tensor

HERE = Path(__file__).resolve().parent
SUFFIXES = {
    torch.float32: "f32",
    torch.complex64: "f32",
    torch.float64: "f64",
    torch.complex128: "f64",
}


@cache
def load_library() -> ctypes.CDLL | str:
    """Return the kernels, or why they cannot be used here."""
    files = [HERE / f"_kernels{suffix}" for suffix in EXTENSION_SUFFIXES]
    found = next((file for file in files if file.exists()), None)
    if found is None:
        return "the C kernels were not compiled at installation"
    try:
        kernels = ctypes.CDLL(str(found))
        kernels.flann_kernels_sources.restype = ctypes.c_char_p
        built_from = kernels.flann_kernels_sources().decode()
    except (OSError, AttributeError) as error:
        return f"{found.name} cannot be loaded: {error}"
    sources = HERE / "kernels"
    if sources.is_dir() and compute_fingerprint(sources) != built_from:
        return f"{found.name} was compiled from other sources than those beside it"
    return kernels


def compute_fingerprint(sources: Path) -> str:
    """Return a short hash of every source; `setup.py` computes the same."""
    digest = hashlib.sha256()
    for file in sorted(sources.glob("*.[ch]")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def call(name: str, tensors: Sequence[Tensor], sizes: Sequence[int]) -> None:
    """Run one kernel on contiguous CPU tensors of one precision.

    Raises
    ------
    MemoryError
        if there was none for its workspace.
    """
    kernels = load_library()
    assert isinstance(kernels, ctypes.CDLL)
    assert all(t.is_contiguous() for t in tensors)
    kernel = getattr(kernels, f"{name}_{SUFFIXES[tensors[0].dtype]}")
    pointers = (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))
    numbers = (ctypes.c_int64 * len(sizes))(*map(int, sizes))
    if kernel(pointers, numbers, torch.get_num_threads()):
        raise MemoryError(f"no memory for the workspace of the {name} kernel")
