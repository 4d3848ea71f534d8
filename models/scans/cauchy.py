"""Cauchy sums: sums over conjugate pairs of poles at many points, of which S4's kernel is made.

::

    S_k(z) = Σ_n c_kn / (z - p_n) + c̄_kn / (z - p̄_n) = Σ_n (a_kn z - b_kn) q_n(z)
    a = 2 Re(c),    b = 2 Re(c p̄),    q = 1 / ((z - Re p)² + Im(p)²)

It is no recurrence, but by far the most expensive part of S4: channels x poles x points quotients,
far more than the inputs and outputs, which no backend holds all at once. Gu et al. 2021,
arXiv:2111.00396, §3 and appendix C.3.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex
from torch import Tensor

from .dispatch import find_operation


def cauchy_sums(
    coefficients: Complex[Tensor, "channels sums poles"],
    poles: Complex[Tensor, "channels poles"],
    points: Complex[Tensor, " points"],
) -> Complex[Tensor, "channels sums points"]:
    """Compute every channel's sums over its poles and their conjugates, which are not listed.

    The points are constants: they get no gradient.

    Examples
    --------
    >>> one, poles = torch.ones(1, 1, 1) + 0j, torch.tensor([[1j]])
    >>> cauchy_sums(one, poles, torch.tensor([2 + 0j]))             # 1 / (2 - i) + 1 / (2 + i)
    tensor([[[0.8000+0.j]]])
    """
    a = 2 * coefficients.real
    b = 2 * (coefficients * poles.conj()[:, None]).real
    z = torch.view_as_real(points.detach()).T[None]
    sums: Tensor = find_operation("cauchy", a)(a, b, poles.real, poles.imag, z.to(a.dtype))
    return torch.complex(*sums.unbind(2))
