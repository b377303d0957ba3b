"""Owns locks, idempotency, limits, quotas, counters and cache. Does not know a business noun."""
