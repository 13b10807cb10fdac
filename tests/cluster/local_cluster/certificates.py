"""Keys, certificates and kubeconfigs of the cluster, made with openssl."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from pathlib import Path

from scripts.core import shell
from tests.cluster.local_cluster.layout import Layout, NodeLayout

SECONDS = 30
DAYS = "365"
CURVE = ("-pkeyopt", "ec_paramgen_curve:prime256v1")  # made in no time, unlike RSA keys


def create(layout: Layout) -> None:
    """Make all keys and certificates, or none: a folder that is there is complete."""
    if layout.pki.exists():
        return
    folder = layout.pki.with_suffix(".new")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    _openssl(folder, "req", "-x509", *_new_key("ca", f"/CN={layout.name}"), "-days", DAYS, "-out", "ca.crt")
    _openssl(folder, "genpkey", "-algorithm", "EC", *CURVE, "-out", "sa.key")
    _openssl(folder, "pkey", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    names = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost"
    own = f"IP:127.0.0.1,IP:{layout.node_ip}"
    for name, subject, extension in (
        ("apiserver", "/CN=kube-apiserver", f"subjectAltName={names},{own},IP:{layout.api_service_ip}"),
        ("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth"),
        ("front-proxy", "/CN=front-proxy-client", "extendedKeyUsage=clientAuth"),
    ):
        _signed(folder, name, subject, extension)
    folder.rename(layout.pki)


def create_of_node(layout: Layout, node: NodeLayout) -> str:
    """Make the key and certificate of a node's kubelet, unless they are there; return their name."""
    name = f"kubelet-{node.name}"
    if not (layout.pki / f"{name}.crt").exists():
        own = f"subjectAltName=DNS:{node.name},IP:127.0.0.1,IP:{node.ip}"
        _signed(layout.pki, name, f"/O=system:nodes/CN=system:node:{node.name}", own)
    return name


def _new_key(name: str, subject: str) -> list[str]:
    return ["-newkey", "ec", *CURVE, "-nodes", "-subj", subject, "-keyout", f"{name}.key"]


def _signed(folder: Path, name: str, subject: str, extension: str) -> None:
    (folder / f"{name}.ext").write_text(f"{extension}\n", encoding="utf-8")
    _openssl(folder, "req", *_new_key(name, subject), "-out", f"{name}.csr")
    signer = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS)
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signer, "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def _openssl(folder: Path, *argv: str) -> None:
    shell.run(["openssl", *argv], timeout=SECONDS, cwd=folder)


def write_kubeconfig(layout: Layout, path: Path, user: str) -> None:
    """Write a kubeconfig that holds the certificate of `user`, readable by its owner alone."""

    def data(name: str) -> str:
        return b64encode((layout.pki / name).read_bytes()).decode()

    cluster = {"server": layout.server, "certificate-authority-data": data("ca.crt")}
    credentials = {"client-certificate-data": data(f"{user}.crt"), "client-key-data": data(f"{user}.key")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": layout.name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": layout.name, "context": {"cluster": layout.name, "user": user}}],
        "current-context": layout.name,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
