"""Random symbols drawn exactly from raw bits, and the random streams of test words.

Everything here is a function of a generator's raw 64-bit numbers and of integers alone: no
floating point, and no use of numpy's own bounded draws, whose algorithm numpy may change. So the
same generator gives the same words on every machine.

A raw byte modulo 60 is not uniform: 256 is no multiple of 60, and the first 16 symbols would come
5/4 times as often as the others. Lemire's method draws exactly (Lemire 2019, "Fast random
integer generation in an interval", arXiv 1805.10941, algorithm 5): with `raw` uniform below 2^w,
the product ``raw * bound`` has the draw in its high w bits, and is drawn again if its low w bits
are below ``2^w mod bound``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Int, UInt

BLOCK = 1 << 16  # symbols drawn at a time: the buffers of a block stay in a core's L2 cache

Purpose = Literal["test", "validation", "chance"]


def test_stream(task: str, length: int, purpose: Purpose) -> np.random.Generator:
    """Return the generator of a task's test, validation or chance words of one length.

    It depends on its arguments alone, never on a run's seed: every run is tested on the same
    words. The seed is the first 16 bytes of a SHA-256 of the three, and the bit generator is
    named, so that it stays the same when numpy's default changes.

    >>> a, b = (test_stream("A5", 16, "test") for _ in range(2))
    >>> a.integers(100) == b.integers(100)
    np.True_
    """
    digest = hashlib.sha256(f"{task}\n{length}\n{purpose}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def choose_unsigned(count: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the smallest unsigned type that holds the ids below `count`."""
    return np.min_scalar_type(count - 1)


def choose_signed(count: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the smallest signed type that holds the ids below `count` and -100.

    >>> choose_signed(128), choose_signed(129)
    (dtype('int8'), dtype('int16'))
    """
    return np.dtype(np.int8) if count <= 128 else np.min_scalar_type(-count)


def draw_uniform(
    rng: np.random.Generator, bound: int, shape: tuple[int, ...]
) -> UInt[np.ndarray, ...]:
    """Draw integers exactly uniform over 0 .. bound - 1, in the smallest unsigned type.

    Parameters
    ----------
    rng : numpy.random.Generator
        where the raw bits come from.
    bound : int
        1 to 2^31.
    shape : tuple of int
        the shape of the result, filled in C order.

    Examples
    --------
    >>> draw_uniform(np.random.default_rng(0), 60, (2, 3)).dtype
    dtype('uint8')
    """
    out = np.empty(int(np.prod(shape)), choose_unsigned(bound))
    # 16 raw bits a symbol cost less than the rejections that 8 would bring
    narrow = bound <= 1 << 8
    for start in range(0, out.size, BLOCK):
        part = out[start : start + BLOCK]
        part[...] = _lemire16(rng, bound, part.size) if narrow else _lemire32(rng, bound, part.size)
    return out.reshape(shape)


def draw_bits(
    rng: np.random.Generator, count: int, dtype: type[np.unsignedinteger[Any]]
) -> UInt[np.ndarray, " count"]:
    """Draw `count` uniform numbers from the whole range of an unsigned type."""
    kind = np.dtype(dtype).newbyteorder("<")  # the same words on a big-endian machine
    words = -(-count * kind.itemsize // 8)
    raw = rng.integers(0, 2**64 - 1, size=words, dtype=np.uint64, endpoint=True)
    return raw.astype("<u8", copy=False).view(kind)[:count]


def _lemire16(rng: np.random.Generator, bound: int, count: int) -> UInt[np.ndarray, " count"]:
    raw = draw_bits(rng, count, np.uint16)
    while (again := np.flatnonzero(raw * np.uint16(bound) < (1 << 16) % bound)).size:
        raw[again] = draw_bits(rng, again.size, np.uint16)
    return (raw.astype(np.uint32) * np.uint32(bound)) >> np.uint32(16)


def _lemire32(rng: np.random.Generator, bound: int, count: int) -> UInt[np.ndarray, " count"]:
    raw = draw_bits(rng, count, np.uint32)
    while (again := np.flatnonzero(raw * np.uint32(bound) < (1 << 32) % bound)).size:
        raw[again] = draw_bits(rng, again.size, np.uint32)
    return (raw.astype(np.uint64) * np.uint64(bound)) >> np.uint64(32)


def draw_below(
    rng: np.random.Generator, bounds: Int[np.ndarray, " count"]
) -> UInt[np.ndarray, " count"]:
    """Draw one integer for each bound, exactly uniform over 0 .. bound - 1.

    Bounds lie between 1 and 2^32 - 1.

    >>> draw_below(np.random.default_rng(0), np.array([1, 1, 1]))
    array([0, 0, 0], dtype=uint64)
    """
    bounds = bounds.astype(np.uint64)
    products = draw_bits(rng, bounds.size, np.uint32) * bounds
    low = products & np.uint64(0xFFFFFFFF)
    # the remainder of a division is below its divisor: divide for the few that come so low
    for place in np.flatnonzero(low < bounds):
        bound = int(bounds[place])
        product = int(products[place])
        while product % (1 << 32) < (1 << 32) % bound:
            product = int(draw_bits(rng, 1, np.uint32)[0]) * bound
        products[place] = product
    drawn: UInt[np.ndarray, " count"] = products >> np.uint64(32)
    return drawn


def draw_whole_below(rng: np.random.Generator, bounds: Sequence[int]) -> list[int]:
    """Draw one whole number of any size for each bound, exactly uniform over 0 .. bound - 1.

    Each is drawn with as many bits as its bound needs, and again while it is not below it.

    >>> draw_whole_below(np.random.default_rng(0), [1, 1 << 100])
    [0, 8987745976276815326700966077]
    """
    wide = max(1, -(-max(bounds, default=1).bit_length() // 8))  # bytes
    masks = [(1 << (bound - 1).bit_length()) - 1 for bound in bounds]
    drawn = list(bounds)
    left = list(range(len(bounds)))
    while left:
        raw = draw_bits(rng, wide * len(left), np.uint8).tobytes()
        for n, i in enumerate(left):
            drawn[i] = int.from_bytes(raw[n * wide : (n + 1) * wide], "little") & masks[i]
        left = [i for i in left if drawn[i] >= bounds[i]]
    return drawn


def flip_coins(rng: np.random.Generator, size: int) -> Bool[np.ndarray, " size"]:
    """Draw fair coins: True or False, each with probability one half."""
    heads: Bool[np.ndarray, " size"] = draw_bits(rng, size, np.uint8) >= 128
    return heads
