"""The ways in which GitHub says no.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"
NOT_FOR_INTEGRATIONS = "Resource not accessible by integration"


class ApiError(Exception):
    """An answer other than success: `status`, GitHub's `message`, and for 422 the `errors`."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: tuple[Mapping[str, Any], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, errors, headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON GitHub answers with."""
        errors = {"errors": [dict(error) for error in self.errors]} if self.errors else {}
        return {
            "message": self.message,
            **errors,
            "documentation_url": DOCUMENTATION,
            "status": str(self.status),
        }


def not_found() -> ApiError:
    """404, also for what the caller may not know of."""
    return ApiError(404, "Not Found")


def forbidden(message: str = NOT_FOR_INTEGRATIONS) -> ApiError:
    """403."""
    return ApiError(403, message)


def conflict(message: str) -> ApiError:
    """409."""
    return ApiError(409, message)


def unprocessable(message: str) -> ApiError:
    """422 with only a sentence."""
    return ApiError(422, message)


def invalid(
    resource: str, field: str, code: str = "invalid", message: str | None = None, value: Any = None
) -> ApiError:
    """422 "Validation Failed" about one field.

    `code` is one of missing, missing_field, invalid, already_exists, unprocessable, custom.
    """
    error: dict[str, Any] = {"resource": resource, "field": field, "code": code}
    if value is not None:
        error["value"] = value
    if message is not None:
        error["message"] = message
    return ApiError(422, "Validation Failed", (error,))
