"""One ``except`` is enough for all mistakes of a user."""

import pytest

from benchmark.errors import InputError
from features.networks import check_device, read_weights
from features.word_vectors import load_word_vectors


@pytest.mark.parametrize("read", [read_weights, lambda path: load_word_vectors(path, ["sky"])])
def test_a_bad_file_is_an_input_error(read, tmp_path):
    path = tmp_path / "noise"
    path.write_bytes(b"\x00\xff noise")
    with pytest.raises(InputError, match="noise"):
        read(path)


def test_a_missing_device_is_an_input_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match="--device cpu"):
        check_device("cuda")
