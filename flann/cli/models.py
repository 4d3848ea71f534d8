"""``flann models``: the architectures at matched size, and their costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from flann.errors import UserError

from .console import format_costs, format_model, format_names, format_options, format_sizes
from .parameters import AS_JSON, Lengths


@click.command(short_help="List the architectures, their sizes and costs.")
@click.argument("names", nargs=-1)
@click.option("--parameters", "--budget", "parameters", type=int, help="Parameter budget. [100000]")
@click.option("--depth", type=int, help="Number of layers. [1]")
@click.option("--cost", is_flag=True, help="Measure time and memory against length.")
@click.option("--lengths", type=Lengths(), help="Word lengths for --cost. [64,256,1024]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="CSV file of --cost. [costs.csv]"
)
@AS_JSON
def models(
    names: tuple[str, ...],
    parameters: int | None,
    depth: int | None,
    cost: bool,
    lengths: tuple[int, ...] | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """List the architectures, or describe one: its options, family, and sizes at a budget.

    With several names, or with --budget or --depth and no name, print a table of the architectures
    at that size: the state after T symbols, and the operations and memory per symbol of a training
    step. With --cost, measure time and memory on this machine, of training on one word and of
    generating, and write a table (CSV) and a figure beside it. Lengths up to 16384 take some
    minutes.

    \b
      flann models
      flann models mamba:eigenvalues=negative --parameters 1000000 --depth 2
      flann models --budget 100000 --depth 2
      flann models lstm mamba transformer --cost --lengths 64,256,1024,4096,16384
    """
    from flann.models import model_registry

    size = {
        "parameters": 100_000 if parameters is None else parameters,
        "depth": 1 if depth is None else depth,
    }
    for field, value in size.items():
        if value < 1:
            raise UserError(f"{field} {value}: expected 1 or more")
    if cost:
        show_costs(list(names), size, lengths, output or Path("costs.csv"), as_json)
    elif lengths or output:
        raise UserError("--lengths and --output belong to --cost")
    elif len(names) == 1:
        description = describe_model(names[0], **size)
        click.echo(json.dumps(description, indent=2) if as_json else format_model(description))
        if not as_json:
            click.echo(format_options(model_registry, names[0]))
    elif names or parameters is not None or depth is not None:
        from flann.evaluation.cost_tables import tabulate_sizes

        rows = tabulate_sizes(list(names), **size)
        click.echo(json.dumps(rows, indent=2) if as_json else format_sizes(rows))
    else:
        listed = [{"name": e.name, "summary": e.summary} for e in model_registry.index.values()]
        click.echo(json.dumps(listed, indent=2) if as_json else format_names(model_registry))


def show_costs(
    names: list[str], size: dict[str, int], lengths: tuple[int, ...] | None, path: Path, quiet: bool
) -> None:
    """Measure the costs, write the table and the figure, and print the rows."""
    import pandas as pd

    from flann.evaluation.cost_tables import LENGTHS, measure_costs, write_costs
    from flann.progress import Progress
    from flann.reports import draw_costs

    write_costs([], path)
    progress = Progress()

    def watch(name: str, length: int, what: str) -> None:
        progress.line(f"{name}: {what}, length {length:,}")

    try:
        rows = measure_costs(names, **size, lengths=lengths or LENGTHS, watch=watch)
    finally:
        progress.close()
    write_costs(rows, path)
    figure = draw_costs(pd.DataFrame(rows), path.with_suffix(".png"))
    click.echo(json.dumps(rows, indent=2) if quiet else format_costs(rows))
    if not quiet:
        click.echo(f"table: {path}\nfigure: {figure}")


def describe_model(name: str, parameters: int, depth: int) -> dict[str, Any]:
    """Describe an architecture at a budget, for a task of 60 symbols and 60 labels, as A5."""
    from flann.models import build_model
    from flann.runs.run import count_parameters

    model = build_model(
        name, symbols=60, labels=60, depth=depth, parameters=parameters, imports=True
    )
    return {
        "name": model.name,
        "family": model.family,
        "causal": model.causal,
        "longest": model.longest,
        "depth": depth,
        "budget": parameters,
        "parameters": count_parameters(model),
        "sizes": dict(model.sizes),
        "state_size": {str(length): model.state_size(length) for length in (16, 256)},
    }
