"""Owns HTTP: routes, wire schemas, problems. Does not decide any business rule."""
