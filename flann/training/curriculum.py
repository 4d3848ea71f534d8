"""The curriculum: which length each training step has.

The longest length grows with the steps in the same way for every model, and each step draws one
length uniformly from the shortest up to it. A gate on accuracy would keep a model that fails at
length 3 from ever seeing length 16, and its failure there would say nothing. The gate is therefore
an option, for the fastest fit and not for comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flann.experiments.experiment import ResolvedExperiment
from flann.streams import open_stream


class Curriculum:
    """The lengths of one experiment's training steps.

    Parameters
    ----------
    experiment : ResolvedExperiment
    lengths : sequence of int
        the lengths within the training range that the task has words of, ascending.
    opened : list of (step, count), optional
        with a gate: the step since which this many of the lengths are open.
    """

    def __init__(
        self,
        experiment: ResolvedExperiment,
        lengths: Sequence[int],
        opened: Sequence[tuple[int, int]] = ((0, 1),),
    ) -> None:
        self.settings, self.steps = experiment.settings, experiment.steps
        self.lengths = list(lengths)
        self.opened = [(int(step), int(count)) for step, count in opened]

    def open_at(self, step: int) -> int:
        """Return how many of the lengths are open at a step."""
        if self.settings.gate is not None:
            return max(count for since, count in self.opened if since <= step)
        growing = self.settings.growth * self.steps
        if step >= growing:
            return len(self.lengths)
        return 1 + int((len(self.lengths) - 1) * step / growing)

    def longest_at(self, step: int) -> int:
        """Return the longest length that is open at a step."""
        return self.lengths[self.open_at(step) - 1]

    def length_at(self, step: int) -> int:
        """Return the length of a step's words, a function of seed and step (and of the gate)."""
        draw: np.random.Generator = open_stream(self.settings.seed, "lengths", step)
        return self.lengths[int(draw.integers(self.open_at(step)))]

    def report(self, step: int, accuracy: float) -> None:
        """Open the next length if the accuracy at the longest open one has passed the gate."""
        gate, count = self.settings.gate, self.open_at(step)
        if gate is not None and accuracy >= gate and count < len(self.lengths):
            self.opened.append((step + 1, count + 1))
