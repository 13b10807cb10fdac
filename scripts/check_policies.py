"""Prove that the cluster enforces the app's network policies, or say that it does not; once a cluster, since it takes some seconds."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, passed, skipped
from scripts.kubernetes.policy_probe import Verdict
from scripts.project import Project

MEANING = {
    Verdict.ENFORCED: "enforced: an allowed connection works, one that no policy allows does not",
    Verdict.NOT_ENFORCED: "this cluster does not enforce network policies: a pod that none allows reached the app",
    Verdict.UNPROVEN: "unproven: not even the allowed connection worked",
}


BRING = "on Minikube, set `cni: calico` in invoke.yaml after invoke down --cluster"
PUT_BACK = (
    "it did before: what enforces them is gone or stands still: invoke diagnose; "
    "kubectl --namespace kube-system get daemonsets,pods --output wide"
)


def main(project: Project, step: StepReport) -> Outcome:
    """Try it and tell whether policies are enforced. Raises TaskError when no pod can try it, InputError in an engine without policies."""
    return _tell(project, step, refresh=True)


def unless_known(project: Project, step: StepReport) -> Outcome:
    """Do the same, with the result of an earlier run in this namespace if there is one."""
    return _tell(project, step, refresh=False)


def _tell(project: Project, step: StepReport, *, refresh: bool) -> Outcome:
    known = project.cluster_deployment().known_policies_verdict()
    verdict = project.cluster_deployment().policies_verdict(step, refresh=refresh)
    if verdict is None:
        return skipped("the release has no network policies (networkPolicy.enabled)")
    if verdict is Verdict.NOT_ENFORCED:
        step.warn(f"{MEANING[verdict]}; {PUT_BACK if known is Verdict.ENFORCED else BRING}")
    return passed(MEANING[verdict]) if verdict is Verdict.ENFORCED else skipped(MEANING[verdict])


if __name__ == "__main__":
    run_alone(main)
