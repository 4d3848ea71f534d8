"""Hybrids: mixers of several architectures in turn, by a pattern, each with a feed-forward part.

::

    x = x + mixer_i(norm(x));   x = x + feedforward(norm(x))         for each i of the pattern

A pattern is written ``7mamba+attention``: seven Mamba mixers, then one of attention, and so on as
many times as the model is deep; **a layer of depth is the whole pattern once**. What stands in it:

- any recurrent architecture by its name, with its options in brackets, as in
  ``3mamba(eigenvalues=negative)+deltanet``. Of one whose layer has a feed-forward part of its own
  the mixer alone is taken;
- ``attention``: the transformer's, causal, without positions as Jamba's; its options are the
  transformer's, as in ``attention(heads=2,position=rope)``.

The feed-forward part is W_2 (silu(W_1 x) ⊙ V x). With ``experts=E`` every second one (``every``)
of a pattern is a mixture of E of them (see `flann.models.core.experts`); Jamba has 16, of which each
symbol uses 2, and norms inside its Mamba mixers that are not here.

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
    """The names in a pattern, each as often as it stands there.

    >>> read_pattern("2mamba(eigenvalues=negative)+attention")
    ['mamba:eigenvalues=negative', 'mamba:eigenvalues=negative', 'transformer:position=none']

    Raises
    ------
    UserError
        for what is not a pattern.
    """
    names: list[str] = []
    for element in split_at_plus(pattern):
        found = ELEMENT.fullmatch(element)
        if found is None or found[1] == "0":
            raise UserError(
                f"in the pattern {pattern!r}: expected elements such as 7mamba, attention or"
                f" mamba(eigenvalues=negative), joined by +, got {element!r}"
            )
        names += [full_name(found[2], found[3])] * int(found[1] or 1)
    return names


def split_at_plus(pattern: str) -> list[str]:
    """Split at + outside brackets.

    >>> split_at_plus("2lstm+mamba(state=8)")
    ['2lstm', 'mamba(state=8)']
    """
    # The grammar of names splits at commas outside brackets; the two signs change places here.
    swapped = pattern.translate({ord("+"): ",", ord(","): "+"})
    return [part.replace("+", ",") for part in split_at_commas(swapped)]


def full_name(base: str, options: str | None) -> str:
    """An element's name by the grammar of names; attention is a transformer's."""
    if base != "attention":
        return f"{base}:{options}" if options else base
    given = split_at_commas(options) if options else []
    if not any(option.startswith("position=") for option in given):
        given.append("position=none")
    return "transformer:" + ",".join(given)


@register("hybrid")
class Hybrid(Architecture):
    """Mixers of several architectures in turn, experts by choice, as Jamba (Lieber et al. 2024).

    Parameters
    ----------
    pattern : str
        such as ``7mamba+attention``; depth counts how often it stands.
    experts : int
        how many experts every `every`-th feed-forward part has; 0 for none.
    chosen : int
        how many of them a symbol uses.
    every : int
        which feed-forward parts are mixtures, counted within the pattern.
    balance : float
        weight of the experts' balance loss.
    """

    second_size_name = "feedforward"

    def __init__(
        self,
        *,
        pattern: str = "mamba+attention",
        experts: int = 0,
        chosen: int = 2,
        every: int = EVERY,
        balance: float = 0.01,
    ) -> None:
        names = read_pattern(pattern)
        made = {name: part_of(name, pattern) for name in names}
        self.parts = [made[name] for name in names]
        self.mixture, self.every = Mixture(experts, chosen, balance), every
        self._check_experts()
        self.width_step = lcm(*(part.width_step for part in made.values()))
        families = {part.family for part in made.values()}
        self.family = families.pop() if len(families) == 1 else "hybrid"
        recipes = [part.recipe for part in made.values()]
        self.recipe = MappingProxyType(
            {
                "lr": min(recipe["lr"] for recipe in recipes),
                "steps": max(recipe["steps"] for recipe in recipes),
            }
        )

    @override
    def default_second_size(self, width: int) -> int:
        return round(8 * width / 3)

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        layers: list[Layer] = []
        for _ in range(sizes.depth):
            for place, part in enumerate(self.parts, start=1):
                layers.append(mixer_of(part, sizes.width))
                layers.append(Residual(self._feedforward(sizes, place), sizes.width))
        return layers

    def _feedforward(self, sizes: Sizes, place: int) -> Layer:
        if self.mixture.experts and place % self.every == 0:
            return self.mixture.layer(sizes.width, sizes.second_size)
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


def part_of(name: str, pattern: str) -> Architecture:
    """The architecture that an element of a pattern names, if its mixer can stand in one.

    Raises
    ------
    UserError
        for an unknown name or option, or one that cannot.
    """
    part = model_registry.create(name)
    if isinstance(part, Hybrid) or not stands_alone(part):
        raise UserError(
            f"in the pattern {pattern!r}: {name} cannot stand in one: expected a causal mixer that"
            " needs nothing outside its layer"
        )
    return part


def stands_alone(part: Architecture) -> bool:
    """Whether a layer begins with a causal mixer for words of any length, and that is all."""
    with torch.device("meta"):  # shapes only: no numbers are drawn
        probe = part.build_model("", symbols=2, labels=2, sizes=Sizes(part.width_step, 1, 1))
    whole = probe.bos or probe.longest is not None or not probe.has_step
    return isinstance(probe.layers[0], Residual) and not whole


def mixer_of(part: Architecture, width: int) -> Layer:
    """The mixer of one layer, at its customary size, on the residual stream."""
    return part.build_layers(Sizes(width, compute_default_second_size(part, width), 1))[0]
