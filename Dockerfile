# The worker as an image: compiled, without development dependencies, as a user without rights.
#   docker run --init --read-only -v ./workflows:/workflows:ro -v dagger-data:/data dagger-worker
# Handlers: mount them too, and name them with -e DAGGER_WORKER_HANDLERS=/handlers.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
    DAGGER_WORKER_WORKFLOWS=/workflows \
    DAGGER_WORKER_DATA=/data
COPY package.json /app/
COPY bin /app/bin
COPY schemas /app/schemas
COPY workflows /app/workflows
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
RUN mkdir /workflows /data && chown node:node /data
USER node
# The only place that is written to.
VOLUME /data
WORKDIR /data
# The API listens on addresses of this container only, and the check runs inside.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.DAGGER_WORKER_PORT || 7070}/service/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/dagger-worker.js"]
CMD ["start"]
