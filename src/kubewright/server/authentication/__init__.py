"""Who asks: bearer tokens, client certificates, service accounts' tokens, impersonation."""

from kubewright.server.authentication.authenticator import Authenticated, Authenticator, TokenRefused
from kubewright.server.authentication.certificates import user_of_certificate
from kubewright.server.authentication.users import authenticated, service_account_user

__all__ = [
    "Authenticated",
    "Authenticator",
    "TokenRefused",
    "authenticated",
    "service_account_user",
    "user_of_certificate",
]
