"""Data sets as text lists of images and labels, as code on deep hashing has them."""
