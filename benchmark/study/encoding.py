"""Codes of a user's own images or vectors from a stored method."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.errors import InputError
from benchmark.registry import extractors
from benchmark.study.models import StoredModel
from features.images import FileImages
from features.writing import written

#: Images that are prepared and hashed together.
BATCH = 64
#: Images that are read at the same time.
THREADS = 4
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm")


@dataclass(frozen=True)
class Codes:
    """Codes of items.

    Attributes
    ----------
    names : list of n str
        Files, or a file of vectors with the number of the row, counted from 0.
    codes : (n, bytes) array of uint8
        Packed bits, the first bit of a code in the highest place of its first byte; of a
        quantiser its code words.
    n_bits : int
    """

    names: list[str]
    codes: np.ndarray
    n_bits: int

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file with ``names``, ``codes`` and ``n_bits``."""
        with written(path.resolve()) as temporary, open(temporary, "wb") as file:
            np.savez(file, names=np.array(self.names), codes=self.codes, n_bits=self.n_bits)


def encode_paths(
    model: StoredModel,
    paths: Sequence[Path],
    *,
    weights: Path | None = None,
    device: str = "cpu",
) -> Codes:
    """Hash images, folders of images, and ``.npy`` files of vectors.

    Parameters
    ----------
    model : StoredModel
    paths : sequence of Path
    weights : Path, optional
        Weights of the extractor, as they were given to the run.
    device : str

    Raises
    ------
    InputError
        If something is missing or cannot be read, or if the features are not those that the
        method was fitted to.
    """
    arrays = [path for path in paths if path.suffix == ".npy"]
    images = [file for path in paths if path.suffix != ".npy" for file in _images(path)]
    names: list[str] = []
    codes: list[np.ndarray] = []
    for path in arrays:
        X = _vectors(path, model)
        codes.append(_packed(model, X))
        names += [f"{path}:{row}" for row in range(len(X))]
    if images:
        codes += _codes_of_images(images, model, weights, device)
        names += [str(file) for file in images]
    if not names:
        raise InputError("nothing to encode: name images, folders of images or .npy files")
    return Codes(names, np.concatenate(codes), model.hasher.n_bits)


def _images(path: Path) -> list[Path]:
    """An image file, or those of a folder and its sub-folders in the order of their names."""
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in IMAGE_SUFFIXES]
        if not found:
            raise InputError(f"{path}: there are no images in this folder")
        return found
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    return [path]


def _vectors(path: Path, model: StoredModel) -> np.ndarray:
    try:
        X = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy file: {error}") from None
    width = model.hasher.n_features_in_
    if X.ndim != 2 or X.shape[1] != width or X.dtype.kind not in "fiu":
        raise InputError(
            f"{path} has the shape {X.shape} and the type {X.dtype}, but the method takes numbers "
            f"of shape (items, {width})"
        )
    return _scaled(X, model)


def _scaled(X: np.ndarray, model: StoredModel) -> np.ndarray:
    """Vectors of unit length where the method was fitted to such."""
    if not model.specification.get("l2"):
        return X
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    return X / np.where(norms > 0, norms, 1)


def _packed(model: StoredModel, X: np.ndarray) -> np.ndarray:
    codes = model.hasher.encode(X)
    return np.packbits(codes, axis=1) if codes.dtype == bool else codes


def _codes_of_images(
    files: Sequence[Path], model: StoredModel, weights: Path | None, device: str
) -> list[np.ndarray]:
    specification = model.specification
    if "images" in specification:
        raise InputError(
            "the method was trained on images end to end; hash vectors, or load it with "
            "benchmark.load_hasher and give it features.pixels.ImageArray"
        )
    name = specification["features"]
    name = name.removesuffix("-l2") if specification.get("l2") else name
    if "file" in specification["features_identity"]:
        raise InputError(
            f"the method was fitted to the feature file {name!r} of its data set, so images cannot "
            "be hashed; give .npy files with features of the same kind"
        )
    extractor = extractors.make(name, weights=weights, device=device)
    expected = dict(specification["features_identity"])
    if dict(extractor.identity) != expected:
        raise InputError(
            f"features {name} are not those that the method was fitted to: it needs {expected}, "
            f"here are {dict(extractor.identity)}; name the same file with --weights"
        )
    images = FileImages(Path(), [str(file) for file in files])

    def prepared(i: int) -> np.ndarray:
        try:
            return extractor.prepare(images.load(i))
        except (OSError, ValueError) as error:
            raise InputError(f"{files[i]} cannot be read as an image: {error}") from None

    codes = []
    with ThreadPoolExecutor(THREADS) as pool:
        batches = [range(k, min(k + BATCH, len(files))) for k in range(0, len(files), BATCH)]
        # The next batch is read while the network looks at this one.
        coming = [pool.submit(prepared, i) for i in batches[0]]
        for following in [*batches[1:], range(0)]:
            batch = np.stack([future.result() for future in coming])
            coming = [pool.submit(prepared, i) for i in following]
            X = np.asarray(extractor.extract(batch))
            codes.append(_packed(model, _scaled(X, model)))
    return codes
