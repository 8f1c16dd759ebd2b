"""What type checkers see of the user's side. Where ``type: ignore`` stands is an error: unused ones are told."""

from __future__ import annotations

from typing import Annotated, assert_type

from kubewright import (
    Context,
    Controller,
    Desired,
    Keep,
    ListMap,
    Meta,
    ObjectMeta,
    Operator,
    Reads,
    Resource,
    Result,
    Seen,
    Spec,
    Status,
    child,
    resource,
)
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core


class AppServiceSpec(Spec):
    """Fields are keyword-only; those without a default are required."""

    size: Annotated[int, Meta(ge=0, le=50)] = 1
    image: str
    ports: Annotated[list[core.ServicePort], ListMap("port")] = []


class AppServiceStatus(Status):
    """Status."""

    ready_replicas: int = 0


@resource(group="typing.kubewright.test", version="v1")
class AppService(Resource[AppServiceSpec, AppServiceStatus]):
    """``@resource`` keeps the class what it is."""


app = AppService(metadata=ObjectMeta(name="a"), spec=AppServiceSpec(image="nginx"))
assert_type(app.spec, AppServiceSpec)
assert_type(app.status, AppServiceStatus | None)
assert_type(app.spec.size, int)
AppServiceSpec(size=1)  # type: ignore[call-arg]
AppServiceSpec("nginx")  # type: ignore[call-arg,arg-type]
AppServiceSpec(image="nginx", sise=1)  # type: ignore[call-arg]


class AppServiceController(Controller[AppService]):
    """The argument's own name and types, not the base's."""

    owns = (apps.Deployment, core.Service)
    reads = (core.ConfigMap, Reads(core.Secret, names=["token"]))

    def desired(self, app: AppService, seen: Seen) -> Desired[AppServiceStatus]:
        assert_type(seen.get(core.Secret, "token"), core.Secret | None)
        assert_type(seen.get(core.Service(metadata=ObjectMeta(name="a"))), core.Service | None)
        assert_type(seen.require(core.Secret, "token"), core.Secret)
        assert_type(seen.list(core.ConfigMap, {"app": "a"}), list[core.ConfigMap])
        assert_type(seen.owned(apps.Deployment), list[apps.Deployment])
        seen.get(core.Secret)  # type: ignore[call-overload]
        seen.get("Secret", "token")  # type: ignore[call-overload]
        claim = core.PersistentVolumeClaim(metadata=ObjectMeta(name="a"))
        service = core.Service(metadata=ObjectMeta(name="a"))
        return Desired(
            children=[claim, child(service, after=claim), Keep(core.Service, "old")],
            status=AppServiceStatus(ready_replicas=1),
            ready=True,
        )


class WrongStatus(Controller[AppService]):
    """A status of another type is an error where it is made."""

    def desired(self, app: AppService, seen: Seen) -> Desired[AppServiceStatus]:
        return Desired(status=apps.DeploymentStatus())  # type: ignore[arg-type]


class WrongKind(Controller[AppService]):
    """A controller of AppServices is given AppServices."""

    def desired(self, app: core.Secret, seen: Seen) -> Desired[None]:  # type: ignore[override]
        return Desired()


class External(Controller[AppService]):
    """The lower level."""

    async def reconcile(self, app: AppService, ctx: Context) -> Result:
        assert_type(await ctx.client.get(core.Secret, "token"), core.Secret)
        assert_type(await ctx.run_blocking(len, "text"), int)
        await ctx.apply([core.Service(metadata=ObjectMeta(name="a"))])
        return Result(requeue_after=60)

    async def finalize(self, app: AppService, ctx: Context) -> None:
        ctx.log.info("%s goes", app.metadata.name)


assert_type(Operator("demo", controllers=[AppServiceController(), External()]).controllers[0].name, str)

Seen.of(core.Secret(metadata=ObjectMeta(name="token")), app)
Seen.of("token")  # type: ignore[arg-type]
