"""From events to networks: entities, links, components, communities, identity."""
