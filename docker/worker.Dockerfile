# A worker node. Built from the repository's root:
#   docker build -f docker/worker.Dockerfile -t agenticai-worker .
# The last target, "qa", has also what generated tests run with and can be any node; "node" can be
# all but QA's.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.lock requirements/worker.lock requirements/
RUN python -m venv /app \
    && /app/bin/pip install --require-hashes --only-binary :all: -r requirements/worker.lock \
    && python -m venv /build \
    && /build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY worker worker
# The wheel names commands whose code is not in this image.
RUN /build/bin/hatchling build -t wheel -d /wheels \
    && /app/bin/pip install --no-deps --no-index /wheels/*.whl \
    && rm /app/bin/agenticai* \
    && /app/bin/pip uninstall --yes pip

# What generated code sees as "/" where a node may change its root folder: the base, the curated
# environment, and the scanners that look at generated files. The standard library is compiled, for
# no run could keep what it compiled; and nothing may be written by everybody.
FROM ${BASE_IMAGE} AS root
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/sandbox.lock requirements/
RUN python -m venv /sandbox \
    && /sandbox/bin/pip install --require-hashes --only-binary :all: -r requirements/sandbox.lock \
    && /sandbox/bin/pip uninstall --yes pip \
    && rm -r /src \
    && python -c "import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2)" \
    && find / -xdev -type d -perm -0002 -exec chmod o-w {} +
COPY --from=build /app /app

FROM ${BASE_IMAGE} AS base
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="agenticai-worker" \
      org.opencontainers.image.description="A worker node of agenticai" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 agenticai \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin agenticai
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 AGENTICAI_HEALTH_FILE=/tmp/agenticai-health
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-IS", "-c", "import os, sys, time; sys.exit(time.time() - os.stat(os.environ['AGENTICAI_HEALTH_FILE']).st_mtime > 60)"]
ENTRYPOINT ["python", "-m", "agenticai_worker"]

FROM base AS node
COPY --from=build /app /app
# A module that is missing shows now; and slim images lack the standard library's bytecode, which
# an unprivileged process would compile again at each start.
RUN python -c "import agenticai_worker.__main__, agenticai_worker.node"
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001

FROM base AS qa
COPY --from=root / /sandbox-root/
# The same paths within and without; and the same look and bytecode as in "node".
RUN ln -s /sandbox-root/app /app \
    && ln -s /sandbox-root/sandbox /sandbox \
    && python -c "import agenticai_worker.__main__, agenticai_worker.node"
ENV PYTHONDONTWRITEBYTECODE=1 \
    AGENTICAI_SANDBOX_PYTHON=/sandbox/bin/python AGENTICAI_SANDBOX_ROOT=/sandbox-root
USER 10001:10001
CMD ["qa"]
