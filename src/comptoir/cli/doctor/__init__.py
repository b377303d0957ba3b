"""Owns `comptoir doctor`: what is looked at, in which order, and how it is shown.

Does not decide what a healthy database is (`store.checkup`); `findings` says how bad each thing is.
"""

from comptoir.cli.doctor.command import doctor

__all__ = ["doctor"]
