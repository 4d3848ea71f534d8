"""The transformer's parts: attention against its formula, positions, and the explicit design."""

from __future__ import annotations

from math import sqrt
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from flann.errors import UserError
from flann.models import build_model, model_of_width
from flann.models.attention import attention as attention_module
from flann.models.attention.attention import Attention
from flann.models.attention.positions.alibi import compute_slopes
from flann.models.attention.positions.names import Position
from flann.models.attention.positions.rope import rotate
from flann.models.attention.positions.sinusoidal import Sinusoidal
from flann.models.attention.transformer import build_transformer
from flann.models.attention.transformer_config import Block, Norm, TransformerConfig
from flann.models.core.feedforward import Activation, SwiGLU
from flann.models.core.norms import ScaleNorm

POSITIONS: list[Position] = list(get_args(Position))
every_position = pytest.mark.parametrize("position", POSITIONS)


def attention(position: Position = "none", *, causal: bool = True) -> Attention:
    torch.manual_seed(0)
    return Attention(6, 2, 4, causal=causal, position=position).double()


def by_the_formula(part: Attention, position: Position, x: Tensor) -> Tensor:
    """Head by head and pair by pair."""
    outputs = torch.zeros(*x.shape[:2], part.heads * part.head_width, dtype=x.dtype)
    for b, word in enumerate(x):
        for head in range(part.heads):
            rows = slice(head * part.head_width, (head + 1) * part.head_width)
            q, k, v = (
                word @ m.weight[rows].T + m.bias[rows] for m in (part.query, part.key, part.value)
            )
            if position == "rope":
                q, k = (torch.stack([rotated(y[t], t) for t in range(len(y))]) for y in (q, k))
            for i in range(len(word)):
                seen = range(i + 1) if part.causal else range(len(word))
                scores = torch.stack([q[i] @ k[j] / sqrt(part.head_width) for j in seen])
                if position == "alibi":
                    scores = scores - 2.0 ** (-8 * (head + 1) / part.heads) * torch.tensor(
                        [abs(i - j) for j in seen]
                    )
                outputs[b, i, rows] = sum(
                    p * v[j] for p, j in zip(torch.softmax(scores, 0), seen, strict=True)
                )
    y: Tensor = part.out(outputs)
    return y


def rotated(vector: Tensor, place: int) -> Tensor:
    """Pair (i, i + w/2) as a complex number, times exp(i ω t)."""
    half = len(vector) // 2
    pairs = torch.complex(vector[:half], vector[half:])
    omega = 10_000.0 ** (-2 * torch.arange(half, dtype=vector.dtype) / len(vector))
    pairs = pairs * torch.exp(1j * omega * place)
    return torch.cat([pairs.real, pairs.imag])


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("position", ["none", "rope", "alibi"])
@torch.no_grad()
def test_attention_is_its_formula(
    position: Position, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, x = attention(position, causal=causal), torch.randn(2, 11, 6, dtype=torch.float64)
    expected = by_the_formula(part, position, x)
    torch.testing.assert_close(part(x), expected)
    monkeypatch.setattr(attention_module, "SHORT", 4)  # the fused form, in blocks where biased
    monkeypatch.setattr(attention_module, "BLOCK", 4)
    torch.testing.assert_close(part(x), expected)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@torch.no_grad()
def test_block_is_torch_encoder_layer(norm: Norm, activation: Activation) -> None:
    """Torch's own layer with its own weights gives torch's own output."""
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        8, 2, 20, dropout=0.0, activation=activation, batch_first=True, norm_first=norm == "pre"
    ).double()
    for parameter in theirs.parameters():  # biases and gains too
        parameter.uniform_(-1, 1)
    config = TransformerConfig(
        8, (Block(2, 4, 20),), position="none", norm=norm, norm_kind="layer", activation=activation
    )
    ours = build_transformer(config, symbols=2, labels=2).double()
    mix, feed = ours.layers[0].layer, ours.layers[1].layer
    packed = zip(
        theirs.self_attn.in_proj_weight.chunk(3),
        theirs.self_attn.in_proj_bias.chunk(3),
        strict=True,
    )
    for linear, (weight, bias) in zip((mix.query, mix.key, mix.value), packed, strict=True):
        linear.weight.copy_(weight)
        linear.bias.copy_(bias)
    mix.out.load_state_dict(theirs.self_attn.out_proj.state_dict())
    feed.into.load_state_dict(theirs.linear1.state_dict())
    feed.out.load_state_dict(theirs.linear2.state_dict())
    ours.layers[0].norm.load_state_dict(theirs.norm1.state_dict())
    ours.layers[1].norm.load_state_dict(theirs.norm2.state_dict())
    x = torch.randn(2, 9, 8, dtype=torch.float64)
    mask = nn.Transformer.generate_square_subsequent_mask(9, dtype=torch.float64)
    expected = theirs(x, src_mask=mask)
    torch.testing.assert_close(ours.layers[1](ours.layers[0](x)), expected)


