# fanout's image on a base of yours, from its binary; it takes no network:
#
#     hack/build.sh linux amd64 ./cmd/fanout out/docker/fanout && docker build --build-arg BASE=YOUR_BASE -t fanout:dev out/docker -f Dockerfile
#
# Without a base, make image does the same with no engine, and bit for bit the same each time.
ARG BASE=scratch
FROM ${BASE}
COPY fanout /fanout
USER 65532:65532
ENTRYPOINT ["/fanout"]
