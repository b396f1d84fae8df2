"""What Alembic runs: every step that a database lacks, on the connection that `database.py` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table=context.config.attributes["version_table"],
    transaction_per_migration=False,
)
context.run_migrations()
