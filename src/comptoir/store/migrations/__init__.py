"""Owns the schema of the database, as plain SQL. Does not know what the tables mean."""
