"""Training: one length a batch, the loss over the scored positions.

Each step draws its length and its words from streams of their own (`flann.streams`), so step k
is the same whether or not the run was interrupted before it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from flann.errors import UserError
from flann.evaluation.evaluate import words_for
from flann.evaluation.metrics import UNSCORED, Score
from flann.evaluation.predictor import Answering, NotFiniteError
from flann.experiments.experiment import Experiment
from flann.experiments.initial_weights import built
from flann.formats.format import get_format
from flann.models import SequenceModel, build_model
from flann.streams import draw_seed, weight_seed
from flann.tasks import Task, get_task

from .checkpoint import load_checkpoint, save_checkpoint
from .curriculum import Curriculum
from .words import TrainingWords

Status = Literal["done", "stopped", "interrupted", "diverged"]

VALIDATION_SIZE = 128  # words a length
REPORTS = 50  # validations a run
SAVE_EVERY = 30.0  # seconds between checkpoints
STABLE = 0.6  # share of the steps that the flat schedule stays at its peak


@dataclass
class Outcome:
    """How a training ended, and what it says to the user."""

    status: Status
    message: str | None = None


class Training:
    """One experiment's training, from its first step or from a checkpoint.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        where checkpoints and ``progress.jsonl`` go.
    device : torch.device
    """

    def __init__(self, experiment: Experiment, folder: Path, device: torch.device) -> None:
        self.experiment, self.device = experiment, device
        self.task: Task = get_task(experiment.task, imports=True)
        self.format = get_format(experiment.format, self.task)
        self.model = build(experiment, self.task).to(device)
        self.optimiser = make_optimiser(self.model, experiment)
        lengths = training_lengths(self.task, experiment)
        self.curriculum = Curriculum(experiment, lengths)
        self.words = TrainingWords(experiment, self.task, lengths)
        self.step, self.seconds = 0, 0.0
        self.checkpoint = folder / "checkpoint.safetensors"
        self.log = folder / "progress.jsonl"
        self.settled = False  # whether stop_at was reached
        self._resume()

    # -- the loop ------------------------------------------------------------------------------

    def run(
        self,
        *,
        time_limit: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        watch: Callable[[dict[str, Any]], None] = lambda record: None,
        beat: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Train until the steps are done, the time is up, or `stop` says so.

        A run that stops early leaves a checkpoint. One that diverges (a loss or a weight that is
        not finite) leaves none: there is nothing to go on from.
        """
        began = saved = reported = time.monotonic()
        before, symbols = self.seconds, 0
        every = max(1, self.experiment.steps // REPORTS)
        losses: list[Tensor] = []
        self.model.train()
        while self.step < self.experiment.steps and not self.settled:
            loss, seen = self._step()
            losses.append(loss)
            symbols += seen
            now = time.monotonic()
            self.seconds = before + now - began
            if self.step % every == 0 or self.step == self.experiment.steps:
                mean = float(torch.stack(losses).mean())
                if not isfinite(mean):
                    return Outcome("diverged", f"the loss is not finite by step {self.step}")
                try:
                    record = self._validate(mean, symbols / max(now - reported, 1e-9))
                except NotFiniteError as error:
                    return Outcome("diverged", f"{error}, at step {self.step}")
                watch(record)
                beat()
                losses, symbols, reported = [], 0, time.monotonic()
            if stop() or (time_limit is not None and now - began >= time_limit):
                return self._stopped("interrupted" if stop() else "stopped", losses)
            if now - saved >= SAVE_EVERY and all_finite(losses):
                self.save()
                saved = time.monotonic()
        if not all_finite([p.detach().sum() for p in self.model.parameters()]):
            return Outcome("diverged", f"a weight is not finite at step {self.step}")
        self.save()
        return Outcome("done")

    def _stopped(self, status: Status, losses: list[Tensor]) -> Outcome:
        if not all_finite(losses):
            return Outcome("diverged", f"the loss is not finite by step {self.step}")
        self.save()
        return Outcome(status, f"{status} at step {self.step} of {self.experiment.steps}")

    def _step(self) -> tuple[Tensor, int]:
        """One step of AdamW; the loss and the number of symbols it read."""
        rate = learning_rate(self.experiment, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group.get("rate_factor", 1.0)
        tokens, targets = self._words()
        torch.manual_seed(draw_seed(self.experiment.seed, self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss = self._loss(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.experiment.clip)
        self.optimiser.step()
        self.step += 1
        return loss.detach(), tokens.numel()

    def _words(self) -> tuple[Tensor, Tensor]:
        """This step's words: a function of the experiment and the step."""
        length = self.curriculum.length_at(self.step)
        batch = self.format.encode(self.words.batch(self.step, length))
        tokens = torch.from_numpy(batch.tokens.astype("int64", order="C"))
        targets = torch.from_numpy(batch.targets.astype("int64", order="C"))
        return tokens.to(self.device), targets.to(self.device)

    def _loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        logits = self.model(tokens)
        fit = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=UNSCORED)
        return fit + self.model.auxiliary_loss()

    # -- watching it ---------------------------------------------------------------------------

    def _validate(self, loss: float, rate: float) -> dict[str, Any]:
        """Accuracy on validation words of the lengths that are now trained."""
        longest = self.curriculum.longest_at(self.step)
        lengths = {longest, *(n for n in self.experiment.test_lengths if n <= longest)}
        self.model.eval()
        scores = {length: self._score(length) for length in sorted(lengths)}
        self.model.train()
        now = scores[longest]
        self.curriculum.report(self.step, now["per_symbol"])
        target, grown = self.experiment.stop_at, longest == self.curriculum.lengths[-1]
        self.settled = target is not None and grown and now["per_word"] >= target
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
        batch = words_for(self.task, length, VALIDATION_SIZE, "validation")
        given = self.format.answers(Answering(self.model, self.device), batch.tokens)
        return Score.of(given, batch.targets).metrics()

    # -- stopping and going on -----------------------------------------------------------------

    def save(self) -> None:
        """Write the checkpoint."""
        notes = {
            "step": self.step,
            "seconds": self.seconds,
            "opened": self.curriculum.opened,
            "settled": self.settled,
        }
        save_checkpoint(self.checkpoint, self.model, self.optimiser, notes)

    def _resume(self) -> None:
        if self.checkpoint.exists():
            notes = load_checkpoint(self.checkpoint, self.model, self.optimiser)
            self.step, self.seconds = int(notes["step"]), float(notes["seconds"])
            self.settled = bool(notes["settled"])
            self.curriculum = Curriculum(self.experiment, self.curriculum.lengths, notes["opened"])
        if self.log.exists():
            forget_after(self.log, self.step)


def build(experiment: Experiment, task: Task) -> SequenceModel:
    """The experiment's model, with the weights that its seed gives."""
    if (known := built(experiment, task)) is not None:
        return known
    put = get_format(experiment.format, task)
    model = build_model(
        experiment.model,
        symbols=put.symbols,
        labels=put.labels,
        depth=experiment.depth,
        parameters=experiment.parameters,
        seed=weight_seed(experiment.seed),
        imports=True,
    )
    put.check(model)
    if experiment.steps and not getattr(model, "trainable", True):
        raise UserError(f"{model.name!r} is measured as it stands, not trained: expected --steps 0")
    return model


def training_lengths(task: Task, experiment: Experiment) -> list[int]:
    """The lengths that the task has within the training range."""
    low, high = experiment.train_lengths
    lengths = list(task.valid_lengths(low, high))
    if not lengths:
        raise UserError(f"train lengths {low}:{high}: {task.name} has no word of such a length")
    return lengths


def make_optimiser(model: SequenceModel, experiment: Experiment) -> torch.optim.Optimizer:
    """AdamW over the model's own groups: what decays, and what learns at a lower rate."""
    groups = model.parameter_groups(experiment.lr, experiment.weight_decay) or [{"params": []}]
    for group in groups:
        group["rate_factor"] = group.get("lr", experiment.lr) / experiment.lr
    betas = (0.9, experiment.beta2)
    return torch.optim.AdamW(groups, lr=experiment.lr, betas=betas, fused=True)


def learning_rate(experiment: Experiment, step: int) -> float:
    """The rate at a step: a rise from 0 over the warm-up, then by the schedule down to 0.

    Both fall as half a cosine wave does: ``cosine`` from the warm-up on, ``flat`` from `STABLE`
    of the steps on.
    """
    warmth = min(1.0, (step + 1) / max(1, experiment.warmup))
    begin = STABLE * experiment.steps if experiment.schedule == "flat" else experiment.warmup
    fallen = max(0.0, (step - begin) / max(1.0, experiment.steps - begin))
    return experiment.lr * warmth * 0.5 * (1 + cos(pi * min(1.0, fallen)))


def all_finite(values: list[Tensor]) -> bool:
    """Whether no value is infinite or not a number."""
    return not values or bool(torch.isfinite(torch.stack(values)).all())


def forget_after(log: Path, step: int) -> None:
    """Drop the records of steps that a resumed run will make again, and any half-written one."""
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError):
            break
    log.write_text("".join(kept), encoding="utf-8")
