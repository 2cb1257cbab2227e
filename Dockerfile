# syntax=docker/dockerfile:1
FROM python:3.13-slim AS packages
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt

FROM node:22-slim AS pages
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY schema.graphql /build/
COPY web .
RUN npm run build && node compress.js dist

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin teamlore \
    && install -d -o teamlore -g teamlore -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
COPY --from=pages /build/web/dist web/dist
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=3100 \
    TEAMLORE_DATA=/data
USER teamlore
VOLUME /data
EXPOSE 3100
# The server answers 503 here while its database is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "cli", "serve"]
