"""Stops that more than one layer raises; jobs/errors.py gives each its exit code."""

from __future__ import annotations


class ConfigError(Exception):
    """Arguments, settings or signatures that cannot be meant; says where and what to write."""
