"""What the papers print, what it takes to measure it, and both side by side."""
