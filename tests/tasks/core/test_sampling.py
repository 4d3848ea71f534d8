"""The randomness: exactly uniform, and the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from flann.tasks import get_task, sampling
from flann.tasks.sampling import draw_below, draw_bits, draw_uniform, flip_coins

LEAST_P = 1e-4  # the seeds are fixed, so a test passes always or never


@given(st.integers(1, 256))
def test_every_raw_number_once_gives_every_symbol_equally_often(bound: int) -> None:
    """Over all 2^16 raw numbers; those rejected are drawn again as 2^16 - 1, the last symbol."""
    answers = iter([np.arange(1 << 16, dtype=np.uint16)])

    def fake(rng: object, count: int, dtype: object) -> np.ndarray:
        return next(answers, np.full(count, 0xFFFF, np.uint16)).copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "draw_bits", fake)
        drawn = sampling._lemire16(np.random.default_rng(0), bound, 1 << 16)
    counts = np.bincount(drawn, minlength=bound)
    share, rejected = divmod(1 << 16, bound)
    assert (counts[:-1] == share).all()
    assert counts[-1] == share + rejected


@pytest.mark.parametrize("bound", [2, 3, 60, 120, 255, 256, 257, 5040])
def test_uniform_symbols(bound: int, rng: np.random.Generator) -> None:
    drawn = draw_uniform(rng, bound, (1000, 1000))
    assert drawn.dtype == np.min_scalar_type(bound - 1)
    assert chisquare(np.bincount(drawn.ravel(), minlength=bound)).pvalue > LEAST_P


def test_pairs_of_neighbours_are_uniform(rng: np.random.Generator) -> None:
    drawn = draw_uniform(rng, 60, (1_000_000, 2)).astype(int)
    pairs = np.bincount(drawn[:, 0] * 60 + drawn[:, 1], minlength=3600)
    assert chisquare(pairs).pvalue > LEAST_P


def test_a_byte_modulo_60_would_be_found(rng: np.random.Generator) -> None:
    biased = draw_bits(rng, 1_000_000, np.uint8) % 60
    assert chisquare(np.bincount(biased, minlength=60)).pvalue < LEAST_P


@pytest.mark.parametrize("bound", [1, 2, 7, 10**6, 2**31 + 1, 2**32 - 1])
def test_uniform_below(bound: int, rng: np.random.Generator) -> None:
    drawn = draw_below(rng, np.full(200_000, bound, np.int64))
    assert drawn.max() < bound
    parts = min(bound, 10)
    edges = np.array([-(-bound * i // parts) for i in range(parts + 1)])
    counts = np.histogram(drawn, edges)[0]
    shares = np.diff(edges) / bound
    assert parts == 1 or chisquare(counts, shares * len(drawn)).pvalue > LEAST_P


def test_uniform_below_redraws(rng: np.random.Generator) -> None:
    """3 * 2^30 + 1 rejects a quarter of the raw numbers; without that low values double."""
    bound = 3 * 2**30 + 1
    drawn = draw_below(rng, np.full(300_000, bound, np.int64))
    thirds = np.bincount((drawn // np.uint64(2**30)).astype(int), minlength=3)[:3]
    assert chisquare(thirds).pvalue > LEAST_P


def test_coins_are_fair(rng: np.random.Generator) -> None:
    assert abs(flip_coins(rng, 1_000_000).mean() - 0.5) < 0.002


def test_any_bit_generator_will_do() -> None:
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        drawn = draw_uniform(np.random.Generator(kind(1)), 60, (200_000,))
        assert chisquare(np.bincount(drawn, minlength=60)).pvalue > LEAST_P


def test_streams_depend_on_each_argument_alone() -> None:
    keys = [("A5", 16, "test"), ("A5", 16, "validation"), ("A5", 17, "test"), ("S5", 16, "test")]
    firsts = [int(sampling.test_stream(*key).integers(2**63)) for key in keys]
    assert len(set(firsts)) == 4
    assert firsts == [int(sampling.test_stream(*key).integers(2**63)) for key in keys]


def test_the_test_stream_never_changes() -> None:
    """Published curves were measured on these words."""
    first = draw_bits(sampling.test_stream("A5", 16, "test"), 2, np.uint64)
    assert first.tolist() == STREAM


STREAM = [14414490625061687979, 13263918065888127280]


def test_a_hundred_million_symbols_of_a5_are_uniform(rng: np.random.Generator) -> None:
    """Symbols and labels both; a bias of one in ten thousand would show."""
    task = get_task("A5")
    symbols, labels = np.zeros(60, np.int64), np.zeros(60, np.int64)
    for _ in range(100):
        tokens, targets = task.sample(rng, 10_000, 100)
        symbols += np.bincount(tokens.T.ravel(), minlength=60)
        labels += np.bincount(targets.T.ravel(), minlength=60)
    assert symbols.sum() == 10**8
    assert chisquare(symbols).pvalue > LEAST_P
    assert chisquare(labels).pvalue > LEAST_P
