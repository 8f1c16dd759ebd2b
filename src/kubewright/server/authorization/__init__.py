"""Who may do what: role-based access control, and the reviews that tell of it."""

from kubewright.server.authorization.attributes import Attributes, forbidden
from kubewright.server.authorization.authorizer import Authorizer, Decision

__all__ = ["Attributes", "Authorizer", "Decision", "forbidden"]
