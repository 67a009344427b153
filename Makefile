# Short names for the scripts. `make` alone prints this list; each target calls one script or one swift command.
.PHONY: help build test quick format lint golden fuzz bench quickstart clean

help: ## prints this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12

build: ## release binaries, into .build/blockfarm
	deploy/build

test: ## everything that CI runs; deploy/test --list names the stages
	deploy/test

quick: ## the same without fuzzing and what needs release builds
	deploy/test --quick

format: ## formats all sources
	swift format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## shellcheck, the Jenkins pipelines, the format of the sources
	deploy/test scripts

golden: ## writes all golden files anew; look at the difference before you commit it
	UPDATE_GOLDEN=1 swift test --no-parallel --filter 'PlanningTests|ReportsTests|CommandsTests'

fuzz: ## the parsers of foreign bytes, a minute each
	deploy/fuzz 60

bench: ## names the benches; deploy/bench NAME runs one
	-@deploy/bench

quickstart: ## the whole main job on this machine
	deploy/quickstart

clean: ## removes what the quickstart made
	deploy/quickstart --clean
