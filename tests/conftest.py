"""Settings for all tests: one thread, hypothesis without deadlines on a shared machine, and the
shapes in every signature of the models checked while the tests run.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile(
    "flann", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("flann")

# Here and not nearer by: a module imported before its hook is installed is not checked.
if find_spec("beartype"):
    install_import_hook("flann.models", "beartype.beartype")
