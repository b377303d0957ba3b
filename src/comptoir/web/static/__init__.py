"""Owns the files that browsers load: all from here, none from elsewhere."""
