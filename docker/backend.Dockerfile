# One base for every stage: the virtual environment's python3 is a link to the base's.
ARG BASE_IMAGE=python:3.13-slim-trixie
# An image with /ca.pem, for networks whose gateway re-signs TLS. Only the builder stage sees it.
ARG CA_IMAGE=scratch

FROM ${CA_IMAGE} AS ca

FROM ${BASE_IMAGE} AS builder
COPY --from=ca . /run/extra-ca/
COPY requirements.txt /build/requirements.txt
# pip lives outside /app/.venv, so what is copied from here has no installer in it.
# unchecked-hash: the bytecode stays valid whatever happens to the files' times, on a read-only root too.
RUN set -eu; \
    if [ -f /run/extra-ca/ca.pem ]; then export PIP_CERT=/run/extra-ca/ca.pem; fi; \
    python3 -m venv /build/pip; \
    python3 -m venv --without-pip /app/.venv; \
    /build/pip/bin/python -m pip --python /app/.venv/bin/python install --disable-pip-version-check --no-cache-dir \
        --no-compile --require-hashes --only-binary :all: -r /build/requirements.txt; \
    find /app/.venv -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +; \
    python3 -m compileall -q --invalidation-mode unchecked-hash /app/.venv/lib

FROM ${BASE_IMAGE} AS source
COPY src/todo_backend /app/todo_backend
# a+rX: whatever the umask of the machine that builds, another user reads these files.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app/todo_backend && chmod -R a+rX /app

FROM ${BASE_IMAGE}
# Two layers: an edit makes only the small one again, and only that travels to a node.
COPY --from=builder /app/.venv /app/.venv
COPY --from=source /app/todo_backend /app/todo_backend
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# No HEALTHCHECK: the platform probes /health and /ready itself (Kubernetes ignores HEALTHCHECK), and a second prober in the
# image would only start a Python process every few seconds.
# The module serves with uvicorn: one process, 20 s for running answers after SIGTERM, 75 s keep-alive, no Server header, PORT.
CMD ["python", "-m", "todo_backend"]
