"""The same input is rendered once; anything that could make a difference is another input."""

import io
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.steps import Prepares, Programs, Rendered
from bot.engine.render_cache import KeptRenders
from bot.errors import UserError
from bot.rendering import with_cache
from bot.steps import BY_NAME
from bot.steps.rendering.kustomize_inputs import inputs_of
from bot.steps.rendering.renders import content_of, key_of

KNOWN = Programs(version="v3")
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 1.0.0\n",
    "chart/values.yaml": "env: test\ndate: none\n",
    "chart/templates/a.yaml": "kind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-{{ .Values.env }}}\n",
    "values.yaml": "tag: 1.0.0\n",
}
OVERLAY = {
    "base/kustomization.yaml": "resources: [a.yaml]\n",
    "base/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "uat/kustomization.yaml": "resources: [../base]\n",
}
HELM = {"path": "chart", "releaseName": "x", "valuesFiles": ["values.yaml"], "outPath": "out.yaml"}
KUSTOMIZE = {"path": "uat", "outPath": "out.yaml"}


@dataclass
class Counting:
    """A cache that remembers what it was asked to keep, and how often it had to render."""

    cache: KeptRenders
    keys: list[str] = field(default_factory=list)
    made: int = 0

    async def render(self, key: str, make: Callable[[], Awaitable[Rendered | None]]) -> Rendered | None:
        async def counted() -> Rendered | None:
            self.made += 1
            return await make()

        self.keys.append(key)
        return await self.cache.render(key, counted)

    def kept(self, key: str) -> Rendered | None:
        self.keys.append(key)
        return self.cache.kept(key)


@pytest.fixture
def cache(run, tmp_path) -> Counting:
    cache = Counting(KeptRenders(tmp_path / "renders"))
    run.context = replace(run.context, programs=with_cache(run.context.programs, cache))
    return cache


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


# --- what is the same, and what is not --------------------------------------------------------------


@pytest.mark.parametrize(("uses", "config"), [("helm-template", HELM), ("kustomize-build", KUSTOMIZE)])
@pytest.mark.parametrize("more", [{}, {"outPath": "out"}, {"outPath": "out", "outLayout": "flat"},
                                  {"outPath": "out", "outputFormat": "kustomize"}])  # fmt: skip
async def test_what_was_rendered_before_is_written_as_the_program_would(run, cache, uses, config, more):
    config = {**config, **{key: value for key, value in more.items() if key in BY_NAME[uses].SCHEMA["properties"]}}
    write(run.workdir, CHART | OVERLAY)
    await run(uses, config)
    again = run.fresh("again")
    write(again.workdir, CHART | OVERLAY)
    await again(uses, config)
    assert cache.made == 1
    assert written(again.workdir) == written(run.workdir) != {}


def written(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("out*/**/*") if p.is_file()} | {
        p.name: p.read_bytes() for p in folder.glob("out.yaml")
    }


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({"chart/values.yaml": "env: uat\n"}, {}),
        ({"chart/templates/b.yaml": "kind: Service\n"}, {}),
        ({"chart/charts/x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n"}, {}),
        ({"values.yaml": "tag: 1.1.0\n"}, {}),
        ({}, {"valuesFiles": []}),
        ({}, {"valuesFiles": ["values.yaml", "chart/values.yaml"]}),
        ({}, {"releaseName": "y"}),
        ({}, {"namespace": "uat"}),
        ({}, {"setValues": [{"key": "env", "value": "1"}]}),
        ({}, {"setValues": [{"key": "env", "value": "1", "literal": True}]}),
        ({}, {"includeCRDs": True}),
        ({}, {"disableHooks": True}),
        ({}, {"skipTests": True}),
        ({}, {"kubeVersion": "1.30.0"}),
        ({}, {"apiVersions": ["a/v1"]}),
        ({}, {"outPath": "out"}),
        ({}, {"outPath": "out", "useReleaseName": True}),
    ],
)
async def test_all_that_goes_into_a_chart_counts(run, cache, files, config):
    write(run.workdir, CHART)
    await run("helm-template", HELM)
    write(run.workdir, files)
    await run("helm-template", {**HELM, **config})
    assert len(set(cache.keys)) == 2


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({"base/a.yaml": OVERLAY["base/a.yaml"] + "data: {a: b}\n"}, {}),
        ({"base/kustomization.yaml": "namePrefix: x-\nresources: [a.yaml]\n"}, {}),
        ({"uat/more.yaml": "a: b\n"}, {}),
        ({}, {"plugin": {"helm": {"kubeVersion": "1.30.0"}}}),
        ({}, {"plugin": {"helm": {"apiVersions": ["a/v1"]}}}),
        ({}, {"outPath": "out", "outputFormat": "kustomize"}),
    ],
)
async def test_all_that_goes_into_a_kustomization_counts(run, cache, files, config):
    write(run.workdir, OVERLAY)
    await run("kustomize-build", KUSTOMIZE)
    write(run.workdir, files)
    await run("kustomize-build", {**KUSTOMIZE, **config})
    assert len(set(cache.keys)) == 2
    assert all(cache.keys)


