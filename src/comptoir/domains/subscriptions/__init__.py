"""Owns plans that are subscribed to. Does not decide what a plan allows: quotas and lots do."""
