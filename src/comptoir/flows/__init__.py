"""Owns the journeys that cross two domains. Does not hold rules of one domain alone."""
