"""KSH, its gradient form and their parts."""
