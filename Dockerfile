# The worker as an image: compiled, without development dependencies, as a user without rights.
#   docker run --read-only -v ./workflows:/workflows:ro -v dagger-data:/data dagger-worker
# Handlers, in TypeScript too: mount them as /handlers, and name them with -e DAGGER_WORKER_HANDLERS=/handlers.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
LABEL org.opencontainers.image.title="dagger-worker" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.description="A Kafka-native workflow engine: YAML workflows, exactly once, one daemon, no database." \
      org.opencontainers.image.licenses="Apache-2.0"
# PID 1: it hands signals on from the first moment on, also while the worker is not up yet, and buries what handlers leave.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    DAGGER_WORKER_WORKFLOWS=/workflows \
    DAGGER_WORKER_DATA=/data
# For `docker exec … dagger-worker`, and for handlers that import from 'dagger-worker'.
RUN ln -s /app/bin/dagger-worker.js /usr/local/bin/dagger-worker && \
    mkdir /node_modules && ln -s /app /node_modules/dagger-worker && \
    mkdir /workflows /data && chown 1000:1000 /data
COPY package.json /app/
COPY bin /app/bin
COPY schemas /app/schemas
COPY workflows /app/workflows
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
# "node" of the base image, by number: Kubernetes has to see that it is not root.
USER 1000:1000
# The only place that is written to.
VOLUME /data
WORKDIR /data
EXPOSE 7070
# Of this machine, so that a certificate need not be of a known authority. A start that restores a lot takes its time.
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=3 \
  CMD ["node", "--no-warnings", "-e", "const { DAGGER_WORKER_PORT: port = 7070, DAGGER_WORKER_TLS_CERT_FILE: tls } = process.env; process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0; fetch(`http${tls ? 's' : ''}://127.0.0.1:${port}/service/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "dagger-worker"]
CMD ["start"]
