"""What to do about a cluster that cannot be used, by what kubectl says."""

from __future__ import annotations

LOG_IN = "log in again with what made the context"
REMEDIES = {
    "getting credentials": "install the program that the kubeconfig names for logging in, and log in with it",
    "certificate has expired": "make the context again with what made it, unless this machine's clock is wrong",
    "signed by unknown authority": "make the context again with what made it: the cluster has another certificate now",
    "provide credentials": LOG_IN,
    "Unauthorized": LOG_IN,
    "no such host": "connect to its network (VPN), or start that cluster",
    "imeout": "connect to its network (VPN), or start that cluster",
    "refused": "start that cluster",
    "config file": "repair the kubeconfig",
}


def remedy(reason: str, otherwise: str = "fix kube_context.context in invoke.yaml") -> str:
    """Return what a person has to do."""
    return next((action for words, action in REMEDIES.items() if words in reason), otherwise)
