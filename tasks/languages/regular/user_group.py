"""The word problem of a group that a user brings in a file: ``group:FILE``.

`flann.tasks.groups.files` describes the format of the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flann.errors import UserError
from flann.tasks.core.task import register
from flann.tasks.groups.files import read_group

from .word_problem import WordProblem


@register("group", raw=True)
class GroupFile(WordProblem):
    """The product of each prefix of a word over the group in a file: ``group:FILE``."""

    def __init__(self, path: str) -> None:
        if not path:
            raise UserError("group: expected a file, as in group:mine.json")
        group, symbols = read_group(path)
        self.set_group(group, np.array(symbols), "all")
        self.name, self.source = f"group:{path}", Path(path)
