"""Who asks: bearer tokens, client certificates, service accounts' tokens, impersonation."""

from kubewright.server.authentication.authenticator import Authenticated, Authenticator, TokenRefused
from kubewright.server.authentication.certificates import user_of_certificate

__all__ = ["Authenticated", "Authenticator", "TokenRefused", "user_of_certificate"]
