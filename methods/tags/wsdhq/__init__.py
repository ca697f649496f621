"""WSDHQ and its parts."""
