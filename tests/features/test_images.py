"""Image files: very large ones are halved, one after the other."""

import threading

import numpy as np
import pytest
from PIL import Image

from features import images
from features.images import FileImages, halved


def picture(width, height):
    """A horizontal ramp of grey."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.repeat(row[None], height, axis=0))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((40, 25), (40, 25)), ((40, 26), (20, 13)), ((100, 80), (25, 20)), ((4001, 1), (501, 1))],
)
def test_sides_are_halved_until_the_pixels_fit(monkeypatch, size, expected):
    monkeypatch.setattr(images, "MOST_PIXELS", 1000)
    assert halved(picture(*size)).size == expected


def test_halving_averages_blocks(monkeypatch):
    monkeypatch.setattr(images, "MOST_PIXELS", 1000)
    grey = np.arange(64 * 32, dtype=np.uint8).reshape(32, 64)
    means = grey.reshape(16, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(np.asarray(halved(Image.fromarray(grey)), float) - means).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_large_files_are_decoded_one_at_a_time(monkeypatch, tmp_path, suffix):
    monkeypatch.setattr(images, "MOST_PIXELS", 1000)
    names = [f"{i}.{suffix}" for i in range(4)]
    for name in names:
        picture(100, 80).save(tmp_path / name)
    source, inside, most = FileImages(tmp_path, names), [], []

    def watched(image):
        inside.append(image)
        most.append(len(inside))
        threading.Event().wait(0.02)
        inside.pop()
        return halved(image)

    monkeypatch.setattr(images, "halved", watched)
    threads = [threading.Thread(target=source.load, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
    assert source.load(0).size == (25, 20)
