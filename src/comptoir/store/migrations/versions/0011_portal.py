"""Pages for customers: who looks at his own."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0011_portal.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
