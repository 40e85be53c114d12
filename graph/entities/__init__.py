"""The entity types that events can name, one a file."""
