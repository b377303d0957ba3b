"""Alembic's entry: runs on the connection that it is given, inside of that transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="comptoir",
    transaction_per_migration=False,
)
context.run_migrations()
