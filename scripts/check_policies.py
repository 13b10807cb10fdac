"""Prove that the cluster enforces the app's network policies, or say that it does not; once a cluster, since it takes some seconds."""

from __future__ import annotations

import sys

from scripts.core.errors import InputError
from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport, skipped, unchanged
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.policy_probe import Verdict
from scripts.engines.project import Project

SAID = {
    Verdict.ENFORCED: "enforced: an allowed connection works, the same without a policy does not",
    Verdict.NOT_ENFORCED: "this cluster does not enforce network policies: a pod that none allows reached the app",
    Verdict.UNPROVEN: "unproven: not even the allowed connection worked",
}


def main(project: Project, step: StepReport, *, anew: bool = True) -> Outcome:
    """Tell whether policies are enforced. Raises TaskError when no pod can try it, InputError in an engine without policies.

    anew: try it, whatever an earlier run has found in this namespace.
    """
    engine = project.engine
    if not isinstance(engine, KubernetesEngine):
        raise InputError(f"the engine {engine.name} has no network policies", "use minikube or kube_context")
    verdict = engine.policies_verdict(step, anew=anew)
    if verdict is None:
        return skipped("the release has no network policies (networkPolicy.enabled)")
    if verdict is Verdict.NOT_ENFORCED:
        step.warn(f"{SAID[verdict]}; in Minikube, `cni: calico` in invoke.yaml does, after invoke down --cluster")
    return unchanged(SAID[verdict]) if verdict is Verdict.ENFORCED else skipped(SAID[verdict])


if __name__ == "__main__":
    sys.exit(run_alone("policies", lambda step: main(Project(), step)))
