"""Settings for all tests: one thread, hypothesis without deadlines on a shared machine, and the
shapes in every signature of the models checked while the tests run.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile(
    "flann", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("flann")

if find_spec("triton"):
    # Loaded as it stands, before the hook below: triton reads the source of its kernels, and a
    # function that something else has wrapped has lost the names around it.
    for file in (Path(__file__).parents[1] / "models" / "scans" / "triton_backend").glob(
        "*kernels.py"
    ):
        name = f"flann.models.scans.triton_backend.{file.stem}"
        spec = spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])

# Here and not nearer by: a module imported before its hook is installed is not checked.
if find_spec("beartype"):
    install_import_hook("flann.models", "beartype.beartype")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a CUDA device its tests say so instead of failing."""
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if not needing:
        return
    import torch

    if not torch.cuda.is_available():
        for item in needing:
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
