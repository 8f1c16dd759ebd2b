"""Request options: what the query of a request says, and the body of a delete, checked as Kubernetes checks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kubewright.objects import JsonObject
from kubewright.server import fielderrors, status
from kubewright.server.fielderrors import FieldError
from kubewright.server.gotext import quote

Query = Mapping[str, list[str]]
ValueT = TypeVar("ValueT")

_META_GROUP = "meta.k8s.io"
_FIELD_VALIDATION = ("", "Ignore", "Strict", "Warn")
_PROPAGATION = ("Foreground", "Background", "Orphan")


def parse_query(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The query's values by name."""
    query: dict[str, list[str]] = {}
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query


def text(query: Query, name: str) -> str:
    """The first value of ``name``, or the empty string."""
    values = query.get(name)
    return values[0] if values else ""


def flag(query: Query, name: str) -> bool:
    """Whether ``name`` is given and neither ``false`` nor ``0``, as Kubernetes reads booleans."""
    values = query.get(name)
    return bool(values) and values[0].lower() not in ("false", "0") if values else False


def number(query: Query, name: str) -> int | None:
    """The first value of ``name`` as an integer.

    Raises:
        StatusError: 400, it is none.
    """
    value = text(query, name)
    if not value:
        return None
    try:
        return int(value)
    except ValueError:
        why = f"strconv.ParseInt: parsing {quote(value)}: invalid syntax"
        raise status.bad_request(why) from None


def _check_dry_run(values: list[str]) -> list[FieldError]:
    if all(value == "All" for value in values):
        return []
    return [fielderrors.not_supported("dryRun", values, ["All"])]


def _check_field_manager(manager: str) -> list[FieldError]:
    errors = [fielderrors.too_long("fieldManager", 128)] if len(manager) > 128 else []
    for index, char in enumerate(manager):
        if not char.isprintable():
            shown = f"U+{ord(char):04X}"
            detail = f"invalid character {shown} (at position {index})"
            errors.append(fielderrors.invalid("fieldManager", manager, detail))
    return errors


def _raise_invalid(kind: str, errors: list[FieldError]) -> None:
    if errors:
        raise status.invalid(_META_GROUP, kind, "", errors)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Of create, update and patch; ``field_validation`` is Strict, Warn or Ignore."""

    dry_run: bool
    field_manager: str
    field_validation: str
    force: bool | None = None

    @classmethod
    def parse(cls, query: Query, kind: str, *, apply: bool = False) -> WriteOptions:
        """Read the options of ``kind`` (CreateOptions, UpdateOptions, PatchOptions).

        Raises:
            StatusError: 422, a value is not allowed.
        """
        manager = text(query, "fieldManager")
        force = flag(query, "force") if "force" in query else None
        errors = []
        if apply and not manager:
            errors.append(fielderrors.required("fieldManager", "is required for apply patch"))
        if force is not None and not apply and kind == "PatchOptions":
            errors.append(fielderrors.forbidden("force", "may not be specified for non-apply patch"))
        errors += _check_field_manager(manager)
        errors += _check_dry_run(query.get("dryRun", []))
        validation = text(query, "fieldValidation")
        if validation not in _FIELD_VALIDATION:
            errors.append(fielderrors.not_supported("fieldValidation", validation, _FIELD_VALIDATION))
        _raise_invalid(kind, errors)
        return cls(bool(query.get("dryRun")), manager, validation or "Warn", force)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Of delete and deletecollection: from the body if there is one, else from the query."""

    dry_run: bool = False
    grace_period_seconds: int | None = None
    propagation_policy: str = ""
    orphan_dependents: bool | None = None
    uid: str | None = None
    resource_version: str | None = None

    @classmethod
    def parse(cls, query: Query, body: JsonObject | None) -> DeleteOptions:
        """Read and check the options.

        Raises:
            StatusError: 400 or 422, a value is not allowed.
        """
        given: JsonObject = body or {}
        dry_run = [str(value) for value in given.get("dryRun") or query.get("dryRun", [])]
        grace = _typed(given, "gracePeriodSeconds", int, lambda: number(query, "gracePeriodSeconds"))
        policy = _typed(given, "propagationPolicy", str, lambda: text(query, "propagationPolicy") or None)
        orphan = _typed(
            given,
            "orphanDependents",
            bool,
            lambda: flag(query, "orphanDependents") if "orphanDependents" in query else None,
        )
        preconditions: JsonObject = _typed(given, "preconditions", dict, dict) or {}
        errors = []
        if orphan is not None and policy is not None:
            detail = "orphanDependents and deletionPropagation cannot be both set"
            errors.append(fielderrors.invalid("propagationPolicy", policy, detail))
        if policy is not None and policy not in _PROPAGATION:
            errors.append(fielderrors.not_supported("propagationPolicy", policy, (*_PROPAGATION, "nil")))
        errors += _check_dry_run(dry_run)
        _raise_invalid("DeleteOptions", errors)
        return cls(
            dry_run=bool(dry_run),
            # Kubernetes takes a negative grace period for one second.
            grace_period_seconds=1 if grace is not None and grace < 0 else grace,
            propagation_policy=policy or "",
            orphan_dependents=orphan,
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
        )

    def to_object(self) -> JsonObject:
        """As admission is told of them."""
        preconditions = {"uid": self.uid, "resourceVersion": self.resource_version}
        told = {
            "gracePeriodSeconds": self.grace_period_seconds,
            "preconditions": {key: value for key, value in preconditions.items() if value is not None} or None,
            "orphanDependents": self.orphan_dependents,
            "propagationPolicy": self.propagation_policy or None,
            "dryRun": ["All"] if self.dry_run else None,
        }
        return {key: value for key, value in told.items() if value is not None}


