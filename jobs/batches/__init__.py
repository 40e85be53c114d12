"""What happens to batches: proposing, approving, releasing, taking back, and what comes back."""
