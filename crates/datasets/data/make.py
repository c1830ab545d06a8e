"""Makes the embedded files from their sources: python make.py <folder with digits8x8.npz, names.txt, tinyshakespeare.txt>

digits.npz is split once: of the shuffled samples of each class a fifth goes to the test set (360 in all, the classes
with the largest remainder rounded up), and both sets keep the order of the source.
"""
import gzip
import pathlib
import sys

import numpy as np

source, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent

digits = np.load(source / "digits8x8.npz")
images, labels = digits["images"], digits["labels"]
counts = np.bincount(labels)
exact = counts / 5
test_counts = np.floor(exact).astype(int)
for c in np.argsort(test_counts - exact, kind="stable")[: 360 - test_counts.sum()]:
    test_counts[c] += 1
generator = np.random.default_rng(0)
test = np.zeros(len(labels), dtype=bool)
for c, n in enumerate(test_counts):
    test[generator.permutation(np.flatnonzero(labels == c))[:n]] = True
np.savez_compressed(
    here / "digits.npz",
    train_images=images[~test], train_labels=labels[~test], test_images=images[test], test_labels=labels[test],
)
for name in ["names.txt", "tinyshakespeare.txt"]:
    (here / f"{name}.gz").write_bytes(gzip.compress((source / name).read_bytes(), 9, mtime=0))
