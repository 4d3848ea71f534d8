"""What a user would pick instead of each model, written as plainly as its users write it.

A peer is a word model (tokens in, logits out) of about as many parameters, made of the library's
own layers: torch's recurrent networks and encoder layer, mambapy's and Hugging Face's Mamba (where
they are installed), the S4D layer in its FFT form, and IDS4 as a loop of `torch.bmm`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from recurrence_peers import PLAIN, RECURRENCE_PEERS
from torch import Tensor, nn
from torch.nn import functional

Make = Callable[[int, int], nn.Module]
"""From (width, depth) to a stack of layers, (batch, length, width) to the same."""


class WordModel(nn.Module):
    """Embedding, the stack, head."""

    def __init__(self, make: Make, symbols: int, width: int, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        self.stack, self.head = make(width, depth), nn.Linear(width, symbols)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits."""
        found: Tensor = self.head(self.stack(self.embedding(tokens)))
        return found


def sized(make: Make, symbols: int, depth: int, parameters: int, step: int = 8) -> WordModel:
    """The peer whose size is nearest to the budget."""

    def count(width: int) -> int:
        with torch.device("meta"):
            return sum(p.numel() for p in WordModel(make, symbols, width, depth).parameters())

    width = step
    while count(width + step) <= parameters:
        width += step
    nearest = min((width, width + step), key=lambda w: abs(count(w) - parameters))
    return WordModel(make, symbols, nearest, depth)


class First(nn.Module):
    """A module that gives (output, state): the output alone."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """The output."""
        found: Tensor = self.inner(x)[0]
        return found


def recurrent(kind: type[nn.RNNBase]) -> Make:
    """torch's RNN, GRU or LSTM, as many layers deep."""
    return lambda width, depth: First(kind(width, width, num_layers=depth, batch_first=True))


class Encoder(nn.Module):
    """torch's encoder layers under a causal mask."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        """The encoder's output."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        found: Tensor = self.encoder(x, mask=mask, is_causal=True)
        return found


class Block(nn.Module):
    """x + layer(norm(x))."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer, self.norm = layer, nn.RMSNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """The stream."""
        found: Tensor = x + self.layer(self.norm(x))
        return found


def blocks(make: Callable[[int], nn.Module]) -> Make:
    """Residual blocks of one kind of layer."""
    return lambda width, depth: nn.Sequential(*(Block(make(width), width) for _ in range(depth)))


class FFTS4D(nn.Module):
    """The published S4D layer: a Vandermonde kernel, an FFT convolution, a gated mixing."""

    def __init__(self, width: int, state: int = 64) -> None:
        super().__init__()
        half = state // 2
        self.log_step = nn.Parameter(torch.empty(width).uniform_(-6.9, -2.3))
        self.log_decay = nn.Parameter(torch.full((width, half), -0.693))
        self.frequency = nn.Parameter(torch.pi * torch.arange(half).float().repeat(width, 1))
        self.read = nn.Parameter(torch.randn(width, half, 2) * 0.5**0.5)
        self.skip, self.mix = nn.Parameter(torch.ones(width)), nn.Linear(width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        length = x.shape[1]
        step, poles = torch.exp(self.log_step), -torch.exp(self.log_decay) + 1j * self.frequency
        steps = poles * step[:, None]
        gain = torch.view_as_complex(self.read) * (torch.exp(steps) - 1) / poles
        powers = torch.exp(steps[:, :, None] * torch.arange(length))
        kernel = 2 * torch.einsum("hn,hnl->hl", gain, powers).real
        u = x.transpose(1, 2)
        spectrum = torch.fft.rfft(kernel, n=2 * length) * torch.fft.rfft(u, n=2 * length)
        y = torch.fft.irfft(spectrum, n=2 * length)[..., :length] + self.skip[:, None] * u
        return functional.glu(self.mix(functional.gelu(y.transpose(1, 2))), dim=-1)


class LoopIDS4(nn.Module):
    """h_t = A(x_t) h_{t-1} + B x_t by a loop that autograd records."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transition = nn.Linear(width, width * width)
        nn.init.normal_(self.transition.weight, std=0.5 / width)
        with torch.no_grad():
            self.transition.bias.copy_(torch.eye(width).flatten())
        self.into, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        A, b = self.transition(x).unflatten(-1, (x.shape[2], x.shape[2])), self.into(x)
        h, states = torch.zeros_like(x[:, 0]), []
        for t in range(x.shape[1]):
            h = torch.bmm(A[:, t], h[:, :, None])[:, :, 0] + b[:, t]
            states.append(h)
        found: Tensor = self.out(torch.stack(states, 1))
        return found


def mambapy(width: int, depth: int) -> nn.Module:
    """mambapy's Mamba."""
    from mambapy.mamba import Mamba, MambaConfig

    model: nn.Module = Mamba(MambaConfig(d_model=width, n_layers=depth))
    return model


class HuggingFace(nn.Module):
    """transformers' Mamba, which without CUDA kernels is a loop in torch."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        from transformers import MambaConfig, MambaModel

        config = MambaConfig(vocab_size=1, hidden_size=width, num_hidden_layers=depth)
        self.model = MambaModel(config)
        self.model.embeddings = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The stack's output."""
        found: Tensor = self.model(inputs_embeds=x, use_cache=False).last_hidden_state
        return found


PEERS: dict[str, dict[str, Make]] = {
    "rnn": {"torch's RNN": recurrent(nn.RNN)},
    "gru": {"torch's GRU": recurrent(nn.GRU)},
    "lstm": {"torch's LSTM": recurrent(nn.LSTM)},
    "transformer": {"torch's encoder": Encoder},
    "mamba": {"mambapy": mambapy, "transformers": HuggingFace},
    "s4": {"S4D by FFT": blocks(FFTS4D)},
    "s4d": {"S4D by FFT": blocks(FFTS4D)},
    "ids4": {"loop of bmm": blocks(LoopIDS4)},
    **RECURRENCE_PEERS,
}
NEEDS = {"mambapy": "mambapy", "transformers": "transformers", PLAIN: "fla"}


LONGEST = {("mamba", "transformers"): 256}
"""Beyond these lengths a step of the peer takes many minutes, so it is left out."""


def peers_of(name: str, length: int) -> dict[str, Any]:
    """The peers of a model that can be had here, and at this length."""
    plain = name.partition(":")[0]
    return {
        peer: make
        for peer, make in PEERS.get(plain, {}).items()
        if find_spec(NEEDS.get(peer, "torch")) and length <= LONGEST.get((plain, peer), length)
    }
