"""A Kubernetes as plain processes in networks of their own, for tests on a machine with no cluster and no image registry.

    python -m tests.cluster.local_cluster up [--nodes 3] | down | status

It downloads nothing. It takes the programs of the official `kubernetes-server` archive from a folder (KUBE_SERVER_BIN, by default
`~/.cache/kube-server`): kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubectl. Where that folder also
has coredns, metrics-server or kube-network-policies, the cluster has DNS, resource metrics, or enforced network policies. From the
distribution come etcd, containerd, runc, the CNI plugins, iptables, iproute2, util-linux, openssl and a static busybox.

Each node lives in a network namespace and a cgroup of its own, the control plane beside the first, so that neither ports, nor addresses,
nor packet filter rules of the machine or of another cluster are touched, but for three rules that let it out. It needs root.
"""
