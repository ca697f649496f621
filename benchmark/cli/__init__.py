"""Turns the command line into calls and prints what they return; one module a mode."""

from benchmark.cli.main import main

__all__ = ["main"]
