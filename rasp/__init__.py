"""flann.rasp: programs that become transformer weights.

The room is laid out and not yet furnished: nothing is exported so far, and no other part of
flann pretends otherwise.
"""
