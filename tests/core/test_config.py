"""What Towpath's own spelling means."""

from datetime import timedelta

from bot.core.model import (
    Argument,
    Availability,
    FreightRequest,
    MergePolicy,
    StageName,
    Verification,
    WarehouseName,
)
from tests.core.configurations import EXAMPLE, WATCH, loading, stage, steps

SERVICE = WarehouseName("service")


def test_the_example_of_the_readme_has_no_problems() -> None:
    loaded = loading(EXAMPLE)

    assert loaded.problems == ()
    assert loaded.pipeline is not None
    assert list(loaded.pipeline.stages) == ["test", "uat", "prod"]


def test_the_head_of_the_pipeline_takes_freight_from_its_warehouse_and_may_merge_by_itself() -> None:
    test = stage(EXAMPLE, "test")

    assert test.requests == (FreightRequest(SERVICE, direct=True),)
    assert (test.auto, test.merge) == (True, MergePolicy.AUTO)


def test_later_stages_take_freight_from_the_one_before_and_people_merge() -> None:
    prod = stage(EXAMPLE, "prod")

    assert prod.requests == (FreightRequest(SERVICE, stages=(StageName("uat"),), required_soak=timedelta(hours=1)),)
    assert (prod.auto, prod.merge, prod.merge_method) == (False, MergePolicy.PEOPLE, "merge")
    assert prod.allow == {"promote": ("@acme/sre",)}


def test_a_verification_knows_the_name_of_the_stage_it_is_for() -> None:
    assert stage(EXAMPLE).verification == Verification(("smoke",), (Argument("stage", "uat"),))


def test_render_helm_is_short_for_the_steps_of_the_rendered_manifests_pattern() -> None:
    assert [(step.uses, step.alias) for step in steps(EXAMPLE)] == [
        ("git-clone", "clone"),
        ("git-clear", "clear"),
        ("yaml-update", "update-image"),
        ("helm-template", "build"),
        ("git-commit", "commit"),
        ("git-push", "push"),
        ("git-open-pr", "open-pr"),
        ("git-wait-for-pr", "wait-for-pr"),
    ]
    by_name = {step.uses: step.config for step in steps(EXAMPLE)}
    assert by_name["git-clone"] == {"checkout": [{"path": "./src"}]}
    assert by_name["git-clear"] == {"path": "./src/out/stages/uat"}
    assert by_name["yaml-update"] == {
        "path": "./src/chart/values-uat.yaml",
        "updates": [{"key": "image.tag", "value": '${{ imageFrom("ghcr.io/acme/service").Tag }}'}],
    }
    assert by_name["helm-template"] == {
        "path": "./src/chart",
        "releaseName": "service",
        "valuesFiles": ["./src/chart/values-uat.yaml"],
        "outPath": "./src/out/stages/uat/manifests.yaml",
    }
    assert by_name["git-commit"]["path"] == "./src/out/stages/uat"
    assert by_name["git-push"] == {"path": "./src/out/stages/uat", "generateTargetBranch": True}


def test_render_kustomize_sets_every_image_of_the_freight() -> None:
    text = (
        "warehouses: {service: {image: [{repoURL: ghcr.io/acme/a}, ghcr.io/acme/b]}}\n"
        "stages: {uat: {from: service, render: {kustomize: {path: envs/uat}}}}\n"
    )
    by_name = {step.uses: step.config for step in steps(text)}

    assert by_name["kustomize-set-image"] == {
        "path": "./src/envs/uat",
        "images": [
            {"image": "ghcr.io/acme/a", "tag": '${{ imageFrom("ghcr.io/acme/a").Tag }}'},
            {"image": "ghcr.io/acme/b", "tag": '${{ imageFrom("ghcr.io/acme/b").Tag }}'},
        ],
    }
    assert by_name["kustomize-build"] == {"path": "./src/envs/uat", "outPath": "./src/out/stages/uat/manifests.yaml"}


def test_rendered_manifests_may_go_to_another_folder_and_a_branch_of_their_own() -> None:
    text = WATCH + "stages: {uat: {from: service, render: {helm: {chart: chart}, out: live, targetBranch: env/uat}}}\n"
    by_name = {step.uses: step.config for step in steps(text)}

    assert by_name["git-clone"]["checkout"][1] == {"branch": "env/uat", "create": True, "path": "./target"}
    assert by_name["helm-template"]["path"] == "./src/chart"
    assert by_name["helm-template"]["outPath"] == "./target/live/manifests.yaml"
    assert by_name["git-open-pr"] == {"targetBranch": "env/uat"}
    assert stage(text).target_branch == "env/uat"


