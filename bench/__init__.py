"""Measurements behind the published claims: `python -m bench [name ...] [--quick] [--write]`."""
