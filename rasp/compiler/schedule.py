"""When each signal is made, and in which dimension of the residual stream it lies.

Time runs through the parts of the network: 0 is the embedding, 2 k - 1 the attention of block k
and 2 k its feed-forward part. A signal is made as soon as all that it is made of is there. From its
last reading on its dimension may be used again, once a feed-forward part has taken it off: that
costs two units, x - ReLU(x) + ReLU(-x) = 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .signals import Affine, Attended, Embedded, Made, Placed, Signal

FOREVER = 1 << 30
LARGEST = 8.0  # value whose dimension is used again: larger ones would leave a trace


@dataclass
class Schedule:
    """Times and dimensions.

    Attributes
    ----------
    time, dimension : dict
        of every signal that is needed.
    erased : dict
        for each time of a feed-forward part, the signals that it takes off the stream.
    width : int
        of the stream.
    end : int
        the last time of all.
    """

    time: dict[Signal, int]
    dimension: dict[Signal, int] = field(default_factory=dict)
    erased: dict[int, list[Signal]] = field(default_factory=dict)
    width: int = 0

    @property
    def end(self) -> int:
        """The last time of all."""
        return max(self.time.values(), default=0)

    def at(self, time: int) -> list[Signal]:
        """The signals made at a time."""
        return [signal for signal, when in self.time.items() if when == time]


def schedule(output: Affine, always: Iterable[Signal]) -> Schedule:
    """Times and dimensions for all that an output needs.

    Parameters
    ----------
    output : Affine
        what is read in the end.
    always : iterable of Signal
        what must stay to the end: the marks of words and of BOS.
    """
    always = list(always)
    made = Schedule(dict.fromkeys(always, 0))
    for signal in needed(output):
        made.time[signal] = time_of(signal, made.time)
    allocate(made, output, always)
    return made


def needed(output: Affine) -> list[Signal]:
    """All signals that an output is made of, parts before wholes; without recursion."""
    found: dict[Signal, None] = {}
    waiting: list[tuple[Signal, bool]] = [(signal, False) for signal in output.terms]
    while waiting:
        signal, ready = waiting.pop()
        if signal in found:
            continue
        if ready:
            found[signal] = None
        else:
            waiting.append((signal, True))
            waiting += [(part, False) for part in signal.inputs if part not in found]
    return list(found)


def time_of(signal: Signal, time: dict[Signal, int]) -> int:
    """The first part of the network that can make a signal."""
    if isinstance(signal, Embedded | Placed):
        return 0
    latest = max((time[part] for part in signal.inputs), default=0)
    odd = isinstance(signal, Attended)
    return latest + 1 + ((latest + 1) % 2 != odd)


def allocate(made: Schedule, output: Affine, always: list[Signal]) -> None:
    """A dimension for every signal, used again where that leaves no trace."""
    last: dict[Signal, int] = dict.fromkeys(made.time, 0)
    for signal, when in made.time.items():
        for part in signal.inputs:
            last[part] = max(last[part], when)
    for signal in (*output.terms, *always):
        last[signal] = FOREVER
    stages = {when for signal, when in made.time.items() if isinstance(signal, Made)}
    free: list[tuple[int, Signal]] = []  # when its dimension is taken off, and whose it was
    for signal in sorted(made.time, key=lambda s: made.time[s]):
        born = made.time[signal]
        heir = next((place for place in free if place[0] <= born and suits(place[1], signal)), None)
        if heir is None:
            made.dimension[signal] = made.width
            made.width += 1
        else:
            free.remove(heir)
            made.dimension[signal] = made.dimension[heir[1]]
            made.erased.setdefault(heir[0], []).append(heir[1])
        after = [stage for stage in stages if stage >= max(last[signal], born + 1)]
        if after and max(abs(signal.low), abs(signal.high)) <= LARGEST:
            free.append((min(after), signal))
            free.sort(key=lambda place: place[0])


def suits(old: Signal, new: Signal) -> bool:
    """Whether a new signal may lie where an old one was: an exact one only where no noise stays."""
    return not old.error or bool(new.error)
