// @octokit/rest, which knows nothing of the sandbox, goes from an App's key to a merged pull request.
// node flow.mjs PACKAGES URL APP_ID KEY_FILE, where PACKAGES is the folder that holds node_modules.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, url, appId, keyFile] = process.argv.slice(2);
const installed = createRequire(pathToFileURL(`${packages}/package.json`));
const load = (name) => import(pathToFileURL(installed.resolve(name)));
const { Octokit } = await load("@octokit/rest");
const { createAppAuth } = await load("@octokit/auth-app");

const app = { appId, privateKey: readFileSync(keyFile, "utf8") };
const signedIn = (auth) => new Octokit({ baseUrl: `${url}/api/v3`, authStrategy: createAppAuth, auth });
const { data: installation } = await signedIn(app).rest.apps.getRepoInstallation({ owner: "acme", repo: "gitops" });
const { rest, paginate } = signedIn({ ...app, installationId: installation.id });
const here = { owner: "acme", repo: "gitops" };

const { data: main } = await rest.git.getRef({ ...here, ref: "heads/main" });
const { data: base } = await rest.git.getCommit({ ...here, commit_sha: main.object.sha });
const file = { path: "out/app.yaml", mode: "100644", type: "blob", content: "a: 1\n" };
const { data: tree } = await rest.git.createTree({ ...here, base_tree: base.tree.sha, tree: [file] });
const { data: commit } = await rest.git.createCommit({
  ...here, message: "Promote", tree: tree.sha, parents: [main.object.sha],
});
await rest.git.createRef({ ...here, ref: "refs/heads/promotion/test", sha: commit.sha });

const { data: pull } = await rest.pulls.create({
  ...here, base: "main", head: "promotion/test", title: "Promote test", body: "1.0.0",
});
const issue = { ...here, issue_number: pull.number };
await rest.issues.addLabels({ ...issue, labels: ["promotion", "stage/test"] });
await rest.issues.removeLabel({ ...issue, name: "stage/test" });
const labels = await paginate(rest.issues.listLabelsOnIssue, { ...issue, per_page: 1 });
assert.deepEqual(labels.map((label) => label.name), ["promotion"]);

const { data: run } = await rest.checks.create({
  ...here, name: "promotion/test", head_sha: commit.sha, status: "in_progress", external_id: "f1",
});
await rest.checks.update({
  ...here, check_run_id: run.id, conclusion: "success", output: { title: "Promoted", summary: "all well" },
});
const runs = await paginate(rest.checks.listForRef, { ...here, ref: commit.sha });
assert.deepEqual(runs.map((row) => [row.id, row.conclusion]), [[run.id, "success"]]);

const { data: comment } = await rest.issues.createComment({ ...issue, body: "**test**: verified" });
await rest.issues.updateComment({ ...here, comment_id: comment.id, body: "**test**: verified, twice" });
await rest.reactions.createForIssueComment({ ...here, comment_id: comment.id, content: "rocket" });
for (const body of ["second", "third"]) await rest.issues.createComment({ ...issue, body });
const comments = await paginate(rest.issues.listComments, { ...issue, per_page: 1 });
assert.deepEqual(comments.map((row) => row.body), ["**test**: verified, twice", "second", "third"]);

const { data: merged } = await rest.pulls.merge({ ...here, pull_number: pull.number, merge_method: "squash" });
assert.equal(merged.merged, true);
const { data: landed } = await rest.repos.getContent({ ...here, path: "out/app.yaml" });
assert.equal(Buffer.from(landed.content, "base64").toString(), "a: 1\n");
