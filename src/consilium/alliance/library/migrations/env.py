"""What Alembic runs: every step that the catalogue lacks, on the connection that `catalogue.py` hands over."""

from alembic import context

from consilium.alliance.library.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    version_table=context.config.attributes["version_table"],
    transaction_per_migration=False,
)
context.run_migrations()
