# fanout's image on a base of yours, from the binary that make image builds on the way; it takes no network:
#
#     hack/build.sh linux amd64 ./cmd/fanout out/image/fanout && docker build --build-arg BASE=YOUR_BASE -t fanout:dev out/image -f Dockerfile
#
# Without a base, make image does the same with no engine, and bit for bit the same each time.
ARG BASE=scratch
FROM ${BASE}
COPY fanout /fanout
USER 65532:65532
ENTRYPOINT ["/fanout"]
