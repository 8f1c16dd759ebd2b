"""The server: from a request to a response."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from kubewright import clock
from kubewright.server import options, status
from kubewright.server.access import Access
from kubewright.server.admission import Admission
from kubewright.server.admission_webhooks import MutatingWebhooks, ValidatingWebhooks
from kubewright.server.authentication import Authenticator
from kubewright.server.authorization import Authorizer
from kubewright.server.authorization.create_check import CreateCheck
from kubewright.server.authorization.escalation import EscalationCheck
from kubewright.server.context import ADMIN, Context, UserInfo
from kubewright.server.discovery import Discovery, no_such_page
from kubewright.server.durable import DataFolder
from kubewright.server.handlers import answering, delete, read, subresources, watch, write
from kubewright.server.handlers.scope import Scope, warning_header
from kubewright.server.lookups import StoreLookups
from kubewright.server.registry import ResourceDefinition
from kubewright.server.resource_store import ResourceStore
from kubewright.server.resources import ServedResources
from kubewright.server.routing import RequestInfo, check_name, parse_resource_request, split_path
from kubewright.server.status import StatusError
from kubewright.server.store import HISTORY, Store
from kubewright.wire import Request, Response, WholeResponse

_log = logging.getLogger(__name__)


class Server:
    """An API server in this process.

    Args:
        resources: what it serves from the start; the built-in kinds unless given.
        history: events each resource remembers at least, for watches and paged lists that come back.
        data: where its objects live; without it they are gone with the server, which closes it.
    """

    def __init__(
        self,
        resources: Iterable[ResourceDefinition] | None = None,
        *,
        history: int = HISTORY,
        data: DataFolder | None = None,
    ) -> None:
        self.data = data
        self.store = Store(history)
        if data is not None:
            data.load(self.store)
        self.resources = ServedResources()
        self.lookups = StoreLookups(self.store)
        self.authenticator = Authenticator(self.lookups)
        self.authorizer = Authorizer(self.store)
        self._access = Access(self.authorizer)
        self.admission = Admission()
        self.admission.plugins += [
            MutatingWebhooks(self),
            EscalationCheck(self.authorizer),
            CreateCheck(self.authorizer),
            ValidatingWebhooks(self),
        ]
        self._discovery = Discovery(self.resources)
        self._stores: dict[ResourceDefinition, ResourceStore] = {}
        self._closing = False
        if resources is None:
            from kubewright.server.startup import initial_resources

            resources = initial_resources(self)
        for definition in resources:
            self.resources.add(definition)
        from kubewright.server.startup import begin

        begin(self)

    async def handle(self, request: Request, user: UserInfo | None = ADMIN) -> Response:
        """Answer ``request``. Refusals are answers too: nothing is raised.

        Args:
            request: what is asked for.
            user: who asks; None: whoever the request's ``Authorization`` header says.
        """
        try:
            if user is None:
                user = self.authenticator.authenticate(request.headers.get("authorization", ""))
            answer = await self._dispatch(request, user)
            if self.data is not None and request.method not in ("GET", "HEAD"):
                await self.data.synced()
            return answer
        except StatusError as error:
            refusal = error.to_response()
            # HEAD asks for no body.
            return WholeResponse(refusal.status, refusal.headers, b"") if request.method == "HEAD" else refusal
        except RecursionError:
            return status.bad_request("the object is nested too deeply").to_response()
        except Exception as error:  # noqa: BLE001 - a client is answered, whatever went wrong here
            _log.exception("%s %s", request.method, request.path)
            return status.internal_error(f"{type(error).__name__}: {error}").to_response()

    async def resume(self) -> None:
        """Go on with what was interrupted when the data was last closed."""
        from kubewright.server.startup import resume

        await resume(self)

    def close(self) -> None:
        """End all watches and refuse what comes after."""
        self._closing = True
        self.store.wake()
        if self.data is not None:
            self.data.close()

    @property
    def closing(self) -> bool:
        """Whether :meth:`close` has been called."""
        return self._closing

    def resource_store(self, definition: ResourceDefinition) -> ResourceStore:
        """The objects of a resource, in the version of ``definition``."""
        found = self._stores.get(definition)
        if found is None:
            found = self._stores[definition] = ResourceStore(definition, self.store, self.admission)
        return found

    def serve(self, definition: ResourceDefinition) -> None:
        """Serve ``definition`` from now on."""
        self.resources.add(definition)

    def forget(self, definition: ResourceDefinition) -> None:
        """Serve ``definition`` no longer. Its objects stay in the store."""
        self.resources.remove(definition)
        self._stores.pop(definition, None)

    async def _dispatch(self, request: Request, user: UserInfo) -> Response:
        if self._closing:
            raise status.service_unavailable("the server is shutting down")
        query = options.parse_query(request.query)
        parts = split_path(request.path)
        info = parse_resource_request(request.method, parts, watch=options.flag(query, "watch"))
        user = self._access.user(request, info, query, user)
        if info is None:
            return self._discovery.answer(request, parts)
        definition = self.resources.find(info.group, info.version, info.resource)
        if definition is None:
            if info.group in self.resources.groups() and not self.resources.is_custom(info.group):
                raise status.path_not_found()
            return no_such_page()
        scope = self._scope(request, info, query, definition, user)
        if definition.deprecation:
            scope.context.warnings.append(definition.deprecation)
        try:
            return await self._answer(scope)
        except StatusError as error:
            if not scope.context.warnings:
                raise
            refusal = error.to_response()
            return WholeResponse(
                refusal.status, {**refusal.headers, "warning": warning_header(scope.context.warnings)}, refusal.body
            )

    def _scope(
        self,
        request: Request,
        info: RequestInfo,
        query: dict[str, list[str]],
        definition: ResourceDefinition,
        user: UserInfo,
    ) -> Scope:
        resource = definition.resource
        now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        context = Context(
            verb=info.verb,
            group=info.group,
            version=info.version,
            resource=info.resource,
            lookups=self.lookups,
            now=now,
            namespace=info.namespace if resource.namespaced else "",
            name=info.name,
            subresource=info.subresource,
            user=user,
        )
        store = self.resource_store(definition)
        return Scope(request, info, query, definition, store, context, self.store.revision)

    async def _answer(self, scope: Scope) -> Response:
        info, definition = scope.info, scope.definition
        resource = definition.resource
        if scope.request.method == "HEAD":
            raise status.method_not_allowed()
        check_name(info.name)
        if definition.missing and definition.answer_create is None:
            raise status.not_implemented(definition.missing)
        if resource.namespaced != bool(info.namespace) and not self._is_across_namespaces(info):
            if definition.custom:
                return no_such_page()
            if resource.namespaced and not info.name and definition.answer_create is None:
                raise status.method_not_allowed()
            raise status.path_not_found()
        if info.subresource:
            return await subresources.answer(scope)
        verb = info.verb
        if definition.answer_create is not None:
            if info.name:
                raise status.path_not_found()
            if verb != "create":
                raise status.method_not_allowed()
            return await answering.create(scope)
        if resource.verbs and verb not in resource.verbs:
            raise status.method_not_allowed()
        if verb == "get":
            return read.get(scope)
        if verb == "list":
            return read.list_objects(scope)
        if verb == "watch":
            return watch.watch(scope, lambda: self._closing)
        if verb == "create" and not info.name:
            return await write.create(scope)
        if verb == "update" and info.name:
            return await write.update(scope)
        if verb == "patch" and info.name:
            return await write.patch(scope)
        if verb == "delete":
            return await delete.delete(scope)
        if verb == "deletecollection":
            return await delete.delete_collection(scope)
        raise status.method_not_allowed()

    @staticmethod
    def _is_across_namespaces(info: RequestInfo) -> bool:
        if info.resource == "namespaces" and not info.group:
            return True
        return not info.namespace and not info.name and info.verb in ("list", "watch", "deletecollection")
