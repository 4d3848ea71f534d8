"""The constants that all backends share."""

from __future__ import annotations

NORM_EPSILON = 1e-5
"""ε of the norms of a residual stream, added to the mean square."""

STATE_NORM_EPSILON = 1e-6
"""ε of the normalised matrix scan, added to the mean square so that a zero state stays zero."""
