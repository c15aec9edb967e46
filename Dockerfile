# The app with its models, as a user without rights: docs/deployment.md
#   docker build -t seqmodels . && docker run -p 8501:8501 -v seqmodels:/data --stop-timeout 40 seqmodels

FROM python:3.11-slim AS build
# On x86, torch from the usual index brings CUDA, and gigabytes. Whoever names an index of CPU wheels here does without.
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
RUN python -m venv /app
COPY requirements.txt .
RUN /app/bin/pip install -r requirements.txt
# what only their developers need is a fifth of it
RUN cd /app/lib/python3.11/site-packages && rm -rf torch/include torch/test && find . -name tests -type d -prune -exec rm -rf {} +
COPY pyproject.toml README.md LICENSE app.py ./
COPY .streamlit/config.toml .streamlit/
COPY pages pages
COPY checkpoints checkpoints
COPY seqmodels seqmodels
RUN /app/bin/pip install --no-deps . && /app/bin/pip uninstall -y pip

FROM python:3.11-slim
# tini hands signals on, and buries the processes of runs
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 1000 --no-create-home --home-dir /data seqmodels && mkdir /data && chown seqmodels /data
COPY --from=build /app /app
# /tmp takes what torch compiles; nothing else is written outside of /data
ENV PATH=/app/bin:$PATH HOME=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
  SEQMODELS_RUNS=/data/runs SEQMODELS_OWN_CHECKPOINTS=/data/checkpoints SEQMODELS_CACHE=/data/cache SEQMODELS_LOG=json
VOLUME /data
USER 1000
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/healthz', timeout=8)"]
ENTRYPOINT ["tini", "--", "seqmodels"]
# the end of the container is the end of its runs: they save first, and can be resumed
CMD ["app", "--host", "0.0.0.0", "--stop-runs"]
