"""The known separations, trained: `claims` says which, this sees that they hold.

One seed by default; ``FLANN_SEEDS=0,1,2`` asks for three. ``FLANN_RUNS=folder`` keeps the runs, so
that what is made is not made again, and `flann report` can draw them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import flann
from flann import Experiment
from flann.tasks import get_task
from flann.theory_report import find_family, join_theory

from .claims import CLAIMS, LEARNED, LONGEST, Claim

SEEDS = [int(seed) for seed in os.environ.get("FLANN_SEEDS", "0").split(",")]

every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=str)
every_control = pytest.mark.parametrize(
    "claim", [claim for claim in CLAIMS if claim.control], ids=lambda c: f"{c.control} by {c.model}"
)
every_seed = pytest.mark.parametrize("seed", SEEDS)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs are kept."""
    kept = os.environ.get("FLANN_RUNS")
    return Path(kept) if kept else tmp_path_factory.mktemp("separations")


def accuracies(experiment: Experiment, runs: Path) -> dict[int, float]:
    """Per symbol at every length tested; told, so that ``pytest -rA`` reports them all."""
    curve = flann.run(experiment, runs=runs, device="cpu", progress=False).curve
    found = dict(zip(curve.length.tolist(), curve.per_symbol.tolist(), strict=True))
    told = ", ".join(f"{accuracy:.4f} at {length}" for length, accuracy in found.items())
    print(f"{experiment.task} · {experiment.model} · seed {experiment.seed}: {told}")
    return found


@pytest.mark.slow
@every_seed
@every_claim
def test_a_known_separation(claim: Claim, seed: int, runs: Path) -> None:
    found = accuracies(claim.experiment(seed), runs)
    assert claim.holds(found), found


@pytest.mark.slow
@every_seed
@every_control
def test_what_fails_is_not_broken(claim: Claim, seed: int, runs: Path) -> None:
    """The same model, size and budget on a task that it can do."""
    assert accuracies(claim.controlled(seed), runs)[LONGEST] >= LEARNED


@pytest.mark.parametrize(
    ("claim", "found", "holds"),
    [
        (Claim("parity", "lstm", 320), {40: 1.0, 320: 0.96}, True),
        (Claim("parity", "lstm", 320), {40: 1.0, 320: 0.94}, False),
        (Claim("parity", "lstm", 320), {40: 0.98, 320: 0.96}, False),
        (Claim("parity", "lstm", 512, faultless=True), {40: 1.0, 512: 0.9999}, False),
        (Claim("parity", "s4d", 320, learned=False, control="majority"), {40: 1.0, 320: 0.5}, True),
        (Claim("parity", "s4d", 320, learned=False, control="majority"), {320: 0.91}, False),
    ],
)
def test_a_claim_can_fail(claim: Claim, found: dict[int, float], holds: bool) -> None:
    assert claim.holds(found) == holds


@every_control
def test_a_control_differs_in_the_task_alone(claim: Claim) -> None:
    """Whatever else differed could be why the one is learned and the other not."""
    said, control = claim.experiment(0), claim.controlled(0)
    apart = {"task", "test_lengths"}
    same = [{n: v for n, v in vars(e).items() if n not in apart} for e in (said, control)]
    assert same[0] == same[1]
    assert said.task != control.task


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_theory_agrees(claim: Claim) -> None:
    """What is learned some precision allows; what is not, no theorem says can be at a fixed one."""
    task, family = get_task(claim.task), find_family(claim.model)
    known = join_theory(task, claim.model, family)["statements"]
    verdicts = {statement["regime"]: statement["verdict"] for statement in known}
    if claim.learned:
        assert {"can", "open"} & set(verdicts.values())
    else:
        assert verdicts["fixed precision"] != "can"
