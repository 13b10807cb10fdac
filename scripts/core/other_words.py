"""Words that people know from Docker Compose, kubectl, helm, systemctl and npm, and what is called so here."""

from __future__ import annotations

from collections.abc import Mapping

_COMMANDS: Mapping[str, str] = {
    "up": "apply compose create deploy deployment launch migrate release run start update upgrade",
    "down": "delete kill remove rm stop teardown undeploy uninstall",
    "down --data": "destroy drop nuke purge reset wipe",
    "setup": "bootstrap deps install prepare requirements",
    "init": "generate new scaffold",
    "dev": "develop hot-reload serve sync watch",
    "build": "make rebuild",
    "rollback": "revert undo",
    "rotate": "password passwords secret secrets",
    "plan": "diff dry-run preview",
    "smoke": "e2e ping smoke-test verify",
    "status": "containers get info images ls pods ps services show stat state stats top",
    "logs": "events journal journalctl log",
    "logs --follow": "follow tail",
    "open": "address browse browser port port-forward ui url web",
    "open grafana": "grafana metrics monitor monitoring",
    "open prometheus": "prometheus",
    "values": "config manifest manifests render settings template",
    "diagnose": "debug describe errors explain health healthcheck inspect problems troubleshoot why",
    "doctor": "preflight prerequisites validate",
    "restart": "bounce reboot reload rollout",
    "scale": "autoscale replicas",
    "shell": "attach bash connect console enter exec sh ssh terminal",
    "psql": "database db pg postgres sql",
    "backup": "dump export save snapshot",
    "restore": "import load",
    "prune": "clean cleanup gc",
    "ask": "ai kubectl-ai",
    "test": "pytest tests unit",
    "lint": "style typecheck",
    "lint --fix": "fix fmt format",
    "check.vulnerabilities": "cve cves scan security",
    "--list": "commands list tasks",
    "--help": "man usage",
}
MEANT: Mapping[str, str] = {word: command for command, words in _COMMANDS.items() for word in words.split()}
"""What a word that is no command here means, with the option that makes it mean that."""
OPTIONS: Mapping[str, str] = {
    "--tail": "--lines",
    "-n": "--lines",
    "--volumes": "--data",
    "-v": "--data",
    "--force": "--yes",
    "--dry-run": "--plan",
}
"""What an option means, of a command that has the one that it means."""
