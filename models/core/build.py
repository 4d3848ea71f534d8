"""Construction of a model from its name and sizes; the initial weights depend on a seed alone."""

from __future__ import annotations

import torch

from flann.errors import UserError

from .architecture import Architecture, Sizes
from .external import ExternalArchitecture
from .registry import model_registry
from .sequence import SequenceModel
from .sizing import compute_default_second_size, solve_sizes


def build_model(
    name: str,
    *,
    symbols: int,
    labels: int,
    depth: int,
    parameters: int,
    seed: int = 0,
    imports: bool = False,
) -> SequenceModel:
    """Build the named architecture with `parameters` parameters, within 1%.

    Parameters
    ----------
    name : str
        Name with options, such as ``"lstm"`` or ``"mamba:eigenvalues=negative"``.
    symbols, labels : int
        Number of input symbols and of output labels.
    depth : int
        Number of layers.
    parameters : int
        Parameter budget, for which the width and second size are solved. An external model
        (`flann.models.core.external`) receives the budget but need not meet it.
    seed : int
        Random seed of the initial weights; torch's global generator is left as it was.
    imports : bool
        Whether ``package.module:Name`` may be imported; True only for text that the user typed.

    Raises
    ------
    UserError
        For an unknown name or option, or a budget that cannot be met.

    Examples
    --------
    >>> model = build_model("mamba", symbols=60, labels=60, depth=2, parameters=100_000)
    >>> 99_000 <= model.sizes["parameters"] <= 101_000
    True
    """
    architecture, canonical = _create_architecture(name, imports)
    if isinstance(architecture, ExternalArchitecture):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return architecture.instantiate(
                symbols=symbols, labels=labels, depth=depth, parameters=parameters
            )
    sizes = solve_sizes(
        architecture, name, symbols=symbols, labels=labels, depth=depth, parameters=parameters
    )
    return _build_seeded(architecture, canonical, symbols, labels, sizes, seed)


def model_of_width(
    name: str,
    *,
    symbols: int,
    labels: int,
    depth: int,
    width: int,
    second_size: int | None = None,
    seed: int = 0,
    imports: bool = False,
) -> SequenceModel:
    """Build the named architecture at a given width, with however many parameters that takes.

    Parameters
    ----------
    width : int
        Width of the residual stream.
    second_size : int, optional
        The architecture's second size; by default, its default at this width.

    Other parameters are as in :func:`build_model`.

    Examples
    --------
    >>> model_of_width("gru", symbols=2, labels=2, depth=1, width=8).sizes
    {'width': 8, 'state': 8, 'depth': 1, 'parameters': 546}
    """
    architecture, canonical = _create_architecture(name, imports)
    if isinstance(architecture, ExternalArchitecture):
        raise UserError(f"{name!r} has no width that flann knows: build_model makes it")
    if width < 1 or width % architecture.width_step:
        raise UserError(f"{name}: expected a width that is a multiple of {architecture.width_step}")
    if second_size is None:
        second_size = compute_default_second_size(architecture, width)
    sizes = Sizes(width, second_size, depth)
    return _build_seeded(architecture, canonical, symbols, labels, sizes, seed)


def _create_architecture(name: str, imports: bool) -> tuple[Architecture, str]:
    architecture = model_registry.create(name, imports=imports)
    return architecture, model_registry.canonical(name, imports=imports)


def _build_seeded(
    architecture: Architecture, name: str, symbols: int, labels: int, sizes: Sizes, seed: int
) -> SequenceModel:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.build_model(name, symbols=symbols, labels=labels, sizes=sizes)
