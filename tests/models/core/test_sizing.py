"""Budgets are met, or refused with the reason."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flann.errors import UserError
from flann.models import Architecture, build_model, model_names, model_of_width, model_registry
from flann.models.core.architecture import Sizes
from flann.models.core.feedforward import FeedForward
from flann.models.core.layer import Layer
from flann.models.core.sizing import build_parameter_counter, solve_sizes


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(model_names()),
    depth=st.integers(1, 8),
    parameters=st.integers(30_000, 3_000_000),
    symbols=st.integers(2, 64),
)
def test_any_budget_is_met(name: str, depth: int, parameters: int, symbols: int) -> None:
    architecture = model_registry.create(name)
    sizes = solve_sizes(
        architecture, name, symbols=symbols, labels=symbols, depth=depth, parameters=parameters
    )
    count = build_parameter_counter(architecture, symbols, symbols, depth)(
        sizes.width, sizes.second_size
    )
    assert abs(count - parameters) <= 0.01 * parameters


GRID = [(parameters, depth) for parameters in (30_000, 10**6, 10**7) for depth in (1, 4, 8)]
CHOSEN = [  # whose sizes have coarser steps than the defaults'
    "transformer:experts=4",
    "transformer:experts=16,activation=swiglu",
    "transformer:position=learned,bos=true",
    "hybrid:experts=4",
    "hybrid:pattern=3mamba+attention,experts=16",
    "deltaproduct:factors=4",
]


@pytest.mark.parametrize("name", model_names())
def test_every_model_meets_budgets_from_small_to_large(name: str) -> None:
    for parameters, depth in GRID:
        count = met(name, parameters, depth)
        assert abs(count - parameters) <= 0.01 * parameters, (parameters, depth)


@pytest.mark.parametrize("name", CHOSEN)
def test_options_meet_them_or_the_nearest_is_named(name: str) -> None:
    for parameters, depth in GRID:
        try:
            count = met(name, parameters, depth)
        except UserError as refused:
            off, nearest = nearest_by_trying_all(name, parameters, depth)
            assert off > 0.01 * parameters
            assert f"{nearest:,}" in str(refused)
        else:
            assert abs(count - parameters) <= 0.01 * parameters, (parameters, depth)


def met(name: str, parameters: int, depth: int) -> int:
    """How many parameters the model for this budget has."""
    architecture = model_registry.create(name)
    sizes = solve_sizes(
        architecture, name, symbols=60, labels=60, depth=depth, parameters=parameters
    )
    return build_parameter_counter(architecture, 60, 60, depth)(sizes.width, sizes.second_size)


def nearest_by_trying_all(name: str, parameters: int, depth: int) -> tuple[int, int]:
    """How far off the nearest count is, and which: every width, every knob up to the budget."""
    architecture = model_registry.create(name)
    count = build_parameter_counter(architecture, 60, 60, depth)
    width, found = architecture.width_step, []
    while not found or count(width, architecture.smallest_second_size) <= 1.1 * parameters:
        second = architecture.smallest_second_size
        while True:
            found.append(count(width, second))
            if found[-1] > parameters:
                break
            second += architecture.second_size_step
        width += architecture.width_step
    return min((abs(n - parameters), n) for n in found)


@pytest.mark.parametrize("name", model_names())
@pytest.mark.parametrize("depth", [1, 3])
def test_counts_are_those_of_real_modules(name: str, depth: int) -> None:
    architecture = model_registry.create(name)
    model = model_of_width(name, symbols=7, labels=3, depth=depth, width=16)
    sizes = list(model.sizes.values())
    assert (
        build_parameter_counter(architecture, 7, 3, depth)(sizes[0], sizes[1])
        == model.sizes["parameters"]
    )


@pytest.mark.parametrize("name", model_names())
def test_a_budget_too_small_names_the_smallest(name: str) -> None:
    with pytest.raises(UserError, match="too few") as caught:
        build_model(name, symbols=2, labels=2, depth=1, parameters=3)
    message = str(caught.value)
    assert "\n" not in message
    least = int(re.findall(r"smallest possible has ([\d,]+)", message)[0].replace(",", ""))
    assert build_model(name, symbols=2, labels=2, depth=1, parameters=least).sizes[
        "parameters"
    ] == pytest.approx(least, rel=0.01)


class Coarse(Architecture):
    """Sizes in steps so large that most budgets fall between them."""

    family, second_size_name, width_step, second_size_step = "none", "inner", 50, 50

    def build_layers(self, sizes: Sizes) -> list[Layer]:
        return [FeedForward(sizes.width, sizes.second_size, "relu") for _ in range(sizes.depth)]


def test_a_budget_between_sizes_is_refused_with_the_nearest() -> None:
    count = build_parameter_counter(Coarse(), 2, 2, 1)
    below, above = count(50, 50), count(50, 100)
    asked = (below + above) // 2
    with pytest.raises(UserError, match="within 1%") as caught:
        solve_sizes(Coarse(), "coarse", symbols=2, labels=2, depth=1, parameters=asked)
    assert f"{below:,} (-" in str(caught.value)
    assert f"{above:,} (+" in str(caught.value)
    met = solve_sizes(Coarse(), "coarse", symbols=2, labels=2, depth=1, parameters=above)
    assert met == Sizes(50, 100, 1)


def test_depth_and_width_are_checked() -> None:
    with pytest.raises(UserError, match="depth 0"):
        build_model("lstm", symbols=2, labels=2, depth=0, parameters=10_000)
    with pytest.raises(UserError, match="multiple of 8"):
        model_of_width("transformer", symbols=2, labels=2, depth=1, width=12)


def test_no_memory_is_taken_for_counting() -> None:
    architecture = model_registry.create("lstm")
    huge = build_parameter_counter(architecture, 2, 2, 100)(100_000, 100_000)
    assert huge > 10**12
    assert architecture.smallest_second_size == 1
    assert torch.get_default_device().type == "cpu"
