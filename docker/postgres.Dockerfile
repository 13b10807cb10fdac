# The bundled Postgres. The base is the official image, or the one of docker/base where no registry answers.
ARG BASE_IMAGE=postgres:17-trixie
FROM ${BASE_IMAGE}
# Postgres asks the system for the name of its user.
RUN echo 'todo:x:10001:10001::/var/lib/postgresql:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'todo:x:10001:' >> /etc/group \
    && mkdir -p /var/lib/postgresql/data /var/run/postgresql \
    && chown 10001:10001 /var/lib/postgresql/data /var/run/postgresql
COPY entrypoint.sh /usr/local/bin/todo-postgres
# Whatever modes and line ends the checkout has.
RUN sed -i 's/\r$//' /usr/local/bin/todo-postgres && chmod 0755 /usr/local/bin/todo-postgres
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PGDATA=/var/lib/postgresql/data/pgdata
USER 10001:10001
# Fast shutdown: do not wait for clients to leave.
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["todo-postgres"]
CMD ["postgres", "-c", "listen_addresses=*"]
