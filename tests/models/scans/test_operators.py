"""Torch's own checks of custom operators, on every scan operator that can run here.

The operators are met where the scans call them, so that their arguments are real ones: a mode
notes each call, forward and backward, and `torch.library.opcheck` is asked about it.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.testing._internal.optests.generate_tests import OpCheckError
from torch.utils._python_dispatch import TorchDispatchMode

from flann.models.scans import dispatch as backends
from flann.models.scans import operation
from flann.models.scans.operation import Operation, define

from .scan_cases import CASES, outcome

BACKENDS = [name for name in ("cpu", "torch") if name in backends.list_usable("cpu")]
TESTS = ("test_schema", "test_faketensor", "test_aot_dispatch_static")
DERIVATIVE = "test_autograd_registration"
LENGTHS = (1, 18)  # with one chunk, and two

every_backend = pytest.mark.parametrize("backend", BACKENDS)


class Calls(TorchDispatchMode):
    """Every call of a scan operator, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Any, tuple[Any, ...]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func.namespace == operation.NAMESPACE:
            self.found.append((func, tuple(map(copied, args))))
        return func(*args, **(kwargs or {}))


def copied(argument: Any) -> Any:
    """As it is, strides too, and apart from any graph."""
    return argument.detach().clone() if isinstance(argument, Tensor) else argument


def calls(
    backend: str, case: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[Any, tuple[Any, ...]]]:
    monkeypatch.setenv("FLANN_SCAN", backend)
    scan, make = CASES[case]
    with Calls() as mode:
        outcome(scan, make(length))
    return mode.found


def name_of(operator: Any) -> str:
    return str(operator._schema.name).partition("::")[2]


def checked(operator: Any, arguments: tuple[Any, ...]) -> None:
    """Nothing is wrong with the operator on these arguments, or opcheck raises."""
    tests = TESTS
    if not name_of(operator).endswith("_backward"):  # which has no derivative of its own
        tests = (*TESTS, DERIVATIVE)
        arguments = tuple(a.requires_grad_() if isinstance(a, Tensor) else a for a in arguments)
    torch.library.opcheck(operator, arguments, test_utils=tests)


@every_backend
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("length", LENGTHS)
def test_torch_finds_nothing_wrong(
    backend: str, case: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for operator, arguments in calls(backend, case, length, monkeypatch):
        checked(operator, arguments)


@every_backend
def test_conjugations_that_are_put_off(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for operator, arguments in calls(backend, "complex", 18, monkeypatch):
        later = tuple(a.conj() for a in arguments)
        checked(operator, later)
        at_once = operator(*(a.resolve_conj() for a in later))
        for one, other in zip(operator(*later), at_once, strict=True):
            assert torch.equal(one, other)


@every_backend
def test_no_operator_is_forgotten(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    met = {
        name_of(operator) for case in CASES for operator, _ in calls(backend, case, 2, monkeypatch)
    }
    defined = {name.partition("::")[2] for name in operation.LIBRARY._op_defs}
    assert met == {name for name in defined if name.startswith(f"{backend}_")}


@pytest.mark.parametrize("fault", ["none", "shape", "in place"])
def test_a_faulty_operator_is_found(fault: str) -> None:
    def double(x: Tensor, y: Tensor) -> None:
        torch.mul(x, 2, out=y)
        if fault == "in place":
            x.zero_()

    def halve(x: Tensor, grad: Tensor, dx: Tensor) -> None:
        torch.mul(grad, 2, out=dx)

    def allocate(x: Tensor) -> tuple[Tensor, ...]:
        fake = isinstance(x, FakeTensor)
        return (x.new_empty(x.shape[0], x.shape[1] + (fault == "shape" and fake)),)

    described = Operation("double", ("x",), ("y",), saved=("x",), like=("x",))
    name = f"faulty_{fault.replace(' ', '_')}"
    define(name, described, double, halve, allocate)
    operator = getattr(getattr(torch.ops, operation.NAMESPACE), f"{name}_double").default
    if fault == "none":
        checked(operator, (torch.ones(2, 3),))
    else:
        with pytest.raises(OpCheckError):
            checked(operator, (torch.ones(2, 3),))
