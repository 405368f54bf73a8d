# Makes the table, the bucket, the queues and an API key in the emulator, and ends; never deployed.
# From the repository's root:
#   docker build -f docker/setup.Dockerfile -t agenticai-setup .
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/core.lock requirements/
RUN python -m venv /app \
    && /app/bin/pip install --require-hashes --only-binary :all: -r requirements/core.lock \
    && /app/bin/pip uninstall --yes pip

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="agenticai-setup" \
      org.opencontainers.image.description="Makes what agenticai needs in its local emulator" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
# A volume on /state takes over its owner.
RUN groupadd --gid 10001 agenticai \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin agenticai \
    && install --directory --owner 10001 --group 10001 --mode 700 /state
COPY --from=build /app /app
# As in the repository: the templates are found beside the code.
WORKDIR /srv
COPY core/agenticai_core agenticai_core
COPY local/agenticai_local local/agenticai_local
COPY copilot/environments/addons copilot/environments/addons
ENV PATH=/app/bin:$PATH PYTHONPATH=/srv:/srv/local PYTHONUNBUFFERED=1
RUN python -c "import agenticai_local.setup"
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /state
STOPSIGNAL SIGTERM
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "agenticai_local.setup"]
CMD ["/state/api-key"]
