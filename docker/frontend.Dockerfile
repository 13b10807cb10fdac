# The frontend's image. Build context: app/frontend. Builds with BuildKit and with the classic builder.
# BASE_IMAGE brings Node.js and npm. RUNTIME_IMAGE needs Node.js only; where it has npm too, npm stays in its layers.
ARG BASE_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=${BASE_IMAGE}
# An image that holds ca.pem, for networks that end TLS in a gateway. Only the build stage sees it.
ARG CA_IMAGE=scratch

FROM ${CA_IMAGE} AS ca

FROM ${BASE_IMAGE} AS build
WORKDIR /app
COPY --from=ca . /run/extra-ca/
COPY package.json package-lock.json .npmrc ./
RUN if [ -f /run/extra-ca/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/extra-ca/ca.pem; fi; \
    npm ci --no-audit --no-fund
COPY . .
ENV NEXT_TELEMETRY_DISABLED=1
# The checkout may have been made under a umask that lets nobody else read.
RUN npm run build && chmod -R a+rX .next/standalone && mv .next/standalone/node_modules /node_modules

FROM ${RUNTIME_IMAGE} AS run
WORKDIR /app
ENV NODE_ENV=production \
    NEXT_TELEMETRY_DISABLED=1 \
    HOME=/tmp \
    HOSTNAME=0.0.0.0 \
    PORT=3000
# Owned by root and read by the process, which therefore cannot rewrite itself. Two layers: an edit rebuilds the small one, and only
# that travels to a node.
COPY --from=build /node_modules ./node_modules
COPY --from=build /app/.next/standalone ./
USER 10001:10001
EXPOSE 3000
# No HEALTHCHECK: Kubernetes ignores it, and its probes are in the chart.
CMD ["node", "start.mjs"]
