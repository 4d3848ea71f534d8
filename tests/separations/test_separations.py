"""Tests of the known separations of the module `claims`, by training.

The environment variable ``FLANN_SEEDS=0,1,2`` sets the seeds, 0 by default. With
``FLANN_RUNS=folder`` the runs are stored there, reused by later calls, and can be drawn by
`flann report`.
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
    """Return the folder of the runs."""
    folder = os.environ.get("FLANN_RUNS")
    return Path(folder) if folder else tmp_path_factory.mktemp("separations")


def measure_accuracies(experiment: Experiment, runs: Path) -> dict[int, float]:
    """Return the accuracy per symbol by test length, and print it for ``pytest -rA``."""
    curve = flann.run(experiment, runs=runs, device="cpu", progress=False).curve
    accuracies = dict(zip(curve.length.tolist(), curve.per_symbol.tolist(), strict=True))
    listed = ", ".join(f"{accuracy:.4f} at {length}" for length, accuracy in accuracies.items())
    print(f"{experiment.task} · {experiment.model} · seed {experiment.seed}: {listed}")
    return accuracies


@pytest.mark.slow
@every_seed
@every_claim
def test_a_known_separation(claim: Claim, seed: int, runs: Path) -> None:
    accuracies = measure_accuracies(claim.build_experiment(seed), runs)
    assert claim.is_supported(accuracies), accuracies


@pytest.mark.slow
@every_seed
@every_control
def test_the_control_is_learned(claim: Claim, seed: int, runs: Path) -> None:
    """The same model learns the control task with the same size and budget."""
    assert measure_accuracies(claim.build_control(seed), runs)[LONGEST] >= LEARNED


@pytest.mark.parametrize(
    ("claim", "accuracies", "supported"),
    [
        (Claim("parity", "lstm", 320), {40: 1.0, 320: 0.96}, True),
        (Claim("parity", "lstm", 320), {40: 1.0, 320: 0.94}, False),
        (Claim("parity", "lstm", 320), {40: 0.98, 320: 0.96}, False),
        (Claim("parity", "lstm", 512, faultless=True), {40: 1.0, 512: 0.9999}, False),
        (Claim("parity", "s4d", 320, learned=False, control="majority"), {40: 1.0, 320: 0.5}, True),
        (Claim("parity", "s4d", 320, learned=False, control="majority"), {320: 0.91}, False),
    ],
)
def test_a_claim_can_fail(claim: Claim, accuracies: dict[int, float], supported: bool) -> None:
    assert claim.is_supported(accuracies) == supported


@every_control
def test_a_control_differs_only_in_the_task(claim: Claim) -> None:
    """Otherwise another difference could explain that only one of them is learned."""
    experiment, control = claim.build_experiment(0), claim.build_control(0)
    varied = {"task", "test_lengths"}
    common = [{n: v for n, v in vars(e).items() if n not in varied} for e in (experiment, control)]
    assert common[0] == common[1]
    assert experiment.task != control.task


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_claims_agree_with_theory(claim: Claim) -> None:
    """A learned task is possible or open in some regime; a missed one is not at fixed precision."""
    task, family = get_task(claim.task), find_family(claim.model)
    known = join_theory(task, claim.model, family)["statements"]
    verdicts = {statement["regime"]: statement["verdict"] for statement in known}
    if claim.learned:
        assert {"can", "open"} & set(verdicts.values())
    else:
        assert verdicts["fixed precision"] != "can"
