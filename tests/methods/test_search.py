"""Other ways to search what a method with bits has learnt, and the features as they are."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark import evaluate_scores, evaluate_vectors
from benchmark.errors import InputError
from benchmark.registry import methods
from methods import Hasher, Quantizer, make
from methods.search import SEARCHES, representation
from methods.unsupervised.features import Features


@pytest.fixture(scope="module", params=[5, 8, 13])
def fitted(request):
    X = np.random.default_rng(request.param).normal(size=(120, 20))
    return make("lsh", n_bits=request.param, random_state=0).fit(X[20:]), X


def test_asymmetric_scores_are_inner_products_of_scores_and_signs(fitted):
    hasher, X = fitted
    way = representation(hasher, "asymmetric")
    tables, codes = way.queries(hasher, X[:20]), way.items(hasher, X[20:])
    assert way.ranked_by == "scores" and codes.dtype == np.uint8 and tables.dtype == np.float32
    assert codes.shape[1] == -(-hasher.n_bits // 8)
    found = sum(tables[:, m][:, codes[:, m]] for m in range(codes.shape[1]))
    signs = np.where(hasher.project(X[20:]) > 0, 1, -1)
    assert found == pytest.approx(hasher.project(X[:20]) @ signs.T, abs=1e-5)
    result = evaluate_scores(tables, codes, np.arange(20) % 4, np.arange(100) % 4)
    assert "mAP@all" in result and "P@r2" not in result


def test_real_search_compares_the_scores_themselves(fitted):
    hasher, X = fitted
    way = representation(hasher, "real")
    assert way.ranked_by == "cosine"
    for represent in (way.queries, way.items):
        assert represent(hasher, X) == pytest.approx(hasher.project(X), rel=1e-6)


def test_without_the_option_a_method_is_searched_as_it_says(fitted):
    hasher, X = fitted
    way = representation(hasher, None)
    assert way.ranked_by == "hamming"
    assert (way.items(hasher, X) == hasher.encode(X)).all()


def test_only_codes_that_are_signs_of_scores_can_be_searched_otherwise():
    class Words(Quantizer):
        pass

    for hasher in (Words(8), Features(8)):
        for search in SEARCHES:
            with pytest.raises(ValueError, match=f"search={search}"):
                representation(hasher, search)


def test_every_word_of_the_option_is_a_search_and_the_other_way_round():
    assert methods.options == {"search": tuple(SEARCHES)}


def test_the_option_is_part_of_a_variant_and_no_constructor_parameter():
    variant = methods.parse("itq[ search=asymmetric, n_iter=20]")
    assert str(variant) == "itq[n_iter=20,search=asymmetric]"
    assert dict(variant.parameters) == {"n_iter": 20}
    assert variant.option("search") == "asymmetric"
    assert methods.parse("itq").option("search") is None
    assert str(variant.with_parameters({"n_iter": 7}, methods.find("itq"))) == (
        "itq[n_iter=7,search=asymmetric]"
    )
    assert methods.parse("wsdhq[search=sqd]").options == ()
    with pytest.raises(InputError, match=r"itq\.search must be asymmetric or real, not .hamming."):
        methods.parse("itq[search=hamming]")
    with pytest.raises(ValueError, match="is set where it is run"):
        make("itq[search=real]")


def test_scores_are_checked_as_bits_are():
    class Broken(Hasher):
        def fit(self, X, *, tags=None, labels=None):
            self.mean_ = self.check_training_data(X).mean(axis=0)
            return self

        def project(self, X):
            return np.full((len(X), self.n_bits), np.nan)

    hasher = Broken(4).fit(np.eye(6))
    with pytest.raises(ValueError, match="not finite"):
        hasher.scores(np.eye(6))


def test_features_are_ranked_by_cosine_whatever_the_code_length():
    rng = np.random.default_rng(1)
    X, ids = rng.normal(size=(90, 7)), rng.integers(0, 3, 90)
    hasher = Features(3).fit(X)
    vectors = hasher.encode_queries(X[:10]), hasher.encode(X[10:])
    assert [v.shape for v in vectors] == [(10, 7), (80, 7)] and hasher.ranked_by == "cosine"
    lengths = np.linalg.norm(X, axis=1)
    cosines = (X[:10] @ X[10:].T) / np.outer(lengths[:10], lengths[10:])
    relevant = ids[:10, None] == ids[10:]
    expected = []
    for q in range(10):
        hits = relevant[q][np.argsort(-cosines[q])]
        precision = np.cumsum(hits) / np.arange(1, 81)
        expected.append(precision[hits].mean())
    found = evaluate_vectors(*vectors, ids[:10], ids[10:])
    assert found["mAP@all"] == pytest.approx(np.mean(expected))


def test_cosines_of_zeros_huge_and_equal_vectors():
    database = np.array([[1.0, 0], [2, 0], [0, 0], [-1, 0]])
    for scale in (1, 1e-200, 1e200):
        found = evaluate_vectors(np.array([[3.0, 0]]), database * scale, [1], [1, 0, 0, 0])
        # Two items have cosine 1: the relevant one is first or second.
        assert found["mAP@all"] == 0.75 and found.bounds["mAP@all"] == (0.5, 1)
    for wrong in (database[:, :1], database[0], np.full((4, 2), np.nan), database[:, :0]):
        with pytest.raises(InputError, match="vectors"):
            evaluate_vectors(np.array([[3.0, 0]]), wrong, [1], [1, 0, 0, 0])
