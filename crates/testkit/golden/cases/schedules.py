"""The learning rates of schedules, step by step."""

import warnings

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from .record import Golden


def write():
    warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
    g = Golden("schedules")

    def run(case, make, steps, lr=0.5):
        opt = SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)
        schedule = make(opt)
        rates, momenta = [], []
        for _ in range(steps):
            rates.append(opt.param_groups[0]["lr"])
            momenta.append(opt.param_groups[0]["momentum"])
            opt.step()
            schedule.step()
        g.keep(f"{case}:lr", torch.tensor(rates, dtype=torch.float64))
        if isinstance(schedule, OneCycleLR):
            g.keep(f"{case}:momentum", torch.tensor(momenta, dtype=torch.float64))

    run("step", lambda o: StepLR(o, 3, gamma=0.4), 13)
    run("multi_step", lambda o: MultiStepLR(o, [2, 5, 5, 9], gamma=0.4), 13)
    run("exponential", lambda o: ExponentialLR(o, 0.8), 13)
    run("cosine", lambda o: CosineAnnealingLR(o, 12, eta_min=0.05), 13)
    run("cosine, restarts", lambda o: CosineAnnealingWarmRestarts(o, 4, T_mult=1, eta_min=0.05), 13)
    run("cosine, longer restarts", lambda o: CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.05), 30)

    def warmup(o):
        parts = [LinearLR(o, start_factor=0.1, total_iters=5), CosineAnnealingLR(o, 10)]
        return SequentialLR(o, parts, milestones=[5])

    run("warm-up, cosine", warmup, 15)
    for anneal in ["cos", "linear"]:
        for three_phase in [False, True]:
            phases = "three phases" if three_phase else "two phases"
            options = dict(max_lr=0.5, total_steps=20, anneal_strategy=anneal, three_phase=three_phase)
            run(f"one_cycle, {anneal}, {phases}", lambda o: OneCycleLR(o, **options), 20)
    options = dict(max_lr=0.5, total_steps=17, pct_start=0.4, div_factor=10.0, final_div_factor=50.0)
    run("one_cycle, options", lambda o: OneCycleLR(o, base_momentum=0.7, max_momentum=0.99, **options), 17)

    metrics = [5.0, 4.0, 4.0, 4.0001, 3.9999, 4.2] + 6 * [3.0] + [torch.nan] + 7 * [2.9]
    g.keep("metrics", torch.tensor(metrics, dtype=torch.float64))
    for case, options in {
        "plateau": dict(patience=2),
        "plateau, max": dict(mode="max", patience=1, factor=0.5),
        "plateau, absolute": dict(patience=1, threshold=0.5, threshold_mode="abs"),
        "plateau, max, absolute": dict(mode="max", patience=3, threshold=0.5, threshold_mode="abs"),
        "plateau, cooldown, min_lr": dict(patience=0, factor=0.3, cooldown=2, min_lr=0.01),
    }.items():
        opt = SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule = ReduceLROnPlateau(opt, **options)
        rates = []
        for metric in metrics:
            schedule.step(metric)
            rates.append(opt.param_groups[0]["lr"])
        g.keep(f"{case}:lr", torch.tensor(rates, dtype=torch.float64))
    g.write()
