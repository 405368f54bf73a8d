# The REST API. Built from the repository's root:
#   docker build -f docker/api.Dockerfile -t agenticai-api .
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.lock requirements/api.lock requirements/
RUN python -m venv /app \
    && /app/bin/pip install --require-hashes --only-binary :all: -r requirements/api.lock \
    && python -m venv /build \
    && /build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY api api
# The wheel names commands whose code is not in this image.
RUN /build/bin/hatchling build -t wheel -d /wheels \
    && /app/bin/pip install --no-deps --no-index /wheels/*.whl \
    && rm /app/bin/agenticai* \
    && /app/bin/pip uninstall --yes pip

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="agenticai-api" \
      org.opencontainers.image.description="The REST API of agenticai" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 agenticai \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin agenticai
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1
# A module that is missing shows now; and slim images lack the standard library's bytecode, which
# an unprivileged process would compile again at each start.
RUN python -c "import agenticai_api.__main__"
ENV PYTHONDONTWRITEBYTECODE=1 AGENTICAI_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-IS", "-c", "import sys, http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "agenticai_api"]
