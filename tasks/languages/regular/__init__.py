"""Regular tasks: each is answered by a Moore machine."""
