"""Losses with every option and reduction."""

import warnings

import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from .record import Golden, normal, positive

# The same numbers stand in `tests/golden/losses.rs`.
CLASS_WEIGHTS = [0.5, 2.0, 1.25, 0.75]
WEIGHTS = [0.5, 2.0, 1.25, 0.75, 1.5]
POSITIVE_WEIGHTS = [3.0, 0.25, 1.0, 2.0, 0.5]
REDUCTIONS = ["mean", "sum", "none"]


def labelled():
    """Losses of class labels."""
    g, nll = Golden("cross_entropy"), Golden("nll")
    logits, labels = 2 * normal(5, 4), torch.tensor([3, 0, 2, 0, 1])
    pixels, pixel_labels = 2 * normal(2, 3, 2, 5), torch.randint(0, 3, (2, 2, 5))
    options = {
        "plain": {},
        "weights": {"weight": True},
        "ignored": {"ignore_index": 0},
        "smoothed": {"label_smoothing": 0.2},
        "weights + ignored + smoothed": {"weight": True, "ignore_index": 0, "label_smoothing": 0.2},
    }
    for reduction in REDUCTIONS:
        for place, x, i in [("rows", logits, labels), ("pixels", pixels, pixel_labels)]:
            w = torch.tensor(CLASS_WEIGHTS[: x.shape[1]], dtype=torch.float64)
            for option, keywords in options.items():
                chosen = keywords | ({"weight": w} if "weight" in keywords else {})
                name = f"{place}, {option}, {reduction}"
                g(name, lambda x, i: F.cross_entropy(x, i, reduction=reduction, **chosen), x, i)
                if "label_smoothing" not in chosen:
                    nll(name, lambda x, i: F.nll_loss(x, i, reduction=reduction, **chosen), x, i)
    large = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]])
    for label, i in [("likely", [0, 2]), ("unlikely", [1, 0])]:
        g(f"large, {label}", F.cross_entropy, large, torch.tensor(i))
    g.write()
    nll.write()


def focal(x, labels, gamma, weight, ignore_index, reduction):
    """Lin et al. 2017 for classes; the mean is weighted as that of `F.cross_entropy`."""
    kept = labels != ignore_index
    log_p = -F.cross_entropy(x, labels, reduction="none", ignore_index=ignore_index)
    w = torch.ones(x.shape[1]).double() if weight is None else weight
    w = torch.where(kept, w[labels.where(kept, 0)], 0)
    losses = -w * (1 - log_p.exp()) ** gamma * log_p
    return {"mean": losses.sum() / w.sum(), "sum": losses.sum(), "none": losses}[reduction]


def dice(x, labels, smoothing, over, ignore_index):
    """One minus the mean Dice coefficient of probabilities and labels; one channel is that of label 1."""
    kept = (labels != ignore_index).unsqueeze(1)
    classes = labels.where(labels != ignore_index, 0)
    if x.shape[1] == 1:
        p, t = x.sigmoid(), classes.unsqueeze(1).double()
    else:
        p, t = x.softmax(1), F.one_hot(classes, x.shape[1]).movedim(-1, 1).double()
    p, t = p * kept, t * kept
    axes = {"image": (2, 3), "batch": (0, 2, 3)}[over]
    return 1 - ((2 * (p * t).sum(axes) + smoothing) / (p.sum(axes) + t.sum(axes) + smoothing)).mean()


def pixels():
    """Focal and Dice losses of single pixels."""
    g = Golden("pixel_losses")
    x, t = 2 * normal(2, 1, 3, 5), torch.randint(0, 2, (2, 1, 3, 5)).float()
    classes, labels = 2 * normal(2, 3, 2, 5), torch.randint(0, 3, (2, 2, 5))
    w = torch.tensor(CLASS_WEIGHTS[:3], dtype=torch.float64)
    for reduction in REDUCTIONS:
        for name, alpha, gamma in [("plain", 0.25, 2.0), ("no alpha, gamma 1.5", -1, 1.5), ("gamma 0", 0.75, 0.0)]:
            g(f"sigmoid focal, {name}, {reduction}", lambda x, t: sigmoid_focal_loss(x, t, alpha, gamma, reduction), x, t)
        for name, gamma, weight, ignore in [("plain", 2.0, None, -1), ("weights + ignored, gamma 3", 3.0, w, 0)]:
            g(f"focal, {name}, {reduction}", lambda x, i: focal(x, i, gamma, weight, ignore, reduction), classes, labels)
    for name, x, i in [("classes", classes, labels), ("one channel", x, t[:, 0].long())]:
        for over in ["image", "batch"]:
            g(f"dice, {name}, {over}", lambda x, i: dice(x, i, 1.0, over, -1), x, i)
            g(f"dice, {name}, {over}, ignored, smoothing 1e-5", lambda x, i: dice(x, i, 1e-5, over, 0), x, i)
    g.write()


