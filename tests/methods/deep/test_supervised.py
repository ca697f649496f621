from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array, random_array
from torch import nn

from methods.deep.network import finished
from methods.deep.pairs import mean_over_pairs, similarity, squared_distances
from methods.deep.recipe import Recipe
from methods.deep.supervised import SupervisedHasher


class Agreement(SupervisedHasher):
    """A linear layer whose inner products follow the labels."""

    id = "agreement"
    supervision = "labels"

    def __init__(self, n_bits=4, *, labels="labels", epochs=3, optimizer="adam", random_state=0):
        self.n_bits = n_bits
        self.labels = labels
        self.epochs = epochs
        self.optimizer = optimizer
        self.random_state = random_state

    def recipe(self):
        return Recipe(epochs=self.epochs, optimizer=self.optimizer)

    def make_head(self, width):
        return nn.Linear(width, self.n_bits)

    def make_loss(self, head, similar):
        def loss(h, rows):
            self.seen_ = [*getattr(self, "seen_", []), *rows.tolist()]
            return (h @ h.T - similar(rows).float()).square().mean()

        return loss


@pytest.fixture
def labels(features):
    return np.random.default_rng(0).random((len(features), 6)) < 0.2


def test_pairs_are_similar_if_they_share_a_label():
    labels = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]], dtype=bool)
    expected = [[1, 0, 0], [0, 1, 1], [0, 1, 1]]
    for targets in (labels, csr_array(labels), csr_array(5 * labels.astype(int))):
        similar = similarity(targets)(torch.tensor([1, 2, 3]))
        assert similar.dtype == torch.bool
        assert similar.int().tolist() == expected


def test_sparse_tags_give_what_dense_labels_give():
    rng = np.random.default_rng(3)
    tags = random_array((500, 40), density=0.05, format="csr", rng=rng)
    rows = torch.from_numpy(rng.permutation(500)[:100])
    sparse, dense = similarity(tags), similarity(tags.toarray() > 0)
    assert (sparse(rows) == dense(rows)).all()
    assert 0 < sparse(rows).float().mean() < 0.5


def test_many_items_with_many_tags_are_compared_batch_by_batch():
    tags = random_array((100_000, 5018), density=1e-3, format="csr", rng=np.random.default_rng(0))
    rows = torch.tensor([0, 99_999, 5])
    expected = (tags[rows.numpy()] @ tags[rows.numpy()].T).toarray() > 0
    assert (similarity(tags)(rows).numpy() == expected).all()


def test_items_without_labels_are_left_out(features, labels):
    labels = labels.copy()
    labels[:300] = False
    labels[300:, 0] = True
    hasher = Agreement().fit(features, labels=labels)
    assert max(hasher.seen_) == 99
    alone = Agreement()
    network = alone.make_network(features)
    alone.train_supervised(network, features[300:], labels[300:])
    assert hasher.project(features) == pytest.approx(finished(network)(torch.from_numpy(features)))


def test_tags_stand_for_labels_where_asked(features, labels):
    tags = csr_array(labels)
    assert Agreement().uses == ("labels",)
    assert Agreement(labels="tags").uses == ("tags",)
    with_tags = Agreement(labels="tags").fit(features, tags=tags).project(features)
    assert (with_tags == Agreement().fit(features, labels=labels).project(features)).all()
    assert Agreement(labels="tags").supervised_by(tags=tags, labels=labels) == {"tags": tags}


def test_training_goes_on_from_the_weights_it_is_given(features, labels):
    hasher = Agreement(epochs=1)
    network = hasher.make_network(features)
    first = hasher.train_supervised(network, features, labels)
    second = hasher.train_supervised(network, features, labels)
    assert second.training[0] < first.training[0]


def test_what_is_missing_is_said(features, labels):
    with pytest.raises(ValueError, match="needs labels"):
        Agreement().fit(features)
    with pytest.raises(ValueError, match="needs tags"):
        Agreement(labels="tags").fit(features, labels=labels)
    with pytest.raises(ValueError, match="fewer than two training items"):
        Agreement().fit(features, labels=np.zeros_like(labels))
    with pytest.raises(ValueError, match="labels or tags"):
        Agreement(labels="words").fit(features, labels=labels)


def test_distances_and_their_mean_over_pairs_are_those_of_a_loop():
    h = torch.randn(7, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    pairs = [(i, j) for i in range(7) for j in range(i)]
    expected = np.mean([float(((h[i] - h[j]) ** 2).sum()) for i, j in pairs])
    assert float(mean_over_pairs(squared_distances(h))) == pytest.approx(expected)
