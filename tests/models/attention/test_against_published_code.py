"""Hugging Face's attention with its own weights gives the same outputs as ours with them.

Llama has rotary positions and shared keys, T5 its bias and no scale, Bloom ALiBi. The package is
part of the extra ``outside``; without it these are skipped.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from flann.models.attention.attention import Attention
from flann.models.attention.positions.alibi import compute_slopes
from flann.models.attention.positions.rope import Rotary
from flann.models.attention.positions.t5_bias import T5Bias

pytest.importorskip("transformers")
WIDTH, HEADS, HEAD_WIDTH, LENGTH = 12, 4, 6, 90  # longer than ours writes scores out


def drawn(module: Any) -> Any:
    """With every parameter drawn anew, so that none hides by being zero."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.5, 0.5)
    return module.eval()


def put(ours: Attention, query: Tensor, key: Tensor, value: Tensor, out: Tensor) -> None:
    parts = ((ours.query, query), (ours.key, key), (ours.value, value), (ours.out, out))
    with torch.no_grad():
        for linear, weight in parts:
            linear.weight.copy_(weight)
            linear.bias.zero_()


def mask() -> Tensor:
    return torch.full((LENGTH, LENGTH), float("-inf")).triu(1)[None, None]


@pytest.mark.parametrize("key_heads", [1, 2, 4])
@pytest.mark.parametrize("interpolation", [1.0, 4.0])
@torch.no_grad()
def test_llama(key_heads: int, interpolation: float) -> None:
    """Rotary positions, interpolated ones, and keys that heads share."""
    from transformers.models.llama.modeling_llama import (
        LlamaAttention,
        LlamaConfig,
        LlamaRotaryEmbedding,
    )

    scaling = {"rope_type": "default", "rope_theta": 10_000.0}
    if interpolation != 1:
        scaling = {"rope_type": "linear", "factor": interpolation, "rope_theta": 10_000.0}
    config = LlamaConfig(
        hidden_size=WIDTH,
        num_attention_heads=HEADS,
        num_key_value_heads=key_heads,
        head_dim=HEAD_WIDTH,
        rope_parameters=scaling,
        attn_implementation="eager",
    )
    theirs = drawn(LlamaAttention(config, layer_idx=0))
    x = torch.randn(2, LENGTH, WIDTH)
    turns = LlamaRotaryEmbedding(config)(x, torch.arange(LENGTH)[None])
    expected = theirs(x, position_embeddings=turns, attention_mask=mask())[0]
    ours = Attention(
        WIDTH,
        HEADS,
        HEAD_WIDTH,
        causal=True,
        position=lambda: Rotary(interpolation),
        key_heads=key_heads,
    )
    put(
        ours,
        theirs.q_proj.weight,
        theirs.k_proj.weight,
        theirs.v_proj.weight,
        theirs.o_proj.weight,
    )
    torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
@torch.no_grad()
def test_t5(causal: bool) -> None:
    from transformers.models.t5.modeling_t5 import T5Attention, T5Config

    config = T5Config(d_model=WIDTH, d_kv=HEAD_WIDTH, num_heads=HEADS, is_decoder=causal)
    theirs = drawn(T5Attention(config, has_relative_attention_bias=True, layer_idx=0))
    x = torch.randn(2, LENGTH, WIDTH)
    i = torch.arange(LENGTH)
    bucket = theirs._relative_position_bucket(i[None, :] - i[:, None], bidirectional=not causal)
    bias = theirs.relative_attention_bias(bucket).permute(2, 0, 1)[None]
    expected = theirs(x, position_bias=bias + mask() if causal else bias)[0]
    ours = Attention(
        WIDTH, HEADS, HEAD_WIDTH, causal=causal, position=lambda: T5Bias(HEADS, causal)
    )
    ours.pairs.table.copy_(theirs.relative_attention_bias.weight)  # type: ignore[operator]
    put(
        ours,
        theirs.q.weight * HEAD_WIDTH**0.5,  # T5 leaves the scale out
        theirs.k.weight,
        theirs.v.weight,
        theirs.o.weight,
    )
    torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5)


def test_t5_buckets_at_any_distance() -> None:
    from transformers.models.t5.modeling_t5 import T5Attention

    i, j = torch.arange(0, 3000, 7), torch.arange(3000)
    for causal in (True, False):
        for buckets, distance in ((32, 128), (16, 50), (8, 2000)):
            expected = T5Attention._relative_position_bucket(
                j[None] - i[:, None],
                bidirectional=not causal,
                num_buckets=buckets,
                max_distance=distance,
            )
            assert torch.equal(T5Bias(4, causal, distance, buckets).find_bucket(i, j), expected)


@pytest.mark.parametrize("heads", [1, 4, 8])
def test_bloom_alibi(heads: int) -> None:
    """Bloom adds m j to the score instead of -m (i - j); of a row that is the same softmax."""
    from transformers.models.bloom.modeling_bloom import build_alibi_tensor

    theirs = build_alibi_tensor(torch.ones(1, LENGTH), heads, torch.float32).view(heads, 1, LENGTH)
    place = torch.arange(LENGTH)
    ours = compute_slopes(heads, torch.zeros(1))[:, None, None] * -(place[:, None] - place).abs()
    scores = torch.randn(heads, LENGTH, LENGTH) + mask()[0]
    torch.testing.assert_close(
        torch.softmax(scores + ours, -1), torch.softmax(scores + theirs, -1), rtol=1e-5, atol=1e-6
    )
