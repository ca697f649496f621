"""Word vectors of one's own: skip-gram with negative sampling on the tags of the images."""

from __future__ import annotations

import numpy as np
from scipy import sparse

#: Times that a tag's vector is updated, on average: with much fewer they stay nearly alike.
UPDATES = 20_000

#: Passes over the images, and the updates in all beyond which there is no further pass.
FEWEST_PASSES, MOST_PASSES, MOST_UPDATES = 5, 400, 250_000_000


def skip_gram_vectors(tags: sparse.sparray, *, size: int = 300, seed: int = 0) -> np.ndarray:
    """Skip-gram vectors of tags, trained on which tags go together.

    An image is a sentence, and each of its tags predicts every other one: minimises
    ``- log s(v_i'u_j) - sum_k log s(-v_i'u_k)`` over pairs (i, j) of an image, with five tags k
    drawn at random and s the logistic function (Mikolov et al., NIPS 2013, equation 4).  The
    passes over the images are as many as a small vocabulary or few images need.

    A tag's vector is ``v + u``: v'v and u'u are large for tags with the same company, v'u for tags
    that keep company, and on images both mean nearness.  With v alone two tags that always stand
    together, but never with themselves, come to lie apart.

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
        The same bytes for the same tags and seed.  A tag that never stands beside another one has
        a row of zeros: there is nothing to learn it from.
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
        # Every tag of the image is context, whatever its place.
        window=max(map(len, sentences)),
        shrink_windows=False,
        min_count=1,
        # No tag of average frequency is left out, however few tags there are.
        sample=max(1e-3, 0.4 / tags.shape[1]),
        epochs=passes(sentences),
        seed=seed,
        # More would race for the vectors.
        workers=1,
    )
    vectors[model.wv.index_to_key] = model.wv.vectors + model.syn1neg
    return vectors


def passes(sentences: list[list[int]]) -> int:
    """Passes over the images."""
    pairs = sum(len(sentence) * (len(sentence) - 1) for sentence in sentences)
    vocabulary = len({tag for sentence in sentences for tag in sentence})
    wanted = min(max(-(-UPDATES * vocabulary // pairs), FEWEST_PASSES), MOST_PASSES)
    return min(wanted, max(MOST_UPDATES // pairs, 1))


def has_company(tags: sparse.sparray) -> np.ndarray:
    """Which tags stand beside another one on some image, (V,) of bool."""
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
