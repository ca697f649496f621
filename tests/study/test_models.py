"""Fitted methods stored with their cells, loaded again, and used on a user's own images."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark import Study, load_hasher
from benchmark.cli.main import main
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError


@pytest.fixture
def study(data_folder, tmp_path):
    return Study(
        str(data_folder),
        methods=["itq", "wdht"],
        set=["wdht.epochs=1"],
        bits=[8],
        results=tmp_path / "results",
        save_codes=True,
        save_models=True,
        jobs=1,
    )


def cell_folder(study, cell):
    return study.store.root / "cells" / cell.folder


def test_a_loaded_method_gives_the_stored_codes(study, data_folder):
    results = study.run()
    X = np.load(data_folder / "features" / "blobs.npy")
    split = results.dataset.split
    for cell in results.cells:
        hasher = load_hasher(cell_folder(study, cell))
        query, database = results.codes(cell)
        np.testing.assert_array_equal(hasher.encode(X[split.query]), query)
        np.testing.assert_array_equal(hasher.encode(X[split.database]), database)


def test_cells_without_a_model_are_run_again(data_folder, tmp_path, run):
    arguments = ("--methods", "itq", "--bits", "8")
    assert run(*arguments)[0] == 0
    status, _, err = run(*arguments, "--save-models")
    assert status == 0
    assert "stored without their models and are run again: 1" in err
    assert "again" not in run(*arguments, "--save-models")[2]


def test_encode_a_file_of_vectors(study, data_folder, tmp_path, capsys):
    results = study.run()
    cell = results.cells[0]
    vectors = data_folder / "features" / "blobs.npy"
    out = tmp_path / "codes.npz"
    command = ["encode", "--cell", str(cell_folder(study, cell)), "--out", str(out)]
    assert main([*command, str(vectors)]) == 0
    assert "400 codes of 8 bits" in capsys.readouterr().out
    with np.load(out, allow_pickle=False) as stored:
        codes, names, n_bits = stored["codes"], stored["names"], int(stored["n_bits"])
    assert (codes.dtype, codes.shape, n_bits) == (np.uint8, (400, 1), 8)
    assert names[3] == f"{vectors}:3"
    _, database = results.codes(cell)
    rows = results.dataset.split.database
    np.testing.assert_array_equal(np.unpackbits(codes, axis=1)[rows].astype(bool), database)
    np.save(tmp_path / "narrow.npy", np.zeros((2, 5)))
    assert main([*command, str(tmp_path / "narrow.npy")]) == 2
    assert "takes numbers of shape (items, 32)" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "x.jpg")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_encode_images_as_the_run_did(tmp_path, capsys):
    study = Study(
        "demo[n=90]",
        methods=["itq"],
        bits=[8],
        features="gist",
        l2_normalize=True,
        results=tmp_path / "results",
        save_codes=True,
        save_models=True,
        jobs=1,
    )
    results = study.run()
    cell = results.cells[0]
    demo = open_dataset("demo[n=90]", tmp_path, tmp_path / "results" / "cache" / "splits")
    photos = tmp_path / "photos"
    photos.mkdir()
    query = demo.split.query
    for k, i in enumerate(query):
        demo.images.load(int(i)).save(photos / f"{k:03d}.png")
    out = tmp_path / "codes.npz"
    command = ["encode", "--cell", str(cell_folder(study, cell)), "--out", str(out), str(photos)]
    assert main(command) == 0
    with np.load(out, allow_pickle=False) as stored:
        codes = np.unpackbits(stored["codes"], axis=1)
        assert [name[-7:] for name in stored["names"]][:2] == ["000.png", "001.png"]
    np.testing.assert_array_equal(codes.astype(bool), results.codes(cell)[0])
    (photos / "bad.png").write_text("no image")
    assert main(command) == 2
    assert "bad.png cannot be read as an image" in capsys.readouterr().err


def test_faiss_finds_what_we_find(study, data_folder):
    """The packed codes are those that faiss takes."""
    faiss = pytest.importorskip("faiss", reason="needs faiss-cpu (extra faiss)")
    results = study.run()
    query, database = results.codes(results.cells[0])
    index = faiss.IndexBinaryFlat(database.shape[1])
    index.add(np.packbits(database, axis=1))
    distances, found = index.search(np.packbits(query, axis=1), 5)
    expected = (query[:, None] != database[None]).sum(axis=2)
    np.testing.assert_array_equal(distances, np.sort(expected, axis=1)[:, :5])
    np.testing.assert_array_equal(np.take_along_axis(expected, found, axis=1), distances)


def test_what_is_missing_or_damaged_is_named(study, data_folder, tmp_path):
    with pytest.raises(InputError, match=r"no run\.json"):
        load_hasher(tmp_path)
    folder = cell_folder(study, study.run().cells[0])
    model = folder / "model.npz"
    content = model.read_bytes()
    model.write_bytes(content[:-5])
    with pytest.raises(InputError, match="altered or is truncated"):
        load_hasher(folder)
    model.unlink()
    with pytest.raises(InputError, match="--save-models"):
        load_hasher(folder)
