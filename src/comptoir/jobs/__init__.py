"""Owns the queue, its worker and its schedule. Does not know what a job means."""
