#!/usr/bin/env bash
# Builds the Ollama that `make test-live` talks to, from its Go module, and keeps it in the user's cache.
#
# Why a build: the tests need a real server of exactly the version that docker-compose.yml pins, on machines that reach a
# Go module proxy and a Debian mirror but no download site and no container registry.
#
# Needs: Go 1.24 or newer, and the Debian packages g++ cmake nlohmann-json3-dev libstb-dev.
# Module archives leave out vendor folders, so three headers come from elsewhere: json.hpp and stb_image.h from those
# packages, miniaudio.h from the module github.com/gen2brain/malgo.
#
# Leaves bin/ollama and lib/ollama/*.so in ${XDG_CACHE_HOME:-~/.cache}/company-assistant/ollama-<version>.
# Builds in a folder beside it and renames at the end: an interrupted build never looks finished, and the next one gets
# most of its objects from Go's own cache. A second caller waits for the first. Progress goes to stderr; the last line
# on stdout is the path of the binary.
set -euo pipefail

readonly version=0.17.7
readonly oldest_go_minor=24
readonly module=github.com/ollama/ollama
readonly miniaudio_module=github.com/gen2brain/malgo@v0.11.24
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/company-assistant"
readonly target="$cache/ollama-$version"
readonly marker="$target/finished"
readonly building="$target.building" # always the same path, for Go's cache knows objects by the options that made them
child=

say() { printf 'build_ollama: %s\n' "$*" >&2; }
refuse() { say "$1"; say "$2"; exit 1; }

# In the background and waited for, so that a signal to this script ends the compiler too.
run() { "$@" >&2 & child=$!; wait "$child"; child=; }
clean_up() {
  if [[ -n "$child" ]]; then kill "$child" 2>/dev/null || true; fi
  rm -rf "$building"
}

# The kernels are compiled for one CPU; the names and the instructions that each needs are those of ggml's CMakeLists.txt.
# Without them Ollama falls back to plain code and generates several times slower.
cpu_kernels() {
  case "$(uname -m)" in
    x86_64) ;;
    *) echo ggml-cpu; return ;;
  esac
  local flags
  flags=" $(grep -m1 '^flags' /proc/cpuinfo | cut -d: -f2) "
  has() { local flag; for flag in "$@"; do [[ "$flags" == *" $flag "* ]] || return 1; done; }
  local haswell=(sse4_2 avx f16c avx2 bmi2 fma)
  local skylakex=("${haswell[@]}" avx512f avx512cd avx512vl avx512dq avx512bw)
  if has "${skylakex[@]}" avx512vbmi avx512_vnni; then echo ggml-cpu-icelake
  elif has "${skylakex[@]}"; then echo ggml-cpu-skylakex
  elif has "${haswell[@]}" avx_vnni; then echo ggml-cpu-alderlake
  elif has "${haswell[@]}"; then echo ggml-cpu-haswell
  elif has sse4_2 avx; then echo ggml-cpu-sandybridge
  elif has sse4_2; then echo ggml-cpu-sse42
  else echo ggml-cpu-x64
  fi
}

is_finished() { [[ -x "$target/bin/ollama" && -f "$marker" && "$(<"$marker")" == "$version $kernels" ]]; }

check_tools() {
  local tool
  for tool in go g++ cmake flock; do
    command -v "$tool" >/dev/null || refuse "the program '$tool' is missing." \
      "On Debian or Ubuntu: apt-get install golang-go g++ cmake nlohmann-json3-dev libstb-dev util-linux"
  done
  local header
  for header in nlohmann/json.hpp stb/stb_image.h; do
    [[ -f "/usr/include/$header" ]] || refuse "the header '$header' is missing." \
      "On Debian or Ubuntu: apt-get install nlohmann-json3-dev libstb-dev"
  done
  local minor
  minor="$(GOTOOLCHAIN=local go env GOVERSION | sed -nE 's/^go1\.([0-9]+).*/\1/p')"
  if [[ -n "$minor" && "$minor" -lt "$oldest_go_minor" ]]; then
    [[ "$minor" -ge 21 ]] || refuse "Go 1.$minor is too old." "Install Go 1.$oldest_go_minor or newer."
    export GOTOOLCHAIN=auto # Go 1.21 and later fetch the toolchain that a module asks for, through the module proxy
  fi
}

build_server() {
  say "1/2 the server (minutes on two cores)"
  run go mod download "$module@v$version" "$miniaudio_module"
  local modules
  modules="$(go env GOMODCACHE)"
  mkdir -p "$building/include/miniaudio" "$building/include/stb"
  cp "$modules/$miniaudio_module/miniaudio.h" "$building/include/miniaudio/"
  cp /usr/include/stb/stb_image.h "$building/include/stb/"
  export GOBIN="$building/result/bin" CGO_ENABLED=1 CGO_CPPFLAGS="-I$building/include"
  run go install -v -trimpath -ldflags "-X=$module/version.Version=$version" "$module@v$version"
}

build_kernels() {
  say "2/2 the CPU kernels: $kernels"
  # The libraries must find each other after the folder is renamed, hence $ORIGIN and no path of the build folder.
  # shellcheck disable=SC2016
  run cmake -S "$(go env GOMODCACHE)/$module@v$version" -B "$building/kernels" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CUDA_COMPILER=NOTFOUND -DCMAKE_HIP_COMPILER=NOTFOUND -DCMAKE_DISABLE_FIND_PACKAGE_Vulkan=ON \
    -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH='$ORIGIN'
  run cmake --build "$building/kernels" --parallel "$(nproc)" --target "$kernels"
  mkdir -p "$building/result/lib"
  cp -a "$building/kernels/lib/ollama" "$building/result/lib/ollama"
}

main() {
  kernels="$(cpu_kernels)"
  readonly kernels
  if is_finished; then
    echo "$target/bin/ollama"
    return
  fi
  check_tools
  mkdir -p "$cache"
  exec 9>"$cache/ollama-$version.lock"
  flock --nonblock 9 || { say "another build is running: waiting for it"; flock 9; }
  if is_finished; then
    echo "$target/bin/ollama"
    return
  fi

  # A build outside any module or workspace, and deaf to a developer's own Go flags.
  export GO111MODULE=on GOWORK=off GOFLAGS=-buildvcs=false
  trap clean_up EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  rm -rf "$building" # left by a build that was killed; the lock says that nobody works there now
  mkdir "$building"
  cd "$building"
  build_server
  build_kernels
  "$building/result/bin/ollama" --version >&2
  echo "$version $kernels" > "$building/result/finished"
  rm -rf "$target"
  mv "$building/result" "$target"
  say "done: $target"
  echo "$target/bin/ollama"
}

main
