"""The repositories of the promotion benchmark: a chart, its values for each stage, and a pipeline as long as wanted."""

from dataclasses import dataclass

IMAGE = "acme/service"
_TEMPLATES = {
    "chart/templates/deployment.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\nspec:\n"
        "  replicas: {{ .Values.replicas }}\n  template:\n    spec:\n      containers:\n"
        f"        - {{name: service, image: 'registry.example/{IMAGE}:{{{{ .Values.image.tag }}}}'}}\n"
    ),
    "chart/templates/service.yaml": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec: {ports: [{port: 80}]}\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A chain of stages in one repository. Freight is promoted into `first`; the others hold what they hold."""

    repository: str
    stages: tuple[str, ...]

    @property
    def first(self) -> str:
        return self.stages[0]

    def chart(self) -> dict[str, str]:
        """The chart and its values files, path to text."""
        values = {self.values(stage): "replicas: 2\nimage:\n  tag: none\n" for stage in self.stages}
        return {
            "chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 0.1.0\n",
            "chart/values.yaml": "replicas: 1\nimage: {tag: none}\n",
            **_TEMPLATES,
            **values,
        }

    def values(self, stage: str) -> str:
        return f"chart/values-{stage}.yaml"

    def configuration(self, address: str, *, filling: bool = False) -> str:
        """`.promotion.yaml` for a registry and cluster at `address`.

        Freight goes into the first stage by itself, people merge, and a request to the cluster verifies. `filling`:
        it goes into every stage at once and all by itself, so that each holds something.
        """
        parts = [f"warehouses:\n  service: {{interval: 1h, image: {{repoURL: {address}/{IMAGE}, constraint: ^1.0.0}}}}"]
        parts.append("stages:")
        for before, stage in zip(("service", *self.stages), self.stages, strict=False):
            origin = "service" if filling else before
            parts.append(f"  {stage}:\n    from: {origin}")
            if filling or stage == self.first:
                parts.append("    auto: true")
            parts.append("    merge: auto" if filling else "    verify: [greeting]")
            parts.append(f"    render: {{helm: {{chart: chart, values: values-{stage}.yaml}}}}")
        parts.append("verifications:\n  greeting:\n    args: [{name: stage}]\n    metrics:\n      - name: greeting")
        url = f"http://{address}/cluster/{{{{args.stage}}}}/test"
        parts.append(f'        provider: {{web: {{url: "{url}", jsonPath: "{{$.message}}"}}}}')
        parts.append('        successCondition: result == "Hello Audience!"')
        return "\n".join(parts) + "\n"
