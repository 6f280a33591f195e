# The few words a developer types every day. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
PACKAGES = python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libharfbuzz0b fontconfig \
	fonts-noto-cjk fonts-noto-core fonts-ddc-uchen fonts-hanazono fonts-babelstone-han fonts-liberation \
	fonts-lxgw-wenkai poppler-utils qpdf softhsm2 espeak-ng sox chromium \
	ghostscript libtiff-tools
BIN = .venv/bin
FLASK = $(BIN)/flask --app app
INSTALLED = .venv/requirements.txt
PEERS = .venv/peers/peers.txt
SAMPLES = .venv/samples/samples.txt
VOICES = instance/voices/made
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help setup packages run test quick migration words soak cluster writes virus screens bench lint clean
.DEFAULT_GOAL = help

help: ## 列出这些命令
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: $(INSTALLED) $(VOICES) ## 安装系统软件包和 Python 依赖，建立或升级数据库
	@$(FLASK) upgrade

packages:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo '需要 Python 3.11 或更高版本，可用 make PYTHON=/path/to/python3 指定。' >&2; exit 1; }
	@missing=; for package in $(PACKAGES); do \
		[ "$$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null)" = installed ] || missing="$$missing $$package"; \
	done; \
	[ -z "$$missing" ] || { \
		echo "安装系统软件包：$$missing" && \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	} || { echo '系统软件包没有装上，请检查网络和 apt 软件源后，再次运行同一命令。' >&2; exit 1; }

$(INSTALLED): requirements.txt | packages
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $< || \
		{ echo 'Python 依赖没有装上，请检查网络和 pip 软件源后，再次运行同一命令。' >&2; exit 1; }
	@cp $< $@

# The digits of the spoken captcha, in two pitches, as the package `captcha` mixes them: 8 bits, 8,000 Hz.
$(VOICES): | $(INSTALLED)
	@digit=0; for spoken in 零 一 二 三 四 五 六 七 八 九; do \
		mkdir -p $(@D)/$$digit && \
		for pitch in 35 55; do \
			espeak-ng -v cmn -s 130 -p $$pitch --stdout $$spoken | \
			sox -V1 -G --ignore-length -t wav - -b 8 -r 8000 -c 1 $(@D)/$$digit/$$pitch.wav || exit 1; \
		done; \
		digit=$$((digit + 1)); \
	done
	@touch $@

$(SAMPLES): tests/corpus/samples.txt | $(INSTALLED)
	@$(BIN)/pip download --quiet --disable-pip-version-check --no-input --no-deps --no-binary :all: \
		--require-hashes -r $< -d $(@D) || \
		{ echo '测试用的样本文件没有取到，请检查网络和 pip 软件源后，再次运行同一命令。' >&2; exit 1; }
	@cp $< $@

$(PEERS): tests/bench/peers.txt | $(INSTALLED)
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $< || \
		{ echo '用来比较的软件没有装上，请检查网络和 pip 软件源后，再次运行同一命令。' >&2; exit 1; }
	@cp $< $@

run: export FILING_BASE_URL ?= http://localhost:$(PORT)
run: export FILING_CUSTOMS_GATEWAY ?= folder:customs
run: SHELL = setpriv
run: .SHELLFLAGS = --pdeathsig TERM sh -c
run: setup ## 装入演示数据和模拟海关，在 http://localhost:8000 运行（PORT=8001 可换端口）
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT))).close()' 2>/dev/null || \
		{ echo '端口 $(PORT) 已被占用，可换一个：make run PORT=8001' >&2; exit 1; }
	@$(FLASK) demo
	@echo '浏览器打开 http://localhost:$(PORT) ，按 Ctrl-C 停止。'
	@start() { setsid setpriv --pdeathsig TERM "$$@" & all="$$all $$!"; }; \
	trap 'kill $$all 2>/dev/null' INT TERM HUP; \
	[ "$$FILING_CUSTOMS_GATEWAY" != folder:customs ] || start $(FLASK) customs simulate --folder customs; \
	start $(FLASK) customs deliver --watch; \
	start $(FLASK) mail send --watch; \
	[ -z "$$FILING_CHECKPOINTS" ] || start $(FLASK) trail checkpoint --watch; \
	for core in $$(seq $$(nproc)); do start $(FLASK) certificate work --watch; done; \
	start $(BIN)/gunicorn --config python:views.entrance.server --bind 127.0.0.1:$(PORT); \
	server=$$!; wait $$server || wait $$server; kill $$all 2>/dev/null; wait

soak: setup ## 长时间反复强制终止网页、投递和制证进程，核对双方台账（KILLS=1000 SEED=1）
	@KILLS=$(or $(KILLS),200) $(BIN)/pytest -q -s tests/views/terminal/test_kills.py tests/served/test_kills.py

cluster: PACKAGES += nginx postgresql patroni etcd-server python3-etcd redis-server curl procps
cluster: setup ## 两个节点、由 Patroni 切换的主备数据库、Redis 和对象存储，逐个强制终止，核对有无丢失或重复
	@$(BIN)/python -m tests.cluster

writes: setup ## 每秒能办理多少份申报（WRITERS=8 READERS=50 GRANTERS=0）
	@$(BIN)/python -m tests.bench.writes $(or $(WRITERS),8) $(or $(READERS),0) $(or $(GRANTERS),0)

# Only the daemon: the test brings its own signature in place of the signature database.
virus: PACKAGES += clamav-daemon
virus: setup ## 用 Debian 的 clamd 核对查毒
	@$(BIN)/pytest -q tests/models/files/real_clamd.py

# Installing these starts services on Debian; the demo does not need them.
test: PACKAGES += nginx pgbouncer chromium-headless-shell
# Byte code is written, or each of the many processes that the tests start would compile all modules again.
test quick: export PYTHONDONTWRITEBYTECODE =
test: setup $(SAMPLES) ## 在 SQLite 和 PostgreSQL 上运行全部测试
	@$(BIN)/pytest -n auto --part quick
	@$(BIN)/pytest -n $$(($$(nproc) * 3 / 2)) --part slow

quick: setup ## 在 SQLite 上运行不需要浏览器和服务器的测试，约一分半钟
	@$(BIN)/pytest -n auto --part quick

migration: export NAME := $(NAME)
migration: $(INSTALLED) ## 改动模型之后编写迁移（NAME="改了什么"）
	@[ -n "$$NAME" ] || { echo '请写明改了什么：make migration NAME="改了什么"' >&2; exit 1; }
	@$(FLASK) upgrade
	@last=$$(ls models/migrations/versions | sed -n 's/^\([0-9]*\)_.*/\1/p' | sort | tail -n 1); \
	$(FLASK) db migrate --rev-id "$$(printf '%04d' "$$(expr $$last + 1)")" -m "$$NAME"

words: $(INSTALLED) ## 把源码中的词句收入英文目录，列出尚无英文的
	@$(BIN)/python -m views.translations.words

screens: setup ## 重新拍摄 README 和版式测试中的图片
	@SCREENS=1 $(BIN)/pytest -q tests/browser/test_pictures.py tests/views/certificate/test_looks.py -k pictures

bench: setup $(PEERS) ## 与同类产品比较速度，写入 README（一百万条；QUICK=1 为十万条）
	@$(BIN)/python -m tests.bench $(if $(QUICK),100000 5)

lint: $(INSTALLED) ## 检查代码风格和类型
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

clean: ## 删除 .venv 和缓存；数据（instance/）不动
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
