# Builds parceltrail with TLS to PostgreSQL, and runs it as a user of its own.
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
    cargo build --release --locked --features postgres-tls \
 && cp target/release/parceltrail /usr/local/bin/parceltrail

FROM debian:bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin parceltrail \
 && install -d -o parceltrail -g parceltrail -m 750 /data
COPY --from=build /usr/local/bin/parceltrail /usr/local/bin/parceltrail
USER parceltrail
WORKDIR /data
# The database and its key file. With PostgreSQL set DATABASE_URL and PARCELTRAIL_SECRET_KEY, and nothing is kept here.
VOLUME /data
ENV DATABASE_URL=sqlite:/data/parceltrail.db \
    PARCELTRAIL_BIND=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["curl", "--fail", "--silent", "--max-time", "2", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["parceltrail"]
CMD ["serve"]