def write():
    labelled()
    warnings.filterwarnings("ignore", message="reduction: 'mean' divides")
    g = Golden("losses")
    for reduction in REDUCTIONS:
        a, b = normal(3, 5), normal(3, 5)
        pairs = {
            "mse": F.mse_loss,
            "l1": F.l1_loss,
            "smooth_l1": F.smooth_l1_loss,
            "smooth_l1, beta 0.3": lambda *x, **o: F.smooth_l1_loss(*x, beta=0.3, **o),
            "smooth_l1, beta 0": lambda *x, **o: F.smooth_l1_loss(*x, beta=0.0, **o),
        }
        for name, f in pairs.items():
            g(f"{name}, {reduction}", lambda x, t: f(x, t, reduction=reduction), a, b)

        p, t = torch.rand(3, 5), torch.rand(3, 5)
        t[0] = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0])
        w, pos = (torch.tensor(x, dtype=torch.float64) for x in [WEIGHTS, POSITIVE_WEIGHTS])
        g(f"bce, {reduction}", lambda x, t: F.binary_cross_entropy(x, t, reduction=reduction), p, t)
        g(f"bce, weights, {reduction}", lambda x, t: F.binary_cross_entropy(x, t, w, reduction=reduction), p, t)
        for name, keywords in {
            "plain": {},
            "weights": {"weight": w},
            "pos_weight": {"pos_weight": pos},
            "weights, pos_weight": {"weight": w, "pos_weight": pos},
        }.items():
            g(
                f"bce_logits, {name}, {reduction}",
                lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=reduction, **keywords),
                3 * a,
                t,
            )
        variance = positive(3, 5)
        for name, full in [("plain", False), ("full", True)]:
            g(
                f"gaussian_nll, {name}, {reduction}",
                lambda x, t, v: F.gaussian_nll_loss(x, t, v, full=full, reduction=reduction),
                a,
                b,
                variance,
            )
        floored = variance.clone()
        floored[1] = torch.tensor([0.0, 1e-8, 1e-7, 0.5, 2.0])
        g(
            f"gaussian_nll, floored, {reduction}",
            lambda x, t, v: F.gaussian_nll_loss(x, t, v, eps=1e-3, reduction=reduction),
            a,
            b,
            floored,
        )

        log_p, log_q = torch.log_softmax(a, 1), torch.log_softmax(b, 1)
        kl_div = torch.nn.KLDivLoss(reduction=reduction, log_target=True)
        g(f"kl_categorical, {reduction}", lambda p, q: kl_div(q, p), log_p, log_q)

    large = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]])
    target = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.5, 0.0]])
    g("bce_logits, large", F.binary_cross_entropy_with_logits, large, target)
    edge = torch.tensor([0.0, 1.0, 0.0, 1.0])
    # Without the gradient at wrong certainty, 1 / 1e-12, where PyTorch's constant is rounded to f32.
    g("bce, certain", lambda x, t: F.binary_cross_entropy(x.detach(), t.detach()), edge, torch.tensor([0.0, 1.0, 1.0, 0.0]))
    g("smooth_l1, at the joint", F.smooth_l1_loss, torch.tensor([1.0, -1.0, 0.0]), torch.zeros(3))
    g("l1, equal", F.l1_loss, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]))

    def normal_of(mean, log_variance):
        return torch.distributions.Normal(mean, (log_variance / 2).exp())

    def kl_gaussian(m, v, n, w):
        return torch.distributions.kl_divergence(normal_of(m, v), normal_of(n, w))

    def kl_standard(m, v):
        return kl_gaussian(m, v, torch.zeros_like(m), torch.zeros_like(m))

    g("kl_gaussian, sum", lambda *x: kl_gaussian(*x).sum(), *(normal(3, 4) for _ in range(4)))
    g("kl_gaussian, none", kl_gaussian, *(normal(3, 4) for _ in range(4)))
    g("kl_standard_normal, mean", lambda *x: kl_standard(*x).mean(), normal(3, 4), normal(3, 4))
    g("kl_standard_normal, none", kl_standard, normal(3, 4), normal(3, 4))
    g.write()
    pixels()
