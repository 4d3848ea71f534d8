"""Decision procedures, each for one class or for a few related classes of regular languages."""
