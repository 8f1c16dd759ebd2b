"""What the API server holds, kept here: reflectors, stores, informers, and the overlay of own writes."""

from kubewright.cache.cache import Cache
from kubewright.cache.informer import Change, Handler, Informer
from kubewright.cache.resource_version import is_newer
from kubewright.cache.scope import Scope
from kubewright.cache.store import Store
from kubewright.cache.trim import without_managed_fields

__all__ = ["Cache", "Change", "Handler", "Informer", "Scope", "Store", "is_newer", "without_managed_fields"]
