"""The model names ``rasp`` and ``rasp:layers=4``: the RASP program of a task, compiled.

``--model rasp`` measures the compiled program of the task; nothing is trained. ``--start rasp``
trains the network of the program from its compiled weights, under the name of the transformer that
it is. A network that only fetches (doubling) keeps its accuracy under small steps. A network with
running sums does not: whatever a step adds to the value of BOS is multiplied by e^B, so training
has to learn it anew.
"""

from __future__ import annotations

from typing import Any, Literal

from flann.errors import UserError
from flann.names import format_name, parse_name
from flann.registry import list_options, read_options
from flann.tasks import Task

NAME = "rasp"
RECIPE = {"lr": 1e-5, "steps": 0}


def declare_options(
    *,
    layers: int | None = None,
    radix: int = 2,
    method: Literal["series", "doubling"] | None = None,
    max_length: int | None = None,
) -> dict[str, Any]:
    """Declare the options of the name ``rasp``; `flann.rasp.load_program` explains them."""
    return {"layers": layers, "radix": radix, "method": method, "max_length": max_length}


def is_rasp_model(name: str) -> bool:
    """Return whether a model's name asks for a compiled program.

    >>> is_rasp_model("rasp:layers=4"), is_rasp_model("transformer")
    (True, False)
    """
    return name.partition(":")[0] == NAME


def parse_options(name: str) -> dict[str, Any]:
    """Return the options of such a name, defaults included."""
    given = parse_name(name)[1]
    return declare_options(**read_options(declare_options, given, f"model {NAME!r}"))


def canonicalise(name: str) -> str:
    """Return the one spelling of such a name: options in order, defaults left out.

    >>> canonicalise("rasp:radix=2,layers=4")
    'rasp:layers=4'
    """
    options = parse_options(name)
    defaults = {option.name: option.default for option in list_options(declare_options)}
    return format_name(NAME, {n: v for n, v in options.items() if v != defaults[n]})


def check_program(name: str, task: Task) -> None:
    """Refuse a task that has no program, and options that its program does not take.

    Raises
    ------
    UserError
        with the reason in one line.
    """
    from flann.rasp import load_program

    options = parse_options(name)
    length = options.pop("max_length")
    if length is not None and length < 1:
        raise UserError(f"model {NAME!r}, option 'max_length': expected 1 or more, got {length}")
    load_program(task, max_length=2, **options)
