"""The least that Django needs to give out its connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings
from sqlalchemy import make_url


@contextmanager
def connected(url: str) -> Iterator[tuple[Any, Callable[[], Any]]]:
    """Django's connection to that database, and its `atomic`."""
    there = make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": there.database,
        "USER": there.username,
        "HOST": there.query["host"],
        "PORT": there.query.get("port", ""),
    }
    if not settings.configured:
        settings.configure(DATABASES={"default": database}, USE_TZ=True)
        django.setup()
    from django.db import connection, transaction  # noqa: PLC0415  # wants its settings first

    connection.settings_dict.update(database)
    try:
        yield connection, transaction.atomic
    finally:
        connection.close()
