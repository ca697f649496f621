"""What a study is made of where nothing is said, and the words that its options take."""

from __future__ import annotations

DATASET = "demo"
BITS = (12, 24, 32, 48)
SEEDS = (0,)
PROTOCOL = "wdht"
#: Largest code length in bits.
MAX_BITS = 65_536
#: Largest seed.
MAX_SEED = 2**32 - 1

#: Options that are one of a few words.
CHOICES = {
    "backend": ("loky", "dask"),
    "device": ("cpu", "cuda"),
    "on_bad_image": ("skip", "error"),
    "on_missing_image": ("skip", "error"),
    "rerun": ("failed", "all"),
    "tune": ("labels", "tags"),
}
