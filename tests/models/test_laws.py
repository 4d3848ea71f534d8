"""The laws of every registered architecture, and of every value of its options.

A new architecture is tested here with no edit: names come from the registry and options from the
signatures. Each law is a function that raises; at the end, each is shown able to fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_origin

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from flann.errors import UserError
from flann.models import SequenceModel, build_model, model_names, model_of_width, model_registry
from flann.models.core.layer import Layer, Residual
from flann.models.core.sequence import Description
from flann.names import format_name
from flann.registry import list_choices, list_options

COMBINATIONS = [
    "transformer:causal=false,position=none",
    "transformer:causal=false,position=alibi",
    "transformer:position=learned,bos=true",
    "transformer:position=none,bos=true,norm=none,activation=relu",
    "hybrid:pattern=deltanet(eigenvalues=negative)+2attention(position=rope),experts=3",
    "transformer:position=relative,causal=false,distance=3",
    "transformer:position=t5,causal=false,key_heads=1",
    "transformer:position=transformer-xl,causal=false,norm=post,norm_kind=layer",
    "transformer:position=rope,interpolation=4,key_heads=2,activation=swiglu",
    "transformer:position=learned,randomised=true,bos=true,max_length=100",
    "transformer:position=binary,causal=false,randomised=true",
    "transformer:attention=window,window=5,global_tokens=2,position=relative,key_heads=2",
    "transformer:attention=window,window=5,causal=false,position=none",
    "transformer:attention=bigbird,block=3,causal=false,position=t5",
    "transformer:attention=linear,causal=false,position=none,key_heads=2",
    "transformer:attention=performer,features=6,position=sinusoidal,key_heads=1,loops=2",
    "transformer:attention=nystrom,landmarks=4,causal=false",
    "transformer:attention=log-length,causal=false,position=alibi",
    "transformer:loops=3,norm=post,norm_kind=scale",
    "transformer:loops=log,position=none",
    "transformer:loops=log,causal=false,randomised=true,position=alibi",
    "transformer:experts=3",
    "transformer:experts=4,top_k=1,activation=swiglu,position=none,loops=2",
    "transformer:experts=2,loops=log,causal=false,activation=relu,norm=post",
]
NEEDED = {  # what a value needs beside it
    ("attention", "linformer"): {"causal": False},
    ("attention", "nystrom"): {"causal": False},
}
SYMBOLS, LABELS = 5, 3


def variants() -> Iterator[str]:
    """Every name at its defaults, then with each other value of each option that lists them."""
    for name in model_names():
        yield name
        for option in list_options(model_registry.factory(name)):
            if get_origin(option.kind) is Literal or option.kind is bool:
                values = [True, False] if option.kind is bool else list_choices(option.kind)
                for value in values:
                    if value != option.default:
                        others = NEEDED.get((option.name, value), {})
                        yield format_name(name, {**others, option.name: value})
    yield from COMBINATIONS


VARIANTS = list(variants())
every_variant = pytest.mark.parametrize("name", VARIANTS)


def small(name: str, *, depth: int = 2, width: int = 8, seed: int = 0) -> SequenceModel:
    model = model_of_width(
        name, symbols=SYMBOLS, labels=LABELS, depth=depth, width=width, seed=seed
    )
    return model.double().eval()  # in training, positions are redrawn at each pass


def words(size: int, length: int) -> Tensor:
    draw = torch.Generator().manual_seed(size * 1000 + length)
    return torch.randint(SYMBOLS, (size, length), generator=draw)


# -- the laws --------------------------------------------------------------------------------------


def steps_equal_forward(model: SequenceModel, tokens: Tensor, tolerance: float = 1e-8) -> None:
    state, outputs = model.initial_state(len(tokens)), []
    for t in range(tokens.shape[1]):
        logits, state = model.step(tokens[:, t], state)
        outputs.append(logits)
    torch.testing.assert_close(
        torch.stack(outputs, 1), model(tokens), rtol=tolerance, atol=tolerance
    )


def prefixes_equal(model: SequenceModel, tokens: Tensor) -> None:
    """What comes later changes nothing before it, nor whether it is there.

    If the depth or the positions depend on the length, those of the whole word are fixed.
    """
    whole, length = model(tokens), tokens.shape[1]
    for t in {1, 2, length // 2, length - 1}:
        changed = tokens.clone()
        changed[:, t:] = (changed[:, t:] + 1) % model.symbols
        torch.testing.assert_close(model(changed)[:, :t], whole[:, :t], rtol=1e-8, atol=1e-8)
        with model.fix_length(length):
            torch.testing.assert_close(model(tokens[:, :t]), whole[:, :t], rtol=1e-8, atol=1e-8)


def rows_independent(model: SequenceModel, tokens: Tensor) -> None:
    whole, order = model(tokens), torch.arange(len(tokens) - 1, -1, -1)
    torch.testing.assert_close(model(tokens[order]), whole[order], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(model(tokens[1:2]), whole[1:2], rtol=1e-9, atol=1e-9)


def gradients_right(model: nn.Module, tokens: Tensor) -> None:
    names, values = zip(*model.named_parameters(), strict=True)

    def logits(*parameters: Tensor) -> Any:
        return functional_call(model, dict(zip(names, parameters, strict=True)), (tokens,))

    torch.manual_seed(0)  # gradcheck draws its directions from the global generator
    assert torch.autograd.gradcheck(logits, values, fast_mode=True, atol=1e-6, rtol=1e-3)


@every_variant
def test_steps_equal_forward(name: str) -> None:
    model = small(name)
    if not model.has_step:
        with pytest.raises(UserError, match="no step form"):
            model.initial_state(1)
        return
    for length in (1, 2, 33, 70):  # on both sides of where kernels change their method
        steps_equal_forward(model, words(3, length))
    steps_equal_forward(model.float(), words(3, 70), tolerance=2e-4)


@every_variant
def test_step_leaves_the_earlier_state_alone(name: str) -> None:
    model, tokens = small(name), words(2, 6)
    if not model.has_step:
        return
    state = model.initial_state(2)
    for t in range(5):
        _, state = model.step(tokens[:, t], state)
    first, _ = model.step(tokens[:, 5], state)
    model.step((tokens[:, 5] + 1) % SYMBOLS, state)
    again, _ = model.step(tokens[:, 5], state)
    torch.testing.assert_close(first, again, rtol=0, atol=0)


@every_variant
def test_causal_where_it_says_so(name: str) -> None:
    model = small(name)
    if model.causal:
        prefixes_equal(model, words(2, 9))
        prefixes_equal(model, words(1, 67))
    else:
        with pytest.raises(AssertionError):
            prefixes_equal(model, words(2, 9))


@every_variant
def test_rows_are_independent(name: str) -> None:
    rows_independent(small(name), words(4, 12))


@every_variant
def test_runs_past_training_length_or_refuses(name: str) -> None:
    model = small(name, depth=1)
    longest = model.longest or 1100
    with torch.no_grad():
        logits = model(words(1, longest))
    assert logits.shape == (1, longest, LABELS)
    assert logits.isfinite().all()
    if model.longest:
        with pytest.raises(UserError, match=f"at most {model.longest} symbols"):
            model(words(1, longest + 1))


@every_variant
def test_gradients(name: str) -> None:
    gradients_right(small(name, depth=1), words(2, 4))


@every_variant
def test_same_seed_same_loss(name: str) -> None:
    def losses(seed: int) -> list[float]:
        model = small(name, seed=seed).float().train()
        optimiser = torch.optim.AdamW(model.parameter_groups(1e-2, 0.01))
        found = []
        for _ in range(4):
            tokens = words(4, 8)
            loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten() % 3)
            loss = loss + model.auxiliary_loss()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            found.append(loss.item())
        return found

    once = losses(0)
    assert once == losses(0)
    assert once != losses(1)
    assert once[-1] < once[0]


@every_variant
def test_weights_come_from_the_seed_alone(name: str) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = small(name, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    two = small(name, seed=7)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@every_variant
def test_every_parameter_is_used_and_in_one_group(name: str) -> None:
    model = small(name)
    model(words(3, 7)).square().sum().backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert not unused
    grouped = [p for group in model.parameter_groups(0.1, 0.2) for p in group["params"]]
    assert sorted(map(id, grouped)) == sorted(id(p) for p in model.parameters())
    assert model.sizes["parameters"] == sum(p.numel() for p in grouped)


@every_variant
def test_name_builds_it_again(name: str) -> None:
    model = small(name)
    assert model.name == model_registry.canonical(name)
    again = small(model.name)
    assert torch.equal(model(words(2, 5)), again(words(2, 5)))
    assert again.family == model.family
    assert model.recipe["lr"] > 0


@every_variant
def test_state_size_is_what_is_carried(name: str) -> None:
    model = small(name)
    if not model.has_step:
        return
    state = model.initial_state(1)
    for t in range(6):
        _, state = model.step(words(1, 6)[:, t], state)
    assert numbers_in(state[1]) == model.state_size(6)


def numbers_in(state: Any) -> int:
    """How many real numbers a state holds for one word."""
    if isinstance(state, Tensor):
        return state.numel() * (2 if state.is_complex() else 1)
    if isinstance(state, int):
        return 1
    return sum(map(numbers_in, state)) if state else 0


@every_variant
@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int32])
def test_reads_tokens_in_small_types(name: str, kind: torch.dtype) -> None:
    model, tokens = small(name), words(2, 5)
    assert torch.equal(model(tokens.to(kind)), model(tokens))


BUDGETS = [
    *(
        (name, parameters, depth)
        for name in model_names()
        for parameters, depth in ((100_000, 1), (100_000, 4), (1_000_000, 2))
    ),
    *((name, 100_000, 2) for name in VARIANTS if name not in [*model_names(), *COMBINATIONS]),
]


@pytest.mark.parametrize(("name", "parameters", "depth"), BUDGETS)
def test_within_one_percent_of_the_budget(name: str, parameters: int, depth: int) -> None:
    model = build_model(name, symbols=60, labels=60, depth=depth, parameters=parameters)
    real = sum(p.numel() for p in model.parameters())
    assert model.sizes["parameters"] == real
    assert abs(real - parameters) <= 0.01 * parameters
    assert model.sizes["depth"] == depth


@pytest.mark.gpu
@every_variant
def test_cuda_equals_cpu(name: str) -> None:
    model, tokens = small(name).float(), words(3, 70)
    here = model(tokens)
    there = model.cuda()(tokens.cuda())
    torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3)
    there.square().sum().backward()
    if model.has_step:
        state = model.initial_state(3)
        logits, _ = model.step(tokens[:, 0].cuda(), state)
        torch.testing.assert_close(logits, there[:, 0], rtol=1e-3, atol=1e-3)


# -- each law can fail -----------------------------------------------------------------------------


class Faulty(Layer):
    """A running mean with one planted fault."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.scale = fault, nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        if self.fault == "looks ahead":
            x = x.roll(-1, 1)
        if self.fault == "mixes rows":
            x = x - x.mean(0)
        if self.fault == "wrong gradient":
            x = x + (self.scale * x).detach()
        places = torch.arange(1, x.shape[1] + 1, dtype=x.dtype)
        return self.scale * x.cumsum(1) / places[:, None]

    def initial_state(self, batch_size: int) -> Any:
        return torch.zeros(batch_size, 8, dtype=torch.float64), 0

    def step(self, x: Tensor, state: Any) -> Any:
        total, place = state[0] + x, state[1] + 1
        return self.scale * total / (place + (self.fault == "steps differ")), (total, place)


def faulty(fault: str) -> SequenceModel:
    return SequenceModel(
        symbols=SYMBOLS,
        labels=LABELS,
        width=8,
        layers=[Residual(Faulty(fault), 8)],
        description=Description("faulty", "none"),
    ).double()


LAWS = {
    "steps differ": steps_equal_forward,
    "looks ahead": prefixes_equal,
    "mixes rows": rows_independent,
    "wrong gradient": gradients_right,
}


@pytest.mark.parametrize("fault", LAWS)
def test_each_law_catches_its_fault(fault: str) -> None:
    law, tokens = LAWS[fault], words(3, 5)
    law(faulty("none"), tokens)
    with pytest.raises((AssertionError, RuntimeError)):
        law(faulty(fault), tokens)
