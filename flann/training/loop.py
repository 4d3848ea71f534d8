"""The training loop: one length a batch, and the mean loss over scored positions.

Each step draws its length and its words from random streams of its own (`flann.streams`), so step k
is the same whether or not the run was interrupted before it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from flann.errors import UserError
from flann.evaluation.held_out_words import draw_held_out_words
from flann.evaluation.metrics import Score
from flann.evaluation.predictor import NotFiniteError, Predictor
from flann.experiments.experiment import ResolvedExperiment
from flann.streams import draw_seed
from flann.tasks import NOT_SCORED

from .checkpoint import load_checkpoint, save_checkpoint
from .curriculum import Curriculum
from .initial_weights import build_initial_model
from .optimiser import build_optimiser, compute_learning_rate, set_learning_rate
from .words import TrainingWords

Status = Literal["done", "stopped", "interrupted", "diverged"]

VALIDATION_SIZE = 128
"""Validation words at each length."""

VALIDATIONS = 50
"""Validations in a run."""

SAVE_EVERY = 30.0
"""Seconds between checkpoints."""


@dataclass
class Outcome:
    """How training ended, and a message for the user."""

    status: Status
    message: str | None = None


class Training:
    """The training of one experiment, from its first step or from a checkpoint.

    Parameters
    ----------
    experiment : ResolvedExperiment
    folder : Path
        folder of the checkpoint and of ``progress.jsonl``.
    device : torch.device
    """

    def __init__(self, experiment: ResolvedExperiment, folder: Path, device: torch.device) -> None:
        self.experiment, self.device = experiment, device
        self.settings = experiment.settings
        self.task, self.format = experiment.task, experiment.format
        self.model = build_initial_model(experiment).to(device)
        self.optimiser = build_optimiser(self.model, experiment)
        lengths = list_training_lengths(experiment)
        self.curriculum = Curriculum(experiment, lengths)
        self.words = TrainingWords(experiment, lengths)
        self.step, self.seconds = 0, 0.0
        self.checkpoint = folder / "checkpoint.safetensors"
        self.log = folder / "progress.jsonl"
        self.target_reached = False  # whether stop_at was
        self._resume()

    # -- the loop ------------------------------------------------------------------------------

    def run(
        self,
        *,
        time_limit: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        watch: Callable[[dict[str, Any]], None] = lambda record: None,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Train until the steps are done, the time is up, or `stop` returns True.

        A run that stops early leaves a checkpoint. A run that diverges (a loss or a weight is not
        finite) leaves none, since there is nothing to resume from.

        Parameters
        ----------
        time_limit : float, optional
            seconds of training.
        stop : callable
            called after every step; whether to stop there.
        watch : callable
            called with the record of every validation.
        heartbeat : callable
            called after every validation, to show that this process is alive.
        """
        began = saved = reported = time.monotonic()
        before, symbols = self.seconds, 0
        steps = self.experiment.steps
        every = max(1, steps // VALIDATIONS)
        losses: list[Tensor] = []
        self.model.train()
        while self.step < steps and not self.target_reached:
            loss, count = self._step()
            losses.append(loss)
            symbols += count
            now = time.monotonic()
            self.seconds = before + now - began
            if self.step % every == 0 or self.step == steps:
                mean = float(torch.stack(losses).mean())
                if not isfinite(mean):
                    return Outcome("diverged", f"the loss is not finite by step {self.step}")
                try:
                    record = self._validate(mean, symbols / max(now - reported, 1e-9))
                except NotFiniteError as error:
                    return Outcome("diverged", f"{error}, at step {self.step}")
                watch(record)
                heartbeat()
                losses, symbols, reported = [], 0, time.monotonic()
            if stop() or (time_limit is not None and now - began >= time_limit):
                return self._stop("interrupted" if stop() else "stopped", losses)
            if now - saved >= SAVE_EVERY and are_finite(losses):
                self.save()
                saved = time.monotonic()
        if not are_finite([p.detach().sum() for p in self.model.parameters()]):
            return Outcome("diverged", f"a weight is not finite at step {self.step}")
        self.save()
        return Outcome("done")

    def _stop(self, status: Status, losses: list[Tensor]) -> Outcome:
        if not are_finite(losses):
            return Outcome("diverged", f"the loss is not finite by step {self.step}")
        self.save()
        return Outcome(status, f"{status} at step {self.step} of {self.experiment.steps}")

    def _step(self) -> tuple[Tensor, int]:
        """Take one step of AdamW; return the loss and the number of symbols read."""
        set_learning_rate(self.optimiser, compute_learning_rate(self.experiment, self.step))
        tokens, targets = self._draw_batch()
        torch.manual_seed(draw_seed(self.settings.seed, self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss = self._compute_loss(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimiser.step()
        self.step += 1
        return loss.detach(), tokens.numel()

    def _draw_batch(self) -> tuple[Tensor, Tensor]:
        """Draw this step's words, a function of the experiment and the step."""
        length = self.curriculum.length_at(self.step)
        batch = self.format.encode(self.words.batch(self.step, length))
        tokens = torch.from_numpy(batch.tokens.astype("int64", order="C"))
        targets = torch.from_numpy(batch.targets.astype("int64", order="C"))
        return tokens.to(self.device), targets.to(self.device)

    def _compute_loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        logits = self.model(tokens)
        fit = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED)
        return fit + self.model.auxiliary_loss()

    # -- validation ----------------------------------------------------------------------------

    def _validate(self, loss: float, rate: float) -> dict[str, Any]:
        """Measure validation words of the lengths that are now trained, and log the record."""
        longest = self.curriculum.longest_at(self.step)
        lengths = {longest, *(n for n in self.experiment.test_lengths if n <= longest)}
        self.model.eval()
        scores = {length: self._score(length) for length in sorted(lengths)}
        self.model.train()
        now = scores[longest]
        self.curriculum.report(self.step, now["per_symbol"])
        target, grown = self.settings.stop_at, longest == self.curriculum.lengths[-1]
        self.target_reached = target is not None and grown and now["per_word"] >= target
        record = {
            "step": self.step,
            "length": longest,
            "loss": loss,
            "accuracy": now["per_symbol"],
            "per_word": now["per_word"],
            "seconds": self.seconds,
            "symbols_per_second": rate,
            "validation": {str(n): score["per_symbol"] for n, score in scores.items()},
        }
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")
        return record

    def _score(self, length: int) -> dict[str, float]:
        batch = draw_held_out_words(self.task, length, VALIDATION_SIZE, "validation")
        predicted = self.format.predict(Predictor(self.model, self.device), batch.tokens)
        return Score.of(predicted, batch.targets).metrics()

    # -- stopping and resuming -----------------------------------------------------------------

    def save(self) -> None:
        """Write the checkpoint."""
        notes = {
            "step": self.step,
            "seconds": self.seconds,
            "opened": self.curriculum.opened,
            "settled": self.target_reached,
        }
        save_checkpoint(self.checkpoint, self.model, self.optimiser, notes)

    def _resume(self) -> None:
        if self.checkpoint.exists():
            notes = load_checkpoint(self.checkpoint, self.model, self.optimiser)
            self.step, self.seconds = int(notes["step"]), float(notes["seconds"])
            self.target_reached = bool(notes["settled"])
            self.curriculum = Curriculum(self.experiment, self.curriculum.lengths, notes["opened"])
        if self.log.exists():
            drop_records_after(self.log, self.step)


def list_training_lengths(experiment: ResolvedExperiment) -> list[int]:
    """Return the lengths within the training range that the task has words of."""
    low, high = experiment.settings.train_lengths
    lengths = experiment.task.valid_lengths(low, high)
    if not lengths:
        name = experiment.task.name
        raise UserError(f"train lengths {low}:{high}: {name} has no word of such a length")
    return lengths


def are_finite(values: list[Tensor]) -> bool:
    """Return whether every value is finite."""
    return not values or bool(torch.isfinite(torch.stack(values)).all())


def drop_records_after(log: Path, step: int) -> None:
    """Drop the records of steps that a resumed run repeats, and a half-written one."""
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError):
            break
    log.write_text("".join(kept), encoding="utf-8")
