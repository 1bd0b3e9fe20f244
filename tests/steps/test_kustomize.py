"""kustomize-set-image and kustomize-build, the latter by the real kustomize."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.steps import Programs
from bot.errors import UserError
from bot.rendering import find_programs
from bot.steps.rendering.kustomize_images import ImageChange, set_images
from bot.steps.rendering.kustomize_inputs import inputs_of
from tests.steps.conftest import DIGEST, an_image, freight_of

SERVICE = "registry.example.com/service"
OVERLAY = """\
# of uat
resources: [../base]
images:  # promoted
# the service
- name: registry.example.com/service
  newTag: 0.9.0  # pinned
- name: other
  newName: mirror.example.com/other
  newTag: "1"

# after
namespace: uat
"""


# --- kustomize-set-image ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (ImageChange(SERVICE, new_tag="1.0.0"), "newTag: 0.9.0  #", "newTag: 1.0.0  #"),
        (ImageChange(SERVICE, new_tag="1.20"), "newTag: 0.9.0  #", 'newTag: "1.20"  #'),
        (ImageChange(SERVICE, new_tag="*"), "", ""),
        (ImageChange(SERVICE, digest="sha256:a"), "  newTag: 0.9.0  # pinned\n", "  digest: sha256:a\n"),
        (
            ImageChange(SERVICE, new_name="x", new_tag="*", digest="sha256:a"),
            "# pinned\n",
            "# pinned\n  newName: x\n  digest: sha256:a\n",
        ),
        (
            ImageChange("other", new_tag="2"),
            '  newName: mirror.example.com/other\n  newTag: "1"\n',
            '  newTag: "2"\n',
        ),
        (ImageChange("other", new_name="*", new_tag="2"), 'newTag: "1"', 'newTag: "2"'),
        (ImageChange("third", new_tag="v3"), 'newTag: "1"\n', 'newTag: "1"\n- name: third\n  newTag: v3\n'),
    ],
)
def test_only_what_an_image_says_is_changed(change, old, new):
    assert OVERLAY.count(old) == 1 or not old
    assert set_images(OVERLAY, {change.name: change}, "k.yaml") == (OVERLAY.replace(old, new) if old else OVERLAY)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("resources: []\n", "resources: []\nimages:\n- name: a\n  newTag: v1\n"),
        ("resources: []", "resources: []\nimages:\n- name: a\n  newTag: v1\n"),
        ("images: [] # none\nx: 1\n", "images: # none\n- name: a\n  newTag: v1\nx: 1\n"),
        ("images:\nx: 1\n", "images:\n- name: a\n  newTag: v1\nx: 1\n"),
        ("images: [{name: b, newTag: v2}]\n", "images:\n- name: a\n  newTag: v1\n- name: b\n  newTag: v2\n"),
        ("images:\n  - newTag: v0\n    name: a\n", "images:\n  - newTag: v1\n    name: a\n"),
        ("images:\n  -   name: b\n      newTag: v2\n", "images:\n  -   name: b\n      newTag: v2\n  -   name: a\n"
         "      newTag: v1\n"),
        ("images:\r\n- name: a\r\n  newTag: v0\r\nx: 1\r\n", "images:\r\n- name: a\r\n  newTag: v1\r\nx: 1\r\n"),
        ("images:\n- name: a", "images:\n- name: a\n  newTag: v1\n"),
        ("images:\n- digest: sha256:a\n  name: a\n", "images:\n- name: a\n  newTag: v1\n"),
    ],
)  # fmt: skip
def test_however_the_list_is_written(text, after):
    assert set_images(text, {"a": ImageChange("a", new_tag="v1")}, "k.yaml") == after


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("images: 5\n", "not a list"),
        ("images:\n- newTag: v1\n", "no `name`"),
        ("images:\n- {name: a}\n", "lines of their own"),
        ("- a\n", "no mapping"),
        ("a: [\n", "not YAML"),
    ],
)
def test_kustomizations_that_are_not_touched(text, says):
    with pytest.raises(UserError, match=says):
        set_images(text, {"a": ImageChange("a", new_tag="v1")}, "k.yaml")


FIELD = st.sampled_from(["", "*", "1.20", "v1", "sha256:abc", "yes"])


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), FIELD, FIELD, FIELD), unique_by=lambda each: each[0], max_size=4),
    st.lists(st.tuples(st.sampled_from("abcd"), FIELD, FIELD, FIELD), unique_by=lambda each: each[0], max_size=4),
    st.booleans(),
)
def test_entries_not_named_and_all_else_stay(before, changes, indented):
    given_entries = [
        {"name": name, **{k: v for k, v in zip(("newName", "newTag", "digest"), more, strict=True) if v}}
        for name, *more in before
    ]
    pad = "    " if indented else ""
    lines = [
        f"{pad}{'  ' if number else '- '}{key}: {json.dumps(value)}  # {key}\n"
        for entry in given_entries
        for number, (key, value) in enumerate(entry.items())
    ]
    block = f"images:{'' if lines else ' []'}\n{''.join(lines)}"
    text = f"# top\n{block}# end\nother: [1, 2]\n"
    wanted = {name: ImageChange(name, *more) for name, *more in changes}
    result = set_images(text, wanted, "k.yaml")
    data = yaml.safe_load(result)
    assert data.pop("other") == [1, 2]
    untouched = [each for each in given_entries if each["name"] not in wanted]
    assert [each for each in data["images"] or () if each["name"] not in wanted] == untouched
    assert result.startswith("# top\n")
    assert "# end\n" in result
    assert set_images(result, wanted, "k.yaml") == result  # again: nothing more


@pytest.fixture
def overlay(run) -> Path:
    files = {
        "src/base/kustomization.yaml": "resources: [deployment.yaml, namespace.yaml]\n",
        "src/base/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: uat}\n",
        "src/base/deployment.yaml": (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: service}\nspec:\n  template:\n    spec:\n"
            f"      containers: [{{name: service, image: {SERVICE}}}]\n"
        ),
        "src/uat/kustomization.yaml": OVERLAY,
    }
    for name, content in files.items():
        (run.workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (run.workdir / name).write_text(content)
    return run.workdir / "src/uat/kustomization.yaml"


@pytest.mark.parametrize(
    ("images", "entry", "said"),
    [
        ([{"image": SERVICE, "tag": "2.0.0"}], {"newTag": "2.0.0"}, f"{SERVICE}:2.0.0"),
        ([{"image": SERVICE, "digest": DIGEST}], {"digest": DIGEST}, f"{SERVICE}@{DIGEST}"),
        ([{"image": SERVICE}], {"newTag": "1.0.0"}, f"{SERVICE}:1.0.0"),
        ([{"image": SERVICE, "useDigest": True, "fromOrigin": {"name": "service"}}], {"digest": DIGEST},
         f"{SERVICE}@{DIGEST}"),
        ([{"image": SERVICE, "tag": "*", "newName": "mirror"}], {"newTag": "0.9.0", "newName": "mirror"}, "mirror"),
        (None, {"newTag": "1.0.0", "digest": DIGEST}, f"{SERVICE}:1.0.0@{DIGEST}"),
    ],
)  # fmt: skip
async def test_images_are_set_as_given_or_as_the_freight_has_them(run, overlay, images, entry, said):
    config = {"path": "./src/uat"} | ({"images": images} if images else {})
    result = await run("kustomize-set-image", config)
    assert yaml.safe_load(overlay.read_text())["images"][0] == {"name": SERVICE, **entry}
    assert result.output == {"commitMessage": f"Updated ./src/uat to use new image\n\n- {said}"}


async def test_an_image_may_be_called_otherwise_in_the_manifests(run, overlay):
    await run("kustomize-set-image", {"path": "src/uat", "images": [{"image": SERVICE, "name": "other", "tag": "7"}]})
    assert yaml.safe_load(overlay.read_text())["images"][1] == {"name": "other", "newTag": "7"}


async def test_freight_without_images_changes_nothing(run, overlay):
    run.promoting(collection=(freight_of(),))
    assert (await run("kustomize-set-image", {"path": "src/uat"})).output == {}
    assert overlay.read_text() == OVERLAY


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"path": "src", "images": [{"image": "x", "tag": "1"}]}, r"no kustomization\.yaml"),
        ({"path": "src/uat", "images": [{"image": "x", "tag": "1", "digest": "sha256:a"}]}, "leave one out"),
        ({"path": "src/uat", "images": [{"image": "x"}]}, "no image x"),
        ({"path": "src/uat"}, "several warehouses"),
    ],
)
async def test_set_image_says_what_is_wrong(run, overlay, config, says):
    run.promoting(collection=(freight_of(an_image()), freight_of(an_image(tag="2"), origin="b")))
    with pytest.raises(UserError, match=says):
        await run("kustomize-set-image", config)


# --- kustomize-build --------------------------------------------------------------------------------


def real(run, *arguments: str) -> bytes:
    command = [*find_programs().kustomize, *arguments]
    done = subprocess.run(command, cwd=run.workdir, env={"PATH": "/usr/bin"}, check=True, capture_output=True)
    return done.stdout


async def test_one_file_is_what_kustomize_itself_prints(run, overlay):
    await run("kustomize-build", {"path": "./src/uat", "outPath": "./out/uat.yaml"})
    assert (run.workdir / "out/uat.yaml").read_bytes() == real(run, "src/uat")
    assert f"{SERVICE}:0.9.0" in (run.workdir / "out/uat.yaml").read_text()


async def test_a_folder_of_files_called_kargos_way(run, overlay):
    await run("kustomize-build", {"path": "./src/uat", "outPath": "./out"})
    written = sorted(path.name for path in (run.workdir / "out").iterdir())
    assert written == ["namespace-uat.yaml", "uat-deployment-service.yaml"]
    documents = [yaml.safe_load((run.workdir / "out" / name).read_text()) for name in written]
    assert documents == list(yaml.safe_load_all(real(run, "src/uat")))


async def test_a_folder_of_files_called_kustomizes_way(run, overlay):
    await run("kustomize-build", {"path": "./src/uat", "outPath": "./out", "outputFormat": "kustomize"})
    written = sorted(path.name for path in (run.workdir / "out").iterdir())
    assert written == ["apps_v1_deployment_service.yaml", "v1_namespace_uat.yaml"]


async def test_charts_are_inflated(run, overlay):
    chart = run.workdir / "src/uat/charts/service"
    (chart / "templates").mkdir(parents=True)
    (chart / "values.yaml").write_text("{}\n")
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: service\nversion: 1.0.0\n")
    (chart / "templates/x.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inflated}\ndata: {v: {{ .Capabilities.KubeVersion }}}\n"
    )
    overlay.write_text("helmCharts: [{name: service, releaseName: service}]\n")
    plugin = {"helm": {"kubeVersion": "1.30.1", "apiVersions": ["example.com/v1"]}}
    await run("kustomize-build", {"path": "src/uat", "outPath": "out.yaml", "plugin": plugin})
    assert yaml.safe_load((run.workdir / "out.yaml").read_text())["data"] == {"v": "v1.30.1"}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"path": "src/none", "outPath": "o.yaml"}, "'src/none'"),
        ({"path": "src", "outPath": "o.yaml"}, "rendering src: .*unable to find one of"),
        ({"path": "../src", "outPath": "o.yaml"}, "leads out"),
        ({"path": "src/uat", "outPath": "/../../o.yaml"}, "leads out"),
    ],
)
async def test_build_says_what_is_wrong(run, overlay, config, says):
    with pytest.raises(UserError, match=says) as caught:
        await run("kustomize-build", config)
    assert str(run.workdir) not in str(caught.value)


@pytest.mark.parametrize("resource", ["../../../secret.yaml", "link.yaml"])
async def test_files_out_of_the_folder_are_not_read(run, overlay, resource, tmp_path):
    (tmp_path / "secret.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
    (overlay.parent / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    overlay.write_text(f"resources: [{resource}]\n")
    with pytest.raises(UserError, match=r"link|security"):
        await run("kustomize-build", {"path": "src/uat", "outPath": "o.yaml"})


BESIDE = {
    "src/common/patch.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: uat, labels: {a: b}}\n",
    "src/common/settings.ini": "colour=blue\n",
    "src/uat/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: uat}\n",
}


@pytest.mark.parametrize(
    "text",
    [
        "resources: [namespace.yaml]\npatches: [{path: ../common/patch.yaml}]\n",
        "resources: [../common/patch.yaml]\n",
        "configMapGenerator: [{name: c, files: [../common/settings.ini]}]\n",
        "configMapGenerator: [{name: c, files: [other.ini=../common/settings.ini]}]\n",
        "configMapGenerator: [{name: c, envs: [../common/settings.ini]}]\n",
    ],
)
async def test_files_beside_a_kustomization_are_read_as_kargo_has_it(run, overlay, text):
    for name, content in BESIDE.items():
        (run.workdir / name).parent.mkdir(exist_ok=True)
        (run.workdir / name).write_text(content)
    overlay.write_text(text)
    inputs = inputs_of(run.workdir.resolve(), overlay.parent.resolve())
    assert any(name.startswith("src/common/") for name in inputs)  # what is there goes into the cache's key
    await run("kustomize-build", {"path": "src/uat", "outPath": "o.yaml"})
    rendered = (run.workdir / "o.yaml").read_bytes()
    assert rendered == real(run, "--load-restrictor=LoadRestrictionsNone", "src/uat")
    assert b"a: b" in rendered or b"blue" in rendered


TRANSFORMER = """\
apiVersion: builtin
kind: PatchTransformer
metadata: {name: p}
path: ../common/patch.yaml
"""


@pytest.mark.parametrize(
    "files",
    [
        {"src/uat/kustomization.yaml": "configMapGenerator: [{name: c, files: [OUT/settings.ini]}]\n"},
        {"src/uat/kustomization.yaml": "configMapGenerator: [{name: c, files: [a=OUT/settings.ini]}]\n"},
        {"src/uat/kustomization.yaml": "configMapGenerator: [{name: c, files: [../../../outside/settings.ini]}]\n"},
        {"src/uat/kustomization.yaml": 'configMapGenerator: [{name: c, "f\\x69les": ["..\\x2fcommon/far.ini"]}]'},
        {"src/uat/kustomization.yaml": "configMapGenerator: [{name: c, files: [../common/far.ini]}]\n"},
        {"src/uat/kustomization.yaml": "resources: [../common]\n",
         "src/common/kustomization.yaml": "configMapGenerator: [{name: c, files: [far.ini]}]\n"},
        {"src/uat/kustomization.yaml": "resources: [namespace.yaml]\ntransformers: [t.yaml]\n",
         "src/uat/t.yaml": TRANSFORMER},
        {"src/uat/kustomization.yaml": "resources: [namespace.yaml]\nTransformers: [t.yaml]\n",
         "src/uat/t.yaml": TRANSFORMER},
        {"src/uat/kustomization.yaml": "Resources: [inner]\n",
         "src/uat/inner/kustomization.yaml": "configMapGenerator: [{name: c, files: [../../common/far.ini]}]\n"},
        {"src/uat/kustomization.yaml": "configMapGenerator: [{name: c, files: [!!binary Li4vY29tbW9uL2Zhci5pbmk=]}]\n"},
        {"src/uat/kustomization.yaml": "resources: [namespace.yaml]\nvalidators: [t.yaml]\n",
         "src/uat/t.yaml": TRANSFORMER},
    ],
)  # fmt: skip
async def test_what_is_not_known_to_lie_inside_is_not_read(run, overlay, files, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "settings.ini").write_text("colour=s3cret\n")
    for name, content in {**BESIDE, **files}.items():
        (run.workdir / name).parent.mkdir(exist_ok=True)
        (run.workdir / name).write_text(content.replace("OUT", str(outside)))
    (run.workdir / "src/common/far.ini").symlink_to(outside / "settings.ini")
    with pytest.raises(UserError, match=r"security|symbolic link|absolute|has a value with a tag"):
        await run("kustomize-build", {"path": "src/uat", "outPath": "o.yaml"})
    assert not (run.workdir / "o.yaml").exists()


async def test_a_missing_kustomize_says_how_to_get_it(run, overlay):
    run.context = replace(run.context, programs=Programs())
    with pytest.raises(UserError, match="kubectl"):
        await run("kustomize-build", {"path": "src/uat", "outPath": "o.yaml"})
