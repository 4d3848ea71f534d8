"""The compiler: from a program to a transformer that computes it exactly, or a refusal.

The passes and what they rest on, each in a module::

    polynomials      a selector as a signed sum of what one head can select exactly
    elementwise      pass 1: functions of categorical s-ops as cases over variables (`categorical`)
    numeric          pass 2: numbers that grow with the length as sums, never divided
    aggregates       pass 3: aggregates as heads; the three together are the `Lowering` to signals
    plan, signals    the building blocks of the network, each with a bound on its error
    sharpness        how sharp a head must be to select exactly, with the bound's derivation
    schedule         when each signal is computed, and in which dimension
    weights          the weights of the network
    program_network  all of these, in order

`check` compares the program with the network, and `serialization` keeps a network as safetensors
with JSON beside it.
"""

from __future__ import annotations

from .program_network import ProgramNetwork, compile_program, compile_sop
from .serialization import load_network, save_network

__all__ = ["ProgramNetwork", "compile_program", "compile_sop", "load_network", "save_network"]
