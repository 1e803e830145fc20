# One image for the web, the worker, beat and the schema migration; docker-compose.yml starts them.

FROM node:22-slim AS front-end
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY static static
RUN npm run build

FROM python:3.13-slim AS site
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
RUN pip install --require-hashes -r requirements/base.txt
COPY manage.py ./
COPY migration_tracker migration_tracker
COPY practices practices
COPY templates templates
COPY --from=front-end /app/static/build static/build
# Collecting static files asks nothing of any server; the settings only want to be told of them.
RUN SECRET_KEY=build DATABASE_URL=postgres://none REDIS_URL=redis://none ALLOWED_HOSTS=none \
    SITE_URL=https://none DEFAULT_FROM_EMAIL=none@none DEVELOPMENT=true \
    python manage.py collectstatic --noinput -v0 \
    && python -m compileall -q migration_tracker practices \
    && useradd --system --uid 10001 --no-create-home site \
    && install -d -o site -g site -m 700 /media
USER site
VOLUME /media
EXPOSE 8000
CMD ["gunicorn", "--config=python:migration_tracker.gunicorn"]
