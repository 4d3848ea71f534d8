"""Permutation groups by the delta rule: reflections that transpose two rows of the memory.

The factor ``I - 2 k kᵀ`` with ``k = (e_i - e_j) / √2`` transposes rows i and j, so a symbol that
permutes points is a product of transpositions, one less for each cycle than it has points. As the
memory is initially zero, and a permutation of zeros has no effect, ``S + c I`` is permuted::

    S_t + c I = P_t (S_{t-1} + c I)     by writing v = -c k with every reflection
    y_t       = c (P_tᵀ q - q)          for a query q that is the same for all symbols

If the coordinates of q are distinct, permutations differ in the direction of ``Pᵀ q - q``. The head
computes the cosine with each of these directions, and scores 1/2 for the identity, which has none.
The points are blocks of states that every symbol permutes
(`flann.models.witnesses.permutations.find_smallest_action`): three for S3, five for A5.

Siems et al. 2025, arXiv:2502.10297, §3. One factor, for parity: Grazzi et al. 2024,
arXiv:2411.12537.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import silu

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.linear.delta_rule import DeltaArchitecture, DeltaRule

from .construction import NoWitnessError
from .machines import Counter, MooreTable
from .one_layer_model import OneLayerModel
from .permutations import (
    Permutation,
    find_smallest_action,
    is_regular,
    list_transpositions,
    permute_along_words,
)

SATURATING = 1000.0  # the logistic function of ±1000 is 1 or 0
KEY_SIZE = 0.2  # coordinates of keys before normalisation; SiLU is bounded below by -0.278
MOST_STATES = 1000
LEAST_ANGLE = 1e-3  # 1 - cosine between the directions of two permutations


def build_reflections(
    architecture: Architecture, name: str, language: MooreTable | Counter, labels: int
) -> SequenceModel:
    """Build the delta-rule model whose memory is permuted by every symbol."""
    assert isinstance(architecture, DeltaArchitecture)
    if architecture.eigenvalues != "negative":
        raise NoWitnessError("a transposition has the eigenvalue -1: expected eigenvalues=negative")
    if not isinstance(language, MooreTable) or language.states > MOST_STATES:
        raise NoWitnessError(
            f"a construction is known for automata of at most {MOST_STATES} states only"
        )
    actions = [language.get_action(a) for a in range(language.symbols)]
    if any(len(set(action)) < language.states for action in actions):
        raise NoWitnessError("a symbol maps two states to one, unlike a product of reflections")
    if not is_regular(actions, language):
        raise NoWitnessError("the states do not correspond to the elements of a permutation group")
    scored = [label for label in language.labels if label >= 0]
    if len(set(scored)) < len(scored):
        raise NoWitnessError("two states have the same label: expected a label a permutation")
    permutations = find_smallest_action(language, actions)
    needed = max(len(list_transpositions(permutation)) for permutation in permutations)
    if needed > architecture.factors:
        raise NoWitnessError(
            f"a symbol is a product of {needed} transpositions: expected factors={needed} or more"
        )
    points = len(permutations[0])
    query = torch.arange(1.0, points + 1, dtype=torch.float64).sqrt()
    directions = compute_directions(permute_along_words(language, permutations), query)
    codes = torch.eye(language.symbols)
    width = max(language.symbols + labels, architecture.width_step * points)
    target = OneLayerModel.build(
        architecture, name, codes, labels, second_size=1, least_width=width
    )
    layer = target.layer
    assert isinstance(layer, DeltaRule)
    with torch.no_grad():
        write_reflections(layer, permutations)
        layer.query.weight[:points, target.symbols] = invert_silu(query)[:, None].float()
        layer.norm.weight.fill_((1 / layer.value) ** 0.5)  # so that its outputs have norm 1
        rows = layer.out.weight[target.labels]
        for state, direction in directions.items():
            if language.labels[state] >= 0:
                rows[language.labels[state], :points] = direction.to(rows)
        constants = torch.zeros(labels)
        if language.labels[language.start] >= 0:
            constants[language.labels[language.start]] = 0.5
    target.add_constants(constants)
    return target.model


def compute_directions(
    permutations: dict[int, Permutation], query: Float[Tensor, " points"]
) -> dict[int, Float[Tensor, " points"]]:
    """Return the unit vector along Pᵀ q - q for the permutation P of every state.

    The vector of the identity is zero.

    Raises
    ------
    NoWitnessError
        If two directions are too close to be distinguished.
    """
    directions = torch.stack([query[list(p)] - query for p in permutations.values()])
    norms = directions.norm(dim=1, keepdim=True)
    directions = torch.where(norms > 0, directions / norms.clamp_min(1e-300), 0)
    cosines = directions @ directions.T - torch.eye(len(directions))
    if float(cosines.max()) > 1 - LEAST_ANGLE:
        raise NoWitnessError("the directions of two permutations are too close to be distinguished")
    return dict(zip(permutations, directions, strict=True))


def write_reflections(layer: DeltaRule, permutations: list[Permutation]) -> None:
    """Set the keys, values and strengths for the permutation of every symbol."""
    width = layer.query.out_features
    key, value = (
        {sign: invert_silu(torch.tensor(sign * size, dtype=torch.float64)) for sign in (1.0, -1.0)}
        for size in (KEY_SIZE, -KEY_SIZE)
    )
    layer.convolution.weight[:, 0, -1] = 1  # the identity
    for a, permutation in enumerate(permutations):
        for n in range(layer.steps_per_symbol):
            layer.strength.weight[n * layer.heads, a] = -SATURATING
        for n, (i, j) in enumerate(list_transpositions(permutation)):
            layer.strength.weight[n * layer.heads, a] = SATURATING
            for point, sign in ((i, 1.0), (j, -1.0)):
                layer.keys.weight[n * width + point, a] = key[sign]
                layer.values.weight[n * width + point, a] = value[sign]


def invert_silu(y: Tensor) -> Tensor:
    """Return the x at or above SiLU's minimum for which SiLU(x) = y, by bisection.

    >>> silu(invert_silu(torch.tensor([-0.2, 3.0], dtype=torch.float64))).round(decimals=12)
    tensor([-0.2000,  3.0000], dtype=torch.float64)
    """
    low, high = torch.full_like(y, -1.2784645), torch.full_like(y, 1e3)
    for _ in range(200):
        middle = (low + high) / 2
        above = silu(middle) > y
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return (low + high) / 2
