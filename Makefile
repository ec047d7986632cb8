# make run    the whole cloud on this machine, with a first virtual machine in it
# make test   everything that CI checks
# The other targets are parts of these two.

SHELL := /bin/bash
export CGO_ENABLED := 0
# For all alike, so that what one target has compiled is there for the others.
export GOFLAGS := -trimpath
# sudo leaves out where Go usually is.
export PATH := $(PATH):/usr/sbin:/sbin:/usr/local/go/bin

DATA_DIR ?= /var/lib/lazuli

# What Lazuli runs, what its images are built with, and what a person needs to
# look behind it (nft, ip).
RUN_PACKAGES := ca-certificates qemu-system-x86 qemu-utils seabios ovmf util-linux openssh-client \
	nftables iproute2 \
	mmdebstrap e2fsprogs fdisk mtools dosfstools grub-common grub-pc-bin grub-efi-amd64-bin kmod zstd
# What the tests need besides: their own guest, other implementations to be
# held against, clients, and tools to break things with.
TEST_PACKAGES := azure-cli busybox-static cpio fuse3 fio iputils-ping openssl procps xorriso

.PHONY: build run test unit e2e bench lint deps test-deps clean

build:
	go build -ldflags '-s -w' -o bin/lazuli ./cmd/lazuli

# Run it as root. It can be run again; then it takes seconds.
run: deps build
	@hack/quickstart $(DATA_DIR)

test: test-deps lint unit e2e

lint:
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'gofmt: the files above need formatting' >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...

# -p 2: packages that drive QEMU and namespaces share two processors here. Those
# that take longest begin first, so that none of them ends alone.
unit:
	go test -p 2 -timeout 30m $$(go list ./test/... ./internal/control ./... | grep -v /test/e2e)

# Two clouds at a time: a guest that starts keeps one processor busy.
e2e: build
	go test -count 1 -v -parallel 2 -timeout 60m ./test/e2e

# As root. BENCH_FLAGS: go run ./bench -help
bench: test-deps
	go run ./bench $(BENCH_FLAGS)

deps:
	@hack/apt $(RUN_PACKAGES)

test-deps:
	@hack/apt $(RUN_PACKAGES) $(TEST_PACKAGES)

clean:
	rm -rf bin
