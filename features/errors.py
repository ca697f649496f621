"""What the feature extractors say when they cannot work."""

from __future__ import annotations


class FeatureError(ValueError):
    """Bad images, weights or feature files.

    The message is one line: what is wrong, where, and what to do.
    """
