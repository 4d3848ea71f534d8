"""Labels from any model: what it returns is converted to label ids, a few words at a time.

Anything that maps words to answers is a model here: one of flann's, a compiled program, or a
function of the user's own. A model generates with its own `step` where it has one. Otherwise it
reads the growing word anew for every symbol that it generates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flann.errors import UserError
from flann.formats.format import Ids

SYMBOLS_AT_ONCE = 2**15
PAIRS_AT_ONCE = 2**25
"""The most symbols, and pairs of positions, in one forward pass, which bounds its memory."""

Model = Callable[[Any], Any]


class WrongOutputError(UserError):
    """A model returned something that is neither logits nor label ids, at whatever length."""


class NotFiniteError(UserError):
    """A model's logits overflowed; this is reported as no answer, never as a wrong one."""


class Predictor:
    """A model that predicts and generates labels, as formats use it.

    Parameters
    ----------
    model : callable
        takes token ids, an int64 tensor [words, positions], and returns logits [words,
        positions, labels] or label ids [words, positions].
    device : torch.device or str
        where the tokens are placed.
    """

    def __init__(self, model: Model, device: torch.device | str) -> None:
        self.model, self.device = model, device

    @torch.no_grad()
    def predict(self, tokens: Ids, labels: int) -> NDArray[np.int64]:
        """Return a label id at every position, of the shape of `tokens`."""
        parts = split_rows(self._to_tensor(tokens), tokens.shape[1])
        return np.concatenate([read_labels(self.model(part), part.shape, labels) for part in parts])

    @torch.no_grad()
    def generate(
        self, prompts: Ids, steps: int, labels: int, symbol_offset: int
    ) -> NDArray[np.int64]:
        """Return the label ids generated after each prompt, of shape (size, steps).

        The model reads label ``i``, once it is generated, as the symbol ``symbol_offset + i``.

        Raises
        ------
        UserError
            if the model cannot read a word as long as this.
        """
        total = prompts.shape[1] + steps - 1  # the last symbol is generated and not read
        longest = getattr(self.model, "longest", None)
        if longest is not None and total > longest:
            raise UserError(
                f"the model reads at most {longest} symbols: a word and what it generates have"
                f" {total}"
            )
        with self._fix_length(total):
            stepwise = getattr(self.model, "has_step", False)
            generate = self._generate_stepwise if stepwise else self._generate_anew
            parts = [
                np.stack(list(generate(part, steps, labels, symbol_offset)), axis=1)
                for part in split_rows(self._to_tensor(prompts), total)
            ]
        return np.concatenate(parts)

    # -- inside --------------------------------------------------------------------------------

    def _to_tensor(self, tokens: Ids) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(tokens).astype(np.int64)).to(self.device)

    def _fix_length(self, total: int) -> AbstractContextManager[None]:
        """Let loops and drawn positions be those of the whole word, as they are in training."""
        fixed: AbstractContextManager[None] | None = (
            self.model.fix_length(total) if hasattr(self.model, "fix_length") else None
        )
        return nullcontext() if fixed is None else fixed

    def _generate_stepwise(
        self, prompts: Tensor, steps: int, labels: int, symbol_offset: int
    ) -> Iterator[NDArray[np.int64]]:
        model: Any = self.model
        state = model.initial_state(len(prompts))
        for symbols in prompts.T:
            logits, state = model.step(symbols, state)
        for step in range(steps):
            label = read_labels(logits.unsqueeze(1), torch.Size((len(prompts), 1)), labels)[:, 0]
            yield label
            if step + 1 < steps:
                logits, state = model.step(self._to_tensor(label) + symbol_offset, state)

    def _generate_anew(
        self, prompts: Tensor, steps: int, labels: int, symbol_offset: int
    ) -> Iterator[NDArray[np.int64]]:
        words = prompts
        for _ in range(steps):
            label = read_labels(self.model(words), words.shape, labels)[:, -1]
            yield label
            words = torch.cat([words, self._to_tensor(label)[:, None] + symbol_offset], dim=1)


def split_rows(words: Tensor, length: int) -> Iterator[Tensor]:
    """Yield the words in parts that fit into memory at this length, at least one at a time."""
    rows = max(1, min(SYMBOLS_AT_ONCE // length, PAIRS_AT_ONCE // length**2))
    yield from words.split(rows)


def read_labels(output: Any, shape: torch.Size, labels: int) -> NDArray[np.int64]:
    """Return label ids from what a model returned.

    Parameters
    ----------
    output : tensor or array, or an object with `logits`
        logits of shape (words, positions, labels), or label ids of shape (words, positions).
    shape : torch.Size
        (words, positions).
    labels : int
        how many labels there are.

    Raises
    ------
    NotFiniteError
        if a logit is infinite or not a number.
    WrongOutputError
        for anything else than logits or label ids of these shapes.
    """
    answer = torch.as_tensor(getattr(output, "logits", output)).detach()
    if answer.ndim == 3 and answer.shape == (*shape, labels):
        if not torch.isfinite(answer).all():
            raise NotFiniteError("the model's logits are not finite")
        return answer.argmax(dim=-1).cpu().numpy()
    if answer.shape == shape and not answer.is_floating_point():
        return answer.cpu().numpy().astype(np.int64)
    raise WrongOutputError(
        f"the model returned shape {tuple(answer.shape)} of {answer.dtype}: expected logits"
        f" {(*shape, labels)} or label ids {tuple(shape)}"
    )
