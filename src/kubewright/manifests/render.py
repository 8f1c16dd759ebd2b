"""All that goes into ``deploy/``, made from an Operator value."""

from __future__ import annotations

from collections.abc import Sequence

from kubewright.manifests.deployment import REPLACE_IMAGE, deployment, service_account
from kubewright.manifests.files import headed
from kubewright.manifests.rbac import role_bindings, roles
from kubewright.manifests.sample import sample
from kubewright.manifests.yamltext import to_yaml
from kubewright.objects import JsonObject, Object, crd, stored_version
from kubewright.runtime import Operator


def crds(operator: Operator, resources: Sequence[type[Object]] = ()) -> list[JsonObject]:
    """The CustomResourceDefinitions of the operator's custom resources, all their versions in each.

    ``resources`` are further classes, for instance versions that no controller sees.
    """
    return [crd(*versions) for versions in _kinds(operator, resources)]


def render(
    operator: Operator,
    *,
    image: str = REPLACE_IMAGE,
    namespace: str = "",
    all_namespaces: bool = False,
    resources: Sequence[type[Object]] = (),
) -> dict[str, str]:
    """The text of each file of ``deploy/`` by its path in it; :func:`write` writes them.

    Args:
        operator: whose manifests.
        image: of the operator.
        namespace: where it will be installed; needed only where it reads beyond its own namespace.
        all_namespaces: whether it works in all namespaces rather than in its own.
        resources: as :func:`crds` takes them.
    """
    files: dict[str, str] = {}
    for versions in _kinds(operator, resources):
        stored = stored_version(versions)
        stem = f"crds/{file_stem(stored)}"
        files[f"{stem}_crd.yaml"] = headed(to_yaml(crd(*versions)))
        files[f"{stem}_cr.yaml"] = to_yaml(sample(stored))
    bound = role_bindings(operator, namespace=namespace, all_namespaces=all_namespaces)
    files["service_account.yaml"] = headed(to_yaml(service_account(operator)))
    files["role.yaml"] = headed(to_yaml(*roles(operator, all_namespaces=all_namespaces)))
    files["role_binding.yaml"] = headed(to_yaml(*bound))
    files["operator.yaml"] = headed(to_yaml(deployment(operator, image=image, all_namespaces=all_namespaces)))
    return files


def file_stem(cls: type[Object]) -> str:
    """What a kind's files begin with: ``app_v1_appservice``."""
    resource = cls.api_resource
    return f"{resource.group.partition('.')[0]}_{resource.version}_{resource.kind.lower()}"


def _kinds(operator: Operator, resources: Sequence[type[Object]]) -> list[list[type[Object]]]:
    found: dict[tuple[str, str], list[type[Object]]] = {}
    for cls in (*(controller.kind for controller in operator.controllers), *resources):
        versions = found.setdefault((cls.api_resource.group, cls.api_resource.kind), [])
        if cls not in versions:
            versions.append(cls)
    return list(found.values())
