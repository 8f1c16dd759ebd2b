"""The AppService operator of the comparison with controller-runtime, kube-rs and kopf, written as a user would.

The driver reads the lines ``BENCH READY``, ``BENCH RECONCILED`` (BENCH_EXPECT distinct AppServices reconciled)
and ``BENCH SYNCED`` (BENCH_MODE=cache: BENCH_EXPECT ConfigMaps cached).
"""

from __future__ import annotations

from kubewright import Controller, Desired, Resource, Seen, Spec, Status, resource
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import Condition, ObjectMeta


class Port(Spec):
    port: int
    target_port: int
    node_port: int | None = None


class AppServiceSpec(Spec):
    size: int = 1
    image: str
    ports: list[Port] = []


class AppServiceStatus(Status):
    ready_replicas: int | None = None
    observed_generation: int | None = None
    conditions: list[Condition] = []


@resource(group="app.example.com", version="v1")
class AppService(Resource[AppServiceSpec, AppServiceStatus]):
    """A web application."""


class AppServiceController(Controller[AppService]):
    owns = (apps.Deployment, core.Service)

    def desired(self, app: AppService, seen: Seen) -> Desired[AppServiceStatus]:
        name, labels = app.metadata.name or "", {"app": app.metadata.name or ""}
        deployment = apps.Deployment(
            metadata=ObjectMeta(name=name, labels=labels),
            spec=apps.DeploymentSpec(
                replicas=app.spec.size,
                selector=apps.LabelSelector(match_labels=labels),
                template=core.PodTemplateSpec(
                    metadata=ObjectMeta(labels=labels),
                    spec=core.PodSpec(
                        containers=[
                            core.Container(
                                name="app",
                                image=app.spec.image,
                                ports=[
                                    core.ContainerPort(container_port=port.target_port, protocol="TCP")
                                    for port in app.spec.ports
                                ],
                            )
                        ]
                    ),
                ),
            ),
        )
        service = core.Service(
            metadata=ObjectMeta(name=name, labels=labels),
            spec=core.ServiceSpec(
                type="ClusterIP",
                selector=labels,
                ports=[
                    core.ServicePort(
                        name=f"p{port.port}", port=port.port, target_port=port.target_port, protocol="TCP"
                    )
                    for port in app.spec.ports
                ],
            ),
        )
        live = seen.get(deployment)
        ready = live.status.ready_replicas if live and live.status else None
        return Desired(
            children=[deployment, service],
            status=AppServiceStatus(ready_replicas=ready, observed_generation=app.metadata.generation),
            ready=(ready or 0) >= app.spec.size,
        )
