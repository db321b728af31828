# The house helper owns this file; `make test MODULE=X` is the daily loop.
MODULE ?=
ifneq ($(MODULE),)
SCRATCH := .build/modules/$(MODULE)
export BALLAST_MODULE := $(MODULE)
else
SCRATCH := .build
endif
.PHONY: test
test:
	swift test --scratch-path $(SCRATCH)
