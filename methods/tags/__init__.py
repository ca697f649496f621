"""Methods that learn from user tags."""
