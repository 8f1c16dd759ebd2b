"""What is made of an AppService: a Deployment, and a Service on a port of every node."""

from kubewright import Controller, Desired, LabelSelector, ObjectMeta, Seen
from kubewright.kinds import apps, core

from opdemo.apis.app_v1.appservice import AppService


class AppServiceController(Controller[AppService]):
    """Keeps a Deployment and a NodePort Service for each AppService."""

    # The kinds `desired` returns: they are watched, and RBAC is derived from them.
    owns = (apps.Deployment, core.Service)

    def desired(self, obj: AppService, seen: Seen) -> Desired[apps.DeploymentStatus]:
        """All that should exist for `obj`; what is missing is made, what differs is put right."""
        deployment = make_deployment(obj)
        live = seen.get(deployment)
        status = live.status if live and live.status else apps.DeploymentStatus()
        ready = status.ready_replicas or 0
        return Desired(
            children=[deployment, make_service(obj)],
            status=status,
            ready=ready >= obj.spec.size,
            message=f"{ready} of {obj.spec.size} Pods are ready",
        )


def make_deployment(app: AppService) -> apps.Deployment:
    """As many Pods as asked for, each with one container of the image."""
    container = core.Container(
        name="app",
        image=app.spec.image,
        env=app.spec.envs,
        ports=[container_port(port) for port in app.spec.ports],
        resources=app.spec.resources,
    )
    return apps.Deployment(
        metadata=meta(app),
        spec=apps.DeploymentSpec(
            replicas=app.spec.size,
            selector=LabelSelector(match_labels=labels(app)),
            template=core.PodTemplateSpec(
                metadata=ObjectMeta(labels=labels(app)),
                spec=core.PodSpec(containers=[container]),
            ),
        ),
    )


def make_service(app: AppService) -> core.Service:
    """The Pods, reachable on a port of every node."""
    return core.Service(
        metadata=meta(app),
        spec=core.ServiceSpec(type="NodePort", selector=labels(app), ports=app.spec.ports),
    )


def meta(app: AppService) -> ObjectMeta:
    """Both are called as the AppService is."""
    return ObjectMeta(name=app.metadata.name, namespace=app.metadata.namespace, labels=labels(app))


def labels(app: AppService) -> dict[str, str]:
    """What tells the Pods of one AppService from those of another."""
    return {
        "app.kubernetes.io/name": "appservice",
        "app.kubernetes.io/instance": app.metadata.name or "",
    }


def container_port(port: core.ServicePort) -> core.ContainerPort:
    """Where the Service's port ends; a named target is the container's own business."""
    number = port.target_port if isinstance(port.target_port, int) else port.port
    return core.ContainerPort(container_port=number, protocol=port.protocol)
