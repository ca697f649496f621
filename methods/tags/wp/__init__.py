"""Weakly supervised pre-training and its parts."""
