# The two commands of README.md in a container:
#   docker build -t fxscore . && docker run --rm fxscore rank zoo/*.py
#   docker run --rm --entrypoint .venv/bin/pytest fxscore -n 2
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /fxscore
COPY . .
RUN PYTHON=python3.11 bash setup.sh
ENTRYPOINT [".venv/bin/fxscore"]
CMD ["--help"]
