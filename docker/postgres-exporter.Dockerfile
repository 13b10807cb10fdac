# The exporter beside the bundled Postgres. The base is the project's own image, or the one of docker/base where no registry answers.
ARG BASE_IMAGE=prometheuscommunity/postgres-exporter:v0.17.1
FROM ${BASE_IMAGE}
USER 0:0
COPY postgres_exporter.yml /etc/postgres_exporter.yml
# The checkout may have been made under a umask that lets nobody else read.
RUN chmod 0644 /etc/postgres_exporter.yml
USER 10001:10001
EXPOSE 9187
ENTRYPOINT ["/bin/postgres_exporter", "--config.file=/etc/postgres_exporter.yml"]
