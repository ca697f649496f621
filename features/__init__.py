"""Images to vectors, with a cache, and tags to vectors."""

from features.extractors import Extractor, register_extractor
from features.networks import NetworkExtractor

__all__ = ["Extractor", "NetworkExtractor", "register_extractor"]
