#!/usr/bin/env python3
"""How far apart two right implementations in float32 may come in ten steps: PyTorch against itself.

    python tests/oracle/pytorch_distances.py --data DIR [--trials 40] [--models cnn lenet]

Each trial multiplies every initial weight by 1 ± 2⁻²³ or less, which is about what another order of summation does to
the activations. Most trials stay within 10⁻⁶ of the unperturbed run, but now and then an activation lies so close to
zero, or to its neighbour in a max-pool, that it takes the other branch; then all that follows differs. In a convolution
the black background makes that worse: thousands of positions share one activation. The seeds in pytorch.py are ones for
which that is rare, and the tolerances in pytorch/tolerance.rs allow for what is left.

Printed are the worst over the trials: of the losses, of the gradients of step 1 (relative to the tensor's largest), of
the parameters after ten steps, and the largest share of a tensor's entries that is off by more than 10⁻⁵.
"""
import argparse

import torch

import pytorch


def perturbed(model, seed, trial):
    net, generator = pytorch.network(model, seed), torch.Generator().manual_seed(trial)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1 + (2 * torch.rand(p.shape, generator=generator) - 1) * 2**-23)
    return net


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--models", nargs="+", default=list(pytorch.SEEDS))
    a = parser.parse_args()
    data = pytorch.read(a.data)
    for model in a.models:
        seed = pytorch.SEEDS[model]
        steps = pytorch.batches(seed, *data)[1]
        for optimizer in ("sgd", "adamw"):
            run = lambda net: pytorch.train(net, optimizer, steps, torch.float32)
            losses, gradients, parameters = run(pytorch.network(model, seed))
            worst, kinked = [0.0] * 4, 0
            for trial in range(a.trials):
                away = run(perturbed(model, seed, trial))
                off = {k: (away[2][k] - p).abs() for k, p in parameters.items()}
                trial = [
                    (away[0] - losses).abs().max().item(),
                    max(((away[1][k] - g).abs().max() / g.abs().max()).item() for k, g in gradients.items()),
                    max(d.max().item() for d in off.values()),
                    max((d > 1e-5).float().mean().item() for d in off.values()),
                ]
                kinked += trial[0] > 1e-6
                worst = [max(pair) for pair in zip(worst, trial)]
            print(f"{model:8} {optimizer:6} losses {worst[0]:.1e}, gradients {worst[1]:.1e} of the largest, "
                  f"parameters {worst[2]:.1e}, share over 1e-5 {worst[3]:.2%}; "
                  f"losses over 1e-6 in {kinked} of {a.trials}", flush=True)


if __name__ == "__main__":
    main()
