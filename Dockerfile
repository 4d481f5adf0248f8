# One file for every image of the product: api | ingest | ui | chroma | ollama. (nginx runs the official image.)
# docker-compose.yml says how each runs; here is only what is inside.
#
# A company with a package mirror builds with `docker compose build --build-arg PIP_INDEX_URL=...`; nothing is kept of it.
ARG PYTHON_IMAGE=python:3.12.13-slim-bookworm
ARG OLLAMA_IMAGE=ollama/ollama:0.17.7

# ---- every Python package at its pinned version, each file checked against its hash, in one folder
FROM ${PYTHON_IMAGE} AS packages
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/company-assistant
ENV PATH=/opt/company-assistant/bin:$PATH
WORKDIR /source
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY assistant assistant
COPY ingest ingest
COPY api api
COPY ui ui
# setuptools is one of the pinned packages, so that building the project fetches nothing more.
RUN pip install --no-deps --no-build-isolation .

# ---- what api, ingest, ui and chroma share
FROM ${PYTHON_IMAGE} AS runtime
# libgomp1: threads of the numeric packages. Nothing here is needed for building.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
# The volumes take owner and mode from these folders when they are new.
RUN groupadd --gid 10001 assistant \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin assistant \
 && install -d -o 10001 -g 10001 -m 0750 /data /data/chroma
COPY --from=packages /opt/company-assistant /opt/company-assistant
# HOME and caches are in /tmp, the only writable place of a read-only container; nobody is told what is done here.
ENV PATH=/opt/company-assistant/bin:$PATH \
    HOME=/tmp NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DO_NOT_TRACK=1 ANONYMIZED_TELEMETRY=False
USER 10001:10001
WORKDIR /tmp

FROM runtime AS api
EXPOSE 8000
CMD ["python", "-m", "api"]

FROM runtime AS ui
# The look of the screen; Streamlit searches for it in the folder that it is started in.
COPY .streamlit /screen/.streamlit
WORKDIR /screen
EXPOSE 8501
CMD ["python", "-m", "ui"]

FROM runtime AS chroma
EXPOSE 8000
CMD ["chroma", "run", "--path", "/data/chroma", "--host", "0.0.0.0", "--port", "8000"]

FROM runtime AS ingest
USER root
# tesseract reads scanned pages in Japanese and English; libmagic tells a file's type by its content; LibreOffice
# (325 MB) converts old and OpenDocument office files.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmagic1 tesseract-ocr tesseract-ocr-eng tesseract-ocr-jpn \
    libreoffice-calc-nogui libreoffice-impress-nogui libreoffice-writer-nogui \
 && rm -rf /var/lib/apt/lists/*
USER 10001:10001
CMD ["ingest", "watch"]

# ---- the official server with our entrypoint and a folder for models that a user without rights may write to
FROM ${OLLAMA_IMAGE} AS ollama
RUN install -d -o 10001 -g 10001 -m 0750 /ollama
COPY --chmod=0755 docker/ollama-entrypoint.sh /usr/local/bin/ollama-entrypoint.sh
ENV HOME=/ollama OLLAMA_MODELS=/ollama/models
USER 10001:10001
WORKDIR /ollama
ENTRYPOINT ["/usr/local/bin/ollama-entrypoint.sh"]
CMD []
