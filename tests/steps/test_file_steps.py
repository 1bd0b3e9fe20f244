"""Steps that change files: yaml-update, helm-update-image, copy, delete, file-write; and those that read them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.contracts.steps import StepStatus
from bot.errors import UserError
from tests.steps.conftest import DIGEST, an_image, freight_of


@pytest.fixture
def values(run) -> Path:
    file = run.workdir / "src/values.yaml"
    file.parent.mkdir()
    file.write_text("image:\n  tag: 0.9.0 # pinned\n  digest: none\nreplicas: 1\n")
    return file


# --- yaml-update ------------------------------------------------------------------------------------


async def test_yaml_update_writes_the_file_and_a_message(run, values):
    updates = [{"key": "image.tag", "value": "1.20"}, {"key": "replicas", "value": 3}]
    result = await run("yaml-update", {"path": "./src/values.yaml", "updates": updates})
    assert values.read_text() == 'image:\n  tag: "1.20" # pinned\n  digest: none\nreplicas: 3\n'
    assert result.output == {
        "commitMessage": 'Updated ./src/values.yaml\n\n- image.tag: "1.20"\n- replicas: 3',
    }
    assert (await run("yaml-update", {"path": "./src/values.yaml", "updates": []})).output == {}


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("./src/none.yaml", "nothing at"),
        ("./src", "not a file"),
        ("../values.yaml", "leads out"),
        ("./src/link", "symbolic link"),
    ],
)
async def test_yaml_update_says_what_is_wrong(run, values, path, says, tmp_path):
    (values.parent / "link").symlink_to(tmp_path)
    with pytest.raises(UserError, match=says):
        await run("yaml-update", {"path": path, "updates": [{"key": "a", "value": 1}]})


async def test_binary_files_are_no_yaml(run, values):
    values.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="UTF-8"):
        await run("yaml-update", {"path": "src/values.yaml", "updates": [{"key": "a", "value": 1}]})


# --- helm-update-image ------------------------------------------------------------------------------

SERVICE = "registry.example.com/service"


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        ("Tag", '"1.20"', f"{SERVICE}:1.20"),
        ("ImageAndTag", f"{SERVICE}:1.20", f"{SERVICE}:1.20"),
        ("Digest", DIGEST, f"{SERVICE}@{DIGEST}"),
        ("ImageAndDigest", f"{SERVICE}@{DIGEST}", f"{SERVICE}@{DIGEST}"),
    ],
)
async def test_helm_update_image_writes_what_is_wanted_of_the_image(run, values, kind, written, said):
    run.promoting(collection=(freight_of(an_image(tag="1.20"), an_image("other", "2")),))
    image = {"image": SERVICE, "key": "image.tag", "value": kind}
    result = await run("helm-update-image", {"path": "./src/values.yaml", "images": [image]})
    assert f"  tag: {written} # pinned\n" in values.read_text()
    assert result.output == {"commitMessage": f"Updated ./src/values.yaml to use new image\n\n- {said}"}


async def test_helm_update_image_of_several(run, values):
    run.promoting(collection=(freight_of(an_image()), freight_of(an_image("other", "2"), origin="other")))
    images = [
        {"image": SERVICE, "key": "image.tag", "value": "Tag"},
        {"image": "docker.io/library/other", "key": "replicas", "value": "Tag", "fromOrigin": {"name": "other"}},
    ]
    result = await run("helm-update-image", {"path": "src/values.yaml", "images": images})
    assert result.output["commitMessage"].startswith("Updated src/values.yaml to use new images\n\n- ")
    assert 'replicas: "2"\n' in values.read_text()


@pytest.mark.parametrize(
    ("freight", "image", "says"),
    [
        ([freight_of(an_image())], {"image": "other"}, f"no image other; it has {SERVICE}"),
        ([freight_of(an_image()), freight_of(an_image(tag="2"), origin="b")], {"image": SERVICE}, "b, service.*fromOr"),
        ([freight_of(an_image())], {"image": SERVICE, "fromOrigin": {"name": "b"}}, "it has none"),
        ([freight_of(replace(an_image(), digest=""))], {"image": SERVICE, "value": "Digest"}, "has no digest"),
        ([freight_of(replace(an_image(), tag=""))], {"image": SERVICE, "value": "ImageAndTag"}, "has no tag"),
    ],
)
async def test_helm_update_image_says_what_is_wrong(run, values, freight, image, says):
    run.promoting(collection=tuple(freight))
    config = {"path": "src/values.yaml", "images": [{"key": "image.tag", "value": "Tag", **image}]}
    with pytest.raises(UserError, match=says):
        await run("helm-update-image", config)


# --- copy, delete, file-write -----------------------------------------------------------------------


def tree(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


async def test_copy_of_a_file_and_of_a_folder_over_another(run):
    for name in ("a/x", "a/deep/y", "b/z", "b/deep"):
        (run.workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (run.workdir / name).write_text(name)
    await run("copy", {"inPath": "./a", "outPath": "./b"})
    assert tree(run.workdir / "b") == {"deep/y": "a/deep/y", "x": "a/x", "z": "b/z"}
    await run("copy", {"inPath": "./a/x", "outPath": "./new/place"})
    assert tree(run.workdir / "new") == {"place": "a/x"}


async def test_copy_does_not_follow_links(run, tmp_path):
    (tmp_path / "secret").write_text("s")
    (run.workdir / "a").mkdir()
    (run.workdir / "a/link").symlink_to(tmp_path / "secret")
    (run.workdir / "b").mkdir()
    (run.workdir / "b/link").symlink_to(tmp_path)
    await run("copy", {"inPath": "a", "outPath": "b"})
    assert (run.workdir / "b/link").is_symlink()
    with pytest.raises(UserError, match="symbolic link"):
        await run("copy", {"inPath": "a/link", "outPath": "c"})
    (run.workdir / "b/link").unlink()
    (run.workdir / "b/link").symlink_to(tmp_path)
    (run.workdir / "c").mkdir()
    (run.workdir / "c/link").mkdir()
    (run.workdir / "c/link/file").write_text("x")
    await run("copy", {"inPath": "c", "outPath": "b"})
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(("source", "target"), [("a", "a/b"), ("a/b", "a"), ("none", "b"), ("a", "../b")])
async def test_copy_says_what_is_wrong(run, source, target):
    (run.workdir / "a/b").mkdir(parents=True)
    with pytest.raises(UserError):
        await run("copy", {"inPath": source, "outPath": target})


async def test_delete_takes_files_folders_and_links_but_not_what_they_lead_to(run, tmp_path):
    (tmp_path / "kept").mkdir()
    (run.workdir / "a/b").mkdir(parents=True)
    (run.workdir / "file").write_text("x")
    (run.workdir / "link").symlink_to(tmp_path / "kept")
    await run("delete", {"path": "./a", "paths": ["file", "link", "not/there"]})
    assert list(run.workdir.iterdir()) == []
    assert (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "config", [{}, {"path": "."}, {"path": "a/.."}, {"path": "../x"}, {"path": "none", "strict": True}]
)
async def test_delete_says_what_is_wrong(run, config):
    (run.workdir / "a").mkdir()
    with pytest.raises(UserError):
        await run("delete", config)
    assert (run.workdir / "a").exists()


async def test_file_write(run):
    await run("file-write", {"path": "./new/file", "contents": "a\r\nb"})
    file = run.workdir / "new/file"
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"a\r\nb", 0o600)
    with pytest.raises(UserError, match="overwrite"):
        await run("file-write", {"path": "./new/file", "contents": "c"})
    await run("file-write", {"path": "./new/file", "contents": "c", "overwrite": True, "permissions": "0644"})
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("c", 0o644)
    with pytest.raises(UserError, match="folder"):
        await run("file-write", {"path": "./new", "contents": "c", "overwrite": True})
    with pytest.raises(UserError, match="is no text"):
        await run("file-write", {"path": "./other", "contents": "\ud800"})


async def test_copy_leaves_out_what_is_ignored_and_what_is_gits(run):
    for name in ("a/x.log", "a/keep.log", "a/temp/y", "a/deep/temp/z", "a/deep/w", "a/.git/config", "a/b/.git"):
        (run.workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (run.workdir / name).write_text(name)
    await run("copy", {"inPath": "a", "outPath": "out", "ignore": "# logs\n*.log\n!keep.log\n/temp/\n"})
    assert list(tree(run.workdir / "out")) == ["deep/temp/z", "deep/w", "keep.log"]
    await run("copy", {"inPath": "a/x.log", "outPath": "alone", "ignore": "*.log"})
    assert not (run.workdir / "alone").exists()


GLOBS = ["out/a.tmp", "out/.hidden.tmp", "out/deep/er/b.tmp", "out/deep/c.txt", "out/build/d", ".git/e.tmp", "top.tmp"]


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        (["./out/**/*.tmp"], ["out/deep/c.txt", "out/build/d", "top.tmp"]),
        (["out/*.tmp", "out/build"], ["out/deep/er/b.tmp", "out/deep/c.txt", "top.tmp"]),
        (["**"], []),
        (["**/[ab].{tmp,txt}"], ["out/.hidden.tmp", "out/deep/c.txt", "out/build/d", "top.tmp"]),
        (["*"], []),
        (["out/de?p/*", "none/**"], ["out/a.tmp", "out/.hidden.tmp", "out/build/d", "top.tmp"]),
    ],
)
async def test_delete_by_globs_spares_git(run, tmp_path, globs, left):
    (tmp_path / "kept.tmp").write_text("x")
    for name in GLOBS:
        (run.workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (run.workdir / name).write_text("x")
    (run.workdir / "out/link").symlink_to(tmp_path)
    await run("delete", {"paths": globs, "pathsAreGlobs": True})
    files = {path.relative_to(run.workdir).as_posix() for path in run.workdir.rglob("*") if path.is_file()}
    assert sorted(files) == sorted([*left, ".git/e.tmp"])
    assert (tmp_path / "kept.tmp").exists()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"path": "none/*", "pathsAreGlobs": True, "strict": True}, "nothing to delete at 'none/\\*'"),
        ({"path": "../*", "pathsAreGlobs": True}, "names no file inside"),
        ({"path": "a/../../*", "pathsAreGlobs": True}, "names no file inside"),
        ({"path": "a/[b-a]", "pathsAreGlobs": True}, "not a glob"),
        ({"path": "a/.git"}, "Git's own"),
        ({"path": "a/.git/config"}, "Git's own"),
    ],
)
async def test_delete_refuses(run, config, says):
    (run.workdir / "a/.git").mkdir(parents=True)
    with pytest.raises(UserError, match=says):
        await run("delete", config)
    assert (run.workdir / "a/.git").exists()


@pytest.mark.parametrize("permissions", ["0755", "0646", "0601"])
async def test_file_write_makes_nothing_that_runs_or_that_everybody_changes(run, permissions):
    with pytest.raises(UserError, match=f"permissions {permissions}"):
        await run("file-write", {"path": "a", "contents": "", "permissions": permissions})
    assert not (run.workdir / "a").exists()


@pytest.mark.parametrize(
    ("uses", "config"),
    [
        ("file-write", {"path": "src/.git/hooks/pre-commit", "contents": "x"}),
        ("file-write", {"path": "src/x/../.git/config", "contents": "x"}),
        ("file-write", {"path": "link/config", "contents": "x", "overwrite": True}),
        ("copy", {"inPath": "file", "outPath": "src/.git/config"}),
        ("yaml-merge", {"inFiles": ["file"], "outFile": "src/.GIT/config"}),
        ("yaml-update", {"path": "src/.git/config", "updates": [{"key": "a", "value": 1}]}),
        ("json-update", {"path": "link/config", "updates": [{"key": "a", "value": 1}]}),
        ("toml-update", {"path": "link/config", "updates": [{"key": "a", "value": 1}]}),
    ],
)
async def test_no_step_writes_where_git_keeps_its_own(run, uses, config):
    (run.workdir / "src/.git").mkdir(parents=True)
    (run.workdir / "src/.git/config").write_text(
        '{"a": 2}' if uses == "json-update" else "a = 2" if "toml" in uses else "a: 2"
    )
    (run.workdir / "link").symlink_to("src/.git")
    (run.workdir / "file").write_text("a: 1")
    before = tree(run.workdir)
    with pytest.raises(UserError, match="Git's own"):
        await run(uses, config)
    assert tree(run.workdir) == before


# --- yaml-parse, json-parse, compose-output, fail ---------------------------------------------------


@pytest.mark.parametrize(("uses", "dump"), [("yaml-parse", str), ("json-parse", json.dumps)])
async def test_values_are_read_out_of_files(run, uses, dump):
    (run.workdir / "data").write_text(dump({"image": {"tag": "1.20"}, "list": [1, 2]}))
    outputs = [
        {"name": "tag", "fromExpression": "image.tag"},
        {"name": "sum", "fromExpression": "list[0] + list[1]"},
    ]
    result = await run(uses, {"path": "data", "outputs": outputs})
    assert result.output == {"tag": "1.20", "sum": 3}


@pytest.mark.parametrize(
    ("content", "expression", "says"),
    [
        ("a: &a [*a]", "a", "contains itself"),
        (
            "a: &a [x, x]\n"
            + "".join(
                f"{n}: &{n} [*{p}, *{p}, *{p}, *{p}]\n" for p, n in zip("abcdefghijk", "bcdefghijkl", strict=True)
            ),
            "l",
            "once its aliases are followed",
        ),
        ("[" * 300_000, "a", "levels deep"),
        ("\xff", "a", "reading data"),
        ("a: [", "a", "data is not YAML"),
        ("[1]", "a", "mapping"),
        ("a: 1", "a.b.c", "evaluating"),
        ("a: 1", "(", "evaluat"),
    ],
)
async def test_what_can_not_be_read_is_said(run, content, expression, says):
    (run.workdir / "data").write_text(content)
    with pytest.raises(UserError, match=says):
        await run("yaml-parse", {"path": "data", "outputs": [{"name": "x", "fromExpression": expression}]})


@pytest.mark.parametrize("content", ["{", "", "[1]", "[" * 100_000])
async def test_what_is_no_json_is_said(run, content):
    (run.workdir / "data").write_text(content)
    with pytest.raises(UserError, match="reading data: "):
        await run("json-parse", {"path": "data", "outputs": [{"name": "x", "fromExpression": "x"}]})


UPDATE = {"updates": [{"key": "a", "value": 1}]}


@pytest.mark.parametrize(
    ("uses", "config"),
    [
        *((uses, {"path": "large", **UPDATE}) for uses in ("yaml-update", "json-update", "toml-update")),
        *((uses, {"path": "large", "outputs": [{"name": "x", "fromExpression": "x"}]})
          for uses in ("yaml-parse", "json-parse", "toml-parse")),
        ("yaml-merge", {"inFiles": ["large"], "outFile": "out"}),
        ("http", {"url": "https://service.example.com", "bodyFromFile": "large"}),
    ],
)  # fmt: skip
async def test_what_is_read_of_a_file_is_bounded(run, uses, config):
    with (run.workdir / "large").open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    with pytest.raises(UserError, match="large is larger than 10 MiB"):
        await run(uses, config)


async def test_a_folder_is_no_file_to_write(run, values):
    with pytest.raises(UserError, match="'src' is a folder; name a file"):
        await run("yaml-merge", {"inFiles": ["src/values.yaml"], "outFile": "src"})


async def test_a_document_that_is_not_there_is_not_changed(run, values):
    with pytest.raises(UserError, match="has no document 1"):
        await run("yaml-update", {"path": "src/values.yaml", "document": 1, **UPDATE})


async def test_compose_output_and_fail(run):
    assert (await run("compose-output", {"a": 1, "b": {"c": 2}})).output == {"a": 1, "b": {"c": 2}}
    result = await run("fail", {"message": "not on Fridays"})
    assert (result.status, result.message) == (StepStatus.FAILED, "not on Fridays")
    assert (await run("fail")).status is StepStatus.FAILED
