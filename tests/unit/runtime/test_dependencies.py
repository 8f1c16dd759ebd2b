"""Exactly those who read what changed are found."""

from __future__ import annotations

import json
import random

from kubewright.cache import Change
from kubewright.objects import ObjectKey, RawObject, parse_label_selector
from kubewright.runtime.dependencies import Dependencies, Dependency, Got, Listed, Owned


def raw(name: str, namespace: str, labels: dict[str, str]) -> RawObject:
    return RawObject(json.dumps({"metadata": {"name": name, "namespace": namespace, "labels": labels}}).encode())


def would_see(dependency: Dependency, resource: str, change: Change) -> bool:
    key = change.object.key
    if dependency.resource != resource:
        return False
    if isinstance(dependency, Got):
        return dependency.key == key
    if isinstance(dependency, Owned):
        return False
    states = [state for state in (change.old, change.new) if state]
    in_namespace = dependency.namespace in {"", key.namespace}
    return in_namespace and any(dependency.selector.matches(state.metadata.labels) for state in states)


def test_the_index_finds_whom_a_scan_finds() -> None:
    random_ = random.Random(3)
    dependencies = Dependencies()
    read: dict[ObjectKey, set[Dependency]] = {}
    names, spaces, resources = "abc", ("one", "two"), ("secrets", "pods")
    selectors = [parse_label_selector(text) for text in ("", "app=x", "app!=x", "tier in (x,y)")]

    def key() -> ObjectKey:
        return ObjectKey(random_.choice(spaces), random_.choice(names))

    def dependency() -> Dependency:
        if random_.random() < 0.5:
            return Got(random_.choice(resources), key())
        return Listed(random_.choice(resources), random_.choice(("", *spaces)), random_.choice(selectors))

    def state(at: ObjectKey) -> RawObject:
        return raw(
            at.name, at.namespace, {k: random_.choice("xy") for k in ("app", "tier") if random_.random() < 0.7}
        )

    for _ in range(3000):
        request = ObjectKey("custom", random_.choice("pqrs"))
        if random_.random() < 0.2:
            dependencies.forget(request)
            read.pop(request, None)
        elif random_.random() < 0.3:
            more = dependency()
            dependencies.add(request, more)
            read.setdefault(request, set()).add(more)
        else:
            read[request] = {dependency() for _ in range(random_.randrange(4))}
            dependencies.record(request, read[request])
        at, resource = key(), random_.choice(resources)
        old, new = random_.choice([(state(at), state(at)), (None, state(at)), (state(at), None)])
        change = Change("MODIFIED", old, new)
        wanted = {who for who, what in read.items() if any(would_see(d, resource, change) for d in what)}
        assert dependencies.readers(resource, change) == wanted
