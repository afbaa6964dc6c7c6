"""How much room a database takes."""

from bpm.store.transaction import Transaction


def database_bytes(tx: Transaction) -> int:
    """Return the size of the database: of SQLite's file without its log, or of all that PostgreSQL keeps of it."""
    if tx.connection.dialect.name == "postgresql":
        return tx.connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    pages, size = (tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size"))
    return pages * size
