"""A scan as a torch operator: its inputs, its outputs, and what its backward pass reads.

A backend brings two plain functions for each scan that it knows. Both fill tensors that are
already there and return nothing, so that one shape serves loops in torch, functions in C and GPU
kernels::

    forward(*inputs, *outputs, *flags)               the first output is the result
    backward(*saved, grad, *gradients, *flags)       one gradient for each input

`define` makes two torch operators of them, ``cpu_selective`` and ``cpu_selective_backward`` in
``torch.ops.flann_models_scans``, with shapes for fake tensors, a derivative and a vmap rule.
Every tensor's axis 0 is the batch, or divides it (shared weights have length 1 there), so mapping
a scan over models is the same scan on a batch that is that many times larger: no loop over models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from .folding import fold, unfold

NAMESPACE = __package__.replace(".", "_")
"""``flann_models_scans``; another if the folder is loaded under another name, as doctest does."""
LIBRARY = torch.library.Library(NAMESPACE, "FRAGMENT")

Fill = Callable[..., None]
Allocate = Callable[..., tuple[Tensor, ...]]
"""From the inputs and flags to the outputs, not yet filled."""


@dataclass(frozen=True)
class Operation:
    """A scan's signature, the same for every backend with a backward pass of its own.

    Attributes
    ----------
    name : str
    inputs : tuple of str
        the tensors that it reads.
    outputs : tuple of str
        the result, then what is kept for the backward pass.
    saved : tuple of str
        the inputs and outputs that the backward pass reads.
    like : tuple of str
        for each input, the saved tensor that has its shape: that of its gradient.
    flags : tuple of str
        its switches, booleans.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    saved: tuple[str, ...]
    like: tuple[str, ...]
    flags: tuple[str, ...] = ()


CAUCHY = Operation(
    "cauchy",
    ("a", "b", "centre", "height", "points"),
    ("sums",),
    saved=("a", "b", "centre", "height", "points"),
    like=("a", "b", "centre", "height", "points"),  # the points' gradient is zeros: constants
)
CONVOLUTION = Operation(
    "convolution",
    ("x", "w", "bias"),
    ("y",),
    saved=("x", "w", "bias"),
    like=("x", "w", "bias"),
)
DIAGONAL = Operation("diagonal", ("a", "b"), ("h",), saved=("a", "h"), like=("a", "h"))
SELECTIVE = Operation(
    "selective",
    ("x", "dt", "A", "B", "C"),
    ("y", "kept"),
    saved=("x", "dt", "A", "B", "C", "kept"),
    like=("x", "dt", "A", "B", "C"),
    flags=("negative",),
)
GATED = Operation(
    "selective",
    (*SELECTIVE.inputs, "D", "z"),
    ("y", "kept"),
    saved=(*SELECTIVE.inputs, "D", "z", "kept"),
    like=(*SELECTIVE.inputs, "D", "z"),
    flags=("negative",),
)
"""The selective scan with what stands behind it: y = (C h + D x) SiLU(z), unless D is empty."""
MATRIX = Operation(
    "matrix",
    ("A", "b", "initial"),
    ("h", "r"),
    saved=("A", "initial", "h", "r"),
    like=("A", "h", "initial"),
    flags=("normalise",),
)
PRODUCT = Operation("product", ("A",), ("P",), saved=("A", "P"), like=("A",))
DELTA = Operation(
    "delta",
    ("q", "k", "v", "decay", "look", "put"),
    ("y", "kept"),
    saved=("q", "k", "v", "decay", "look", "put", "kept"),
    like=("q", "k", "v", "decay", "look", "put"),
)
RMS = Operation("rms", ("x", "gain"), ("y",), saved=("x", "gain"), like=("x", "gain"))
SLSTM = Operation(
    "slstm",
    ("g", "R"),
    ("h", "cells", "gates"),
    saved=("R", "h", "cells", "gates"),
    like=("gates", "R"),
    flags=("sigmoid",),
)

RNN = Operation("rnn", ("g", "R"), ("h",), saved=("R", "h"), like=("h", "R"), flags=("relu",))
LSTM = Operation(
    "lstm",
    ("g", "R"),
    ("h", "cells", "sums"),
    saved=("R", "h", "cells", "sums"),
    like=("sums", "R"),
)
GRU = Operation(
    "gru",
    ("g", "R", "bias"),
    ("h", "sums"),
    saved=("g", "R", "bias", "h", "sums"),
    like=("g", "R", "bias"),
)
MEMORY = Operation(
    "memory",
    ("g", "R", "E", "bias"),
    ("h", "cells", "gates", "shown", "said", "kept"),
    saved=("R", "E", "bias", "h", "cells", "gates", "shown", "said", "kept"),
    like=("gates", "R", "E", "bias"),
    flags=("lstm", "tape"),
)


