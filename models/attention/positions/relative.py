"""The interface of positional encodings that act on queries and keys within attention."""

from __future__ import annotations

from torch import Tensor, nn


class RelativePositions(nn.Module):
    """The effect of a positional encoding on attention; this base class has none.

    Attributes
    ----------
    adds_scores, adds_values : bool
        Whether `compute_scores` and `compute_values` are defined.
    """

    adds_scores = adds_values = False

    def transform_queries(self, q: Tensor, i: Tensor) -> Tensor:
        """Return the queries at positions `i` as they enter the scores."""
        return q

    def transform_keys(self, k: Tensor, j: Tensor) -> Tensor:
        """Return the keys at positions `j` as they enter the scores."""
        return k

    def compute_scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return what is added to the scores, of shape ([batch,] heads or 1, queries, keys)."""
        raise NotImplementedError

    def compute_values(self, weights: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return what is added to the output, of shape (batch, heads, queries, head width)."""
        raise NotImplementedError


def gather_by_distance(scores: Tensor, columns: Tensor) -> Tensor:
    """Select each pair's score from every query's scores for all distances.

    Parameters
    ----------
    scores : tensor of shape (..., queries, distances)
    columns : tensor of shape (queries, keys)
        The column of each pair's distance.

    Returns
    -------
    tensor of shape (..., queries, keys)
    """
    return scores.gather(-1, columns.expand(*scores.shape[:-1], columns.shape[-1]))