def test_values_files_are_found_beside_the_chart_or_from_the_root() -> None:
    values = "[../common.yaml, /envs/uat.yaml]"
    text = WATCH + f"stages: {{uat: {{from: service, render: {{helm: {{chart: charts/a, values: {values}}}}}}}}}\n"
    by_name = {step.uses: step.config for step in steps(text)}

    assert by_name["helm-template"]["valuesFiles"] == ["./src/charts/common.yaml", "./src/envs/uat.yaml"]
    assert by_name["yaml-update"]["path"] == "./src/envs/uat.yaml"


def test_several_images_each_go_under_their_own_key() -> None:
    text = """\
warehouses: {app: {image: [ghcr.io/acme/web, ghcr.io/acme/api]}}
stages:
  uat:
    from: app
    render:
      helm:
        chart: chart
        images:
        - {image: ghcr.io/acme/web, key: web.tag}
        - {image: ghcr.io/acme/api, key: api.image, value: ImageAndDigest}
"""
    by_name = {step.uses: step.config for step in steps(text)}

    assert by_name["yaml-update"]["updates"] == [
        {"key": "web.tag", "value": '${{ imageFrom("ghcr.io/acme/web").Tag }}'},
        {"key": "api.image", "value": 'ghcr.io/acme/api@${{ imageFrom("ghcr.io/acme/api").Digest }}'},
    ]


def test_an_image_that_two_warehouses_watch_is_taken_from_the_first_by_name() -> None:
    text = """\
warehouses: {a: {image: ghcr.io/acme/x}, b: {image: ghcr.io/acme/x, git: https://github.com/acme/conf}}
stages: {uat: {from: [a, b], render: {helm: {chart: chart}}}}
"""
    by_name = {step.uses: step.config for step in steps(text)}

    assert by_name["yaml-update"]["updates"][0]["value"] == '${{ imageFrom("ghcr.io/acme/x", warehouse("a")).Tag }}'


def test_steps_beside_render_come_after_the_merge() -> None:
    text = (
        WATCH + "stages: {uat: {from: service, render: {helm: {chart: c}}, steps: [{uses: argocd-update, config: {}}]}}"
    )

    assert [step.uses for step in steps(text)][-2:] == ["git-wait-for-pr", "argocd-update"]
    assert steps(text)[-1].alias == "step-9"


def test_a_stage_without_steps_is_a_junction() -> None:
    junction = stage(WATCH + "stages: {uat: {from: service}}")

    assert junction.is_control_flow


def test_fan_in_and_fan_out() -> None:
    text = (
        WATCH
        + "stages: {test: {from: service}, a: {from: test}, b: {from: test}, uat: {from: [a, b], availability: All}}"
    )

    assert stage(text).requests == (
        FreightRequest(SERVICE, stages=(StageName("a"), StageName("b")), availability=Availability.ALL),
    )


def test_a_stage_takes_all_the_freight_that_its_upstream_has_however_far_up_it_comes_from() -> None:
    text = """\
warehouses: {web: {image: ghcr.io/acme/web}, conf: {git: https://github.com/acme/conf}}
stages:
  prod: {from: uat}
  uat: {from: [test, conf]}
  test: {from: [web, conf]}
"""
    assert stage(text, "prod").requests == (
        FreightRequest(WarehouseName("web"), stages=(StageName("uat"),)),
        FreightRequest(WarehouseName("conf"), stages=(StageName("uat"),)),
    )
    assert stage(text).requests[1] == FreightRequest(WarehouseName("conf"), direct=True, stages=(StageName("test"),))


def test_who_may_promote_is_a_login_or_a_team() -> None:
    text = (
        WATCH + 'stages: {uat: {from: service, allow: {promote: ["@acme/sre", "@octocat", hubot], rollback: octocat}}}'
    )

    assert stage(text).allow == {"promote": ("@acme/sre", "octocat", "hubot"), "rollback": ("octocat",)}