def define(
    backend: str, operation: Operation, forward: Fill, backward: Fill, allocate: Allocate
) -> Callable[..., Tensor]:
    """Define the operation on a backend: a function from inputs and flags to the result.

    Parameters
    ----------
    backend : str
    operation : Operation
    forward, backward : functions
        that fill tensors, see the module.
    allocate : function
        from the inputs and flags to the outputs, not yet filled.
    """
    inputs, saved = len(operation.inputs), len(operation.saved)
    patterns = [operation.saved.index(name) for name in operation.like]

    def run(*arguments: Any) -> tuple[Tensor, ...]:
        outputs = allocate(*arguments)
        forward(*arguments[:inputs], *outputs, *arguments[inputs:])
        return outputs

    def gradients(*arguments: Any) -> tuple[Tensor, ...]:
        return tuple(torch.empty_like(arguments[i]) for i in patterns)

    def run_backward(*arguments: Any) -> tuple[Tensor, ...]:
        found = gradients(*arguments)
        backward(*arguments[: saved + 1], *found, *arguments[saved + 1 :])
        return found

    name = f"{backend}_{operation.name}"
    back = _operator(
        f"{name}_backward", (*operation.saved, "grad"), operation, len(patterns),
        run_backward, gradients,
    )  # fmt: skip
    there = _operator(name, operation.inputs, operation, len(operation.outputs), run, allocate)
    return _make_differentiable(operation, there, back)


def _operator(
    name: str, tensors: tuple[str, ...], operation: Operation, results: int, run: Any, fake: Any
) -> Any:
    """Register a torch operator of tensors and flags, mapped by folding into the batch.

    It always gives a list: a schema knows no tuple of one.
    """
    parameters = [f"Tensor {t}" for t in tensors] + [f"bool {flag}" for flag in operation.flags]
    LIBRARY.define(f"{name}({', '.join(parameters)}) -> Tensor[]")

    def settled(*arguments: Any) -> list[Tensor]:
        return list(run(*map(_resolve_conjugation, arguments)))

    LIBRARY.impl(name, settled, "CompositeExplicitAutograd")
    full = f"{NAMESPACE}::{name}"
    torch.library.register_fake(full, lambda *arguments: list(fake(*arguments)), lib=LIBRARY)
    operator = getattr(getattr(torch.ops, NAMESPACE), name).default

    def folded(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
        return map_by_folding(operator, info.batch_size, in_dims, arguments)

    torch.library.register_vmap(full, folded, lib=LIBRARY)
    return operator


def _resolve_conjugation(argument: Any) -> Any:
    """Return a tensor with any conjugation that torch has deferred carried out.

    Kernels know of none, and inside an operator of a traced graph torch itself may forget it.
    """
    return argument.resolve_conj() if isinstance(argument, Tensor) else argument


def _make_differentiable(operation: Operation, there: Any, back: Any) -> Callable[..., Tensor]:
    """Return the operator with its derivative, under torch's autograd and torch.func's alike.

    The operator's registered derivative serves who calls it or compiles it. torch.func's
    transforms do not reach that registration, so the front goes through a `Function`, whose
    derivative and vmap rule are the same ones.
    """
    count = len(operation.inputs)

    class Backward(Function):
        @staticmethod
        def forward(*arguments: Any) -> Any:
            return tuple(back(*arguments))

        @staticmethod
        def setup_context(ctx: Any, arguments: tuple[Any, ...], output: Any) -> None:
            """Nothing is kept: there is no second derivative."""

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            raise NotImplementedError("the scans can be differentiated once, not twice")

        @classmethod
        def vmap(cls, info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
            return map_by_folding(cls.apply, info.batch_size, in_dims, arguments)

    def setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        names = (*operation.inputs, *operation.outputs)
        named = dict(zip(names, (*inputs[:count], *output), strict=True))
        ctx.flags = inputs[count:]
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*(named[name] for name in operation.saved))

    def derivative(ctx: Any, *grads: Any) -> Any:
        grad = grads[0][0] if isinstance(grads[0], list) else grads[0]
        flags = (None,) * len(ctx.flags)
        if grad is None:
            return (None,) * count + flags
        found = Backward.apply(*ctx.saved_tensors, grad, *ctx.flags)  # type: ignore[no-untyped-call]
        return (*found, *flags)

    class Forward(Function):
        @staticmethod
        def forward(*arguments: Any) -> Any:
            return tuple(there(*arguments))

        setup_context = staticmethod(setup)
        backward = staticmethod(derivative)

        @classmethod
        def vmap(cls, info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
            return map_by_folding(cls.apply, info.batch_size, in_dims, arguments)

    def apply(*arguments: Any) -> Tensor:
        result: Tensor = Forward.apply(*arguments)[0]  # type: ignore[no-untyped-call]
        return result

    torch.library.register_autograd(there._name, derivative, setup_context=setup, lib=LIBRARY)
    return apply


def map_by_folding(
    run: Callable[..., Any], size: int, in_dims: tuple[int | None, ...], arguments: tuple[Any, ...]
) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
    """Merge the mapped dimension into axis 0 of every tensor, run, and split it again."""
    folded = [
        fold(argument, dim, 0, size) if isinstance(argument, Tensor) else argument
        for argument, dim in zip(arguments, in_dims, strict=True)
    ]
    found = tuple(unfold(t, 0, size) for t in run(*folded))
    return found, (0,) * len(found)
