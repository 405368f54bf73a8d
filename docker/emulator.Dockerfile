# The emulator of AWS for the system on one machine; never deployed. From the repository's root:
#   docker build -f docker/emulator.Dockerfile -t agenticai-emulator .
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/emulator.lock requirements/
RUN python -m venv /app \
    && /app/bin/pip install --require-hashes --only-binary :all: -r requirements/emulator.lock \
    && /app/bin/pip uninstall --yes pip

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="agenticai-emulator" \
      org.opencontainers.image.description="The local emulator of AWS that agenticai runs on" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
# A volume on /state takes over its owner.
RUN groupadd --gid 10001 agenticai \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /state --shell /usr/sbin/nologin agenticai \
    && install --directory --owner 10001 --group 10001 /state
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1
# Slim images lack the standard library's bytecode, which an unprivileged process would compile
# again at each start.
RUN python -c "import ministack.app"
# As agenticai_local.emulator starts it, but open to the other containers; a test compares them.
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/state TMPDIR=/state \
    BIND_HOST=0.0.0.0 GATEWAY_PORT=4566 MINISTACK_HOST=emulator MINISTACK_ACCOUNT_ID=000000000000 \
    PERSIST_STATE=1 STATE_DIR=/state/state S3_PERSIST=1 S3_DATA_DIR=/state/s3 \
    LOG_LEVEL=ERROR IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 DOCKER_HOST=unix:///nonexistent
USER 10001:10001
VOLUME /state
EXPOSE 4566
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-IS", "-c", "import sys, http.client as h; c = h.HTTPConnection('127.0.0.1', 4566, timeout=4); c.request('GET', '/_ministack/health'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "ministack"]
