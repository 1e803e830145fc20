"""What an administrator hands in and types."""

from .files import UploadForm
from .versions import PublishForm

__all__ = ["PublishForm", "UploadForm"]
