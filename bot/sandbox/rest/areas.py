"""All areas of the REST API; one line each."""

from __future__ import annotations

from bot.sandbox.rest import (
    apps,
    branches,
    commits,
    contents,
    git_objects,
    git_refs,
    merge,
    meta,
    orgs,
    protection,
    pulls,
    repos,
    reviews,
    users,
)
from bot.sandbox.rest.call import Route

AREAS: tuple[tuple[Route, ...], ...] = (
    apps.ROUTES,
    branches.ROUTES,
    commits.ROUTES,
    contents.ROUTES,
    git_objects.ROUTES,
    git_refs.ROUTES,
    merge.ROUTES,
    meta.ROUTES,
    orgs.ROUTES,
    protection.ROUTES,
    pulls.ROUTES,
    repos.ROUTES,
    reviews.ROUTES,
    users.ROUTES,
)

ROUTES: tuple[Route, ...] = tuple(route for area in AREAS for route in area)
