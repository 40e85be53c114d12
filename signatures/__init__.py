"""Signatures of abuse: the model, its evaluation and its calibration."""
