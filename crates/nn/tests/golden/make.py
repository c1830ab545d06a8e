"""Writes the golden files beside it: weights, optimisers and schedules as PyTorch has them."""
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn, optim
from torch.optim import lr_scheduler

HERE = pathlib.Path(__file__).parent
torch.manual_seed(0)

# A state_dict as users save it, in f32 and narrower; y = model(x) in evaluation.
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
x = torch.linspace(-1, 1, 6).reshape(2, 3)
save_file(model.state_dict(), HERE / "mlp.safetensors")
save_file({"x": x, "y": model(x).detach()}, HERE / "mlp_io.safetensors")
for name, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16)]:
    save_file({k: v.to(dtype) for k, v in model.state_dict().items()}, HERE / f"mlp_{name}.safetensors")

# Ten steps of each optimiser from w0 with given gradients, in f64.
SIZE, STEPS = 5, 10
w0 = torch.randn(SIZE, dtype=torch.float64)
g = torch.randn(STEPS, SIZE, dtype=torch.float64)
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.01),
    "sgd_momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "sgd_nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.05, weight_decay=0.1),
    "adam_amsgrad": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.05),
    "adamw_amsgrad": lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.2, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, weight_decay=0.1),
    "rmsprop_centered": lambda p: optim.RMSprop(p, lr=0.02, alpha=0.9, centered=True),
    "rmsprop_momentum": lambda p: optim.RMSprop(p, lr=0.02, momentum=0.7),
    "rmsprop_both": lambda p: optim.RMSprop(p, lr=0.02, momentum=0.7, centered=True, eps=1e-3),
    "adagrad": lambda p: optim.Adagrad(p),
    "adagrad_decay": lambda p: optim.Adagrad(
        p, lr=0.1, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.2
    ),
}
golden = {"w0": w0, "g": g}
for name, make in OPTIMIZERS.items():
    w = nn.Parameter(w0.clone())
    opt = make([w])
    for step in range(STEPS):
        w.grad = g[step].clone()
        opt.step()
    golden[name] = w.detach().clone()
    assert len(golden[name]) == SIZE

# Learning rates (and momenta) over 40 steps.
COUNT = 40
METRICS = [1, 0.8, 0.81, 0.8, 0.7999, 0.82, 0.5, 0.6, 0.6, 0.6, 0.6, 0.4, float("nan"), 0.41, 0.41, 0.41, 0.39] + [
    0.39 - 0.00001 * i for i in range(23)
]


def rates(make, metrics=None, key="lr"):
    w = nn.Parameter(torch.zeros(1))
    opt = optim.SGD([w], lr=0.5, momentum=0.9)
    schedule = make(opt)
    values = []
    for step in range(COUNT):
        values.append(opt.param_groups[0][key])
        opt.step()
        schedule.step(*([] if metrics is None else [metrics[step]]))
    return torch.tensor(values, dtype=torch.float64)


one_cycle = dict(max_lr=0.5, total_steps=COUNT + 1)
golden |= {
    "step": rates(lambda o: lr_scheduler.StepLR(o, 7)),
    "multi_step": rates(lambda o: lr_scheduler.MultiStepLR(o, [3, 20, 21], gamma=0.5)),
    "exponential": rates(lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "cosine": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, COUNT, eta_min=0.1)),
    "restarts": rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.1)),
    "warmup": rates(
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.25, total_iters=8), lr_scheduler.ExponentialLR(o, 0.9)], [8]
        )
    ),
    "one_cycle": rates(lambda o: lr_scheduler.OneCycleLR(o, **one_cycle)),
    "one_cycle_momentum": rates(lambda o: lr_scheduler.OneCycleLR(o, **one_cycle), key="momentum"),
    "one_cycle_three": rates(
        lambda o: lr_scheduler.OneCycleLR(o, **one_cycle, three_phase=True, anneal_strategy="linear", pct_start=0.4)
    ),
    "metrics": torch.tensor(METRICS, dtype=torch.float64),
    "plateau": rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=2, factor=0.5), METRICS),
    "plateau_max": rates(
        lambda o: lr_scheduler.ReduceLROnPlateau(
            o, mode="max", patience=1, threshold=0.1, threshold_mode="abs", cooldown=3, min_lr=0.004
        ),
        METRICS,
    ),
}
save_file(golden, HERE / "training.safetensors")
