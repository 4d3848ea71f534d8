"""Recurrences over time: one front, several backends.

::

    diagonal     h_t = a_t ⊙ h_{t-1} + b_t                                   real or complex
    selective    h_t[e,n] = α(Δ_t[e] A[e,n]) h_{t-1}[e,n] + Δ_t[e] x_t[e] B_t[n]
                 y_t[e]   = Σ_n C_t[n] h_t[e,n]                              Mamba's S6
    matrix       h_t = ν(A_t h_{t-1} + b_t)                                  IDS4

A backend is a module of this folder with a function of each operation's name that it knows and
``supports(device)``. `flann.models.scans.front.BACKENDS` lists them; the first that knows the
operation and supports the device is used, and the environment variable ``FLANN_SCAN`` names
another. ``ref`` is the plain loop that the others are tested against. The state is float32, or
float64 where the inputs are: in bfloat16 a counter sticks at 256.
"""

from __future__ import annotations

from .front import diagonal_scan, matrix_scan, scan_backend, selective_scan

__all__ = ["diagonal_scan", "matrix_scan", "scan_backend", "selective_scan"]
