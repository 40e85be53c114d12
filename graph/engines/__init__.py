"""Engines that run the DataFrame code."""
