"""What is known of a cell, its home on disk, and means over seeds."""
