"""The network namespaces of the nodes, their ways out, and the queue through which network policies are enforced."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scripts.core import shell
from tests.cluster.local_cluster.layout import Layout, NodeLayout

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
    """Make the first node's namespace, the link into it and the rules that let it out; what is there stays."""
    node = layout.node()
    if not node.netns.exists():
        mtu = str(mtu_of_way_out())
        _run("ip", "netns", "add", node.name)
        _run("ip", "link", "add", OUTSIDE, "mtu", mtu, "type", "veth", "peer", "name", "eth0", "mtu", mtu, "netns", node.name)
        _run("ip", "address", "add", f"{node.gateway}/30", "dev", OUTSIDE)
        _run("ip", "link", "set", OUTSIDE, "up")
        _connect(node)
    _prepare(layout, node)
    _once(node, "nat", "POSTROUTING", "-s", layout.nodes, "-o", "eth0", "-j", "MASQUERADE")  # this machine knows the first node alone
    _run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    for rule in _rules(layout):
        if shell.run(["iptables", *_with(rule, "-C")], timeout=SECONDS, ok=None).code:
            _run("iptables", *_with(rule, "-I"))


def join(layout: Layout, node: NodeLayout) -> None:
    """Make the namespace of a further node, with a link to the first, which passes on what is for others."""
    first, outer = layout.node(), f"to-{node.name}"
    if not node.netns.exists():
        mtu = str(mtu_of_way_out())
        _run("ip", "netns", "add", node.name)
        within = ("ip", "-netns", first.name)
        _run(*within, "link", "add", outer, "mtu", mtu, "type", "veth", "peer", "name", "eth0", "mtu", mtu, "netns", node.name)
        _run(*within, "address", "add", f"{node.gateway}/30", "dev", outer)
        _run(*within, "link", "set", outer, "up")
        _run(*within, "route", "add", node.pods, "via", node.ip)
        _connect(node)
    _prepare(layout, node)


def _connect(node: NodeLayout) -> None:
    inside = ("ip", "-netns", node.name)
    _run(*inside, "address", "add", f"{node.ip}/30", "dev", "eth0")
    _run(*inside, "link", "set", "lo", "up")
    _run(*inside, "link", "set", "eth0", "up")
    _run(*inside, "route", "add", "default", "via", node.gateway)


def _prepare(layout: Layout, node: NodeLayout) -> None:
    """Let pods out under their node's address, and to other pods under their own: policies judge by it."""
    _inside(node, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    if Path("/proc/sys/net/bridge").exists():  # two pods meet on the bridge; their packets must pass the packet filter too
        _inside(node, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")
    _once(node, "nat", "POSTROUTING", "-s", layout.pods, "!", "-d", layout.pods, "-j", "MASQUERADE")


def remove(layout: Layout) -> None:
    """Take away all that `create` and `join` made."""
    for rule in _rules(layout):
        _run("iptables", *_with(rule, "-D"), ok=None)
    _run("ip", "link", "delete", OUTSIDE, ok=None)
    for number in (*layout.further_nodes(), 1):
        leave(layout.node(number))


def leave(node: NodeLayout) -> None:
    """Take away a node's namespace, and with it the link into it."""
    if node.netns.exists():
        _run("ip", "netns", "delete", node.name)


def _rules(layout: Layout) -> list[tuple[str, ...]]:
    """Rules of this machine: (table, chain, rule ...). A Docker engine sets the policy of FORWARD to DROP."""
    return [
        ("filter", "FORWARD", "-i", OUTSIDE, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-o", OUTSIDE, "-j", "ACCEPT"),
        ("nat", "POSTROUTING", "-s", layout.link, "!", "-o", OUTSIDE, "-j", "MASQUERADE"),
    ]


def _with(rule: Sequence[str], action: str) -> list[str]:
    table, chain, *rest = rule
    return ["--wait", "-t", table, action, chain, *rest]


def _inside(node: NodeLayout, *argv: str, ok: tuple[int, ...] | None = (0,)) -> shell.Result:
    return shell.run(["nsenter", f"--net={node.netns}", *argv], timeout=SECONDS, ok=ok)


def _once(node: NodeLayout, *rule: str) -> None:
    """Add a rule (table, chain, rule ...) to a node's packet filter, unless it is there."""
    if _inside(node, "iptables", *_with(rule, "-C"), ok=None).code:
        _inside(node, "iptables", *_with(rule, "-A"))


def queue_new_connections(layout: Layout, node: NodeLayout) -> None:
    """Hand the first packet of every connection from or to a pod of the node to its policy engine.

    kube-network-policies makes such rules itself, with nftables' own `queue` expression. A kernel without it (CONFIG_NFT_QUEUE)
    often has iptables' NFQUEUE target, which fills the same queue. Where both are, a packet is judged twice, alike.
    """
    new = ("-m", "conntrack", "--ctstate", "NEW", "-j", "NFQUEUE", "--queue-num", str(POLICY_QUEUE), "--queue-bypass")
    for chain, interface in (("FORWARD", "-i"), ("FORWARD", "-o"), ("INPUT", "-i")):
        _once(node, "mangle", chain, interface, layout.bridge, *new)


def queue_has_reader(node: NodeLayout) -> bool:
    """Return whether a program judges the node's queued packets; the rules let them pass where none does."""
    queues = _inside(node, "cat", "/proc/net/netfilter/nfnetlink_queue", ok=None).stdout
    return any(line.split()[:1] == [str(POLICY_QUEUE)] for line in queues.splitlines())
