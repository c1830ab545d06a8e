"""Makes the embedded files from their sources:

    python make.py <folder with digits8x8.npz, names.txt, tinyshakespeare.txt, nuclei128.npz>

digits.npz is split once: of the shuffled samples of each class a fifth goes to the test set (360 in all, the classes
with the largest remainder rounded up), and both sets keep the order of the source.

nuclei.npz holds every third or fourth image of nuclei128.npz, ordered by kind and original size and at random within, so
that every kind has its share. Of these, every fifth is held out: nuclei_held_out.txt lists them for the full file, too.
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

nuclei = np.load(source / "nuclei128.npz")
images, masks, kinds, sizes = (nuclei[name] for name in ["images", "masks", "fluorescence", "orig_hw"])
order = np.lexsort((np.random.default_rng(0).permutation(len(images)), sizes[:, 1], sizes[:, 0], kinds))
chosen = order[np.linspace(0, len(order) - 1, 185).round().astype(int)]
test = np.sort(chosen[2::5])
train = np.setdiff1d(chosen, test)
np.savez_compressed(
    here / "nuclei.npz",
    train_images=images[train], train_masks=masks[train], test_images=images[test], test_masks=masks[test],
)
lines = [f"{row} {'fluorescence' if kinds[row] else 'stained'} {nuclei['ids'][row]}\n" for row in test]
(here / "nuclei_held_out.txt").write_text("".join(lines))
