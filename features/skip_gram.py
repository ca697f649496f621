"""Word vectors by skip-gram with negative sampling on the tags of the images."""

from __future__ import annotations

import numpy as np
from scipy import sparse

#: Mean number of updates of a tag's vector; with far fewer the vectors stay nearly alike.
UPDATES = 20_000

#: Bounds of the number of passes over the images, and of all updates together.
MIN_PASSES, MAX_PASSES, MAX_UPDATES = 5, 400, 250_000_000


def skip_gram_vectors(tags: sparse.sparray, *, size: int = 300, seed: int = 0) -> np.ndarray:
    """Skip-gram vectors of tags, trained on the co-occurrence of tags.

    An image is a sentence, and each of its tags predicts every other one.  Training minimises
    ``- log s(v_i'u_j) - sum_k log s(-v_i'u_k)`` over pairs (i, j) of an image, with five random
    tags k and the logistic function s (Mikolov et al., NIPS 2013, equation 4).  The number of
    passes over the images grows for small vocabularies and few images.

    A tag's vector is ``v + u``.  v'v and u'u are large for tags that occur with the same tags, v'u
    for tags that occur together; on images both mean similarity.  With v alone, two tags that
    always occur together would lie apart, since no tag occurs with itself.

    Parameters
    ----------
    tags : (n, V) sparse matrix
        Image-tag matrix.
    size : int
        Length e of the vectors.
    seed : int

    Returns
    -------
    (V, e) array of float32
        Identical for the same tags and seed.  A tag that never occurs with another one has a row
        of zeros, since it cannot be learnt.
    """
    from gensim.models import Word2Vec

    sentences = [columns.tolist() for columns in _columns(tags) if len(columns) > 1]
    vectors = np.zeros((tags.shape[1], size), dtype=np.float32)
    if not sentences:
        return vectors
    model = Word2Vec(
        sentences,
        sg=1,
        negative=5,
        vector_size=size,
        # All tags of the image are context, whatever their position.
        window=max(map(len, sentences)),
        shrink_windows=False,
        min_count=1,
        # Small vocabularies keep all tags of average frequency.
        sample=max(1e-3, 0.4 / tags.shape[1]),
        epochs=passes(sentences),
        seed=seed,
        # More workers would make the result depend on timing.
        workers=1,
    )
    vectors[model.wv.index_to_key] = model.wv.vectors + model.syn1neg
    return vectors


def passes(sentences: list[list[int]]) -> int:
    """Number of passes over the images."""
    pairs = sum(len(sentence) * (len(sentence) - 1) for sentence in sentences)
    vocabulary = len({tag for sentence in sentences for tag in sentence})
    wanted = min(max(-(-UPDATES * vocabulary // pairs), MIN_PASSES), MAX_PASSES)
    return min(wanted, max(MAX_UPDATES // pairs, 1))


def has_company(tags: sparse.sparray) -> np.ndarray:
    """Which tags occur with another tag on some image, (V,) of bool."""
    together = np.zeros(tags.shape[1], dtype=bool)
    for columns in _columns(tags):
        if len(columns) > 1:
            together[columns] = True
    return together


def _columns(tags: sparse.sparray) -> list[np.ndarray]:
    """The tags of each image, ascending."""
    tags = sparse.csr_array(tags != 0)
    tags.sort_indices()
    return np.split(tags.indices, tags.indptr[1:-1])
