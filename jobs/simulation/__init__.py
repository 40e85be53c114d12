"""A seeded generator of realistic event logs with planted networks and their truth."""
