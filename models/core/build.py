"""From a name and a budget to a model whose weights are drawn from a seed alone."""

from __future__ import annotations

import torch

from flann.errors import UserError

from .architecture import Architecture, Sizes
from .external import Outside
from .registry import model_registry
from .sequence import SequenceModel
from .sizing import customary, solve


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
    """The named architecture with `parameters` parameters, within 1%.

    Parameters
    ----------
    name : str
        by the grammar of names: ``"lstm"``, ``"mamba:eigenvalues=negative"``.
    symbols, labels : int
        how many token ids come in and label ids go out.
    depth : int
        how many layers.
    parameters : int
        the budget; width and a second knob are solved for. A model of your own
        (`flann.models.core.external`) is told it and does as it likes.
    seed : int
        of the initial weights; torch's global generator is neither used nor moved.
    imports : bool
        whether ``package.module:Name`` may be imported: only for text that the user typed.

    Raises
    ------
    UserError
        for an unknown name or option, or a budget that cannot be met.

    Examples
    --------
    >>> model = build_model("mamba", symbols=60, labels=60, depth=2, parameters=100_000)
    >>> 99_000 <= model.sizes["parameters"] <= 101_000
    True
    """
    architecture, canonical = _architecture(name, imports)
    if isinstance(architecture, Outside):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return architecture.build(
                symbols=symbols, labels=labels, depth=depth, parameters=parameters
            )
    sizes = solve(
        architecture, name, symbols=symbols, labels=labels, depth=depth, parameters=parameters
    )
    return _drawn(architecture, canonical, symbols, labels, sizes, seed)


def model_of_width(
    name: str,
    *,
    symbols: int,
    labels: int,
    depth: int,
    width: int,
    second: int | None = None,
    seed: int = 0,
    imports: bool = False,
) -> SequenceModel:
    """The named architecture at a width of your choice, whatever its parameters come to.

    Parameters
    ----------
    width : int
        of the residual stream.
    second : int, optional
        the architecture's second knob; its customary value at this width if not given.

    Other parameters are as in :func:`build_model`.

    Examples
    --------
    >>> model_of_width("gru", symbols=2, labels=2, depth=1, width=8).sizes
    {'width': 8, 'state': 8, 'depth': 1, 'parameters': 546}
    """
    architecture, canonical = _architecture(name, imports)
    if isinstance(architecture, Outside):
        raise UserError(f"{name!r} has no width that flann knows: build_model makes it")
    if width < 1 or width % architecture.width_step:
        raise UserError(f"{name}: expected a width that is a multiple of {architecture.width_step}")
    second = customary(architecture, width) if second is None else second
    return _drawn(architecture, canonical, symbols, labels, Sizes(width, second, depth), seed)


def _architecture(name: str, imports: bool) -> tuple[Architecture, str]:
    architecture = model_registry.create(name, imports=imports)
    return architecture, model_registry.canonical(name, imports=imports)


def _drawn(
    architecture: Architecture, name: str, symbols: int, labels: int, sizes: Sizes, seed: int
) -> SequenceModel:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.model(name, symbols=symbols, labels=labels, sizes=sizes)
