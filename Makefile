# SPDX-License-Identifier: Apache-2.0
#
# make run    build falconet and start it (as root)
# make test   everything that CI runs
# make help   the other targets

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
else
Q :=
say = @:
endif

BIN := build/bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.0.0-dev)
SETUP := build/setup.sh
# Go's directory is known once setup has run.
GO = PATH="$$(cat $(BIN)/.go):$$PATH" go
MUSL := /usr/lib/x86_64-linux-musl
# The version is stamped below; a repository that belongs to somebody else, as in CI, is no reason not to build.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
CLANG := clang-19
CFLAGS := -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Iprobe/bpf -I/usr/include/x86_64-linux-gnu \
	-fdebug-compilation-dir=.

.PHONY: help setup build run test lint unit verifier probe probe-check check-binary image image-test matrix clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@printf '%s\n' 'make build         $(BIN)/falconet, static, with its symbols beside it' 'make probe         compile the probe into embed/probe' \
	  'make probe-check   fail if the compiled probe is not what its source gives' 'make lint          gofmt, vet, staticcheck' \
	  'make unit          go test ./...' 'make verifier      what the programs cost the verifier' 'make check-binary  what the release binary must be' 'make image         Containerfile.distroless' \
	  'make image-test    an alert from a container' 'make matrix        doctor, alerts and probe tests on 5.10, 6.1 and 6.12'

$(BIN)/.go: $(SETUP) go.mod
	$(Q)mkdir -p $(BIN)
	$(Q)$(SETUP) > $@.tmp && tail -n 1 $@.tmp > $@ && rm $@.tmp

setup: $(BIN)/.go

# A static position-independent executable against musl. GNU ld's own way to one (-static-pie) would take glibc's start files.
build: $(BIN)/.go
	$(call say,BUILD,$(BIN)/falconet)
	$(Q)ext="-static-pie -nostartfiles $(MUSL)/rcrt1.o $(MUSL)/crti.o $$(gcc -print-file-name=crtbeginS.o)"; \
	  ext="$$ext -Wl,-Bstatic -Wl,--no-dynamic-linker -Wl,-z,relro,-z,now $$(gcc -print-file-name=crtendS.o) $(MUSL)/crtn.o"; \
	  CC=musl-gcc CGO_ENABLED=1 $(GO) build -trimpath -tags netgo,osusergo -buildmode=pie -o $(BIN)/falconet.full \
	  -ldflags "-linkmode external -X main.version=$(VERSION) -extldflags '$$ext'" .
	$(Q)objcopy --only-keep-debug $(BIN)/falconet.full $(BIN)/falconet.debug
	$(Q)strip --strip-all -o $(BIN)/falconet $(BIN)/falconet.full
	$(Q)cd $(BIN) && objcopy --remove-section=.gnu_debuglink --add-gnu-debuglink=falconet.debug falconet && rm falconet.full

run: build
	$(Q)[ "$$(id -u)" = 0 ] || { echo "falconet needs root: sudo make run"; exit 1; }
	$(Q)exec $(BIN)/falconet

# The object holds no path of this machine and no time, so that the same compiler gives the same bytes.
define compile_probe
$(1) $(CFLAGS) -c probe/bpf/probe.bpf.c -o $(2) && llvm-strip-19 -g $(2)
endef

probe: setup
	$(call say,CLANG,embed/probe/probe.o)
	$(Q)$(call compile_probe,$(CLANG),embed/probe/probe.o)
	$(Q)$(CLANG) --version | head -n 1 > embed/probe/clang.txt

probe-check: setup
	$(call say,CHECK,embed/probe/probe.o)
	$(Q)clang=$$(build/clang.sh) && $(call compile_probe,$$clang,$(BIN)/probe.o)
	$(Q)cmp -s $(BIN)/probe.o embed/probe/probe.o || { echo "embed/probe/probe.o is not what probe/bpf gives: run make probe and commit the result"; exit 1; }

lint: setup
	$(call say,LINT,.)
	$(Q)out=$$(PATH="$$(cat $(BIN)/.go):$$PATH" gofmt -l .); [ -z "$$out" ] || { echo "not formatted: $$out"; exit 1; }
	$(Q)$(GO) vet ./...
	$(Q)$(GO) run $(STATICCHECK) ./...

unit: build
	$(call say,TEST,./...)
	$(Q)FALCONET_BIN=$(CURDIR)/$(BIN)/falconet $(GO) test -count=1 -p 1 -timeout 20m ./...

# What each program costs the verifier of this machine's kernel; the matrix prints the same of its kernels.
verifier: setup
	$(call say,VERIFY,embed/probe/probe.o)
	$(Q)$(GO) test -count=1 -v -run '^TestProgramsAreCheapToVerify$$' ./probe/live | sed -n 's/^.*_test.go:[0-9]*: /  /p; /^--- FAIL/q1'

check-binary: build
	$(call say,CHECK,$(BIN)/falconet)
	$(Q)FALCONET_BIN=$(CURDIR)/$(BIN)/falconet $(GO) test -count=1 ./build/elfcheck

image: build
	$(call say,IMAGE,falconet)
	$(Q)docker build -q -f Containerfile.distroless -t falconet:$(VERSION) -t falconet:latest .

image-test: build
	$(call say,TEST,image)
	$(Q)FALCONET_IMAGE_TEST=1 FALCONET_BIN=$(CURDIR)/$(BIN)/falconet $(GO) test -count=1 -timeout 10m ./build/image

matrix: build
	$(call say,TEST,kernels)
	$(Q)PATH="$$(cat $(BIN)/.go):$$PATH" build/kernels/matrix.sh

test:
	$(Q)mkdir -p $(BIN) && $(SETUP) --test | tail -n 1 > $(BIN)/.go
	$(Q)$(MAKE) --no-print-directory lint probe-check unit verifier check-binary image-test matrix
	@echo 'everything passed'

clean:
	rm -rf $(BIN)
