"""Each kind of attention and each kind of positions on pairs, against its formula written plainly.

Everything here is computed a second time, head by head and pair by pair, from the paper's equation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import log, sqrt
from typing import Any

import pytest
import torch
from torch import Tensor

from flann.errors import UserError
from flann.models import model_of_width
from flann.models.attention import attention as attention_module
from flann.models.attention.attention import Attention, LogLength
from flann.models.attention.kernel import KernelAttention, Performer, draw_rows
from flann.models.attention.looped import Looped
from flann.models.attention.low_rank import (
    Linformer,
    Nystrom,
    approximate_pseudoinverse,
    build_segment_means,
)
from flann.models.attention.positions.binary import Binary
from flann.models.attention.positions.randomised import RandomisedPositions
from flann.models.attention.positions.rope import Rotary, rotate
from flann.models.attention.positions.shaw import Shaw
from flann.models.attention.positions.t5_bias import T5Bias
from flann.models.attention.positions.transformer_xl import TransformerXL
from flann.models.attention.sparse import BigBird, SlidingWindow, draw_blocks

Pair = Callable[[int, int, int, Tensor, Tensor], Any]
"""Of (head, i, j, query, key): the score, or None where the key is not seen."""
LENGTH = 11


def build_layer(kind: type[Attention], **options: Any) -> Any:
    torch.manual_seed(0)
    part = kind(6, 4, 2, **{"causal": True, "position": "none", **options}).double()
    for name, parameter in part.named_parameters():
        if name.startswith("pairs."):
            torch.nn.init.normal_(parameter)  # so that what is added to scores is seen
    return part


def word(length: int = LENGTH, width: int = 6) -> Tensor:
    return torch.randn(2, length, width, dtype=torch.float64)


def heads_of(part: Attention, x: Tensor) -> Iterable[tuple[int, Tensor, Tensor, Tensor]]:
    """Of one word: each head's number, queries, keys and values."""
    width, sharers = part.head_width, part.heads // part.key_heads
    for head in range(part.heads):
        mine = slice(head * width, (head + 1) * width)
        theirs = slice(head // sharers * width, (head // sharers + 1) * width)
        yield (
            head,
            x @ part.query.weight[mine].T + part.query.bias[mine],
            x @ part.key.weight[theirs].T + part.key.bias[theirs],
            x @ part.value.weight[theirs].T + part.value.bias[theirs],
        )


def by_pairs(part: Attention, x: Tensor, pair: Pair, value: Any = None) -> Tensor:
    """Softmax over the scores that `pair` gives, one query at a time."""
    words = []
    for row in x:
        heads = []
        for head, q, k, v in heads_of(part, row):
            outputs = []
            for i in range(len(row)):
                scores = {j: pair(head, i, j, q[i], k[j]) for j in range(len(row))}
                seen = [j for j in scores if scores[j] is not None]
                weights = torch.softmax(torch.stack([torch.as_tensor(scores[j]) for j in seen]), 0)
                values = [v[j] + (value(i, j) if value else 0) for j in seen]
                outputs.append(sum(a * b for a, b in zip(weights, values, strict=True)))
            heads.append(torch.stack(outputs))
        words.append(part.out(torch.cat(heads, dim=-1)))
    return torch.stack(words)


def dot(q: Tensor, k: Tensor) -> Tensor:
    return (q * k).sum() / sqrt(len(q))


def check(part: Attention, pair: Pair, monkeypatch: pytest.MonkeyPatch, value: Any = None) -> None:
    """The short form, and the one by blocks of queries."""

    def masked(head: int, i: int, j: int, q: Tensor, k: Tensor) -> Any:
        return None if part.causal and j > i else pair(head, i, j, q, k)

    x = word()
    with torch.no_grad():
        expected = by_pairs(part, x, masked, value)
        torch.testing.assert_close(part(x), expected)
        monkeypatch.setattr(attention_module, "SHORT", 4)
        monkeypatch.setattr(attention_module, "BLOCK", 4)
        torch.testing.assert_close(part(x), expected)


either = pytest.mark.parametrize("causal", [True, False])

# -- positions on pairs ----------------------------------------------------------------------------


@either
def test_relative(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    part = build_layer(Attention, causal=causal, position=lambda: Shaw(2, causal, distance=3))
    keys, values = part.pairs.of_keys, part.pairs.of_values
    assert len(keys) == (4 if causal else 7)

    def row(i: int, j: int) -> int:
        return max(-3, min(3, i - j)) + (0 if causal else 3)

    check(
        part,
        lambda head, i, j, q, k: None if causal and j > i else dot(q, k + keys[row(i, j)]),
        monkeypatch,
        lambda i, j: values[row(i, j)],
    )


@either
def test_transformer_xl(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    part = build_layer(Attention, causal=causal, position="transformer-xl")
    pairs: TransformerXL = part.pairs
    assert pairs.bias_content.abs().min() > 0

    def sinusoid(distance: int) -> Tensor:
        angles = [distance / 10_000 ** (2 * n / 6) for n in range(3)]
        both = [
            f(torch.tensor(a, dtype=torch.float64)) for a in angles for f in (torch.sin, torch.cos)
        ]
        return torch.stack(both)

    def pair(head: int, i: int, j: int, q: Tensor, k: Tensor) -> Tensor:
        known = pairs.distances.weight[2 * head : 2 * head + 2] @ sinusoid(i - j)
        return dot(q + pairs.bias_content[head, 0], k) + dot(
            q + pairs.bias_distance[head, 0], known
        )

    check(part, pair, monkeypatch)


@either
def test_t5(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    part = build_layer(Attention, causal=causal, position=lambda: T5Bias(4, causal, 9, buckets=8))

    def bucket(i: int, j: int) -> int:
        buckets, first = (8, 0) if causal else (4, 4 * (j > i))
        distance, exact = abs(i - j), buckets // 2
        if distance < exact:
            return first + distance
        far = exact + int(log(distance / exact) / log(9 / exact) * (buckets - exact) + 1e-6)
        return first + min(far, buckets - 1)

    check(
        part,
        lambda head, i, j, q, k: dot(q, k) + part.pairs.table[bucket(i, j), head],
        monkeypatch,
    )


def test_interpolated_rope_is_rope_at_a_fraction_of_the_place() -> None:
    x, positions = torch.randn(9, 4, dtype=torch.float64), torch.arange(9)
    torch.testing.assert_close(Rotary(4.0).transform_queries(x, 4 * positions), rotate(x, 0))
    assert not torch.allclose(Rotary(4.0).transform_queries(x, positions), rotate(x, 0))


def test_binary_digits() -> None:
    part = Binary(32).double()
    part.digits.data = torch.eye(32, dtype=torch.float64)
    vectors = part.compute_vectors(0, 600, torch.zeros(1, 32, dtype=torch.float64))
    for place in (0, 1, 6, 599):
        digits = [2 * int(digit) - 1 for digit in f"{place:032b}"[::-1]]
        assert vectors[place].tolist() == digits


# -- which keys, and how sharply -------------------------------------------------------------------


@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_heads_share_keys(key_heads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    part = build_layer(Attention, key_heads=key_heads)
    assert part.key.weight.shape == (2 * key_heads, 6)
    check(part, lambda head, i, j, q, k: dot(q, k), monkeypatch)


@either
def test_log_length(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def pair(head: int, i: int, j: int, q: Tensor, k: Tensor) -> Tensor:
        return log(i + 1 if causal else LENGTH) * dot(q, k)

    check(build_layer(LogLength, causal=causal), pair, monkeypatch)


@either
@pytest.mark.parametrize("global_tokens", [0, 2])
def test_window(causal: bool, global_tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def pair(head: int, i: int, j: int, q: Tensor, k: Tensor) -> Any:
        near = abs(i - j) < 3 or min(i, j) < global_tokens
        return dot(q, k) if near else None

    part = build_layer(SlidingWindow, causal=causal, window=3, global_tokens=global_tokens)
    check(part, pair, monkeypatch)


@either
def test_bigbird(causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[int, set[tuple[int, int]]] = {head: set() for head in range(4)}

    def pair(head: int, i: int, j: int, q: Tensor, k: Tensor) -> Any:
        near = abs(i // 2 - j // 2) <= 1 or i // 2 == 0 or j // 2 == 0
        of = i // 2 + 1 if causal else 6
        if not near and j // 2 not in draw_blocks(5, head, i // 2, of, 1):
            return None
        if not near:
            seen[head].add((i // 2, j // 2))
        return dot(q, k)

    part = build_layer(BigBird, causal=causal, block=2, random_blocks=1, seed=5)
    check(part, pair, monkeypatch)
    assert all(len({i for i, _ in pairs}) == len(pairs) > 0 for pairs in seen.values())
    assert len({frozenset(pairs) for pairs in seen.values()}) > 1  # each head has its own


def test_random_blocks_are_no_others_and_fixed() -> None:
    for block in range(12):
        found = draw_blocks(0, 1, block, 12, 3)
        assert found == draw_blocks(0, 1, block, 12, 3)
        assert len(set(found)) == 3
        assert not {0, block - 1, block, block + 1} & set(found)
    assert draw_blocks(0, 0, 3, 4, 2) == [1]  # there is but one more to see


def test_a_window_forgets() -> None:
    model = model_of_width(
        "transformer:attention=window,window=4,global_tokens=1",
        symbols=2,
        labels=2,
        depth=1,
        width=8,
    )
    assert model.state_size(100) == model.state_size(200) == 2 * 8 * 4 + 1


# -- kernels and intermediaries --------------------------------------------------------------------


def by_kernel(part: KernelAttention, x: Tensor, kernel: Any) -> Tensor:
    words = []
    for row in x:
        heads = []
        for _, q, k, v in heads_of(part, row):
            outputs = []
            for i in range(len(row)):
                seen = range(i + 1) if part.causal else range(len(row))
                above = sum(kernel(i, j, q[i], k[j])[0] * v[j] for j in seen)
                outputs.append(above / sum(kernel(i, j, q[i], k[j])[1] for j in seen))
            heads.append(torch.stack(outputs))
        words.append(part.out(torch.cat(heads, dim=-1)))
    return torch.stack(words)


@either
@pytest.mark.parametrize("position", ["none", "rope"])
@pytest.mark.parametrize("key_heads", [2, 4])
@torch.no_grad()
def test_linear(
    causal: bool, position: str, key_heads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = build_layer(KernelAttention, causal=causal, position=position, key_heads=key_heads)
    x = word()

    def feature(x: Tensor) -> Tensor:
        return torch.stack([n + 1 if n > 0 else n.exp() for n in x])

    def kernel(i: int, j: int, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        a, b = feature(q), feature(k)
        turned_a, turned_b = (rotate(y[None], t)[0] for y, t in ((a, i), (b, j)))
        return (turned_a if position == "rope" else a) @ (
            turned_b if position == "rope" else b
        ), a @ b

    expected = by_kernel(part, x, kernel)
    torch.testing.assert_close(part(x), expected, rtol=1e-5, atol=1e-5)  # ε in the denominator
    monkeypatch.setattr("flann.models.attention.kernel.CHUNK", 4)
    torch.testing.assert_close(part(x), expected, rtol=1e-5, atol=1e-5)


@either
@torch.no_grad()
def test_performer_is_its_kernel(causal: bool) -> None:
    part, x = build_layer(Performer, causal=causal, features=6), word()

    def feature(x: Tensor) -> Tensor:
        x = x / 2**0.25
        return torch.stack([torch.exp(row @ x - x @ x / 2) for row in part.rows]) / sqrt(6)

    expected = by_kernel(part, x, lambda i, j, q, k: (feature(q) @ feature(k),) * 2)
    torch.testing.assert_close(part(x), expected, rtol=1e-4, atol=1e-4)


@either
@torch.no_grad()
def test_performer_comes_to_softmax_as_features_grow(causal: bool) -> None:
    torch.manual_seed(1)
    x, errors = 0.3 * word(), []  # short vectors: the estimate's tails grow with exp(‖q + k‖²)
    softmax = by_pairs(
        build_layer(Attention, causal=causal),
        x,
        lambda head, i, j, q, k: None if causal and j > i else dot(q, k),
    )
    for features in (16, 256, 4096):
        part = build_layer(Performer, causal=causal, features=features)
        draws = []
        for seed in range(8):
            part.redraw(torch.Generator().manual_seed(seed))
            draws.append((part(x) - softmax).square().mean().item())
        errors.append(sqrt(sum(draws) / 8))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]  # four times less each, but for luck
    assert errors[2] < 1e-3


def test_performers_rows_are_orthogonal_within_blocks_and_long_as_gaussians() -> None:
    rows = draw_rows(4000, 8, torch.Generator().manual_seed(0)).double()
    within = rows[:8] @ rows[:8].T
    torch.testing.assert_close(within, within.diag().diag(), atol=1e-5, rtol=0)
    assert rows.square().sum(1).mean().item() == pytest.approx(8, rel=0.05)  # chi-square, 8 degrees
    assert rows.square().sum(1).var().item() == pytest.approx(16, rel=0.15)
    assert (rows.T @ rows / 4000 - torch.eye(8)).abs().max() < 0.1


def test_performers_weights_come_before_its_features() -> None:
    """So that a performer begins with the weights of a transformer of the same seed."""
    one, other = build_layer(Attention), build_layer(Performer)
    assert torch.equal(one.out.weight, other.out.weight)


@torch.no_grad()
def test_linformer() -> None:
    part, x = build_layer(Linformer, causal=False, longest=20, rank=3), word()
    words = []
    for row in x:
        heads = []
        for _, q, k, v in heads_of(part, row):
            keys = [sum(part.of_keys[r, j] * k[j] for j in range(LENGTH)) for r in range(3)]
            values = [sum(part.of_values[r, j] * v[j] for j in range(LENGTH)) for r in range(3)]
            weights = [torch.softmax(torch.stack([dot(a, b) for b in keys]), 0) for a in q]
            heads.append(torch.stack([sum(w[r] * values[r] for r in range(3)) for w in weights]))
        words.append(part.out(torch.cat(heads, dim=-1)))
    torch.testing.assert_close(part(x), torch.stack(words))


@torch.no_grad()
def test_nystrom_is_softmax_where_every_symbol_is_a_landmark() -> None:
    part, x = build_layer(Nystrom, causal=False, landmarks=LENGTH, iterations=40), word()
    softmax = by_pairs(build_layer(Attention, causal=False), x, lambda head, i, j, q, k: dot(q, k))
    torch.testing.assert_close(part(x), softmax)
    part.approximate = part.approximate_by_landmarks  # skip the exact path for short words
    torch.testing.assert_close(part(x), softmax, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_nystrom_goes_through_means() -> None:
    part, x = build_layer(Nystrom, causal=False, landmarks=4, iterations=40), word()
    bounds = [[j for j in range(LENGTH) if j * 4 // LENGTH == s] for s in range(4)]
    assert [len(bound) for bound in bounds] == [3, 3, 3, 2]
    words = []
    for row in x:
        heads = []
        for _, q, k, v in heads_of(part, row):
            far_q, far_k = (torch.stack([y[b].mean(0) for b in bounds]) for y in (q, k))
            left, middle, right = (
                torch.softmax(a @ b.T / sqrt(2), -1)
                for a, b in ((q, far_k), (far_q, far_k), (far_q, k))
            )
            heads.append(left @ torch.linalg.pinv(middle) @ right @ v)
        words.append(part.out(torch.cat(heads, dim=-1)))
    torch.testing.assert_close(part(x), torch.stack(words), rtol=1e-5, atol=1e-5)


def test_pseudoinverse_of_a_singular_matrix() -> None:
    a = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.2, 0.2, 0.6]], dtype=torch.float64)
    torch.testing.assert_close(
        approximate_pseudoinverse(a, 40), torch.linalg.pinv(a), rtol=1e-6, atol=1e-6
    )


def test_segments_hold_every_symbol_once() -> None:
    for length in (5, 12, 13):
        parts = build_segment_means(length, 5, torch.zeros(1))
        assert ((parts > 0).sum(0) == 1).all()
        torch.testing.assert_close(parts.sum(1), torch.ones(5))


# -- randomised positions --------------------------------------------------------------------------


def test_randomised_positions_are_uniform_ascending_and_distinct() -> None:
    part, counts = RandomisedPositions(4), {}
    for _ in range(600):
        part(torch.zeros(1, 2, 3))
        positions = tuple(part.position_map.select(0, 2, torch.device("cpu")).tolist())
        counts[positions] = counts.get(positions, 0) + 1
    assert sorted(counts) == [(a, b) for a in range(4) for b in range(a + 1, 4)]
    assert all(60 < count < 140 for count in counts.values())  # 100 each, four deviations


def test_draws_go_on_where_training_was_stopped() -> None:
    name = "transformer:randomised=true,position=sinusoidal"
    tokens = torch.tensor([[0, 1, 1, 0]])
    one = model_of_width(name, symbols=2, labels=2, depth=1, width=8)
    first, kept = one(tokens), {n: t.clone() for n, t in one.state_dict().items()}
    second = one(tokens)
    assert not torch.equal(first, second)
    other = model_of_width(name, symbols=2, labels=2, depth=1, width=8, seed=9)
    other.load_state_dict(kept)
    assert torch.equal(other(tokens), second)
    other.eval()
    assert torch.equal(other(tokens), other(tokens))
    assert other.state_dict()["layers.0.passes"] == 2  # measuring draws nothing from training


@pytest.mark.parametrize("position", ["learned", "rope", "t5", "transformer-xl", "binary"])
def test_randomised_is_the_same_positions_elsewhere(position: str) -> None:
    """If all positions are drawn, the draw is certain and the same as no draw."""
    limit = ",max_length=6" if position == "learned" else ""
    plain = f"transformer:position={position}{limit}"
    drawn = f"transformer:position={position},randomised=true,max_length=6"
    tokens = torch.tensor([[0, 1, 1, 0, 1, 1]])
    one, other = (
        model_of_width(name, symbols=2, labels=2, depth=2, width=8) for name in (plain, drawn)
    )
    weights = [p.detach().clone() for p in one.parameters()]
    for parameter, weight in zip(other.parameters(), weights, strict=True):
        parameter.data = weight
    torch.testing.assert_close(one(tokens), other(tokens))
    assert not torch.allclose(one(tokens[:, :3]), other(tokens[:, :3]))


# -- loops -----------------------------------------------------------------------------------------


@torch.no_grad()
def test_loops_are_the_layers_again() -> None:
    looped = model_of_width("transformer:loops=3", symbols=2, labels=2, depth=1, width=8)
    deep = model_of_width("transformer", symbols=2, labels=2, depth=3, width=8)
    assert isinstance(looped.layers[0], Looped)
    one = looped.state_dict()
    for n in range(6):
        deep.layers[n].load_state_dict(
            {
                name.removeprefix(f"layers.0.layers.{n % 2}."): weight
                for name, weight in one.items()
                if name.startswith(f"layers.0.layers.{n % 2}.")
            }
        )
    for part in ("embedding", "norm", "head"):
        getattr(deep, part).load_state_dict(getattr(looped, part).state_dict())
    tokens = torch.tensor([[0, 1, 1, 0, 1]])
    torch.testing.assert_close(looped(tokens), deep(tokens))
    log_many = model_of_width("transformer:loops=log", symbols=2, labels=2, depth=1, width=8)
    torch.testing.assert_close(log_many(tokens), deep(tokens))  # ⌈log2 5⌉ = 3
    with log_many.fix_length(9):
        assert not torch.allclose(log_many(tokens), deep(tokens))


@pytest.mark.parametrize(
    "options",
    ["loops=log", "randomised=true", "randomised=true,position=learned,bos=true,loops=log"],
)
@torch.no_grad()
def test_models_that_depend_on_the_length_can_step_at_a_fixed_length(options: str) -> None:
    model = model_of_width(f"transformer:{options}", symbols=2, labels=2, depth=2, width=8)
    model = model.double().eval()
    tokens = torch.randint(2, (3, 9), generator=torch.Generator().manual_seed(0))
    with pytest.raises(UserError, match="the length of the word"):
        model.initial_state(3)
    for length in (9, 40):
        with model.fix_length(length):
            state, outputs = model.initial_state(3), []
            for symbols in tokens.T:
                logits, state = model.step(symbols, state)
                outputs.append(logits)
            torch.testing.assert_close(torch.stack(outputs, 1), model(tokens))
    assert not model.has_step


def test_more_loops_make_no_more_parameters() -> None:
    sizes = {
        model_of_width(f"transformer:loops={n}", symbols=2, labels=2, depth=1, width=8).sizes[
            "parameters"
        ]
        for n in (2, 5, "log")
    }
    assert len(sizes) == 1
