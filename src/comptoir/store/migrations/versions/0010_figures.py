"""Figures for pages: what was earned by the hour, and lots and holds by time."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0010_figures.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
