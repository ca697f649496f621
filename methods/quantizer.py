"""The base class of methods whose codes are code words of codebooks, ranked by score."""

from __future__ import annotations

import numpy as np

from methods.base import Hasher

#: Largest codebook, in bits: a code word's number fits into a byte.
LARGEST_BITS = 8


class Quantizer(Hasher):
    """A method with integer codes and codebooks instead of bits.

    An item's code is one code word from each of M codebooks, a query becomes a table with its
    score for every code word, and ``score(query, item) = sum_m tables[query, m, code[item, m]]``
    ranks the items, larger first.  The query itself is not quantised.

    A subclass writes ``__init__``, :meth:`fit`, :meth:`assign` and :meth:`tables`.  An item takes
    ``n_bits`` bits, as the binary codes beside it do: see :attr:`codebook_sizes`.

    Examples
    --------
    Product quantisation with random items as code words:

    >>> from scipy.spatial.distance import cdist
    >>> class RandomWords(Quantizer):
    ...     def fit(self, X, *, tags=None, labels=None):
    ...         X = self.check_training_data(X)
    ...         rng = np.random.default_rng(self.random_state)
    ...         rows = [rng.choice(len(X), size) for size in self.codebook_sizes]
    ...         split = np.array_split(X, len(rows), axis=1)
    ...         self.words_ = [part[r] for part, r in zip(split, rows, strict=True)]
    ...         return self
    ...
    ...     def _similarities(self, X):
    ...         split = np.array_split(X, len(self.words_), axis=1)
    ...         pairs = zip(split, self.words_, strict=True)
    ...         return np.stack([-cdist(part, words, "sqeuclidean") for part, words in pairs], 1)
    ...
    ...     def assign(self, X):
    ...         return self._similarities(X).argmax(axis=2)
    ...
    ...     def tables(self, X):
    ...         return self._similarities(X).astype(np.float32)
    >>> X = np.random.default_rng(0).standard_normal((300, 8))
    >>> method = RandomWords(n_bits=16, random_state=0).fit(X)
    >>> method.encode(X[:3]).shape, method.encode_queries(X[:2]).shape
    ((3, 2), (2, 2, 256))
    """

    ranked_by = "scores"

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        """Code words of each codebook, K_1 .. K_M; their product is ``2 ** n_bits``."""
        return tuple(2**bits for bits in codebook_bits(self.n_bits))

    @property
    def _n_features_out(self) -> int:
        return len(self.codebook_sizes)

    def assign(self, X: np.ndarray) -> np.ndarray:
        """Code words of items.

        Parameters
        ----------
        X : (n, d) array of float64
            Items to encode; each row is handled on its own.

        Returns
        -------
        (n, M) array of integers
            Column m holds numbers from 0 to K_m - 1.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define assign")

    def tables(self, X: np.ndarray) -> np.ndarray:
        """Look-up tables of queries.

        Parameters
        ----------
        X : (q, d) array of float64
            Queries; each row is handled on its own.

        Returns
        -------
        (q, M, K) array of float32
            Score of each code word, with K the largest codebook size; what lies beyond K_m is
            never looked up, but must be finite.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define tables")

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Code words of items.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, M) array of uint8

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        ValueError
            If X is none that :meth:`Hasher.encode` takes, or if :meth:`assign` gives codes of
            another shape, of another type than integers, or out of range.
        """
        return self._in_blocks(X, self._checked_codes, (len(self.codebook_sizes),), np.uint8)

    def encode_queries(self, X: np.ndarray) -> np.ndarray:
        """Look-up tables of queries, checked.

        Parameters
        ----------
        X : (q, d) array of float

        Returns
        -------
        (q, M, K) array of float32

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        ValueError
            As in :meth:`encode`, or if a score is not finite.
        """
        sizes = self.codebook_sizes
        return self._in_blocks(X, self._checked_tables, (len(sizes), max(sizes)), np.float32)

    def _checked_codes(self, X: np.ndarray) -> np.ndarray:
        codes, sizes = np.asarray(self.assign(X)), self.codebook_sizes
        self._check_shape("assign", codes, (len(X), len(sizes)))
        whole = np.issubdtype(codes.dtype, np.integer)
        if not whole or (codes < 0).any() or (codes >= sizes).any():
            raise ValueError(
                f"{type(self).__name__}.assign gave code words that are not whole numbers from 0 "
                f"up to the codebook sizes {sizes}"
            )
        return codes

    def _checked_tables(self, X: np.ndarray) -> np.ndarray:
        tables, sizes = np.asarray(self.tables(X)), self.codebook_sizes
        self._check_shape("tables", tables, (len(X), len(sizes), max(sizes)))
        if not np.isfinite(tables).all():
            raise ValueError(f"{type(self).__name__}.tables gave scores that are not finite")
        return tables


def codebook_bits(n_bits: int) -> tuple[int, ...]:
    """Bits of each codebook, as even as possible over ceil(n_bits / 8) codebooks.

    12 bits make (6, 6), 20 make (7, 7, 6), 24 make (8, 8, 8).
    """
    n_codebooks = -(-n_bits // LARGEST_BITS)
    least, more = divmod(n_bits, n_codebooks)
    return (least + 1,) * more + (least,) * (n_codebooks - more)
