"""Jobs in every state, made behind the server's back."""

import json
from collections.abc import Mapping
from uuid import UUID, uuid4

from tests.support.site import Site

_STATES = {
    "pending": ("todo", 0), "running": ("doing", 0), "succeeded": ("succeeded", 0),
    "failed": ("todo", 2), "dead": ("failed", 8), "cancelled": ("cancelled", 0),
}  # fmt: skip


def job(
    site: Site,
    type_: str,
    state: str = "dead",
    *,
    payload: Mapping[str, object] | None = None,
    error: str | None = None,
    book: int = 1,
    unique: str | None = None,
) -> UUID:
    """A job in a state."""
    id_ = uuid4()
    status, attempts = _STATES[state]
    site.sql(
        "SELECT comptoir.enqueue(%s, %s, 'default', %s, %s::jsonb, %s, 0, NULL)",
        book, id_, type_, json.dumps(payload or {}), unique,
    )  # fmt: skip
    site.sql(
        "UPDATE comptoir.procrastinate_jobs SET status = %s, attempts = %s"
        " WHERE args->>'job' = %s", status, attempts, str(id_),
    )  # fmt: skip
    if error is not None:
        site.sql(
            "INSERT INTO comptoir.job_results (book_id, job, error, tries) SELECT %s, %s, e,"
            " jsonb_build_array(jsonb_build_object('at', comptoir.micros(now()), 'error', e))"
            " FROM (SELECT %s::text AS e) said", book, id_, error,
        )  # fmt: skip
    return id_


def state(site: Site, id_: UUID) -> str:
    """What became of it, as the queue says it."""
    [(status,)] = site.sql(
        "SELECT status::text FROM comptoir.procrastinate_jobs WHERE args->>'job' = %s", str(id_)
    )
    return status
