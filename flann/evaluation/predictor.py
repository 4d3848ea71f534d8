"""A model asked for labels: what it returns made into label ids, a few rows at a time.

Anything that maps words to answers can be asked: one of flann's models, a compiled program, or a
function of the user's own. To let a model write, its own `step` is used where it has one, and
otherwise the ever longer word is put to it again and again.
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

SYMBOLS_AT_ONCE = 2**15  # of one forward pass, and
PAIRS_AT_ONCE = 2**25  # pairs of positions, for attention: so memory is bounded at any length
Model = Callable[[Any], Any]


class WrongOutputError(UserError):
    """A model whose answers cannot be read, at whatever length."""


class NotFiniteError(UserError):
    """A model whose logits overflowed: no answer, and never a wrong one."""


class Answering:
    """A model as formats ask it.

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
    def answers(self, tokens: Ids, labels: int) -> NDArray[np.int64]:
        """Label ids at every position of these tokens."""
        parts = in_parts(self._placed(tokens), tokens.shape[1])
        return np.concatenate([labels_of(self.model(part), part.shape, labels) for part in parts])

    @torch.no_grad()
    def writes(self, prompts: Ids, steps: int, labels: int, first: int) -> NDArray[np.int64]:
        """The label ids written after these prompts, each read as symbol `first` + id."""
        total = prompts.shape[1] + steps - 1  # the last is written and not read
        longest = getattr(self.model, "longest", None)
        if longest is not None and total > longest:
            raise UserError(
                f"the model reads at most {longest} symbols, with what it writes {total}"
            )
        with self._held(total):
            stepwise = getattr(self.model, "has_step", False)
            write = self._by_steps if stepwise else self._by_growing
            parts = [
                np.stack(list(write(part, steps, labels, first)), axis=1)
                for part in in_parts(self._placed(prompts), total)
            ]
        return np.concatenate(parts)

    # -- inside --------------------------------------------------------------------------------

    def _placed(self, tokens: Ids) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(tokens).astype(np.int64)).to(self.device)

    def _held(self, total: int) -> AbstractContextManager[None]:
        """Loops and drawn places as in training, where the whole was read at once."""
        held: AbstractContextManager[None] | None = (
            self.model.fix_length(total) if hasattr(self.model, "fix_length") else None
        )
        return nullcontext() if held is None else held

    def _by_steps(
        self, prompts: Tensor, steps: int, labels: int, first: int
    ) -> Iterator[NDArray[np.int64]]:
        model: Any = self.model
        state = model.initial_state(len(prompts))
        for symbols in prompts.T:
            logits, state = model.step(symbols, state)
        for step in range(steps):
            written = labels_of(logits.unsqueeze(1), torch.Size((len(prompts), 1)), labels)[:, 0]
            yield written
            if step + 1 < steps:
                logits, state = model.step(self._placed(written) + first, state)

    def _by_growing(
        self, prompts: Tensor, steps: int, labels: int, first: int
    ) -> Iterator[NDArray[np.int64]]:
        words = prompts
        for _ in range(steps):
            written = labels_of(self.model(words), words.shape, labels)[:, -1]
            yield written
            words = torch.cat([words, self._placed(written)[:, None] + first], dim=1)


def in_parts(words: Tensor, length: int) -> Iterator[Tensor]:
    """Rows of `words` in parts that fit into memory at this length; at least one row at a time."""
    rows = max(1, min(SYMBOLS_AT_ONCE // length, PAIRS_AT_ONCE // length**2))
    yield from words.split(rows)


def labels_of(output: Any, shape: torch.Size, labels: int) -> NDArray[np.int64]:
    """Label ids from what a model returned: logits or label ids, or an object with `logits`."""
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
