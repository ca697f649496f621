"""The data reach methods as memory that nobody can write, in objects of each cell's own."""

import numpy as np
import pytest

from benchmark.preparation import bundle as module
from benchmark.preparation.bundle import open_bundle


@pytest.fixture
def folder(run, tmp_path, plugin):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("common 1 2\ntag0 3 4\n")
    arguments = ("--methods", "lsh", "--bits", 8, "--l2-normalize", "--word-vectors", vectors)
    assert run(*arguments)[0] == 0
    (path,) = (tmp_path / "results/cache/bundles").glob("bundle-*")
    return path


def arrays_of(bundle):
    tags = bundle.train_tags
    return {
        **{f"features {i}": X for i, X in enumerate(bundle.features)},
        **{f"labels {i}": y for i, y in enumerate(bundle.labels)},
        **{"data": tags.data, "indices": tags.indices, "indptr": tags.indptr},
        "vectors": tags.vectors,
    }


def test_no_array_can_be_unlocked(folder):
    for name, array in arrays_of(open_bundle(folder)).items():
        assert array.size, name
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_what_one_cell_does_to_its_objects_the_next_does_not_see(folder):
    before = {name: array.copy() for name, array in arrays_of(open_bundle(folder)).items()}
    spoilt = open_bundle(folder)
    for array in arrays_of(spoilt).values():
        array.shape = (-1,)
    tags = spoilt.train_tags
    tags.data, tags.indices, tags.vectors, tags.words = tags.data * 0, tags.indices * 0, None, ()
    for name, array in arrays_of(open_bundle(folder)).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    assert len(open_bundle(folder).train_tags.words) == 5


def test_features_are_mapped_where_they_lie_unless_they_change(run, folder, tmp_path, data_folder):
    assert (folder / "train_features.npy").exists()
    assert run("--methods", "lsh", "--bits", 8)[0] == 0
    (plain,) = set((tmp_path / "results/cache/bundles").glob("bundle-*")) - {folder}
    assert not (plain / "train_features.npy").exists()
    given = np.load(data_folder / "features" / "blobs.npy")
    X = open_bundle(plain).features
    np.testing.assert_array_equal(np.concatenate([X.train, X.query]), given)
    scaled = open_bundle(folder).features.train
    np.testing.assert_allclose(scaled, given[: len(scaled)] / norms(given[: len(scaled)]))


def norms(X):
    return np.linalg.norm(X, axis=1, keepdims=True)


def test_rows_in_any_order_are_copied_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", 3)
    X = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    rows = np.array([9, 0, 3, 3, 7, 1, 8])
    module._copy_rows(X, rows, False, tmp_path / "copy.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "copy.npy"), X[rows])
    module._copy_rows(X, rows, True, tmp_path / "scaled.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "scaled.npy"), (X / norms(X))[rows])


@pytest.mark.parametrize(
    "body",
    [
        "labels.flags.writeable = True; labels[:] = True",
        "labels[:] = True",
        "labels.base.flags.writeable = True",
    ],
)
def test_a_method_that_writes_into_its_labels_fails_alone(run, plugin, body):
    writer = plugin("writer", body, "labels")
    status, _, err = run("--plugin", writer, "--methods", "writer", "lsh", "--bits", 8)
    assert status == 1
    assert "1 of 2 cells failed" in err and "writer" in err
