"""Check the shapes in every signature of flann.models while these tests run."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)

if find_spec("beartype"):
    install_import_hook("flann.models", "beartype.beartype")
