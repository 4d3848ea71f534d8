"""Parameter types that the commands share, and a group that corrects mistyped commands."""

from __future__ import annotations

from typing import Any

import click
from typing_extensions import override

from flann.errors import UnknownNameError

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class SuggestingGroup(click.Group):
    """A group that names the nearest command when one is mistyped."""

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or refuse with the nearest name."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UnknownNameError("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class LengthRange(click.ParamType):  # type: ignore[type-arg]
    """A shortest and a longest length, as in ``2:40``."""

    name = "low:high"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        low, colon, high = str(value).partition(":")
        try:
            return (int(low), int(high if colon else low))
        except ValueError:
            self.fail(f"{value!r}: expected two whole numbers like 2:40", param, ctx)


class Lengths(click.ParamType):  # type: ignore[type-arg]
    """A list of lengths, as in ``16,32,64``."""

    name = "n,n,..."

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: expected whole numbers like 16,32,64", param, ctx)
