"""How fast orderlines is, beside the same work by hand: ``python -m benchmarks``."""
