"""Owns the JSON routes and their wire schemas, a file per domain. Does not decide any rule."""
