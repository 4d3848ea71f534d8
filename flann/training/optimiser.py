"""AdamW over a model's parameter groups, and the learning rate at each step."""

from __future__ import annotations

from math import cos, pi

import torch

from flann.experiments.experiment import ResolvedExperiment
from flann.models import SequenceModel

STABLE_SHARE = 0.6
"""The share of the steps for which the flat schedule stays at its peak."""


def build_optimiser(model: SequenceModel, experiment: ResolvedExperiment) -> torch.optim.Optimizer:
    """Build AdamW over the groups that the model declares.

    Some parameters are spared weight decay, and some learn at a lower rate than the experiment's;
    ``rate_factor`` of a group is its share of that rate.
    """
    settings, lr = experiment.settings, experiment.lr
    groups = model.parameter_groups(lr, settings.weight_decay) or [{"params": []}]
    for group in groups:
        group["rate_factor"] = group.get("lr", lr) / lr
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, settings.beta2), fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, scaled by its ``rate_factor``."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("rate_factor", 1.0)


def compute_learning_rate(experiment: ResolvedExperiment, step: int) -> float:
    """Return the learning rate at a step: linear warm-up from 0, then a fall to 0.

    The fall is half a cosine wave. It begins after the warm-up with ``cosine``, and after
    `STABLE_SHARE` of the steps with ``flat``.
    """
    settings, steps = experiment.settings, experiment.steps
    warmth = min(1.0, (step + 1) / max(1, settings.warmup))
    begin = STABLE_SHARE * steps if settings.schedule == "flat" else settings.warmup
    fallen = max(0.0, (step - begin) / max(1.0, steps - begin))
    return experiment.lr * warmth * 0.5 * (1 + cos(pi * min(1.0, fallen)))
