# Towpath in a container. docs/install.md says how to run it, and what was tried.
#
#   docker build -t towpath .
#   docker run --read-only --network host -v ./towpath.toml:/etc/towpath/towpath.toml:ro -v towpath:/var/lib/towpath towpath
FROM docker.io/library/rust:1.94-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin towpath && cp target/release/towpath /towpath

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 # ssh asks who it is; the numbers alone would be no answer.
 && echo 'towpath:x:65532:65532::/var/lib/towpath:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'towpath:x:65532:' >> /etc/group \
 && install -d -o 65532 -g 65532 -m 0700 /var/lib/towpath
COPY --from=build /towpath /usr/bin/towpath
USER 65532:65532
WORKDIR /var/lib/towpath
ENV TOWPATH_CONFIG=/etc/towpath/towpath.toml
# The only place that is written: the store and, beside it, git's home. The root may be read-only.
VOLUME /var/lib/towpath
# Towpath answers it itself: no curl is needed.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["/usr/bin/towpath", "probe"]
# It ends by itself on SIGTERM; git's processes are its own children and are waited for. So no init is needed, except
# for what a repository's hook leaves in the background.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/towpath"]
CMD ["serve", "--log", "json"]
