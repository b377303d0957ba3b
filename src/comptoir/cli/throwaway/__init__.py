"""Owns throw-away homes and the servers on them. Does not know what is played there.

Leaving a home removes everything. If this process is killed, its servers end because their pipes
close; the sweeper, which all of them keep waiting, then stops PostgreSQL and removes the folder.
"""

from comptoir.cli.throwaway.home import BOOK, Home, opened
from comptoir.cli.throwaway.redis import Redis, find_program
from comptoir.cli.throwaway.server import Server

__all__ = ["BOOK", "Home", "Redis", "Server", "find_program", "opened"]
