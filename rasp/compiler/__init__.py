"""The compiler: from a program to a transformer that computes it exactly, or a refusal.

The passes, each a module::

    polynomials   a selector as a signed sum of what one head can select exactly
    elementwise   functions of few values as cases;  leaves: the variables they are made of
    numeric       numbers that grow with the length as sums, never divided
    attending     aggregates as heads;  together these three are the `Lowering` to signals
    schedule      when each signal is made and where it lies
    weights       the network

`check` runs the program and the network side by side. `flann.rasp.compiler.files` keeps a network
as safetensors with JSON beside it.
"""

from __future__ import annotations

from .program_network import ProgramNetwork, compile_program, compile_sop
from .serialization import load_network, save_network

__all__ = ["ProgramNetwork", "compile_program", "compile_sop", "load_network", "save_network"]
