"""A real PostgreSQL for tests: one server for all workers, one fresh database for each test.

What the public test kit gives to users serves here too.
"""

from comptoir.testing import Database, server
from comptoir.testing import Server as Cluster

__all__ = ["Cluster", "Database", "server"]
