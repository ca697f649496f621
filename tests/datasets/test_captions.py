"""index.mat, label.mat and caption.mat on a miniature tree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat
from test_lists import LABELS, flickr_name, photos

from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError

CAPTIONS = [" ".join(("sky", "sea", "sky")[: i % 4]) for i in range(16)]


def build(home, captions=CAPTIONS):
    paths = [f"/root/mirflickr/{flickr_name(i)}" for i in range(16)]
    photos(home / "mirflickr", flickr_name)
    savemat(home / "index.mat", {"index": np.array(paths)})
    savemat(home / "label.mat", {"category": LABELS})
    savemat(home / "caption.mat", {"caption": np.array(captions, dtype=object)[:, None]})
    return home


def test_paths_labels_and_tags(tmp_path):
    data = open_dataset(str(build(tmp_path / "mir")), tmp_path / "none", tmp_path / "cache")
    assert [data.images.name(i) for i in (0, 15)] == ["mirflickr/im1.jpg", "mirflickr/im16.jpg"]
    np.testing.assert_array_equal(data.labels, LABELS > 0)
    assert data.tags[:4] == [(), ("sky",), ("sky", "sea"), ("sky", "sea")]
    assert any("read as captions" in note for note in data.notes)


def test_files_that_do_not_fit_together(tmp_path):
    home = build(tmp_path / "mir", CAPTIONS[:5])
    with pytest.raises(InputError, match=r"caption\.mat has 5 lines, but index\.mat 16 paths"):
        open_dataset(str(home), tmp_path, tmp_path / "cache")
    savemat(home / "label.mat", {"labels": LABELS})
    with pytest.raises(InputError, match="category is missing; there are labels"):
        open_dataset(str(home), tmp_path, tmp_path / "cache")
