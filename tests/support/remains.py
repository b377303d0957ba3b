"""What a database still says: every column of every table that could hold a text."""

import psycopg
from psycopg import sql

_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'comptoir' ORDER BY table_name, ordinal_position"""


def remains(url: str, words: list[str]) -> list[str]:
    """Where one of the words stands: as text, within JSON, or as bytes."""
    found: list[str] = []
    with psycopg.connect(url) as connection:
        columns = connection.execute(_COLUMNS).fetchall()
        assert len(columns) > 50
        for table, column in columns:
            query = sql.SQL("SELECT {}::text FROM comptoir.{} WHERE {} IS NOT NULL").format(
                *map(sql.Identifier, (column, table, column))
            )
            texts = [row[0].lower() for row in connection.execute(query).fetchall()]
            for word in words:
                forms = (word.lower(), word.encode().hex())
                if any(form in text for text in texts for form in forms):
                    found.append(f"{table}.{column}: {word}")
    return found
