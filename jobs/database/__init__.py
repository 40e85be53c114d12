"""The local Neo4j server: its files, settings, processes; nothing here speaks its protocol."""
