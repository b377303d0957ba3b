"""Pages for customers: who looks at his own."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0009_portal.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
