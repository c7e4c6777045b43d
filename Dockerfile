# Builds parceltrail with TLS to PostgreSQL, and runs it as a user of its own, without a shell.
#
#   docker build -t parceltrail .
#   docker run -p 8080:8080 -v parceltrail:/data parceltrail
#   docker exec CONTAINER parceltrail seller create --name "My shop"

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock parceltrail.default.toml ./
COPY migrations migrations
COPY templates templates
COPY src src
# Cargo wants to see the tests that Cargo.toml names, though they are not built.
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked --features postgres-tls --bin parceltrail \
 && cp target/release/parceltrail /usr/local/bin/parceltrail \
 && mkdir /data

# The C library, the certificates of the authorities, and nothing else.
FROM gcr.io/distroless/cc-debian12
COPY --from=build /usr/local/bin/parceltrail /usr/local/bin/parceltrail
COPY --from=build --chown=10001:10001 --chmod=750 /data /data
USER 10001:10001
WORKDIR /data
# The database and its key file. With PostgreSQL set DATABASE_URL and PARCELTRAIL_SECRET_KEY, and nothing is kept here.
VOLUME /data
ENV DATABASE_URL=sqlite:/data/parceltrail.db \
    PARCELTRAIL_BIND=0.0.0.0:8080 \
    PARCELTRAIL_METRICS_BIND=0.0.0.0:9090
# 8080 is for the proxy in front. 9090 tells how the server does: publish it to no one but those who watch it.
EXPOSE 8080 9090
# With `serve --jobs-only` nothing listens on 8080: run that with --no-healthcheck.
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD ["/usr/local/bin/parceltrail", "healthcheck"]
# On SIGTERM up to 30 seconds pass: give `docker stop` and Kubernetes at least 35.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/parceltrail"]
CMD ["serve"]
