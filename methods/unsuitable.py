"""What a method raises on data that it cannot learn from."""

from __future__ import annotations


class Unsuitable(ValueError):
    """There is too little in the training data for this method, whatever it does.

    :meth:`methods.Hasher.skip` says so where numbers of items and features tell; a method whose
    :meth:`~methods.Hasher.fit` finds out raises this.  In a run the cell is then skipped, with the
    message as the reason, and not failed.
    """