GOLDEN = {  # the loss of a model that every option at its first values has always had
    "transformer": 1.2002416849,
    "transformer:position=none": 1.1806179285,
    "transformer:position=sinusoidal": 1.0286384821,
    "transformer:position=learned": 0.9301796555,
    "transformer:position=alibi": 1.1850413084,
    "transformer:norm=post": 1.2781424522,
    "transformer:norm=none": 1.1650713682,
    "transformer:activation=relu": 1.1657025814,
    "transformer:causal=false": 1.1721993684,
    "transformer:bos=true": 1.5606106520,
    "transformer:heads=2,position=learned,bos=true": 2.2518427372,
}


@pytest.mark.parametrize("name", GOLDEN)
@torch.no_grad()
def test_same_seed_same_loss_as_ever(name: str) -> None:
    """New options leave the old ones' weights, and so every earlier result, as they were."""
    model = model_of_width(name, symbols=5, labels=3, depth=2, width=16, seed=3)
    tokens = torch.randint(5, (4, 8), generator=torch.Generator().manual_seed(0))
    loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten() % 3)
    assert loss.item() == pytest.approx(GOLDEN[name], rel=1e-5)


@torch.no_grad()
def test_rope_and_alibi_know_distances_alone() -> None:
    """Scores of a word and of the same word further on are the same."""
    q, k = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    near = rotate(q, 0) @ rotate(k, 0).T
    far = rotate(q, 1000) @ rotate(k, 1000).T
    torch.testing.assert_close(near, far)
    assert not torch.allclose(near, rotate(q, 3) @ rotate(k, 0).T)


def test_alibi_slopes_are_the_papers() -> None:
    assert compute_slopes(8, torch.zeros(1)).tolist() == [2.0**-n for n in range(1, 9)]


def test_sinusoids_are_the_papers() -> None:
    vectors = Sinusoidal().compute_vectors(0, 50, torch.zeros(1, 6, dtype=torch.float64))
    for t in (0, 7, 49):
        for i in range(3):
            angle = torch.tensor(t / 10_000 ** (2 * i / 6), dtype=torch.float64)
            torch.testing.assert_close(vectors[t, 2 * i], angle.sin())
            torch.testing.assert_close(vectors[t, 2 * i + 1], angle.cos())


@torch.no_grad()
def test_without_mask_and_positions_order_is_unseen() -> None:
    model = model_of_width(
        "transformer:causal=false,position=none", symbols=5, labels=3, depth=2, width=8
    ).double()
    tokens, order = torch.tensor([[0, 1, 2, 3, 4, 1]]), torch.tensor([3, 5, 0, 1, 4, 2])
    torch.testing.assert_close(model(tokens[:, order]), model(tokens)[:, order])


@every_position
@torch.no_grad()
def test_positions_tell_places_apart(position: Position) -> None:
    """A word of one symbol: only the places differ (and without positions nothing does)."""
    name = f"transformer:causal=false,position={position}"
    model = model_of_width(name, symbols=2, labels=3, depth=1, width=8).double()
    logits = model(torch.tensor([[1, 1, 1, 0]]))[0]
    same = torch.allclose(logits[0], logits[1], rtol=1e-12, atol=1e-12)
    assert same == (position == "none")


@pytest.mark.parametrize(
    ("options", "family"),
    [
        ("", "transformer"),
        (":position=none", "transformer-nope"),
        (":causal=false", "transformer-bidirectional"),
        (":causal=false,position=none", "transformer-equivariant"),
        (":experts=4", "transformer"),
        (":experts=4,position=none", "transformer-nope"),
        (":loops=3", "transformer"),
        (":attention=log-length", "transformer"),
        (":attention=window", "transformer-window"),
        (":attention=linear", "transformer-linear"),
        (":attention=performer,position=none", "linear-attention"),
        (":loops=log", "transformer-looped"),
        (":loops=log,causal=false", "transformer-looped"),
        (":loops=log,causal=false,position=none", "transformer-equivariant"),
    ],
)
def test_family_follows_mask_and_positions(options: str, family: str) -> None:
    model = model_of_width("transformer" + options, symbols=2, labels=2, depth=1, width=8)
    assert model.family == family


def test_sizes_of_the_design_are_free_of_each_other() -> None:
    config = TransformerConfig(
        width=7,
        blocks=(Block(3, 2, 11), Block(0, 0, 5), Block(1, 8, 0)),
        norm="none",
        activation="relu",
        position="learned",
        bos=True,
        longest=21,
    )
    model = build_transformer(config, symbols=4, labels=6)
    assert model(torch.zeros(2, 20, dtype=torch.long)).shape == (2, 20, 6)
    assert model.longest == 20
    assert isinstance(model.norm, nn.Identity)
    assert model.embedding.weight.shape == (5, 7)
    assert model.layers[1].layer.query.weight.shape == (6, 7)
    with pytest.raises(UserError, match="at most 20"):
        model(torch.zeros(1, 21, dtype=torch.long))


