"""Matrix products and Einstein sums."""

import torch

from .record import Golden, normal


def write():
    g = Golden("products")
    g("matmul, matrices", torch.matmul, normal(3, 5), normal(5, 4))
    g("matmul, odd sizes", torch.matmul, normal(17, 33), normal(33, 19))
    g("matmul, transposed", lambda a, b: a.t() @ b.t(), normal(5, 3), normal(4, 5))
    g("matmul, vector by matrix", torch.matmul, normal(5), normal(5, 4))
    g("matmul, matrix by vector", torch.matmul, normal(3, 5), normal(5))
    g("matmul, vectors", torch.matmul, normal(5), normal(5))
    g("matmul, batched", torch.matmul, normal(2, 3, 5), normal(2, 5, 4))
    g("matmul, batch by matrix", torch.matmul, normal(2, 3, 5), normal(5, 4))
    g("matmul, matrix by batch", torch.matmul, normal(3, 5), normal(2, 5, 4))
    g("matmul, both broadcast", torch.matmul, normal(2, 1, 3, 5), normal(4, 5, 2))
    g("matmul, vector by batch", torch.matmul, normal(5), normal(2, 5, 4))
    g("outer", torch.outer, normal(3), normal(4))
    g("dot", torch.dot, normal(5), normal(5))
    for spec, *shapes in [
        ("bij,bjk->bik", (2, 3, 5), (2, 5, 4)),
        ("ij,kj->ik", (3, 5), (4, 5)),
        ("ij,ij->", (3, 5), (3, 5)),
        ("i,j->ji", (3,), (4,)),
        ("ijk->k", (2, 3, 5)),
        ("ij->ji", (3, 5)),
        ("ii", (4, 4)),
        ("bii->bi", (2, 3, 3)),
        ("abc,cd,bd->a", (2, 3, 5), (5, 4), (3, 4)),
        ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
        ("ba,ca", (2, 3), (4, 3)),
    ]:
        g(f"einsum {spec}", lambda *x: torch.einsum(spec, *x), *(normal(*shape) for shape in shapes))
    g.write()
