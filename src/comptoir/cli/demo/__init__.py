"""Owns the demo: a throw-away shop under real traffic. Does not judge by what clients saw."""

from comptoir.cli.demo.show import demo

__all__ = ["demo"]
