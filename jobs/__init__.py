"""Batch entry points, one a file, run by spark-submit and by the actorgraph command."""