def test_set_weights_do_what_they_say() -> None:
    """By hand: attention that copies the first symbol of the word to every position."""
    config = TransformerConfig(
        width=4, blocks=(Block(1, 4, 0),), norm="none", position="learned", longest=9
    )
    model = build_transformer(config, symbols=2, labels=2).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embedding.weight[0, 0] = model.embedding.weight[1, 1] = 1
        model.layers[0].table[0, 2] = 1  # the first place, marked
        part = model.layers[1].layer
        part.query.bias[0] = 100
        part.key.weight[0, 2] = 1
        part.value.weight[0, 0] = part.value.weight[1, 1] = 1
        part.out.weight[0, 0] = part.out.weight[1, 1] = 5
        model.head.weight[0, 0] = model.head.weight[1, 1] = 1
    words = torch.tensor([[0, 1, 1, 0], [1, 0, 0, 0]])
    assert model(words).argmax(-1).tolist() == [[0] * 4, [1] * 4]


def test_same_seed_same_weights() -> None:
    config = TransformerConfig(8, (Block(2, 4, 8),))
    one, two = (build_transformer(config, symbols=2, labels=2, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
def test_norm_stands_where_it_says(norm: Norm) -> None:
    model = model_of_width(f"transformer:norm={norm}", symbols=2, labels=2, depth=2, width=8)
    norms = [module for module in model.modules() if isinstance(module, nn.RMSNorm)]
    assert len(norms) == {"pre": 5, "post": 4, "none": 0}[norm]


@pytest.mark.parametrize("kind", ["layer", "scale"])
def test_norms_are_of_one_kind(kind: str) -> None:
    model = model_of_width(f"transformer:norm_kind={kind}", symbols=2, labels=2, depth=2, width=8)
    wanted = {"layer": nn.LayerNorm, "scale": ScaleNorm}[kind]
    assert sum(isinstance(module, wanted) for module in model.modules()) == 5
    assert not any(isinstance(module, nn.RMSNorm) for module in model.modules())


@torch.no_grad()
def test_scale_norm_is_its_formula() -> None:
    norm, x = ScaleNorm(9).double(), torch.randn(4, 9, dtype=torch.float64)
    for row, out in zip(x, norm(x), strict=True):
        torch.testing.assert_close(out, 3 * row / sqrt(sum(float(number) ** 2 for number in row)))


@torch.no_grad()
def test_swiglu_is_its_formula() -> None:
    torch.manual_seed(0)
    part, x = SwiGLU(4, 6).double(), torch.randn(2, 3, 4, dtype=torch.float64)
    gate, up = x @ part.into.weight.T, x @ part.gated.weight.T
    expected = (gate / (1 + torch.exp(-gate)) * up) @ part.out.weight.T
    torch.testing.assert_close(part(x), expected)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("transformer:heads=0", "1 or more"),
        ("transformer:position=learned,max_length=0", "1 or more"),
        ("transformer:position=rop", "rope"),
        ("transformer:postion=rope", "did you mean 'position'"),
        ("transformer:attention=nystrom", "expected causal=false"),
        ("transformer:attention=linformer", "expected causal=false"),
        ("transformer:attention=linear,position=alibi", "position=none, sinusoidal"),
        ("transformer:attention=nystrom,causal=false,position=t5", "position=none, sinusoidal"),
        ("transformer:window=8", "for attention=window, not full"),
        ("transformer:attention=window,rank=8", "for attention=linformer, not window"),
        ("transformer:attention=window,window=0", "1 or more"),
        ("transformer:attention=performer,features=7", "even number"),
        ("transformer:key_heads=3", "divisor of the 4 heads"),
        ("transformer:distance=9", "for relative and t5, not rope"),
        ("transformer:position=t5,distance=9", "more than the 16"),
        ("transformer:position=none,interpolation=2", "for rope, not none"),
        ("transformer:interpolation=-1", "positive"),
        ("transformer:position=none,randomised=true", "no positions to be randomised"),
        ("transformer:norm=none,norm_kind=layer", "no norm to be"),
        ("transformer:max_length=64", "no limit"),
        ("transformer:loops=0", "1 or more, or log"),
        ("transformer:loops=lots", "a whole number or log"),
        ("transformer:experts=1", "transformer: expected 2 experts or more"),
        ("transformer:experts=-2", "2 experts or more"),
        ("transformer:experts=3,top_k=4", "experts=3,top_k=4"),
        ("transformer:experts=3,top_k=0", "top_k from 1"),
        ("transformer:experts=3,balance=-1", "0 or more"),
        ("transformer:top_k=1", "are for a mixture: expected experts=2"),
        ("transformer:balance=0.5", "are for a mixture"),
    ],
)
def test_wrong_options_are_one_line(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        build_model(name, symbols=2, labels=2, depth=1, parameters=50_000)
    assert "\n" not in str(caught.value)


def test_impossible_designs_are_refused() -> None:
    with pytest.raises(UserError, match="even head width"):
        TransformerConfig(6, (Block(2, 3, 4),))
    with pytest.raises(UserError, match="longest"):
        TransformerConfig(6, (Block(2, 3, 4),), position="learned")
