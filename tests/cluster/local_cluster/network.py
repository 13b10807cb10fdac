"""The cluster's network namespace, its way out, and the queue through which network policies are enforced."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.core import shell
from tests.cluster.local_cluster.layout import Layout

OUTSIDE = "todo-test0"
SECONDS = 10
POLICY_QUEUE = 100


def _run(*argv: str, ok: tuple[int, ...] | None = (0,)) -> str:
    return shell.run(argv, timeout=SECONDS, ok=ok).stdout


def mtu_of_way_out() -> int:
    """Return the packet size of the interface that the default route uses, so that packets from pods fit through it."""
    routes = json.loads(_run("ip", "-json", "route", "show", "default") or "[]")
    if not routes:
        return 1500
    return int(Path(f"/sys/class/net/{routes[0]['dev']}/mtu").read_text(encoding="utf-8"))


def create(layout: Layout) -> None:
    """Make the namespace, the link into it and the rules that let it out; what is there stays."""
    if not layout.netns.exists():
        mtu = str(mtu_of_way_out())
        _run("ip", "netns", "add", layout.name)
        _run("ip", "link", "add", OUTSIDE, "mtu", mtu, "type", "veth", "peer", "name", "eth0", "mtu", mtu, "netns", layout.name)
        _run("ip", "address", "add", f"{layout.host_ip}/30", "dev", OUTSIDE)
        _run("ip", "link", "set", OUTSIDE, "up")
        inside = ("ip", "-netns", layout.name)
        _run(*inside, "address", "add", f"{layout.node_ip}/30", "dev", "eth0")
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "link", "set", "eth0", "up")
        _run(*inside, "route", "add", "default", "via", layout.host_ip)
    _inside(layout, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    if Path("/proc/sys/net/bridge").exists():  # two pods meet on the bridge; their packets must pass the packet filter too
        _inside(layout, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")
    _run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    for rule in _rules(layout):
        if shell.run(["iptables", *_with(rule, "-C")], timeout=SECONDS, ok=None).code:
            _run("iptables", *_with(rule, "-I"))


def remove(layout: Layout) -> None:
    """Take away all that `create` made."""
    for rule in _rules(layout):
        _run("iptables", *_with(rule, "-D"), ok=None)
    _run("ip", "link", "delete", OUTSIDE, ok=None)
    if layout.netns.exists():
        _run("ip", "netns", "delete", layout.name)


def _rules(layout: Layout) -> list[tuple[str, ...]]:
    """Rules of this machine: (table, chain, rule ...). A Docker engine sets the policy of FORWARD to DROP."""
    return [
        ("filter", "FORWARD", "-i", OUTSIDE, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-o", OUTSIDE, "-j", "ACCEPT"),
        ("nat", "POSTROUTING", "-s", layout.link, "!", "-o", OUTSIDE, "-j", "MASQUERADE"),
    ]


def _with(rule: tuple[str, ...], action: str) -> list[str]:
    table, chain, *rest = rule
    return ["--wait", "-t", table, action, chain, *rest]


def _inside(layout: Layout, *argv: str, ok: tuple[int, ...] | None = (0,)) -> shell.Result:
    return shell.run(["nsenter", f"--net={layout.netns}", *argv], timeout=SECONDS, ok=ok)


def queue_new_connections(layout: Layout) -> None:
    """Hand the first packet of every connection from or to a pod to the policy engine.

    kube-network-policies makes such rules itself, with nftables' own `queue` expression. A kernel without it (CONFIG_NFT_QUEUE)
    often has iptables' NFQUEUE target, which fills the same queue. Where both are, a packet is judged twice, alike.
    """
    new = ("-m", "conntrack", "--ctstate", "NEW", "-j", "NFQUEUE", "--queue-num", str(POLICY_QUEUE), "--queue-bypass")
    for chain, interface in (("FORWARD", "-i"), ("FORWARD", "-o"), ("INPUT", "-i")):
        rule = ("mangle", chain, interface, layout.bridge, *new)
        if _inside(layout, "iptables", *_with(rule, "-C"), ok=None).code:
            _inside(layout, "iptables", *_with(rule, "-A"))


def queue_has_reader(layout: Layout) -> bool:
    """Return whether a program judges the queued packets; the rules let them pass where none does."""
    queues = _inside(layout, "cat", "/proc/net/netfilter/nfnetlink_queue", ok=None).stdout
    return any(line.split()[:1] == [str(POLICY_QUEUE)] for line in queues.splitlines())
