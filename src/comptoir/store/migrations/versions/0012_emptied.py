"""What is emptied with a test book is a list."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0012_emptied.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
