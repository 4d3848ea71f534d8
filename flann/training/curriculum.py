"""Which length a training step sees.

The longest length grows with the steps, the same way for every model, and each step draws one
length uniformly from the shortest up to it. A gate on accuracy would keep a model that fails at
length 3 from ever seeing length 16, and its failure there would say nothing; so the gate is an
option, for who wants the fastest fit and compares nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flann.experiments.experiment import Experiment
from flann.streams import stream


class Curriculum:
    """The lengths of one experiment's training steps.

    Parameters
    ----------
    experiment : Experiment
    lengths : sequence of int
        the lengths the task has within the training range, ascending.
    opened : list of (step, count), optional
        with a gate: from which step on how many of the lengths were open.
    """

    def __init__(
        self,
        experiment: Experiment,
        lengths: Sequence[int],
        opened: Sequence[tuple[int, int]] = ((0, 1),),
    ) -> None:
        self.experiment, self.lengths = experiment, list(lengths)
        self.opened = [(int(step), int(count)) for step, count in opened]

    def open_at(self, step: int) -> int:
        """How many of the lengths are open at `step`."""
        if self.experiment.gate is not None:
            return max(count for since, count in self.opened if since <= step)
        growing = self.experiment.growth * self.experiment.steps
        if step >= growing:
            return len(self.lengths)
        return 1 + int((len(self.lengths) - 1) * step / growing)

    def longest_at(self, step: int) -> int:
        """The longest length now trained."""
        return self.lengths[self.open_at(step) - 1]

    def length_at(self, step: int) -> int:
        """The length of the words of this step: a function of seed and step (and of the gate)."""
        draw: np.random.Generator = stream(self.experiment.seed, "lengths", step)
        return self.lengths[int(draw.integers(self.open_at(step)))]

    def report(self, step: int, accuracy: float) -> None:
        """Tell the gate what the validation at the longest open length gave."""
        gate, count = self.experiment.gate, self.open_at(step)
        if gate is not None and accuracy >= gate and count < len(self.lengths):
            self.opened.append((step + 1, count + 1))
