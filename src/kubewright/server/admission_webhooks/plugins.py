"""The two admission plugins: mutating webhooks one after the other, validating ones all at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubewright.errors import PatchError
from kubewright.objects import JsonObject, json_patch
from kubewright.server import metadata, status, writepath
from kubewright.server.admission import Attributes, Plugin
from kubewright.server.admission_webhooks.calling import call
from kubewright.server.admission_webhooks.hooks import GROUP, Hook, Hooks
from kubewright.server.admission_webhooks.matching import Invocation, invocation
from kubewright.server.admission_webhooks.review import Answer, CallFailed
from kubewright.server.gotext import quote
from kubewright.server.status import StatusError

if TYPE_CHECKING:
    from kubewright.server.server import Server

_EXEMPT = frozenset(
    f"{kind}{part}"
    for kind in ("Validating", "Mutating")
    for part in ("WebhookConfiguration", "AdmissionPolicy", "AdmissionPolicyBinding")
)


class _Webhooks(Plugin):
    def __init__(self, server: Server, plural: str) -> None:
        self._server = server
        self._hooks = Hooks(server.store, plural)

    def _concerned(self, attributes: Attributes) -> list[Hook]:
        hooks = self._hooks.current()
        # Else a webhook could keep its own configuration from being mended.
        if hooks and attributes.resource.group == GROUP and attributes.resource.kind in _EXEMPT:
            return []
        return hooks

    def _invocation(self, hook: Hook, attributes: Attributes) -> Invocation | None:
        return invocation(hook, attributes, self._server.resources)

    async def _ask(self, asked: Invocation, attributes: Attributes, *, mutating: bool) -> Answer | None:
        """The answer; None if the webhook failed and failures are ignored.

        Raises:
            StatusError: it denies the request, or it failed.
        """
        hook, context = asked.hook, attributes.context
        if context.dry_run and hook.spec.get("sideEffects") not in ("None", "NoneOnDryRun"):
            raise status.bad_request(f"admission webhook {quote(hook.name)} does not support dry run")
        try:
            answer = await call(asked, self._server.lookups, mutating=mutating)
            if answer.allowed and answer.patch and answer.patch_type != "JSONPatch":
                raise CallFailed(f"unsupported patch type {quote(answer.patch_type)}")
        except CallFailed as failed:
            if hook.ignores_failures:
                return None
            raise status.internal_error(f"failed calling webhook {quote(hook.name)}: {failed}") from None
        context.warnings += answer.warnings
        if not answer.allowed:
            raise _denial(hook, answer.status)
        return answer


class MutatingWebhooks(_Webhooks):
    """Lets webhooks change objects, in order; once more those that ask for it, if a later one changed something."""

    def __init__(self, server: Server) -> None:
        super().__init__(server, "mutatingwebhookconfigurations")

    async def admit(self, attributes: Attributes) -> None:
        """Ask all that are concerned."""
        hooks = self._concerned(attributes)
        if not hooks:
            return
        again = await self._round(hooks, attributes, None)
        if again is not None:
            await self._round(hooks, attributes, again)

    async def _round(self, hooks: list[Hook], attributes: Attributes, only: set[str] | None) -> set[str] | None:
        """Ask the hooks in order, or ``only`` some; who is to be asked again, None if nothing changed."""
        before: set[str] = set()
        again: set[str] = set(only or ())
        changed_any = False
        for hook in hooks:
            asked = self._invocation(hook, attributes)
            if asked is None or (only is not None and hook.uid not in again):
                continue
            answer = await self._ask(asked, attributes, mutating=True)
            if answer is not None and answer.patch and self._patch(asked, answer, attributes):
                changed_any = True
                again |= before
                before.clear()
            if hook.reinvoked:
                before.add(hook.uid)
        return again if changed_any else None

    def _patch(self, asked: Invocation, answer: Answer, attributes: Attributes) -> bool:
        """Apply the patch; whether it changed anything."""
        obj, own = attributes.object, attributes.resource
        if obj is None:
            raise status.internal_error(
                f"admission webhook {quote(asked.hook.name)} attempted to modify the object, which is not "
                "supported for this operation"
            )
        shown: JsonObject = asked.request["object"]
        try:
            patched = json_patch(shown, answer.patch)
        except PatchError as error:
            raise status.internal_error(str(error)) from None
        if not isinstance(patched, dict):
            raise status.internal_error("the patch of an admission webhook does not leave an object")
        if asked.resource is not own:
            patched = asked.definition.convert(patched, own.api_version)
        patched.setdefault("metadata", {})
        writepath.clean(asked.definition, patched)
        metadata.tidy(patched["metadata"])
        if patched == obj:
            return False
        obj.clear()
        obj.update(patched)
        return True


class ValidatingWebhooks(_Webhooks):
    """Lets webhooks refuse objects."""

    def __init__(self, server: Server) -> None:
        super().__init__(server, "validatingwebhookconfigurations")

    async def validate(self, attributes: Attributes) -> None:
        """Ask all that are concerned, at once; the first refusal, in order, counts."""
        found = [self._invocation(hook, attributes) for hook in self._concerned(attributes)]
        concerned = [asked for asked in found if asked is not None]
        if not concerned:
            return
        answers = await asyncio.gather(
            *(self._ask(asked, attributes, mutating=False) for asked in concerned), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer


def _denial(hook: Hook, result: JsonObject) -> StatusError:
    denied = f"admission webhook {quote(hook.name)} denied the request"
    reason = result.get("reason") or ""
    said = result.get("message") or reason
    code = result.get("code") or 0
    return StatusError(
        max(code, 400),
        reason,
        f"{denied}: {said}" if said else f"{denied} without explanation",
        result.get("details"),
    )
