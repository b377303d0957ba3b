"""Owns what `comptoir doctor` asks of a database. Knows neither settings nor texts.

It only looks. Each check yields what it has found, as a code and its figures; how bad that is, and
what to do about it, stands beside the texts.
"""

from comptoir.store.checkup.finding import Finding
from comptoir.store.checkup.pooler import Pooling, check_pooler, pooling
from comptoir.store.checkup.schema import check_schema
from comptoir.store.checkup.server import check_server, same_database

__all__ = [
    "Finding",
    "Pooling",
    "check_pooler",
    "check_schema",
    "check_server",
    "pooling",
    "same_database",
]
