"""AppService: what its users write, and what they read back."""

from typing import Annotated

from kubewright import Column, Meta, Resource, Spec, resource
from kubewright.kinds import apps, core


class AppServiceSpec(Spec):
    """What is asked for."""

    size: Annotated[int, Meta(ge=0, le=50, description="How many Pods serve it.")] = 1
    image: Annotated[str, Meta(min_length=1, description="The container image they run.")]
    resources: core.ResourceRequirements | None = None
    envs: list[core.EnvVar] = []
    ports: list[core.ServicePort]


@resource(
    group="app.example.com",
    version="v1",
    short_names=["as"],
    columns=[
        Column("Image", ".spec.image"),
        Column("Ready", ".status.readyReplicas", "integer"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ],
    rules={"size(self.spec.ports) > 0": "at least one port is needed"},
)
class AppService(Resource[AppServiceSpec, apps.DeploymentStatus]):
    """A web application reachable on a node port."""
