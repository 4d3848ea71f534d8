"""When each signal is computed, and in which dimension of the residual stream it lies.

Time counts the sublayers of the network: 0 is the embedding, 2 k - 1 the attention and 2 k the
feed-forward layer of block k. A signal is computed as soon as all its inputs are available. After
its last use its dimension can hold another signal, once a feed-forward layer has erased it. Erasing
costs two units, since x - ReLU(x) + ReLU(-x) = 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .signals import Affine, AttentionSignal, PositionSignal, Signal, SymbolSignal, UnitSignal

FOREVER = 1 << 30
LARGEST = 8.0  # erasing larger values would leave a trace, so their dimension is not reused


@dataclass
class Schedule:
    """The times and dimensions of the signals.

    Attributes
    ----------
    time, dimension : dict
        The time and the dimension of every signal in use.
    erased : dict
        The signals that the feed-forward layer at each time erases.
    width : int
        The width of the residual stream.
    """

    time: dict[Signal, int]
    dimension: dict[Signal, int] = field(default_factory=dict)
    erased: dict[int, list[Signal]] = field(default_factory=dict)
    width: int = 0

    @property
    def end(self) -> int:
        """The last time."""
        return max(self.time.values(), default=0)

    def list_signals(self, time: int) -> list[Signal]:
        """Return the signals that are computed at a time."""
        return [signal for signal, computed_at in self.time.items() if computed_at == time]


def build_schedule(output: Affine, always: Iterable[Signal]) -> Schedule:
    """Assign a time and a dimension to every signal that an output depends on.

    Parameters
    ----------
    output : Affine
        The number that the network's head reads.
    always : iterable of Signal
        Signals that must persist to the end: the indicators of word positions and of BOS.
    """
    always = list(always)
    schedule = Schedule(dict.fromkeys(always, 0))
    for signal in order_signals(output):
        schedule.time[signal] = find_time(signal, schedule.time)
    assign_dimensions(schedule, output, always)
    return schedule


def order_signals(output: Affine) -> list[Signal]:
    """Return all signals that an output depends on, inputs first, without recursion."""
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
    """Return the first time at which a signal can be computed."""
    if isinstance(signal, SymbolSignal | PositionSignal):
        return 0
    latest = max((time[part] for part in signal.inputs), default=0)
    odd = isinstance(signal, AttentionSignal)
    return latest + 1 + ((latest + 1) % 2 != odd)


def assign_dimensions(schedule: Schedule, output: Affine, always: list[Signal]) -> None:
    """Assign a dimension to every signal, reusing one where no trace of the old signal stays."""
    last: dict[Signal, int] = dict.fromkeys(schedule.time, 0)
    for signal, computed_at in schedule.time.items():
        for part in signal.inputs:
            last[part] = max(last[part], computed_at)
    for signal in (*output.terms, *always):
        last[signal] = FOREVER
    stages = {
        computed_at
        for signal, computed_at in schedule.time.items()
        if isinstance(signal, UnitSignal)
    }
    free: list[tuple[int, Signal]] = []  # when a dimension is erased, and its old signal
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
    """Return whether a new signal may use the dimension of an old one.

    An inexact signal may leave noise behind, which only another inexact signal tolerates.
    """
    return not old.error or bool(new.error)
