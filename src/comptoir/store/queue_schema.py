"""The tables of procrastinate, the job queue, inside of our schema: its own SQL, as it ships it.

procrastinate leaves migrations to whoever uses it. Ours runs its schema once, notes which of its
files that schema stands for, and later applies whichever files a newer version brings.
"""

import re
from importlib import resources
from typing import Final

from sqlalchemy import Connection, text

_NAME: Final = "queue-migrations"
"""What the database calls the list of the files that it has had, among its settings."""

_FILE: Final = re.compile(r"^\d\d\.\d\d\.\d\d_\d\d_(pre|post)_\w+\.sql$")

_FIRST: Final = f"""
INSERT INTO comptoir.settings (name, value) VALUES ('{_NAME}', '{{files}}');
"""  # noqa: S608  # our own name, and names of files

_APPLIED: Final = "SELECT value FROM comptoir.settings WHERE name = :name"
_NOTE: Final = "UPDATE comptoir.settings SET value = :value WHERE name = :name"

# Its functions name no schema, and must find its tables whatever the caller's own path is.
_PATHS: Final = """
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'comptoir'::regnamespace AND proname LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = comptoir, pg_temp', made);
    END LOOP;
END $$;
"""


def script() -> str:
    """What makes the queue's tables where there are none."""
    schema = (resources.files("procrastinate") / "sql" / "schema.sql").read_text()
    return _inside(schema) + _FIRST.format(files=" ".join(_files()))


def bring_up(connection: Connection) -> None:
    """Apply the files that a newer procrastinate has brought, in the open transaction."""
    applied = connection.execute(text(_APPLIED), {"name": _NAME}).scalar_one().split()
    for name, content in _files().items():
        if name in applied:
            continue
        connection.exec_driver_sql(_inside(content).replace("%", "%%"))
        applied.append(name)
        connection.execute(text(_NOTE), {"name": _NAME, "value": " ".join(applied)})


def _inside(content: str) -> str:
    return f"SET search_path = comptoir, pg_temp;\n{content}\nRESET search_path;\n{_PATHS}"


def _files() -> dict[str, str]:
    """The migrations of the installed version, in their order."""
    folder = resources.files("procrastinate") / "sql" / "migrations"
    found = {each.name: each for each in folder.iterdir() if _FILE.match(each.name)}
    return {name: found[name].read_text() for name in sorted(found)}
