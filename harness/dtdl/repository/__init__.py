"""Where models come from: directories, files and URLs in the layout of the device model repository."""

from .document import BadDocument, Document, read_document
from .errors import InvalidModel, ModelNotFound
from .layout import model_path, repository_root
from .repository import Repository, Resolved

__all__ = [
    "BadDocument",
    "Document",
    "InvalidModel",
    "ModelNotFound",
    "Repository",
    "Resolved",
    "model_path",
    "read_document",
    "repository_root",
]
