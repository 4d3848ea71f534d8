"""What the commands share beyond click: lengths, ranges of lengths, mistyped commands, --json."""

from __future__ import annotations

from typing import Any

import click

from flann.errors import unknown

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON for machines.")


class Suggesting(click.Group):
    """A group that names the nearest command when one is mistyped."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise unknown("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class LengthRange(click.ParamType):  # type: ignore[type-arg]
    """``2:40``, a shortest and a longest length."""

    name = "low:high"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """Both ends as whole numbers."""
        if isinstance(value, tuple):
            return value
        low, colon, high = str(value).partition(":")
        try:
            return (int(low), int(high if colon else low))
        except ValueError:
            self.fail(f"{value!r}: expected two whole numbers like 2:40", param, ctx)


class Lengths(click.ParamType):  # type: ignore[type-arg]
    """``16,32,64``, a list of lengths."""

    name = "n,n,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Each as a whole number."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: expected whole numbers like 16,32,64", param, ctx)
