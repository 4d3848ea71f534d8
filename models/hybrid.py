"""Hybrids: mixers of several architectures, alternating in a pattern with feed-forward parts.

::

    x = x + mixer_i(norm(x));   x = x + feedforward(norm(x))         for each i of the pattern

The pattern ``7mamba+attention`` is seven Mamba mixers followed by one attention layer, repeated as
often as the model is deep: **one layer of depth is the whole pattern once**. Its elements are

- any recurrent architecture by its name, with its options in brackets, as in
  ``3mamba(eigenvalues=negative)+deltanet``. If its layers have a feed-forward part of their own,
  only the mixer is used;
- ``attention``, which is the transformer's causal attention, without positions as in Jamba; its
  options are the transformer's, as in ``attention(heads=2,position=rope)``.

The feed-forward part is W_2 (silu(W_1 x) ⊙ V x). With ``experts=E``, every second one (``every``)
of a pattern is a mixture of E experts (see `flann.models.core.experts`). Jamba has 16 experts, of
which each symbol uses 2, and norms inside its Mamba mixers that are omitted here.

Jamba: Lieber et al. 2024, arXiv:2403.19887, §2 and §3.
"""

from __future__ import annotations

import re
from math import lcm
from types import MappingProxyType

import torch
from typing_extensions import override

from flann.errors import UserError
from flann.names import split_at_commas

from .core.architecture import Architecture, Sizes
from .core.experts import Experts, Mixture
from .core.layer import Layer, Residual
from .core.registry import model_registry, register
from .core.sizing import compute_default_second_size

EVERY = 2
ELEMENT = re.compile(r"(\d{0,3})([A-Za-z][\w-]*)(?:\((.+)\))?")


def read_pattern(pattern: str) -> list[str]:
    """Return the names in a pattern, each as often as it occurs.

    >>> read_pattern("2mamba(eigenvalues=negative)+attention")
    ['mamba:eigenvalues=negative', 'mamba:eigenvalues=negative', 'transformer:position=none']

    Raises
    ------
    UserError
        If the text is not a pattern.
    """
    names: list[str] = []
    for element in split_at_plus(pattern):
        found = ELEMENT.fullmatch(element)
        if found is None or found[1] == "0":
            raise UserError(
                f"in the pattern {pattern!r}: expected elements such as 7mamba, attention or"
                f" mamba(eigenvalues=negative), joined by +, got {element!r}"
            )
        names += [expand_name(found[2], found[3])] * int(found[1] or 1)
    return names


def split_at_plus(pattern: str) -> list[str]:
    """Split a pattern at each + outside brackets.

    >>> split_at_plus("2lstm+mamba(state=8)")
    ['2lstm', 'mamba(state=8)']
    """
    # Swapping the two signs reduces this to splitting at commas outside brackets.
    swapped = pattern.translate({ord("+"): ",", ord(","): "+"})
    return [part.replace("+", ",") for part in split_at_commas(swapped)]


def expand_name(base: str, options: str | None) -> str:
    """Return the registered name of an element; attention is that of a transformer."""
    if base != "attention":
        return f"{base}:{options}" if options else base
    given = split_at_commas(options) if options else []
    if not any(option.startswith("position=") for option in given):
        given.append("position=none")
    return "transformer:" + ",".join(given)


@register("hybrid", renamed={"chosen": "top_k"})
class Hybrid(Architecture):
    """Mixers of several architectures in turn, experts by choice, as Jamba (Lieber et al. 2024).

    Parameters
    ----------
    pattern : str
        The mixers, such as ``7mamba+attention``; the depth is the number of repetitions.
    experts : int
        Number of experts in every `every`-th feed-forward part; 0 for none.
    top_k : int
        Number of experts that each symbol uses.
    every : int
        Which feed-forward parts are mixtures, counted within the pattern.
    balance : float
        Weight of the experts' balance loss.
    """

    second_size_name = "feedforward"

    def __init__(
        self,
        *,
        pattern: str = "mamba+attention",
        experts: int = 0,
        top_k: int = 2,
        every: int = EVERY,
        balance: float = 0.01,
    ) -> None:
        names = read_pattern(pattern)
        architectures = {name: create_part(name, pattern) for name in names}
        self.parts = [architectures[name] for name in names]
        self.mixture, self.every = Mixture(experts, top_k, balance), every
        self._check_experts()
        self.width_step = lcm(*(part.width_step for part in architectures.values()))
        families = {part.family for part in architectures.values()}
        self.family = families.pop() if len(families) == 1 else "hybrid"
        recipes = [part.recipe for part in architectures.values()]
        self.recipe = MappingProxyType(
            {
                "lr": min(recipe["lr"] for recipe in recipes),
                "steps": max(recipe["steps"] for recipe in recipes),
            }
        )

    @override
    def default_second_size(self, width: int) -> int:
        """Return 8/3 of the width d, with which the three matrices have 8 d² parameters."""
        return round(8 * width / 3)

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        layers: list[Layer] = []
        for _ in range(sizes.depth):
            for number, part in enumerate(self.parts, start=1):
                layers.append(build_mixer(part, sizes.width))
                layers.append(Residual(self._build_feedforward(sizes, number), sizes.width))
        return layers

    def _build_feedforward(self, sizes: Sizes, number: int) -> Layer:
        if self.mixture.experts and number % self.every == 0:
            return self.mixture.build_layer(sizes.width, sizes.second_size)
        return Experts(sizes.width, sizes.second_size)

    def _check_experts(self) -> None:
        self.mixture.check("hybrid")
        if not self.mixture.experts and self.every != EVERY:
            raise UserError("hybrid, option 'every': it is for mixtures: expected experts too")
        if self.mixture.experts and not 1 <= self.every <= len(self.parts):
            raise UserError(
                f"hybrid, option 'every': expected 1 to {len(self.parts)}, as many as there are"
                f" mixers in the pattern, got {self.every}"
            )


def create_part(name: str, pattern: str) -> Architecture:
    """Create the architecture that an element of a pattern names.

    Raises
    ------
    UserError
        For an unknown name or option, or an architecture without a mixer that can be used alone.
    """
    part = model_registry.create(name)
    if isinstance(part, Hybrid) or not has_standalone_mixer(part):
        raise UserError(
            f"in the pattern {pattern!r}: {name} cannot stand in one: expected a causal mixer that"
            " needs nothing outside its layer"
        )
    return part


def has_standalone_mixer(part: Architecture) -> bool:
    """Return whether a layer starts with a causal mixer that depends on nothing outside it."""
    with torch.device("meta"):  # shapes only: no weights are drawn
        probe = part.build_model("", symbols=2, labels=2, sizes=Sizes(part.width_step, 1, 1))
    needs_more = probe.bos or probe.longest is not None or not probe.has_step
    return isinstance(probe.layers[0], Residual) and not needs_more


def build_mixer(part: Architecture, width: int) -> Layer:
    """Build the mixer of one layer, of default size, on the residual stream."""
    return part.build_layers(Sizes(width, compute_default_second_size(part, width), 1))[0]
