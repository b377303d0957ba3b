"""Owns every connection and database transaction. Does not decide any rule."""
