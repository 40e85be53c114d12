"""Formats that leave the platform: one format a file."""
