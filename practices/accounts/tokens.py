"""The secret in an invitation's link: reckoned, never kept.

It is an HMAC-SHA256 (256 bit) over the invitation's id and nonce under a key derived
from SECRET_KEY, so a copy of the database opens nothing. A new nonce makes a new
token and the old one worthless.
"""

import base64

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from .models import Invitation

_SALT = "practices.accounts.invitation"


def token_of(invitation: Invitation) -> str:
    """The token that goes into the mail."""
    return _reckon(invitation, settings.SECRET_KEY)


def is_token_of(token: str, invitation: Invitation) -> bool:
    """Whether this is the invitation's present token; keys that were replaced count as well."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(token, _reckon(invitation, key)) for key in keys)


def _reckon(invitation: Invitation, key: str) -> str:
    value = f"{invitation.pk}:{invitation.nonce}"
    digest = salted_hmac(_SALT, value, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