async def test_where_it_is_written_makes_no_difference(run, cache):
    write(run.workdir, CHART | OVERLAY)
    for uses, config in (("helm-template", HELM), ("kustomize-build", KUSTOMIZE)):
        await run(uses, config)
        await run(uses, {**config, "outPath": "elsewhere/out.yml"})
    assert cache.made == 2


def test_the_programs_version_counts():
    content = {"a": b"1"}
    assert key_of(KNOWN, ["x"], content) != key_of(Programs(version="v4"), ["x"], content)
    assert key_of(Programs(), ["x"], content) == ""


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_inputs_do_not_run_into_one_another(one, other):
    assert (key_of(KNOWN, one) == key_of(KNOWN, other)) == (one == other)


CONTENT = st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3), max_size=3)


@given(st.tuples(CONTENT, CONTENT), st.tuples(CONTENT, CONTENT))
def test_files_do_not_run_into_one_another(one, other):
    assert (key_of(KNOWN, [], *one) == key_of(KNOWN, [], *other)) == (one == other)


# --- what is never kept -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ randAlphaNum 8 }}",
        "a\n{{-\n  $x := randBytes 8\n}}",
        '{{ "x" | now }}',
        '{{ date "2006" .Values.when }}',
        "{{ $ca := genCA `x` 5 }}",
        "{{ (genSelfSignedCert 1 2) }}",
        '{{ printf "a {{ b" uuidv4 }}',
        '{{ htpasswd "a" "b" }}',
        "{{ .Values.ok }} {{ shuffle .Values.x }}",
    ],
)
def test_what_is_different_each_time_has_no_key(text):
    assert key_of(KNOWN, [], {"templates/x.yaml": text.encode()}) == ""
    assert key_of(KNOWN, [text]) == ""  # a value may be handed to `tpl`
    assert key_of(KNOWN, [], {"charts/x.tgz": packed({"x/templates/a": text.encode()})}) == ""


@pytest.mark.parametrize(
    "text",
    [
        "{{ .Values.now }} {{ .Values.env }} {{ $date }}",
        "# as of now\nkind: Service",
        '{{ lookup "v1" "Secret" "" "" }}',
        '{{ include "my-now" . }} {{ "now" }}',
        "no action: randAlphaNum",
        "{{ }} now {{ }}",
    ],
)
def test_words_that_only_look_so_do_no_harm(text):
    assert key_of(KNOWN, [text], {"a": text.encode(), "x.tgz": packed({"a": text.encode()})})


def test_a_package_that_can_not_be_read_has_no_key():
    assert key_of(KNOWN, [], {"charts/x.tgz": b"nonsense"}) == ""
    assert key_of(KNOWN, [], {"charts/x.tgz": packed({"a": b"0" * 70_000_000})}) == ""


