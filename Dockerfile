# The gateway with everything in it, the embedded database included. From the same pinned and hashed requirements as a
# checkout; the project itself is installed without asking any index.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/trunkline
COPY requirements/uv.txt requirements/run.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/uv.txt
RUN uv pip install --no-cache --python /opt/trunkline/bin/python --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY resolvers resolvers
COPY adapters adapters
COPY graph graph
COPY trunkline trunkline
RUN uv pip install --no-cache --python /opt/trunkline/bin/python --no-deps --no-build-isolation .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/trunkline trunkline
COPY --from=build /opt/trunkline /opt/trunkline
ENV PATH=/opt/trunkline/bin:$PATH PYTHONUNBUFFERED=1 TRUNKLINE_LISTEN=0.0.0.0:8000
USER trunkline
WORKDIR /var/lib/trunkline
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["trunkline"]
CMD ["serve"]
