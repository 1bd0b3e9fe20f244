"""What differs between the manifests before and after a promotion, and what is not worth telling."""

import pytest

from bot.core.changes import FieldChange, How, compare, masking_key

KEY = masking_key(b"a private key")

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service
  namespace: shop
  labels: {helm.sh/chart: service-1.0.0}
spec:
  replicas: 2
  template:
    metadata:
      annotations: {checksum/config: aaa}
    spec:
      containers:
        - name: service
          image: ghcr.io/acme/service:1.0.0
          ports: [{containerPort: 8080}]
        - name: proxy
          image: envoy:1
          args: [--quiet]
"""


def changes(before: str | None, after: str | None, path: str = "out.yaml"):
    sides = ({} if text is None else {path: text.encode()} for text in (before, after))
    return compare(*sides, KEY)


def fields(before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    (change,) = changes(before, after).resources
    return [(one.path, one.before, one.after) for one in change.fields]


_CONTAINER = "spec.template.spec.containers"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("envoy:1", "envoy:2", [(f"{_CONTAINER}[proxy].image", "envoy:1", "envoy:2")]),
        ("replicas: 2", "replicas: 3", [("spec.replicas", "2", "3")]),
        ("replicas: 2", 'replicas: "2"', [("spec.replicas", "2", "2")]),
        ("  replicas: 2\n", "", [("spec.replicas", "2", None)]),
        ("[--quiet]", "[--quiet, --fast]", [(f"{_CONTAINER}[proxy].args", '["--quiet"]', '["--quiet", "--fast"]')]),
        ("8080}]", "8080}, {containerPort: 90}]", [(f"{_CONTAINER}[service].ports[90].containerPort", None, "90")]),
        ("apps/v1", "apps/v2", [("apiVersion", "apps/v1", "apps/v2")]),
        ("replicas: 2", "paused: 2026-01-01", [("spec.paused", None, "2026-01-01"), ("spec.replicas", "2", None)]),
    ],
)  # fmt: skip
def test_fields_are_told_by_paths_that_name_the_items_of_lists(old, new, told):
    assert sorted(fields(DEPLOYMENT, DEPLOYMENT.replace(old, new))) == sorted(told)


def test_items_that_only_change_places_are_the_same():
    first, second = "        - name: service", "        - name: proxy"
    head, rest = DEPLOYMENT.split(first)
    service, proxy = rest.split(second)
    swapped = f"{head}{second}{proxy}{first}{service}"
    found = changes(DEPLOYMENT, swapped)
    assert (found.resources, found.quiet) == ((), 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("checksum/config: aaa", "checksum/config: bbb"),
        ("service-1.0.0", "service-1.1.0"),
        ("spec:\n  replicas", "status: {ready: 2}\nspec:\n  replicas"),
    ],
)
def test_noise_is_counted_and_not_told(old, new):
    found = changes(DEPLOYMENT, DEPLOYMENT.replace(old, new, 1))
    assert (found.resources, found.quiet) == ((), 1)


def test_beside_a_real_change_noise_is_only_a_number():
    after = DEPLOYMENT.replace("aaa", "bbb").replace("replicas: 2", "replicas: 3")
    (change,) = changes(DEPLOYMENT, after).resources
    assert (len(change.fields), change.noise) == (1, 1)


def test_resources_come_and_go():
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: service}\nspec: {type: ClusterIP}\n"
    come = changes(DEPLOYMENT, f"{DEPLOYMENT}---\n{service}").resources
    gone = changes(f"{DEPLOYMENT}---\n{service}", DEPLOYMENT).resources

    assert [(one.identity.kind, one.how) for one in come] == [("Service", How.ADDED)]
    assert come[0].fields == (FieldChange("spec.type", None, "ClusterIP"),)
    assert [(one.identity.kind, one.how) for one in gone] == [("Service", How.REMOVED)]


def test_a_resource_that_moves_to_another_file_has_not_changed():
    found = compare({"a.yaml": DEPLOYMENT.encode()}, {"b.yaml": DEPLOYMENT.encode()}, KEY)
    assert (found.resources, found.files, found.quiet) == ((), (), 0)


def test_the_items_of_a_list_are_resources():
    item = '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "%s"}}'
    as_list = f"apiVersion: v1\nkind: List\nitems:\n- {item}\n"
    assert fields(as_list % 1, as_list % 2) == [("data.x", "1", "2")]


def test_what_kustomize_generates_is_matched_by_its_name_without_the_hash():
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf-%s}\ndata: {mode: %s}\n"
    used = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {from: conf-%s}\n"
    before = (config % ("bcdfghkmt2", "a")) + used % "bcdfghkmt2"
    after = (config % ("bcdfghkmt9", "b")) + used % "bcdfghkmt9"

    found = changes(before, after)

    (change,) = found.resources
    assert change.fields == (FieldChange("data.mode", "a", "b"),)
    assert found.quiet == 1, "the pod only follows the new name"


def test_the_same_resource_written_twice_is_compared_in_order():
    twice = f"{DEPLOYMENT}---\n{DEPLOYMENT}"
    after = f"{DEPLOYMENT}---\n{DEPLOYMENT.replace('replicas: 2', 'replicas: 3')}"
    assert fields(twice, after) == [("spec.replicas", "2", "3")]


@pytest.mark.parametrize(
    ("path", "before", "after", "told"),
    [
        ("values.yaml", "image: {tag: 1}", "image: {tag: 2}", ([("image.tag", "1", "2")], 0, 0)),
        ("values.yaml", "tag: &a 1\nb: *a\n", "tag: &a 2\nb: *a\n", ([], 1, 1)),
        ("values.yaml", "a: 1\n# one\n", "a: 1\n# two\n", ([], 1, 1)),
        ("broken.yaml", "a: [", "a: {", ([], 1, 1)),
        ("README.md", "a\nb\n", "a\nc\nd\n", ([], 2, 1)),
        ("new.txt", None, "a\n", ([], 1, 0)),
        ("old.txt", "a\n", None, ([], 0, 1)),
    ],
)
def test_a_file_that_holds_no_manifests_is_told_of_as_a_file(path, before, after, told):
    found = changes(before, after, path)
    assert not found.resources
    (file,) = found.files
    assert ([(one.path, one.before, one.after) for one in file.fields], file.added, file.removed) == told


def test_a_file_that_explodes_is_told_of_by_its_lines():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{n}: &{n} [*{p}, *{p}, *{p}]\n" for p, n in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    (file,) = changes(bomb, f"{bomb}# more\n").files
    assert (file.added, file.removed) == (1, 0)


def test_equal_files_change_nothing():
    assert not changes(DEPLOYMENT, DEPLOYMENT)
