"""Owns the torture: servers under load while they and their database are killed over and over.

Does not judge by its own engine: the receipt comes from plain SQL and the stand-alone query.
"""

from comptoir.cli.torture.command import torture

__all__ = ["torture"]
