"""Ten steps of each optimiser on one small problem, and clipping."""

import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop

from .record import Golden, normal

RUNS = {
    "sgd": (SGD, dict(lr=0.3)),
    "sgd, weight decay": (SGD, dict(lr=0.3, weight_decay=0.1)),
    "sgd, momentum": (SGD, dict(lr=0.3, momentum=0.9)),
    "sgd, momentum, dampening": (SGD, dict(lr=0.3, momentum=0.9, dampening=0.4)),
    "sgd, nesterov": (SGD, dict(lr=0.3, momentum=0.9, nesterov=True)),
    "sgd, nesterov, weight decay": (SGD, dict(lr=0.3, momentum=0.8, nesterov=True, weight_decay=0.1)),
    "sgd, all but nesterov": (SGD, dict(lr=0.3, momentum=0.8, dampening=0.2, weight_decay=0.1)),
    "adam": (Adam, dict(lr=0.1)),
    "adam, betas, eps": (Adam, dict(lr=0.1, betas=(0.7, 0.9), eps=1e-2)),
    "adam, weight decay": (Adam, dict(lr=0.1, weight_decay=0.1)),
    "adam, amsgrad": (Adam, dict(lr=0.3, betas=(0.5, 0.6), amsgrad=True)),
    "adamw": (AdamW, dict(lr=0.1)),
    "adamw, weight decay": (AdamW, dict(lr=0.1, weight_decay=0.5)),
    "adamw, amsgrad": (AdamW, dict(lr=0.3, betas=(0.5, 0.6), weight_decay=0.1, amsgrad=True)),
    "rmsprop": (RMSprop, dict(lr=0.05)),
    "rmsprop, alpha, eps, weight decay": (RMSprop, dict(lr=0.05, alpha=0.8, eps=1e-2, weight_decay=0.1)),
    "rmsprop, momentum": (RMSprop, dict(lr=0.02, momentum=0.8)),
    "rmsprop, centred": (RMSprop, dict(lr=0.02, alpha=0.9, centered=True)),
    "rmsprop, centred, momentum": (RMSprop, dict(lr=0.02, alpha=0.9, momentum=0.5, centered=True)),
    "adagrad": (Adagrad, dict(lr=0.2)),
    "adagrad, lr decay": (Adagrad, dict(lr=0.2, lr_decay=0.3)),
    "adagrad, all": (Adagrad, dict(lr=0.2, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-3)),
}


def write():
    g = Golden("optim")
    x, target, w0, b0 = normal(6, 3), normal(6, 4), normal(3, 4), normal(4)
    for name, tensor in dict(x=x, target=target, w=w0, b=b0).items():
        g.keep(name, tensor)
    for case, (optimizer, options) in RUNS.items():
        w, b = w0.double().requires_grad_(), b0.double().requires_grad_()
        opt = optimizer([w, b], foreach=False, **options)
        steps = []
        for _ in range(10):
            loss = ((x.double() @ w + b).tanh() - target.double()).square().mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            steps.append((w.detach().clone(), b.detach().clone()))
        g.keep(f"{case}:w", torch.stack([w for w, _ in steps]))
        g.keep(f"{case}:b", torch.stack([b for _, b in steps]))

    gradients = [normal(3, 4), normal(4)]
    for i, gradient in enumerate(gradients):
        g.keep(f"gradient{i}", gradient)

    def clipped(case, clip):
        leaves = [torch.zeros_like(x).double().requires_grad_() for x in gradients]
        for leaf, gradient in zip(leaves, gradients):
            leaf.grad = gradient.double()
        norm = clip(leaves)
        if norm is not None:
            g.keep(f"{case}:norm", norm)
        for i, leaf in enumerate(leaves):
            g.keep(f"{case}:dx{i}", leaf.grad)

    clip = torch.nn.utils
    clipped("clip_grad_norm, above", lambda x: clip.clip_grad_norm_(x, 1.5))
    clipped("clip_grad_norm, below", lambda x: clip.clip_grad_norm_(x, 100.0))
    clipped("clip_grad_value", lambda x: clip.clip_grad_value_(x, 0.5))
    g.write()
