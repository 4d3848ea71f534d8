"""Which tasks the laws run over: every registered name, and options that change something."""

from __future__ import annotations

import numpy as np
import pytest

from flann.tasks import Task, get_task, task_names

OPTIONS = [
    "Z2",
    "S3xZ2",
    "D5:generators=2",
    "A5:generators=2",
    "A5:generators=12",
    "A5:label=last",
    "S5:generators=swaps",
    "Z6:generators=1",
    "S6",  # more labels than int8 holds
    "parity:mode=recognise",
    "parity:ones=uniform",
    "parity:mode=recognise,ones=uniform",
    "first:mode=recognise",
    "majority:mode=recognise",
    "dyck-1:depth=1",
    "dyck-1:depth=2",
    "dyck-1:depth=3",
    "dyck-2:depth=3",
    "dyck-7:depth=2",
    "dyck-1:mode=recognise",
    "dyck-2:mode=recognise",
    "dyck-1:depth=1,mode=recognise",
    "dyck-2:depth=3,mode=recognise",
    "regex:(aa|b)*",
    "regex-recognise:(aa|b)*",
    "regex:(0|1(01*0)*1)*",
    "tomita-3:label=next",
    "tomita-5:label=next",
    "tomita-4:mode=recognise",
    "tomita-6:mode=recognise,negatives=near",
    "aa-star:label=next",
    "abab-star:label=next",
    "ab-d-bc:label=next",
    "ab-d-bc:mode=recognise",
    "012-0-2:mode=recognise",
    "abcde-runs:mode=recognise,negatives=near",
    "repeat-01:mode=recognise",
    "repeat-01:mode=recognise,negatives=near",
    "even-pairs:mode=recognise",
    "cycle-navigation:mode=recognise",
    "cycle-navigation:mode=recognise,negatives=near",
    "cycle-navigation:mode=transduce",
    "modular-arithmetic-simple:negatives=near",
    "marked-reversal:negatives=near",
    "odds-first:mode=recognise",
    "bucket-sort:mode=recognise,negatives=near",
    "missing-duplicate:mode=recognise",
    "a-n-b-n:mode=recognise",
    "a-n-b-n-c-n:mode=recognise,negatives=near",
    "flip-flop-language:ignore=0.98",
    "shuffle-dyck-2:mode=recognise",
    "shuffle-dyck-2:mode=recognise,negatives=near",
    "cyclic:size=3",
    "gridworld:size=9",
    "permutation-reset:size=4",
    "binary-addition:mode=recognise",
    "binary-addition:mode=recognise,negatives=near",
    "binary-multiplication:mode=recognise",
    "binary-multiplication:mode=recognise,negatives=near",
    "compute-sqrt:mode=recognise",
    "compute-sqrt:mode=recognise,negatives=near",
    "stack-manipulation:mode=recognise",
    "stack-manipulation:mode=recognise,negatives=near",
    "dyck-1:label=next",
    "dyck-2:label=next",
    "dyck-1:depth=1,label=next",
    "dyck-2:depth=3,label=next",
    "shuffle-dyck-2:label=next",
    "boolean-3:mode=recognise",
    "boolean-3:mode=recognise,negatives=near",
    "reverse-string:mode=tag",
    "bucket-sort:mode=tag",
    "histogram:mode=tag",
    "double-histogram:mode=tag",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "task" in metafunc.fixturenames:
        names = [*task_names(), *OPTIONS]
        metafunc.parametrize("task", names, indirect=True, ids=names)


@pytest.fixture(scope="module")
def task(request: pytest.FixtureRequest) -> Task:
    return get_task(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(0))
