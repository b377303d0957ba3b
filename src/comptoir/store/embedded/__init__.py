"""Owns the bundled PostgreSQL: one server a home folder. Does not know what is stored in it.

Every process that uses the server holds a shared lock on a file of the home for as long as it
does. A watcher, which is a process of its own, waits for the exclusive lock and stops the server
when it gets it: whoever is killed, however hard, lets go of his lock.
"""

from comptoir.store.embedded.cluster import (
    EmbeddedError,
    Status,
    Urls,
    has_cluster,
    status,
    stop,
)
from comptoir.store.embedded.removal import remove
from comptoir.store.embedded.use import Embedded, start

__all__ = [
    "Embedded",
    "EmbeddedError",
    "Status",
    "Urls",
    "has_cluster",
    "remove",
    "start",
    "status",
    "stop",
]
