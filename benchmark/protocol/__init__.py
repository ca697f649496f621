"""Codes and labels to metric values under stated conventions; knows no methods and no files."""