def _typed(
    given: JsonObject, name: str, kind: type[ValueT], otherwise: Callable[[], ValueT | None]
) -> ValueT | None:
    value = given.get(name)
    if value is None:
        return otherwise()
    if not isinstance(value, kind):
        raise status.bad_request(f"DeleteOptions.{name}: {value!r} is not of the right type")
    return value


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Of list, watch and deletecollection."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    limit: int = 0
    continue_: str = ""
    timeout_seconds: int | None = None
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None

    @classmethod
    def parse(cls, query: Query, *, watch: bool = False) -> ListOptions:
        """Read and check the options.

        Raises:
            StatusError: 400 or 422, a value is not allowed.
        """
        options = cls(
            label_selector=text(query, "labelSelector"),
            field_selector=text(query, "fieldSelector"),
            resource_version=text(query, "resourceVersion"),
            resource_version_match=text(query, "resourceVersionMatch"),
            limit=number(query, "limit") or 0,
            continue_=text(query, "continue"),
            timeout_seconds=number(query, "timeoutSeconds"),
            allow_watch_bookmarks=flag(query, "allowWatchBookmarks"),
            send_initial_events=flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
        )
        errors = options._watch_errors() if watch else options._list_errors()
        _raise_invalid("ListOptions", errors)
        return options

    def _list_errors(self) -> list[FieldError]:
        match, where = self.resource_version_match, "resourceVersionMatch"
        errors = []
        if match:
            if not self.resource_version:
                detail = "resourceVersionMatch is forbidden unless resourceVersion is provided"
                errors.append(fielderrors.forbidden(where, detail))
            if self.continue_:
                detail = "resourceVersionMatch is forbidden when continue is provided"
                errors.append(fielderrors.forbidden(where, detail))
            if match not in ("Exact", "NotOlderThan"):
                errors.append(fielderrors.not_supported(where, match, ["Exact", "NotOlderThan", ""]))
            if match == "Exact" and self.resource_version == "0":
                detail = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
                errors.append(fielderrors.forbidden(where, detail))
        if self.send_initial_events is not None:
            detail = "sendInitialEvents is forbidden for list"
            errors.append(fielderrors.forbidden("sendInitialEvents", detail))
        return errors

    def _watch_errors(self) -> list[FieldError]:
        match, where = self.resource_version_match, "resourceVersionMatch"
        errors = []
        if self.send_initial_events is not None and match != "NotOlderThan":
            detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            errors.append(fielderrors.forbidden(where, detail))
        if match:
            if self.send_initial_events is None:
                detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
                errors.append(fielderrors.forbidden(where, detail))
            if match != "NotOlderThan":
                errors.append(fielderrors.not_supported(where, match, ["NotOlderThan"]))
            if self.continue_:
                detail = "resourceVersionMatch is forbidden when continue is provided"
                errors.append(fielderrors.forbidden(where, detail))
        return errors

    def revision(self) -> int:
        """The resourceVersion as a number; 0 if it is not given.

        Raises:
            StatusError: 400, it is no number.
        """
        if not self.resource_version:
            return 0
        if not self.resource_version.isdecimal():
            why = f"strconv.ParseUint: parsing {quote(self.resource_version)}: invalid syntax"
            error = fielderrors.invalid("resourceVersion", self.resource_version, why)
            raise status.bad_request(f"invalid resource version: {error.message}")
        return int(self.resource_version)
