"""When each signal is made, and in which dimension of the residual stream it lies.

Time runs through the parts of the network: 0 is the embedding, 2 k - 1 the attention of block k
and 2 k its feed-forward part. A signal is made as soon as all that it is made of is there. From its
last reading on its dimension may be used again, once a feed-forward part has taken it off: that
costs two units, x - ReLU(x) + ReLU(-x) = 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .signals import Affine, AttentionSignal, PositionSignal, Signal, SymbolSignal, UnitSignal

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

    def list_signals(self, time: int) -> list[Signal]:
        """The signals made at a time."""
        return [signal for signal, when in self.time.items() if when == time]


def build_schedule(output: Affine, always: Iterable[Signal]) -> Schedule:
    """Times and dimensions for all that an output needs.

    Parameters
    ----------
    output : Affine
        what is read in the end.
    always : iterable of Signal
        what must stay to the end: the marks of words and of BOS.
    """
    always = list(always)
    schedule = Schedule(dict.fromkeys(always, 0))
    for signal in order_signals(output):
        schedule.time[signal] = find_time(signal, schedule.time)
    assign_dimensions(schedule, output, always)
    return schedule


def order_signals(output: Affine) -> list[Signal]:
    """All signals that an output is made of, parts before wholes; without recursion."""
    order: dict[Signal, None] = {}
    stack: list[tuple[Signal, bool]] = [(signal, False) for signal in output.terms]
    while stack:
        signal, ready = stack.pop()
        if signal in order:
            continue
        if ready:
            order[signal] = None
        else:
            stack.append((signal, True))
            stack += [(part, False) for part in signal.inputs if part not in order]
    return list(order)


def find_time(signal: Signal, time: dict[Signal, int]) -> int:
    """The first part of the network that can make a signal."""
    if isinstance(signal, SymbolSignal | PositionSignal):
        return 0
    latest = max((time[part] for part in signal.inputs), default=0)
    odd = isinstance(signal, AttentionSignal)
    return latest + 1 + ((latest + 1) % 2 != odd)


def assign_dimensions(schedule: Schedule, output: Affine, always: list[Signal]) -> None:
    """A dimension for every signal, used again where that leaves no trace."""
    last: dict[Signal, int] = dict.fromkeys(schedule.time, 0)
    for signal, when in schedule.time.items():
        for part in signal.inputs:
            last[part] = max(last[part], when)
    for signal in (*output.terms, *always):
        last[signal] = FOREVER
    stages = {when for signal, when in schedule.time.items() if isinstance(signal, UnitSignal)}
    free: list[tuple[int, Signal]] = []  # when its dimension is taken off, and whose it was
    for signal in sorted(schedule.time, key=lambda s: schedule.time[s]):
        created = schedule.time[signal]
        reusable = next(
            (slot for slot in free if slot[0] <= created and can_replace(slot[1], signal)), None
        )
        if reusable is None:
            schedule.dimension[signal] = schedule.width
            schedule.width += 1
        else:
            free.remove(reusable)
            schedule.dimension[signal] = schedule.dimension[reusable[1]]
            schedule.erased.setdefault(reusable[0], []).append(reusable[1])
        after = [stage for stage in stages if stage >= max(last[signal], created + 1)]
        if after and max(abs(signal.low), abs(signal.high)) <= LARGEST:
            free.append((min(after), signal))
            free.sort(key=lambda slot: slot[0])


def can_replace(old: Signal, new: Signal) -> bool:
    """Whether a new signal may lie where an old one was: an exact one only where no noise stays."""
    return not old.error or bool(new.error)