def packed(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


async def test_a_chart_with_random_values_is_rendered_anew_and_shared_with_nobody(run, cache):
    write(run.workdir, CHART | {"chart/templates/s.yaml": "kind: Secret\ndata: {a: {{ randAlphaNum 30 | b64enc }}}\n"})
    results = []
    for _ in range(2):
        await run("helm-template", HELM)
        results.append((run.workdir / "out.yaml").read_bytes())
    assert cache.keys == ["", ""]
    assert results[0] != results[1]


def test_links_are_followed_to_files_and_make_a_folder_unknown(tmp_path):
    write(tmp_path, {"a/x": "1", "b/y": "2"})
    (tmp_path / "a/link").symlink_to("../b/y")
    assert content_of(tmp_path / "a") == {"x": b"1", "link": b"2"}
    (tmp_path / "a/nowhere").symlink_to("../b/none")
    assert content_of(tmp_path / "a") is None
    (tmp_path / "a/nowhere").unlink()
    (tmp_path / "a/folder").symlink_to("../b")
    assert content_of(tmp_path / "a") is None
    assert content_of(tmp_path / "b/y") == {"y": b"2"}


@pytest.mark.parametrize(
    "text",
    [
        "resources: [https://example.com/x.yaml]\n",
        "resources: ['github.com/acme/base//uat?ref=v1']\n",
        "resources: [../gone]\n",
        "components: ['ssh://git@example.com/x']\n",
        "patches: [{path: 'https://example.com/p.yaml'}]\n",
        "configMapGenerator: [{name: a, files: ['https://example.com/f']}]\n",
        "generators: [generator.yaml]\n",
        "helmCharts: [{name: x, repo: 'https://example.com'}]\n",
        "helmCharts: [{name: gone}]\n",
        "helmCharts: 5\n",
        "helmGlobals: 5\nhelmCharts: [{name: x}]\n",
        "helmChartInflationGenerator: [{chartName: x}]\n",
        "a: &a [b]\nresources: *a\n",
        "resources: [\n",
        "- a\n",
    ],
)
def test_kustomizations_that_are_not_all_here_have_no_key(tmp_path, text):
    write(tmp_path, {"uat/kustomization.yaml": text, "uat/generator.yaml": ""})
    assert key_of(KNOWN, [], *inputs_of(tmp_path, tmp_path / "uat").values()) == ""


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("resources: [a.yaml]\n", {"uat"}),
        ("resources: [../base, inner]\n", {"uat", "base", "uat/inner", "far"}),
        ("components: [../base]\n", {"uat", "base"}),
        ("helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: x}]\n", {"uat", "charts/x"}),
        ("configMapGenerator: [{name: a, literals: ['url=https://example.com']}]\n", {"uat"}),
        ('transformers: ["kind: PrefixTransformer\\nmetadata: {name: x}\\n"]\n', {"uat"}),
        ("resources: [../uat]\n", {"uat"}),
    ],
)
def test_what_a_kustomization_is_made_of(tmp_path, text, folders):
    write(tmp_path, {"uat/kustomization.yaml": text, "uat/a.yaml": "a: b\n", "charts/x/Chart.yaml": ""})
    write(tmp_path, {"base/kustomization.yml": "resources: []\n", "far/x.yaml": "a: b\n"})
    write(tmp_path, {"uat/inner/kustomization.yaml": "resources: [../../far]\n"})
    found = inputs_of(tmp_path, tmp_path / "uat")
    assert set(found) == folders
    assert key_of(KNOWN, [], *found.values())


# --- ahead of its turn ------------------------------------------------------------------------------


@pytest.mark.parametrize(("uses", "config"), [("helm-template", HELM), ("kustomize-build", KUSTOMIZE)])
async def test_a_step_finds_what_was_prepared_for_it(run, cache, uses, config):
    write(run.workdir, CHART | OVERLAY)
    before = sorted(run.workdir.rglob("*"))
    step = BY_NAME[uses]
    assert isinstance(step, Prepares)
    await step.prepare(run.context, config)
    assert cache.made == 1
    assert sorted(run.workdir.rglob("*")) == before
    await run(uses, config)
    assert cache.made == 1
    assert (run.workdir / "out.yaml").exists()


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({"chart/templates/r.yaml": "{{ randInt 1 5 }}"}, {}),
        ({}, {"buildDependencies": True}),
        ({}, {"path": "oci://127.0.0.1:1/x:1.0.0"}),
    ],
)
async def test_what_can_not_be_kept_is_not_prepared(run, cache, files, config):
    write(run.workdir, CHART | files)
    step = BY_NAME["helm-template"]
    assert isinstance(step, Prepares)
    await step.prepare(run.context, {**HELM, **config})
    assert cache.made == 0


@pytest.mark.parametrize(("uses", "config"), [("helm-template", HELM), ("kustomize-build", KUSTOMIZE)])
async def test_nothing_is_kept_of_files_that_change_under_its_hands(run, cache, uses, config):
    write(run.workdir, CHART | OVERLAY)
    inner = cache.cache

    class Meddling:
        async def render(self, key: str, make: Callable[[], Awaitable[Rendered | None]]) -> Rendered | None:
            write(run.workdir, {"chart/values.yaml": "env: tardy\n", "base/a.yaml": "kind: ConfigMap\n"
                                "apiVersion: v1\nmetadata: {name: tardy}\n"})  # fmt: skip
            return await inner.render(key, make)

        def kept(self, key: str) -> Rendered | None:
            return inner.kept(key)

    step = BY_NAME[uses]
    assert isinstance(step, Prepares)
    with pytest.raises(UserError, match="changed while"):
        await step.prepare(replace(run.context, programs=replace(run.context.programs, cache=Meddling())), config)
    write(run.workdir, CHART | OVERLAY)
    await run(uses, config)
    assert "tardy" not in (run.workdir / "out.yaml").read_text()
