"""Images to vectors, with a cache, and tags to vectors."""

from features.extractors import Extractor, NetworkExtractor, register_extractor

__all__ = ["Extractor", "NetworkExtractor", "register_extractor"]
