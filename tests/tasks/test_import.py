"""`import flann.tasks` stays light, and shapes are what the signatures say; in fresh processes."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ["torch", "pandas", "sympy", "networkx", "scipy", "matplotlib"]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def loaded(code: str) -> set[str]:
    """Which of the heavy packages, and which modules of tasks, a fresh process has loaded."""
    done = run(f"{code}\nimport sys\nprint(*sys.modules)")
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())
    return {m for m in modules if m in HEAVY or m.startswith("flann.tasks.")}


def test_import_loads_neither_heavy_packages_nor_any_task() -> None:
    found = loaded("import flann.tasks; flann.tasks.task_names(); flann.tasks.task_summaries()")
    assert not found & set(HEAVY)
    below = ("core", "sampling", "theory", "automata", "groups")
    assert all(module.removeprefix("flann.tasks.").startswith(below) for module in found)
    assert "flann.tasks.theory.literature" not in found


def test_using_every_task_loads_nothing_heavy() -> None:
    found = loaded(
        "from flann.tasks import *\n"
        "for name in task_names(): get_task(name).describe()\n"
        "get_task('S5:generators=3').theory"
    )
    assert not found & set(HEAVY)


def test_a_heavy_import_would_be_found() -> None:
    assert "sympy" in loaded("import flann.tasks, sympy")


SHAPES = """
from jaxtyping import install_import_hook
with install_import_hook("flann.tasks", "beartype.beartype"):
    import numpy as np
    from flann.tasks import get_task, task_names
    from flann.tasks.groups.cayley_tables import get_group
    options = ["dyck-2:mode=recognise", "dyck-1:depth=3", "parity:ones=uniform", "A5:label=last",
               "S5:generators=4", "S5:generators=swaps", "majority:mode=recognise",
               "regex:(aa|b)*", "regex-recognise:(aa|b)*"]
    for name in [*task_names(), *options]:
        task = get_task(name)
        batch = task.sample(np.random.default_rng(0), 10, task.nearest_length(6))
        task.targets(batch.tokens)
        task.describe()
    {more}
"""


def test_shapes_are_what_the_signatures_say() -> None:
    done = run(SHAPES.format(more=""))
    assert done.returncode == 0, done.stderr


def test_a_wrong_shape_would_be_found() -> None:
    done = run(SHAPES.format(more="task.label(np.zeros(3, np.uint8))"))
    assert "TypeCheckError" in done.stderr
