"""Methods that learn from features or images alone."""
