"""Recurrences over time: one front with several backends.

::

    diagonal_scan      h_t = a_t ⊙ h_{t-1} + b_t                             real or complex
    selective_scan     h_t[e,n] = α(Δ_t[e] A[e,n]) h_{t-1}[e,n] + Δ_t[e] x_t[e] B_t[n]
                       y_t[e]   = Σ_n C_t[n] h_t[e,n]                        Mamba's S6
    matrix_scan        h_t = ν(A_t h_{t-1} + b_t)                            IDS4
    product_scan       P_t = P_{t-1} A_t                                     IDS4's code
    linear_attention_scan, delta_scan, rank_one_scan                         see `fast_weights`
                       S_t = (diag(w_t) - p_t l_tᵀ) S_{t-1} + k_t v_tᵀ,  y_t = S_tᵀ q_t
    slstm_scan         exponential gates that see h_{t-1}                    see `slstm`
    rnn_scan, lstm_scan, gru_scan                                            see `recurrent`
    memory_scan        a controller with a soft stack or tape                see `memory`
    short_convolution  precedes many of them                                 see `short_convolution`
    cauchy_sums        the sums of S4's kernel                               see `cauchy`
    rms_norm           precedes every layer                                  see `norm`

The backends, each equal to the first forward and backward, which tests hold them to::

    ref       a plain loop that autograd differentiates: the oracle
    torch     a loop with a backward pass written by hand, on any device
    cpu       fused C, compiled at installation where there is a compiler
    triton    fused GPU kernels, where triton is installed

The fastest that supports the device is used, and the environment variable ``FLANN_SCAN`` names
another. The state is float32, or float64 where the inputs are: in bfloat16 a counter sticks at
256. Every backend but ``ref`` keeps its scans as torch operators (in
``torch.ops.flann_models_scans``) which can be mapped with `torch.func.vmap`, differentiated once,
and captured in a CUDA graph. A scan of your own is an `Operation`
(`flann.models.scans.operation`) with a function in each backend that can.
"""

from __future__ import annotations

from .cauchy import cauchy_sums
from .dispatch import scan_backend
from .fast_weights import delta_scan, linear_attention_scan, rank_one_scan, stabilised_gates
from .memory import memory_scan
from .norm import rms_norm
from .recurrent import gru_scan, lstm_scan, recurrent_scan, rnn_scan
from .short_convolution import short_convolution
from .slstm import slstm_scan
from .state_space import diagonal_scan, matrix_scan, product_scan, selective_scan

__all__ = [
    "cauchy_sums",
    "delta_scan",
    "diagonal_scan",
    "gru_scan",
    "linear_attention_scan",
    "lstm_scan",
    "matrix_scan",
    "memory_scan",
    "product_scan",
    "rank_one_scan",
    "recurrent_scan",
    "rms_norm",
    "rnn_scan",
    "scan_backend",
    "selective_scan",
    "short_convolution",
    "slstm_scan",
    "stabilised_gates",
]
