"""`invoke.yaml` is refused as a whole, with every problem named, before anything happens."""

from pathlib import Path

import pytest

from scripts.config.settings import load_settings, parse_settings
from scripts.core.errors import InputError

pytestmark = pytest.mark.unit

TEXT = (Path(__file__).parents[2] / "invoke.yaml").read_text()


def refusal(text: str) -> str:
    with pytest.raises(InputError) as error:
        parse_settings(text)
    assert error.value.exit_code == 2
    return str(error.value)


def test_the_projects_own_settings_are_good() -> None:
    assert load_settings().services


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("engine: auto", "engin: auto", "engin: unknown key (did you mean `engine`?)"),
        ("    local_port: 8000", "    local_prot: 8000", "services.backend.local_prot: unknown key (did you mean `local_port`?)"),
        ("    port: 8000", "    port: eight", "services.backend.port: input should be a valid integer, not 'eight'"),
        ("    port: 8000", "    port: 80000", "services.backend.port: input should be less than or equal to 65535, not 80000"),
        ("engine: auto", "engine: nomad", "engine: input should be 'auto', 'minikube', 'kube_context' or 'docker', not 'nomad'"),
        ("    base: python", "    base: pyton", "services.backend.base: no base named `pyton` (did you mean `python`?)"),
        (
            "secrets: [API_TOKEN]",
            "secrets: [API_TOKN]",
            "services.frontend.secrets: `API_TOKN` is not under env (did you mean `API_TOKEN`?)",
        ),
        (
            "    context: app/frontend",
            "    context: app/nowhere",
            "services.frontend.context: app/nowhere does not exist, or is not a folder",
        ),
        ("    local_port: 3000", "    local_port: 8000", "services.frontend.local_port: 8000 is taken by backend"),
        (
            '  registry: ""\n  # The key of .env by which the nodes log in there.\n  registry_login: REGISTRY_LOGIN',
            "  registry: images.test/team\n  registry_login: REGISTRY",
            "kube_context.registry_login: `REGISTRY` is not under env",
        ),
        ("  images: auto", "  images: registry", "kube_context.registry: name the registry"),
        ("kubernetes_version: v1.35.1", "kubernetes_version: latest", "kubernetes_version: string should match pattern"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, message: str) -> None:
    assert old in TEXT
    assert message in refusal(TEXT.replace(old, new, 1))


def test_two_mistakes_are_told_at_once() -> None:
    told = refusal(TEXT.replace("engine: auto", "engine: nomad").replace("runtime: containerd", "runtime: rkt"))
    assert "2 problems" in told
    assert "engine:" in told
    assert "minikube.runtime:" in told


def test_a_network_of_one_node_is_refused_for_several() -> None:
    several = TEXT.replace("  nodes: 1\n", "  nodes: 3\n")
    assert parse_settings(several).minikube.nodes == 3
    assert "minikube.cni: `bridge` lets no pod reach another node's" in refusal(several.replace("  cni: auto", "  cni: bridge"))


def test_text_that_is_no_yaml_is_told_with_its_line() -> None:
    assert "invoke.yaml is not YAML on line 2, column 1" in refusal("a: [\n}")


def test_an_empty_file_is_told() -> None:
    assert "invoke.yaml holds no settings" in refusal("")


def test_the_engine_can_be_named_for_one_run() -> None:
    assert parse_settings(TEXT, engine="docker").engine == "docker"
