"""WSDHQ: what its codes and scores are, how codebooks and network are trained together."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from features.tags import TagMatrix
from methods.algebra.codebooks import (
    Codebooks,
    icm_codes,
    initial_codebooks,
    metric_factor,
    update_codebooks,
)
from methods.conformance.trial import query_items, training_items
from methods.deep import checkpoints
from methods.deep.context import TrainingContext, use_training_context
from methods.tag_vectors import word_vectors
from methods.tags.wsdhq import objective, wsdhq
from methods.tags.wsdhq.binary import BinaryWSDHQ
from methods.tags.wsdhq.margins import embedding_loss, tag_margins
from methods.tags.wsdhq.merging import merged_tags
from methods.tags.wsdhq.training_codes import TrainingCodes, quantisation_loss
from methods.tags.wsdhq.wsdhq import WSDHQ
from methods.unsupervised.itq import ITQ

#: One round without codebooks, and a few steps with them.
QUICK = {"steps": 60, "every": 50, "hidden": 32, "random_state": 0}


@cache
def tags():
    """Tags of the made-up items, with vectors that need not be trained for each fit."""
    return TagMatrix(training_items().tags, vectors=word_vectors(training_items().tags))


def fitted(n_bits=12, **parameters):
    return WSDHQ(n_bits, **{**QUICK, **parameters}).fit(training_items().X, tags=tags())


@pytest.fixture(scope="module")
def hasher():
    return fitted()


def test_scores_are_inner_products_of_query_embeddings_and_sums_of_code_words(hasher):
    codes, tables = hasher.encode(training_items().X), hasher.encode_queries(query_items().X)
    scores = tables[:, np.arange(2), codes].sum(axis=2)
    x, r = hasher.codebooks_.reconstruct(codes), hasher.embed(query_items().X)
    assert scores == pytest.approx(r @ x.T, abs=1e-4)


def test_codes_are_those_that_icm_chooses_in_the_metric(hasher):
    R = hasher.embed(query_items().X)
    codes = icm_codes(R, hasher.codebooks_, hasher.factor_, hasher.order_)
    assert (hasher.encode(query_items().X) == codes).all()
    left = (R - hasher.codebooks_.reconstruct(codes)) @ hasher.factor_
    assert (left**2).sum() < 0.2 * ((R @ hasher.factor_) ** 2).sum()


def test_embeddings_are_on_the_sphere_or_are_the_outputs_themselves(hasher):
    X = query_items().X
    assert np.linalg.norm(hasher.embed(X), axis=1) == pytest.approx(np.ones(len(X)))
    literal = fitted(normalize=False, lam=1e-4)
    with torch.inference_mode():
        outputs = literal.network_(torch.tensor(X)).numpy()
    assert literal.embed(X) == pytest.approx(outputs)
    assert np.abs(outputs).max() < 1 and np.ptp(np.linalg.norm(outputs, axis=1)) > 0.1


@pytest.mark.parametrize(("n_bits", "sizes"), [(12, (64, 64)), (20, (128, 128, 64)), (7, (128,))])
def test_any_number_of_bits_becomes_codebooks(n_bits, sizes):
    some = fitted(n_bits, steps=8)
    codes = some.encode(query_items().X)
    assert some.codebooks_.sizes == sizes
    assert codes.shape == (40, len(sizes)) and (codes < sizes).all()


def test_more_bits_leave_a_smaller_error():
    errors = []
    for n_bits in (4, 8, 16, 24):
        some = fitted(n_bits, lam=0.0)
        R = some.embed(training_items().X)
        left = R - some.codebooks_.reconstruct(some.encode(training_items().X))
        errors.append(((left @ some.factor_) ** 2).sum())
    assert (np.diff(errors) < 0).all()


def test_the_loss_of_quantisation_is_measured_through_inner_products_with_tags():
    rng = np.random.default_rng(0)
    V, r, x = (rng.standard_normal(shape) for shape in ((9, 4), (6, 4), (6, 4)))
    factor = torch.from_numpy(metric_factor(V))
    loss = quantisation_loss(torch.from_numpy(r), torch.from_numpy(x), factor)
    assert float(loss) == pytest.approx((((r - x) @ V.T) ** 2).sum(axis=1).mean())
    variable = torch.from_numpy(r).requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda r: quantisation_loss(r, torch.from_numpy(x), factor), variable
    )


@pytest.mark.parametrize("normalize", [True, False])
def test_the_metric_is_that_of_the_tags_of_unit_length_on_the_sphere(normalize):
    some = fitted(normalize=normalize, lam=1e-3, eps=1.0, steps=1)
    V = merged_tags(tags(), tags().vectors, eps=1.0).vectors
    lengths = np.linalg.norm(V, axis=1, keepdims=True)
    assert lengths.min() < 0.95
    unit = V / lengths
    metric = unit.T @ unit / len(V) if normalize else V.T @ V
    assert some.factor_ @ some.factor_.T == pytest.approx(metric, abs=1e-6)


def test_the_loss_is_that_of_embeddings_plus_the_weighted_one_of_codes():
    still = {"lr": 1e-12, "optimizer": "sgd", "dropout": 0.0, "validation": 0.0}
    still |= {"steps": 51, "batch_size": 1200, "gamma": 1.5, "lam": 3000.0}
    some = fitted(**still)
    merged = merged_tags(tags(), tags().vectors)
    r = torch.from_numpy(some.embed(training_items().X)).float()
    V = torch.from_numpy(merged.vectors).float()
    positive = torch.from_numpy(merged.carried.toarray())
    L_emb = float(embedding_loss(r, positive, V, tag_margins(V, 1.5)))
    before = initial_codebooks(r.double().numpy(), some.codebook_sizes, 0)
    codes = icm_codes(r.double().numpy(), before, some.factor_, some.order_)
    x = update_codebooks(before, r.double().numpy(), codes).reconstruct(codes)
    L_q = float(quantisation_loss(r.double(), torch.from_numpy(x), torch.tensor(some.factor_)))
    # In the first round there are no codes yet.
    assert some.history_.training[0] == pytest.approx(L_emb, rel=1e-4)
    assert some.history_.training[1] == pytest.approx(L_emb + 3000 * L_q, rel=1e-3)
    assert 3000 * L_q > 0.01 * L_emb


def test_the_round_is_chosen_by_the_loss_of_embeddings():
    some = fitted(steps=51, batch_size=1080, lam=1e6)
    assert some.history_.training[1] > 10 * some.history_.training[0]
    assert some.history_.validation[1] < 2 * some.history_.validation[0]


def test_codebooks_follow_every_so_many_steps_and_count_nothing_before(monkeypatch):
    at, counted = [], []
    replace, called = TrainingCodes.replace, TrainingCodes.forward
    monkeypatch.setattr(TrainingCodes, "replace", lambda *a: at.append(len(counted)) or replace(*a))
    monkeypatch.setattr(TrainingCodes, "forward", lambda *a: counted.append(1) or called(*a))
    fitted(every=75, steps=170, validation=0.0)
    # Between rounds of 50 steps: after 100 and after 150.
    assert at == [0, 50]
    assert len(counted) == 70
    at.clear(), counted.clear()
    fitted(lam=0.0)
    assert not at and not counted


def test_joint_training_lowers_the_error_of_the_codes():
    shares = []
    for lam in (0.0, 20.0):
        some = fitted(lam=lam, steps=150, validation=0.0)
        R = some.embed(training_items().X)
        left = R - some.codebooks_.reconstruct(some.encode(training_items().X))
        shares.append(((left @ some.factor_) ** 2).sum() / ((R @ some.factor_) ** 2).sum())
    assert shares[1] < 0.8 * shares[0]


def test_without_a_restart_the_codebooks_of_the_training_go_on(monkeypatch):
    starts = []
    real = wsdhq.initial_codebooks
    monkeypatch.setattr(wsdhq, "initial_codebooks", lambda *a: starts.append(1) or real(*a))
    fitted(restart=False)
    assert len(starts) == 1
    fitted(restart=True)
    assert len(starts) == 3


def test_codes_of_the_training_items_come_back_as_sums_of_code_words():
    rng = np.random.default_rng(0)
    codebooks = Codebooks(rng.standard_normal((12, 5)), (8, 4))
    codes = np.column_stack([rng.integers(0, 8, 30), rng.integers(0, 4, 30)]).astype(np.uint8)
    table = TrainingCodes(30, 5, (8, 4))
    assert table.codebooks is None
    table.replace(codebooks, codes)
    assert table(torch.arange(30)).numpy() == pytest.approx(codebooks.reconstruct(codes), abs=1e-6)
    assert table.codebooks.words == pytest.approx(codebooks.words, abs=1e-6)


def test_a_killed_training_goes_on_with_its_codebooks(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0)
    whole = fitted(steps=120, validation=0.0)
    real, steps = objective.embedding_loss, []

    def killed(*arguments):
        steps.append(1)
        if len(steps) > 110:
            raise KeyboardInterrupt
        return real(*arguments)

    with use_training_context(TrainingContext(checkpoints=tmp_path)):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(objective, "embedding_loss", killed)
            fitted(steps=120, validation=0.0)
        resumed = fitted(steps=120, validation=0.0)
    assert resumed.history_.training == whole.history_.training
    assert (resumed.encode(query_items().X) == whole.encode(query_items().X)).all()


def test_nothing_of_the_training_codes_stays_in_the_network(hasher):
    assert not any("codes" in name for name in hasher.network_.state_dict())


def test_images_without_a_known_tag_are_left_out():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6))
    hot = np.eye(3, dtype=bool)[np.arange(200) % 3]
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=np.float32)
    some = TagMatrix(csr_array(hot), words=("a", "b", "c"), vectors=vectors)
    moved = X.copy()
    moved[hot[:, 2]] = rng.standard_normal((hot[:, 2].sum(), 6))
    first, second = (WSDHQ(8, **QUICK).fit(x, tags=some).embed(X) for x in (X, moved))
    assert np.array_equal(first, second)
    nobody = TagMatrix(csr_array(hot), words=("a", "b", "c"), vectors=np.zeros_like(vectors))
    with pytest.raises(ValueError, match="fewer than two training images carry"):
        WSDHQ(8, **QUICK).fit(X, tags=nobody)


def test_fewer_items_than_code_words_are_kept_apart():
    items = training_items()
    some = WSDHQ(16, **QUICK).fit(items.X[:50], tags=tags()[:50])
    assert len(np.unique(some.encode(items.X[:50]), axis=0)) > 40


def test_more_codebooks_than_dimensions_are_refused():
    rng = np.random.default_rng(0)
    flat = TagMatrix(
        csr_array(np.eye(2, dtype=bool)[np.arange(60) % 2]), vectors=np.eye(2, dtype=np.float32)
    )
    with pytest.raises(ValueError, match="2 dimensions"):
        WSDHQ(24, **QUICK).fit(rng.standard_normal((60, 4)), tags=flat)


def test_symmetric_search_compares_the_sums_of_code_words(hasher):
    X = query_items().X
    asymmetric = hasher.encode_queries(X)
    hasher = copy.deepcopy(hasher).set_params(search="sqd")
    sums = hasher.codebooks_.reconstruct(hasher.encode(X))
    M = len(hasher.codebook_sizes)
    scores = sum(hasher.encode_queries(X)[:, m][:, hasher.encode(X)[:, m]] for m in range(M))
    assert np.allclose(scores, sums @ sums.T, atol=1e-5)
    assert not np.allclose(hasher.encode_queries(X), asymmetric)


def test_real_valued_search_stores_the_embeddings_themselves(hasher):
    assert hasher.ranked_by == "scores"
    real = copy.deepcopy(hasher).set_params(search="real")
    assert real.ranked_by == "cosine"
    for made in (real.encode(query_items().X), real.encode_queries(query_items().X)):
        assert made.dtype == np.float32
        assert np.array_equal(made, hasher.embed(query_items().X).astype(np.float32))
    assert len(real.get_feature_names_out()) == tags().vectors.shape[1]
    with pytest.raises(NotFittedError):
        WSDHQ(search="real").encode(query_items().X)


def test_views_are_of_images_and_change_nothing_on_features(hasher):
    ten = copy.deepcopy(hasher).set_params(views=10)
    assert np.array_equal(ten.embed(query_items().X), hasher.embed(query_items().X))
    with pytest.raises(ValueError, match="views must be 1 or 10, not 5"):
        WSDHQ(views=5).check_parameters()


def test_binary_codes_are_those_of_itq_on_the_embedding(monkeypatch):
    monkeypatch.setattr(
        BinaryWSDHQ, "embedding", lambda self: WSDHQ(self.n_bits, **{**QUICK, "random_state": 3})
    )
    binary = BinaryWSDHQ(12, random_state=3).fit(training_items().X, tags=tags())
    embedding = fitted(random_state=3)
    itq = ITQ(12, random_state=3).fit(embedding.embed(training_items().X))
    expected = itq.encode(embedding.embed(query_items().X))
    assert np.array_equal(binary.encode(query_items().X), expected)


def test_the_binary_row_trains_the_embedding_with_its_seed_and_length():
    embedding = BinaryWSDHQ(20, random_state=5).embedding()
    assert (embedding.n_bits, embedding.random_state) == (20, 5)
    assert BinaryWSDHQ(20).recipe() == WSDHQ(20).recipe()


def test_parameters_reach_the_training():
    brief = {"steps": 60, "every": 50, "n_bits": 4, "hidden": 8}
    plain = fitted(**brief).embed(query_items().X)
    for change in (
        {"n_neighbors": 0},
        {"eps": 1.0},
        {"tau": 0.99},
        {"gamma": 1.0},
        {"margin": 0.7},
        {"lam": 50.0},
        {"every": 100},
        {"dropout": 0.0},
        {"hidden": 0},
        {"halve_every": 20},
    ):
        changed = fitted(**{**brief, **change})
        assert not np.allclose(changed.embed(query_items().X), plain), change


def test_the_preset_holds_the_settings_of_the_released_code():
    literal = WSDHQ(preset="paper").in_force()
    assert (literal.lam, literal.normalize, literal.hidden) == (1e-4, False, 0)
    assert (literal.lr, literal.halve_every, literal.batch_size) == (3e-4, 300, 256)
    assert (literal.gamma, literal.every, literal.restart) == (1.0, 78, False)
    assert (literal.steps, literal.epochs, literal.schedule) == (1500, None, "constant")
    with pytest.raises(ValueError, match="preset must be default or paper, not 'code'"):
        WSDHQ(preset="code").check_parameters()
