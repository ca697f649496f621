"""Images to vectors, with a cache; and, later, tags to vectors."""
