"""The checks that every method has to pass, also those of third parties."""
