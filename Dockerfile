# syntax=docker/dockerfile:1

# The program, with every kind of handler.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
# What it is built from changes seldom: a layer of its own, which a change of the program leaves as it is. For that the
# program is an empty one at first.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src bench \
    && touch src/lib.rs \
    && echo 'fn main() {}' | tee src/main.rs bench/nothing.rs >bench/sink.rs \
    && cargo build --locked --release --all-features --bin lectern \
    && rm -r src bench
COPY src src
COPY bench/nothing.rs bench/sink.rs bench/
COPY migrations migrations
COPY config config
# Newer than the empty ones, whatever the clock of who copied them says.
RUN touch src/main.rs src/lib.rs \
    && cargo build --locked --release --all-features --bin lectern \
    && install -D target/release/lectern /out/usr/local/bin/lectern \
    && install -D --mode=0644 config/production.toml /out/etc/lectern/lectern.toml \
    && install -d --mode=0700 /state/lectern

# Nothing else: no shell, no package manager, and a user who may do nothing.
FROM gcr.io/distroless/cc-debian12:nonroot
# docker build --build-arg REVISION=$(git rev-parse HEAD) …
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Lectern" \
      org.opencontainers.image.description="Receives Podium's webhooks: verified, durable, answered in time, and handed to your handlers in order" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out /
# Its user's, whatever the engine makes of owners that are not said.
COPY --from=build --chown=65532:65532 /state/ /var/lib/
ENV LECTERN_CONFIG=/etc/lectern/lectern.toml
# The spool and what Lectern makes for itself. Everything else may be read-only.
VOLUME /var/lib/lectern
EXPOSE 8080 8081
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/lectern", "health"]
ENTRYPOINT ["/usr/local/bin/lectern"]
CMD ["serve"]
