"""Losses of each architecture as its paper writes them: dense, by autograd, without a pattern."""

import torch


def dense_loss(sae, rows, variance, z):
    """Return the training loss, given which features a batch keeps where that is a choice of z."""
    x, target = sae.split(rows)
    name, n = sae.config.architecture, len(rows)
    own = x @ sae.W_enc + sae.b_enc

    def error(x_hat):
        return (target - x_hat).square().sum() / (n * variance)

    if name == "relu":
        f = torch.relu(own)
        return error(f @ sae.W_dec + sae.b_dec) + dense_l1(sae, f, variance, target)
    if name == "gated":
        magnitude = torch.relu((x @ sae.W_enc) * sae.r_mag.exp() + sae.b_mag)
        gate = torch.relu(own)
        frozen = gate @ sae.W_dec.detach() + sae.b_dec.detach()
        x_hat = ((own > 0) * magnitude) @ sae.W_dec + sae.b_dec
        return error(x_hat) + error(frozen) + dense_l1(sae, gate, variance, target)
    if name == "jumprelu":
        width = sae.config.bandwidth * sae.d_row**0.5
        is_on = DenseStep.apply(own, sae.threshold, width)
        f = DenseJump.apply(own, sae.threshold, width)
        price = sae.config.l0_coefficient * is_on.sum() / n
        return error(f @ sae.W_dec + sae.b_dec) + price
    kept = kept_by_training(sae, z) * own
    if name == "matryoshka_batch_topk":
        errors = []
        for size in sae.prefix_sizes:
            first = torch.arange(sae.n_features) < size
            errors.append(error((kept * first) @ sae.W_dec + sae.b_dec))
        return sum(errors) / len(errors)
    return error(kept @ sae.W_dec + sae.b_dec)


def kept_by_training(sae, z):
    """Return 1 where training keeps z: the k of each row, or the k n of the batch."""
    k, positive = sae.config.k, torch.relu(z)
    if sae.config.architecture == "topk":
        limit = positive.sort(dim=1, descending=True).values[:, k - 1 : k]
    else:
        limit = positive.flatten().sort(descending=True).values[k * len(z) - 1]
    return ((positive >= limit) & (positive > 0)).float()


def dense_auxiliary(sae, rows, z, dead, wanted):
    """Return the share of the residual that the largest ``wanted`` dead features of a row leave."""
    x, target = sae.split(rows)
    own = x @ sae.W_enc + sae.b_enc
    residual = (target - (kept_by_training(sae, z) * own) @ sae.W_dec - sae.b_dec).detach()
    silent = torch.relu(z) * dead
    limit = silent.sort(dim=1, descending=True).values[:, wanted - 1 : wanted]
    kept = ((silent >= limit) & (silent > 0)).float() * own
    return (residual - kept @ sae.W_dec).square().sum() / residual.square().sum()


def dense_l1(sae, f, variance, target):
    rms = (variance / target.shape[1]) ** 0.5
    return sae.config.l1_coefficient * rms * f.sum() / (len(f) * variance)


class DenseStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, threshold, width):
        ctx.save_for_backward(z, threshold)
        ctx.width = width
        return (z > threshold).float()

    @staticmethod
    def backward(ctx, grad):
        z, threshold = ctx.saved_tensors
        near = (((z - threshold) / ctx.width).abs() < 0.5) & (z > 0)
        return None, -(near * grad / ctx.width).sum(0), None


class DenseJump(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, threshold, width):
        ctx.save_for_backward(z, threshold)
        ctx.width = width
        return z * (z > threshold)

    @staticmethod
    def backward(ctx, grad):
        z, threshold = ctx.saved_tensors
        near = (((z - threshold) / ctx.width).abs() < 0.5) & (z > 0)
        by_threshold = -(near * threshold * grad / ctx.width).sum(0)
        return grad * (z > threshold), by_threshold, None
